// A place with its sliders: bars on one scale, what is pruned greyed, and a tick where each share was as it came.

import { percent } from "../../explorer/js/decode.js";
import { make, token } from "../../explorer/js/elements.js";
import { PRUNED, tempered } from "./shares.js";

const TOP_K = [1, 2, 3, 5, 10, 20, 40, 100, 200, 500, 1000, 0]; // 0, the last, cuts nothing

/** A share between two bounds in words, as numbers.between writes it. */
function between(low, high) {
  if (percent(low) === percent(high)) return percent(low);
  if (low <= 0 && high >= 1) return "not known";
  if (low <= 0) return `at most ${percent(high)}`;
  return high > 0.9995 ? `at least ${percent(low)}` : `between ${percent(low)} and ${percent(high)}`;
}

function inWords(low, high) {
  return low === high && (low === 0 || low === 1) ? `${100 * low} %` : between(low, high);
}

/** Draws in `element`; `onChange(setting)` hears of a setting that was let go. */
export class Picture {
  constructor(element, place, setting, { look, onChange }) {
    this.place = place;
    this.setting = setting;
    this.asCame = tempered(place, { temperature: 1, topP: 1, topK: 0 });
    const hottest = Math.max(place.hottest, setting.temperature);
    this.sliders = {
      temperature: slider("temperature", 0, hottest, 0.05, (value) => `${value}`),
      topP: slider("top-p", 0.05, 1, 0.05, (value) => (value < 1 ? `${value}` : "no cut")),
      topK: slider("top-k", 0, TOP_K.length - 1, 1, (at) => `${TOP_K[at] || "no cut"}`),
    };
    for (const [name, { input }] of Object.entries(this.sliders)) {
      input.addEventListener("input", () => {
        const value = Number(input.value);
        this.setting = { ...this.setting, [name]: name === "topK" ? TOP_K[value] : value };
        this.draw();
      });
      input.addEventListener("change", () => {
        this.say();
        onChange(this.setting);
      });
    }
    const controls = make("div", "dsx-tools dst-tools", ...Object.values(this.sliders).map(({ label }) => label));
    this.rows = place.tokens.map((one) => row(token(one.label), one.chosen ? "dsx-chosen" : ""));
    if (place.outside !== null) this.rows.push(row(token(place.outside), "dsx-chosen"));
    this.rest = place.size === place.tokens.length ? null : row(make("bdi", "dsx-label", this.others()), "dsx-rest");
    // A share may become an interval, which takes two lines: nothing below is to move then.
    const table = make("table", `dsx-alternatives dst-shares ${place.others > 0 ? "dst-open" : ""}`);
    const body = make("tbody", "", ...[...this.rows, this.rest].filter(Boolean).map((each) => each.element));
    const head = make("tr", "", ...["token", "dotted: as it came", "share"].map(heading));
    table.append(make("thead", "", head), body);
    this.left = make("div", "dst-left");
    this.status = make("div", "dsx-unseen");
    this.status.setAttribute("role", "status");
    const notes = make("div", "dsx-small dsx-dim", place.notes.join(" "));
    this.box = make("div", "dsx dst", controls, table, this.left, notes, this.status);
    this.box.style.cssText = look;
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", "What temperature and cuts make of one place");
    // What a slider is moved with would move the notebook's cells.
    this.box.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) && event.key !== "Tab") event.stopPropagation();
    });
    element.append(make("div", "dsx-frame", this.box));
    this.draw();
  }

  others() {
    const { size, tokens } = this.place;
    return size && size > tokens.length ? `${(size - tokens.length).toLocaleString("en")} others` : "all others";
  }

  set(setting) {
    if (JSON.stringify(setting) === JSON.stringify(this.setting)) return;
    this.setting = setting;
    this.draw();
  }

  draw() {
    const { temperature, topP, topK } = this.setting;
    const { sliders, place } = this;
    sliders.temperature.show(temperature);
    sliders.topP.show(topP);
    sliders.topK.show(TOP_K.findIndex((each) => !each || (topK && each >= topK)), topK ? `${topK}` : "no cut");
    const found = tempered(place, this.setting);
    this.found = found;
    const isCut = temperature > 0 && (topP < 1 || topK > 0);
    place.tokens.forEach(({ rank }, number) => {
      const at = rank - 1;
      const isPruned = isCut && found.kept[at] === PRUNED;
      const [lows, highs] = isPruned ? [found.uncutLow, found.uncutHigh] : [found.low, found.high];
      this.rows[number].show(lows[at], highs[at], isPruned, this.asCame.uncutLow[at]);
    });
    if (place.outside !== null) this.rows[place.tokens.length].show(NaN, NaN, false, NaN);
    if (this.rest) this.drawRest(found, isCut);
    const [least, most] = found.count;
    const number = Number.isFinite(least) ? least.toLocaleString("en") : "all";
    const count = least === most ? number : `at least ${number}`;
    this.left.textContent = `${count} token${most === 1 ? "" : "s"} may be drawn`;
  }

  drawRest(found, isCut) {
    const drawn = new Set(this.place.tokens.map(({ rank }) => rank - 1));
    const isPruned = isCut && found.rest[1] === 0 && found.kept.every((kept, at) => kept === PRUNED || drawn.has(at));
    const [lows, highs, rest] = isPruned
      ? [found.uncutLow, found.uncutHigh, found.uncutRest]
      : [found.low, found.high, found.rest];
    const shown = (values) => [...drawn].reduce((total, at) => total + values[at], 0);
    const total = lows.reduce((sum, each) => sum + each, 0);
    const low = Math.max(0, total - shown(lows) + rest[0], 1 - shown(highs));
    const high = Math.max(low, Math.min(1, 1 - shown(lows)));
    this.rest.show(low, high, isPruned, Math.max(0, 1 - shown(this.asCame.uncutLow)));
  }

  /** What a screen reader is told when a slider is let go. */
  say() {
    const { temperature } = this.setting;
    const first = this.place.tokens.slice(0, 3).map(({ label }, at) => `${label} ${this.rows[at].text}`);
    this.status.textContent = `At ${temperature}: ${first.join(", ")}. ${this.left.textContent}.`;
  }
}

