// The explorer's tools: what the colours show, which tokens count as uncertain, and the search.

import { arrows, button, make } from "./elements.js";

const SHORT = 20; // what is shorter can be looked over, and needs no search

/** The bar above the text, as `element`; it moves the view's selection. */
export class Toolbar {
  constructor(view) {
    const { table } = view;
    this.view = view;
    this.table = table;
    this.threshold = view.habits.threshold ?? 4;
    this.matches = [];
    this.isShort = table.groups.length < SHORT;
    const choices = make("div", "dsx-metrics");
    choices.setAttribute("role", "radiogroup");
    choices.setAttribute("aria-label", "What the colours show");
    this.metricButtons = table.meta.metrics.map(({ name, title }) => {
      const choice = button("dsx-button", title.split(",")[0], "", () => this.setMetric(name));
      choice.setAttribute("role", "radio");
      choice.metric = name;
      choices.append(choice);
      return choice;
    });
    choices.addEventListener("keydown", (event) => {
      const all = () => this.metricButtons;
      if (arrows(event, all, ["ArrowLeft", "ArrowRight"]) || arrows(event, all, ["ArrowUp", "ArrowDown"])) {
        this.setMetric(document.activeElement.metric);
      }
    });
    this.legend = make("div", "dsx-legend");
    const slider = make("input", "dsx-slider");
    Object.assign(slider, { type: "range", min: "1", max: "12", step: "0.5", value: String(this.threshold) });
    slider.setAttribute("aria-label", "Threshold: tokens of at least so many bits are uncertain");
    this.count = make("span", "dsx-dim");
    slider.addEventListener("input", () => {
      this.threshold = view.habits.threshold = Number(slider.value);
      this.showCount();
      view.drawOverview(true);
    });
    const search = make("input", "dsx-search");
    Object.assign(search, { type: "search", placeholder: "search" });
    search.setAttribute("aria-label", "Search the answer");
    search.addEventListener("input", () => this.search(search.value));
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") view.step(this.matches, event.shiftKey ? -1 : 1, { focus: false });
      if (event.key === "Escape") {
        search.value = "";
        this.search("");
      }
    });
    const uncertain = make(
      "div", "dsx-uncertain", slider, this.count,
      button("dsx-button", "‹", "Previous uncertain token (p)", () => view.step(this.uncertain(), -1)),
      button("dsx-button", "›", "Next uncertain token (n)", () => view.step(this.uncertain(), 1)),
    );
    const raw = button("dsx-button", "tokens", "Show the tokens themselves, with their blanks and marks", () => {
      view.habits.isRaw = !view.habits.isRaw;
      view.asks.redraw();
    });
    raw.setAttribute("aria-pressed", String(Boolean(view.habits.isRaw)));
    this.showCount();
    uncertain.hidden = search.hidden = this.isShort;
    const shown = view.asks.formatted ? [raw] : [];
    this.element = make("div", "dsx-tools", choices, ...shown, uncertain, search, this.legend);
  }

  setMetric(name) {
    this.view.habits.metric = name;
    this.view.box.dataset.metric = name;
    for (const button of this.metricButtons) {
      const on = button.metric === name;
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on ? 0 : -1;
    }
    const { title, classes, unknown } = this.table.meta.metrics.find((one) => one.name === name);
    const classOfEach = this.table.columns[`class_${name}`];
    const found = new Set(classOfEach);
    const isTinted = [...found].some((one) => one > 0);
    const swatches = classes.map((text, c) => isTinted && found.has(c) && make("span", `dsx-t dsx-${name}${c}`, text)).filter(Boolean);
    const more = [];
    if (this.table.columns.status.some((code) => this.table.meta.statuses[code] === "censored")) {
      more.push(make("span", "dsx-t dsx-censored", "below what was returned"));
    }
    const why = new Set();
    classOfEach.forEach((one, i) => {
      if (one === -1) why.add(this.table.status(i) === "constrained" ? "forced by a grammar" : unknown);
    });
    more.push(...[...why].map((text) => make("span", `dsx-t dsx-${name}-1`, text)));
    const drawn = [...swatches, ...more];
    this.legend.replaceChildren(...(drawn.length ? [make("span", "dsx-dim", `${title}:`), ...drawn] : []));
  }

  /** Groups of at least the threshold's surprisal. */
  uncertain() {
    if (this.uncertainAt === this.threshold) return this.uncertainGroups;
    const { table } = this;
    const found = new Set();
    for (let i = 0; i < table.length; i++) {
      const open = table.status(i) === "censored";
      if (!table.isForced(i) && (table.surprisal(i) >= this.threshold || open)) found.add(table.groupOf[i]);
    }
    this.uncertainAt = this.threshold;
    this.uncertainGroups = [...found];
    return this.uncertainGroups;
  }

  showCount() {
    const n = this.uncertain().length;
    this.count.textContent = `${n} token${n === 1 ? "" : "s"} ≥ ${this.threshold} bits`;
  }

  search(query) {
    for (const group of this.matches) this.view.spans[group]?.classList.remove("dsx-match");
    this.matches = [];
    if (query) {
      const { table } = this;
      const wanted = query.replaceAll(" ", "·").toLowerCase();
      const texts = Array.from(table.groups, (_, group) => table.text(group).toLowerCase());
      const all = texts.join("");
      const ends = [];
      for (const text of texts) ends.push((ends.at(-1) ?? 0) + text.length);
      let group = 0;
      for (let at = all.indexOf(wanted); at >= 0; at = all.indexOf(wanted, at + wanted.length)) {
        while (ends[group] <= at) group++;
        const first = group;
        for (let g = first; g < ends.length && (g === first || ends[g - 1] < at + wanted.length); g++) {
          this.view.spans[g]?.classList.add("dsx-match");
          this.matches.push(g);
        }
      }
    }
    this.view.asks.say(query ? `${this.matches.length} token${this.matches.length === 1 ? "" : "s"} found` : "");
    if (this.matches.length) this.view.select(this.matches[0], { focus: false, scroll: true });
  }
}
