// The card: everything about one token. Words before numbers, what few ask for folded away.

import { bits, chance, interval, percent, rank, remainder } from "./decode.js";
import { arrows, button, make, token } from "./elements.js";

const FIRST = 6; // alternatives before "14 more"
const VAGUE = 0.7; // bits; an entropy known no better is greyed

/**
 * Fill `card` with token `i`. `view`: {table, onFork(i, rank), whyNot, onPart(i), onClose, known, habits}: without
 * `onFork` the alternatives are no buttons, and `whyNot` says why; `known` has the branches that there
 * are already, id by label; `habits` is what the reader unfolded last; `hint` stands below.
 */
export function fillCard(card, i, view) {
  const { table } = view;
  const group = table.groupOf[i];
  card.setAttribute("aria-label", `About ${table.label(i)}`);
  const close = view.onClose && button("dsx-plain dsx-close", "×", "Let go of the card", view.onClose);
  card.replaceChildren(make(
    "div", "dsx-inside",
    make("div", "dsx-card-head", make("bdi", "dsx-chip dsx-token", table.label(i)), inWords(table, i), close || ""),
    ...notes(table, i, group),
    ...(table.groupEnd(group) - table.groups[group] > 1 ? [partsOf(table, group, i, view.onPart)] : []),
    ...alternatives(card, table, i, view),
    details(table, i, view.habits),
    ...(view.hint ? [make("div", "dsx-small dsx-dim", view.hint)] : []),
  ));
}

function inWords(table, i) {
  const place = rank(table, i);
  const ranked = { 1: "the likeliest", "—": "rank not known" }[place] ?? `rank ${place.replace(">", "below")}`;
  const share = chance(table, i).replace("—", "not returned");
  const surprise = bits(table, i);
  const more = surprise === "—" ? ranked : `${ranked}, ${surprise.replace("≥", "at least")} bits of surprise`;
  return make("span", "dsx-words", make("span", "dsx-strong", share), `, ${more}`);
}

function notes(table, i, group) {
  const { count, code } = table.columns;
  const said = [];
  const why = {
    censored: `It was not among the ${count[i]} alternatives that came: its share is only bounded.`,
    missing: "No probability came for it.",
    degenerate: "What came with it is no probability distribution.",
    constrained: "A grammar forced it; the shares are from before that.",
  }[table.status(i)];
  if (why) said.push(why);
  if (table.isForced(i)) said.push("It was given, not chosen by the model.");
  if (table.isDamaged(i)) said.push("The server may have lost bytes of it.");
  const parts = table.groupEnd(group) - table.groups[group];
  if (parts > 1) {
    const which = i - table.groups[group] + 1;
    const bytes = "some of the bytes that the character is written with";
    said.push(`${parts} tokens make ${table.text(group)}. This is part ${which}: ${bytes}.`);
  } else if (!table.isText(code[i])) {
    said.push("It is only a part of a character: some of the bytes that one is written with.");
  }
  return said.map((text) => make("div", "dsx-note", text));
}

function partsOf(table, group, current, onPart) {
  const row = make("div", "dsx-parts");
  for (let i = table.groups[group]; i < table.groupEnd(group); i++) {
    const part = button("dsx-button dsx-part", `${table.label(i)} ${chance(table, i)}`, "", () => onPart(i));
    part.setAttribute("aria-pressed", String(i === current));
    row.append(part);
  }
  return row;
}

/** What is drawn of the alternatives: the first few or all, the chosen one anyway, and everything else. */
function drawn(table, i, all) {
  const found = table.alternatives(i);
  const rows = found.filter((one, at) => all || at < FIRST || one.chosen);
  let rest = table.rest(i);
  for (const one of found) if (!rows.includes(one)) rest += one.prob;
  if (found.length && !found.some((one) => one.chosen)) {
    const prob = table.prob(i);
    const own = { label: table.label(i), code: table.columns.code[i], prob, shown: chance(table, i) };
    rows.push({ ...own, chosen: true, cumulative: NaN });
    if (prob > 0) rest = Math.max(0, rest - prob);
  }
  const more = found.length - rows.filter((one) => one.rank).length;
  return { rows, rest, more, others: table.meta.vocabulary - rows.length };
}

