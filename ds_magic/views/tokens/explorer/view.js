// The explorer's view: heat map, overview, card and tools over one Table. Knows nothing of widgets.

import { chance, rank } from "./decode.js";
import { fillCard, make } from "./card.js";
import { Overview } from "./overview.js";
import { Toolbar } from "./toolbar.js";

const FEW = 20; // a shorter answer needs no overview
const CHUNK = 256; // groups a block, about: the browser lays out only the blocks that are in view

/**
 * Shows `table` in `root`. `onFork(i, rank)`: continue the answer from token i with that alternative; leave it
 * out where there is nothing to ask. Returns { destroy() }.
 */
export function explore(root, table, { onFork = null, metric = "surprisal" } = {}) {
  const view = new View(root, table, onFork);
  view.toolbar.setMetric(metric);
  return view;
}

class View {
  constructor(root, table, onFork) {
    this.table = table;
    this.onFork = onFork;
    this.current = -1; // the group with the tab stop
    this.shown = -1; // the token on the card
    this.pinned = false;
    this.map = this.heatMap();
    this.card = make("div", "dsx-card");
    this.card.setAttribute("aria-live", "off");
    this.toolbar = new Toolbar(this);
    const canvas = make("canvas", "dsx-overview");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "Surprise along the answer, with the entropy band. Drag to scroll.");
    canvas.hidden = table.groups.length < FEW;
    this.overview = new Overview(canvas, table, (group) => this.scrollTo(group));
    this.box = make(
      "div", "dsx", this.toolbar.element, canvas,
      make("div", "dsx-panes", this.map, this.card), this.footer(),
    );
    root.replaceChildren(this.box);
    this.select(this.firstUncertain(), { focus: false });
    this.map.addEventListener("scroll", () => this.drawOverview());
    this.resizes = new ResizeObserver(() => this.drawOverview(true));
    this.resizes.observe(this.box);
    this.drawOverview(true);
  }

  /** What the colours show. */
  get metric() {
    return this.toolbar.metric;
  }

  destroy() {
    this.resizes.disconnect();
  }

  heatMap() {
    const { table } = this;
    const map = make("div", "dsx-map");
    map.setAttribute("role", "group");
    map.setAttribute("aria-label", `The answer, ${table.length} tokens. Arrow keys move, Enter pins, n and p find uncertain tokens.`);
    map.dir = "auto";
    this.spans = new Array(table.groups.length);
    const metrics = table.meta.metrics.map(({ name }) => name);
    this.blockStarts = blockStarts(table);
    for (let b = 0; b + 1 < this.blockStarts.length; b++) {
      const block = make("div", "dsx-block");
      for (let group = this.blockStarts[b]; group < this.blockStarts[b + 1]; group++) {
        block.append(this.span(group, metrics));
      }
      map.append(block);
    }
    map.addEventListener("mouseover", (event) => this.hover(event));
    map.addEventListener("mouseleave", () => this.leave());
    map.addEventListener("click", (event) => this.click(event));
    map.addEventListener("keydown", (event) => this.key(event));
    map.addEventListener("focusin", (event) => {
      if (event.target.group !== undefined) this.select(event.target.group);
    });
    return map;
  }

  span(group, metrics) {
    const { table } = this;
    const first = table.groups[group];
    const span = document.createElement("span");
    let className = "dsx-t";
    for (const name of metrics) className += ` dsx-${name}${table.classOf(name, group)}`;
    if (table.status(first) === "censored") className += " dsx-censored";
    if (table.isForced(first)) className += first < table.meta.shared ? " dsx-forced dsx-shared" : " dsx-forced";
    span.className = className;
    // A zero-width space lets lines break before a drawn blank; a drawn line break really breaks.
    span.textContent = table.text(group).replaceAll("·", "\u200b·").replaceAll("↵", "↵\n");
    span.group = group;
    this.spans[group] = span;
    return span;
  }

  footer() {
    const { notes, measures } = this.table.meta;
    const facts = measures.map(([name, value]) => `${name} ${value}`).join("  ·  ");
    return make("div", "dsx-footer dsx-dim", make("div", "", facts), make("div", "", notes.join(" ")));
  }

  firstUncertain() {
    return this.table.groups.length ? this.toolbar.uncertain()[0] ?? 0 : -1;
  }

  /** Go to the next or previous of these groups, around the ends. */
  step(groups, direction, options = {}) {
    if (!groups.length) {
      this.toolbar.status.textContent = "none found";
      return;
    }
    const sorted = direction > 0 ? groups : [...groups].reverse();
    const next = sorted.find((group) => (group - this.current) * direction > 0) ?? sorted[0];
    this.select(next, { focus: true, scroll: true, ...options });
  }

  select(group, { focus = false, scroll = false } = {}) {
    if (group < 0 || group >= this.spans.length) return;
    const before = this.spans[this.current];
    if (before && group !== this.current) {
      before.tabIndex = -1;
      before.classList.remove("dsx-current");
      before.removeAttribute("role");
      before.removeAttribute("aria-label");
      before.removeAttribute("aria-pressed");
    }
    if (group !== this.current) this.pinned = false;
    this.current = group;
    const span = this.spans[group];
    span.tabIndex = 0;
    span.classList.add("dsx-current");
    span.setAttribute("role", "button");
    span.setAttribute("aria-label", this.spoken(group));
    span.setAttribute("aria-pressed", String(this.pinned));
    if (scroll) this.scrollTo(group);
    if (focus) span.focus({ preventScroll: true });
    this.show(this.table.groups[group]);
  }

  /** How a token is read aloud: token ' Paris', 87 percent, rank 1. */
  spoken(group) {
    const { table } = this;
    const i = table.groups[group];
    const said = chance(table, i).replace(" %", " percent").replace("<", "at most").replace("—", "probability not known");
    const name = table.text(group).replaceAll("·", " ").replaceAll("↵", " line break ");
    return `token '${name}', ${said}, rank ${rank(table, i).replace(">", "above").replace("—", "not known")}`;
  }

  show(i) {
    this.shown = i;
    this.card.hidden = false;
    fillCard(this.card, this.table, i, {
      onFork: this.onFork, onPart: (part) => this.show(part), pinned: this.pinned,
    });
  }

  scrollTo(group) {
    const span = this.spans[group];
    // Blocks out of view have an estimated height: bring the block in first, then the token.
    this.map.scrollTop = this.topOf(span.parentElement);
    this.map.scrollTop = Math.max(0, this.topOf(span) - this.map.clientHeight / 2);
  }

  /** How far below the top of the whole heat map an element stands, in pixels. */
  topOf(element) {
    return element.getBoundingClientRect().top - this.map.getBoundingClientRect().top + this.map.scrollTop;
  }

  hover(event) {
    if (!this.pinned && event.target.group !== undefined) this.show(this.table.groups[event.target.group]);
  }

  leave() {
    if (!this.pinned && this.current >= 0) this.show(this.table.groups[this.current]);
  }

  click(event) {
    const { group } = event.target;
    if (group === undefined) return;
    const again = group === this.current && this.pinned;
    this.select(group, { focus: true });
    this.pin(!again);
  }

  pin(on) {
    this.pinned = on;
    this.spans[this.current]?.setAttribute("aria-pressed", String(on));
    this.show(this.table.groups[this.current]);
  }

  close() {
    if (this.pinned) this.pin(false);
    else this.card.hidden = true;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.spans.length - 1;
    const actions = {
      ArrowRight: () => this.move(1),
      ArrowLeft: () => this.move(-1),
      ArrowDown: () => this.moveLine(1),
      ArrowUp: () => this.moveLine(-1),
      Home: () => this.select(0, { focus: true, scroll: true }),
      End: () => this.select(last, { focus: true, scroll: true }),
      Enter: () => this.pin(!this.pinned),
      Escape: () => this.close(),
      n: () => this.step(this.toolbar.uncertain(), 1),
      p: () => this.step(this.toolbar.uncertain(), -1),
    };
    const action = actions[event.key];
    // Notebooks have shortcuts of their own on these keys.
    event.stopPropagation();
    if (!action) return;
    event.preventDefault();
    action();
  }

  move(by) {
    const group = Math.min(this.spans.length - 1, Math.max(0, this.current + by));
    this.select(group, { focus: true });
    this.spans[group].scrollIntoView({ block: "nearest" });
  }

  /** To the token above or below, nearest to where this one stands. */
  moveLine(direction) {
    const from = this.spans[this.current].getBoundingClientRect();
    let best = this.current;
    let bestDistance = Infinity;
    let line = null;
    for (let g = this.current + direction; g >= 0 && g < this.spans.length; g += direction) {
      const box = this.spans[g].getBoundingClientRect();
      if (Math.abs(box.top - from.top) < 4) continue;
      line ??= box.top;
      if (Math.abs(box.top - line) >= 4) break;
      const distance = Math.abs(box.left - from.left);
      if (distance < bestDistance) [best, bestDistance] = [g, distance];
    }
    this.select(best, { focus: true });
    this.spans[best].scrollIntoView({ block: "nearest" });
  }

  drawOverview(force = false) {
    if (this.drawing && !force) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      if (force) this.overview.drawn = false;
      this.overview.show(this.visibleRange(), this.toolbar.threshold);
    });
  }

  /** The first and the last group in view, by the blocks' places and shares of their heights. */
  visibleRange() {
    const count = this.spans.length;
    const { scrollTop, clientHeight, scrollHeight } = this.map;
    if (!count || scrollHeight <= clientHeight) return [0, Math.max(0, count - 1)];
    const blocks = [...this.map.children].map((block) => [this.topOf(block), block.offsetHeight]);
    const at = (y) => {
      const b = Math.max(0, blocks.findLastIndex(([top]) => top <= y));
      const [top, height] = blocks[b];
      const share = Math.min(1, Math.max(0, (y - top) / Math.max(1, height)));
      const size = this.blockStarts[b + 1] - this.blockStarts[b];
      return Math.min(count - 1, Math.floor(this.blockStarts[b] + share * size));
    };
    return [at(scrollTop), at(scrollTop + clientHeight)];
  }
}

/** Where blocks begin, and the end: after a line break where one is near, since each block begins a line. */
function blockStarts(table) {
  const starts = [0];
  const count = table.groups.length;
  if (count > 2 * CHUNK) {
    for (let group = CHUNK; group < count - CHUNK / 2; group++) {
      const size = group - starts.at(-1);
      if (size >= 2 * CHUNK || (size >= CHUNK / 2 && table.text(group - 1).endsWith("↵"))) starts.push(group);
    }
  }
  if (count) starts.push(count);
  return starts;
}
