// The card: everything about one token.

import { bits, chance, interval, percent, rank, remainder } from "./decode.js";

const VAGUE = 0.7; // bits; an entropy known no better is greyed

/** An element; `children` are nodes or text, which never becomes markup. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/**
 * Fill `card` with token `i`. `onFork(i, rank)` continues the answer with an alternative; without it the
 * alternatives are no buttons. `onPart(i)` shows another part of the same character.
 */
export function fillCard(card, table, i, { onFork, onPart, pinned }) {
  const group = table.groupOf[i];
  const parts = table.groupEnd(group) - table.groups[group];
  const name = make("bdi", "dsx-token", table.label(i));
  const position = table.position(i);
  card.replaceChildren(
    make("div", "dsx-card-head", name, make("span", "dsx-dim", ` at ${position}${pinned ? ", pinned" : ""}`)),
    facts(table, i),
  );
  if (parts > 1) card.append(partsOf(table, group, i, onPart));
  const forkable = onFork && i === table.groups[group] ? onFork : null;
  card.append(alternatives(table, i, forkable));
  if (forkable) card.append(make("div", "dsx-dim dsx-small", "Choose an alternative to continue the answer from there."));
}

function facts(table, i) {
  const { low, high, count } = table.columns;
  const rows = [
    ["probability", chance(table, i)],
    ["rank", rank(table, i)],
    ["surprise", `${bits(table, i)} bits`],
    ["entropy", `${interval(low[i], high[i])} bits`],
    ["bytes", hex(table.bytes(table.columns.code[i]))],
    ["escaped", escaped(table.bytes(table.columns.code[i]))],
  ];
  const status = table.status(i);
  const why = {
    censored: `below the ${count[i]} alternatives that came: only bounded`,
    missing: "no probability came",
    degenerate: "what came is no probability distribution",
    constrained: "forced by a grammar; shares from before it",
  }[status];
  if (why) rows.push(["note", why]);
  if (table.isForced(i)) rows.push(["note", "part of a prefix"]);
  if (table.isDamaged(i)) rows.push(["note", "the server may have lost bytes"]);
  const list = make("div", "dsx-facts");
  const vague = high[i] - low[i] > VAGUE;
  for (const [name, value] of rows) {
    list.append(make("span", "dsx-dim", name), make("span", vague && name === "entropy" ? "dsx-dim" : "", value));
  }
  return list;
}

function hex(bytes) {
  const shown = [...bytes.slice(0, 24)].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase());
  return shown.length ? shown.join(" ") + (bytes.length > 24 ? " …" : "") : "none";
}

/** The token as a Python or JSON string would hold it: printable ASCII as it is, all else escaped. */
function escaped(bytes) {
  const text = new TextDecoder().decode(bytes.slice(0, 60));
  const written = JSON.stringify(text).replace(/[^ -~]/gu, (character) => {
    const code = character.codePointAt(0).toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
  });
  return bytes.length > 60 ? `${written.slice(0, -1)}…"` : written;
}

function partsOf(table, group, current, onPart) {
  const row = make("div", "dsx-parts", make("span", "dsx-dim", "one character of "));
  for (let i = table.groups[group]; i < table.groupEnd(group); i++) {
    const part = make("button", "dsx-part", `${table.label(i)} ${chance(table, i)}`);
    part.type = "button";
    part.setAttribute("aria-pressed", String(i === current));
    part.addEventListener("click", () => onPart(i));
    row.append(part);
  }
  return row;
}

function alternatives(table, i, onFork) {
  const found = table.alternatives(i);
  const list = make("div", "dsx-alternatives");
  list.setAttribute("role", "list");
  if (!found.length) {
    list.append(make("div", "dsx-dim", "No alternatives came."));
    return list;
  }
  for (const one of found) {
    list.append(row(one, onFork && (() => onFork(i, one.rank)), table.bytes(one.code)));
  }
  if (!found.some((one) => one.chosen)) {
    list.append(row({ label: table.label(i), prob: table.prob(i), shown: chance(table, i), chosen: true, cumulative: NaN }));
  }
  const rest = { label: "everything else", prob: table.rest(i), shown: remainder(table, i), rest: true };
  list.append(row({ ...rest, cumulative: NaN }));
  return list;
}

function row(one, onFork, bytes) {
  const whole = onFork && bytes.length && isText(bytes) && !one.chosen;
  const element = make(whole ? "button" : "div", "dsx-alternative");
  if (whole) {
    element.type = "button";
    element.title = "Continue the answer with this token";
    element.addEventListener("click", onFork);
  }
  element.classList.toggle("dsx-chosen", Boolean(one.chosen));
  element.classList.toggle("dsx-rest", Boolean(one.rest));
  const bar = make("span", "dsx-bar");
  bar.style.width = `${Number.isNaN(one.prob) ? 0 : 100 * Math.min(1, one.prob)}%`;
  const total = Number.isNaN(one.cumulative) ? "" : percent(Math.min(1, one.cumulative));
  element.append(
    make("span", "dsx-mark", one.chosen ? "▸" : ""),
    make("bdi", "dsx-label", one.label),
    make("span", "dsx-track", bar),
    make("span", "dsx-number", one.shown ?? percent(one.prob)),
    make("span", "dsx-number dsx-dim", total),
  );
  if (element.tagName === "DIV") element.setAttribute("role", "listitem");
  return element;
}

function isText(bytes) {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