function alternatives(card, table, i, view) {
  const { rows, rest, more, others } = drawn(table, i, view.habits.all);
  if (!rows.length) return [make("div", "dsx-note", "No alternatives came with it.")];
  const isWhole = i === table.groups[table.groupOf[i]];
  const onFork = isWhole ? view.onFork : null;
  const body = make("tbody", "", ...rows.map((one) => row(table, i, one, onFork, view)));
  const name = make("span", "dsx-label", "everything else");
  if (others > 0) name.append(make("span", "dsx-small", ` (${others.toLocaleString("en")} others)`));
  body.append(line(name, "dsx-rest", rest, remainder(table, rest), ""));
  const heads = [["token"], ["probability", 2], ["cumulative"]].map(([text, columns = 1]) => {
    const head = make("th", columns > 1 ? "" : "dsx-end", text);
    head.scope = "col";
    head.colSpan = columns;
    return head;
  });
  heads[0].className = "";
  const list = make("table", "dsx-alternatives", make("thead", "", make("tr", "", ...heads)), body);
  list.addEventListener("keydown", (event) => {
    arrows(event, () => [...card.querySelectorAll(".dsx-alternatives button")], ["ArrowUp", "ArrowDown"]);
  });
  const below = [];
  if (more > 0 || view.habits.all && rows.length > FIRST) {
    const unfold = button("dsx-plain dsx-more", more > 0 ? `${more} more` : "fewer", "", () => {
      view.habits.all = more > 0;
      fillCard(card, i, view);
      card.querySelector(".dsx-more")?.focus();
      view.onResize?.();
    });
    unfold.setAttribute("aria-expanded", String(more <= 0));
    below.push(unfold);
  }
  const whyNot = isWhole ? view.whyNot : "A branch begins with a whole character: choose its first part.";
  const why = onFork ? "Choose a token to go on with it instead." : whyNot;
  if (why) below.push(make("span", "dsx-small", why));
  return [list, make("div", "dsx-below", ...below)];
}

function row(table, i, one, onFork, view) {
  const name = token(one.label);
  if (one.chosen) {
    const marked = make("span", "", make("span", "dsx-mark", "▸"), name, make("span", "dsx-unseen", " chosen"));
    const element = line(marked, "dsx-chosen", one.prob, one.shown, one.cumulative);
    element.setAttribute("aria-current", "true");
    return element;
  }
  const bytes = table.bytes(one.code);
  const known = i === table.groups[table.groupOf[i]] ? view.known?.get(one.label) : undefined;
  const cannot = !bytes.length ? "ends the answer" : table.isText(one.code) ? "" : "part of a character";
  if (cannot || (!onFork && known === undefined)) {
    const words = cannot && onFork ? make("span", "dsx-small", ` ${cannot}`) : "";
    return line(make("span", "", name, words), "", one.prob, one.shown, one.cumulative);
  }
  const does = known === undefined ? "Go on with" : "Show the branch with";
  const act = button("dsx-go", "", `${does} ${one.label}, ${percent(one.prob)}`, (event) => {
    event.stopPropagation();
    if (known === undefined) onFork(i, one.rank);
    else view.onWay(known);
  });
  act.append(name, make("span", "dsx-arrow", known === undefined ? "→" : "⇄"));
  const element = line(act, "dsx-open", one.prob, one.shown, one.cumulative);
  element.addEventListener("click", () => act.click());
  return element;
}

function line(name, kind, prob, shown, cumulative) {
  const bar = make("span", "dsx-bar");
  bar.style.width = `${Number.isNaN(prob) ? 0 : 100 * Math.min(1, Math.max(0, prob))}%`;
  const total = typeof cumulative === "string" || Number.isNaN(cumulative) ? "" : percent(Math.min(1, cumulative));
  return make(
    "tr", `dsx-alternative ${kind}`,
    make("td", "dsx-name", name), make("td", "", make("span", "dsx-track", bar)),
    make("td", "dsx-end", shown ?? percent(prob)), make("td", "dsx-end dsx-dim", total),
  );
}

function details(table, i, habits) {
  const { low, high, code } = table.columns;
  const facts = [
    ["token", String(table.position(i))],
    ["entropy", `${interval(low[i], high[i])} bits`, high[i] - low[i] > VAGUE],
    ["bytes", hex(table.bytes(code[i]))],
    ["escaped", escaped(table.bytes(code[i]))],
  ].map(([name, value, isVague]) => [make("dt", "", name), make("dd", isVague ? "dsx-dim" : "", value)]);
  const folded = make("details", "dsx-details", make("summary", "", "details"), make("dl", "", ...facts.flat()));
  folded.open = Boolean(habits.details);
  folded.addEventListener("toggle", () => (habits.details = folded.open));
  return folded;
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