function heading(text) {
  const cell = make("th", "", text);
  cell.scope = "col";
  return cell;
}

/** A labelled slider; `words(value)` says what it stands at. */
function slider(name, min, max, step, words) {
  const input = make("input", "dsx-slider");
  Object.assign(input, { type: "range", min: `${min}`, max: `${max}`, step: `${step}` });
  const value = make("span", "dst-value");
  const label = make("label", "dst-slider", make("span", "", name), input, value);
  const show = (at, text = words(at)) => {
    input.value = `${at}`;
    value.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  return { input, label, show };
}

/** A token's row: `show(low, high, isPruned, came)` draws it anew. */
function row(name, className) {
  const sure = make("span", "dsx-bar");
  const unsure = make("span", "dsx-bar dst-unsure");
  const tick = make("span", "dst-came");
  const track = make("div", "dsx-track dst-track", sure, unsure, tick);
  const words = make("td", "dst-share");
  const element = make(
    "tr", `dsx-alternative ${className}`,
    make("td", "dsx-name", make("span", "dsx-mark", className === "dsx-chosen" ? "▸" : "\u00a0"), name),
    make("td", "", track), words,
  );
  const self = { element, text: "" };
  self.show = (low, high, isPruned, came) => {
    const isKnown = !Number.isNaN(low);
    self.text = isKnown ? `${isPruned ? "pruned, " : ""}${inWords(low, high)}` : "not returned";
    words.replaceChildren(isPruned ? make("s", "", inWords(low, high)) : self.text);
    if (isPruned) words.append(make("span", "dsx-unseen", " pruned"));
    element.classList.toggle("dst-pruned", isPruned);
    sure.hidden = !(low > 0);
    sure.style.width = `${100 * Math.min(1, low)}%`;
    unsure.hidden = !(high - low >= 0.0005);
    unsure.style.width = `${100 * (Math.min(1, high) - low)}%`;
    tick.hidden = Number.isNaN(came);
    tick.style.left = `${100 * came}%`;
  };
  return self;
}
