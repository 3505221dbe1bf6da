// One text with its card, overview and tools. Knows nothing of widgets.

import { cellActions } from "./actions.js";
import { fillCard } from "./card.js";
import { chance, rank } from "./decode.js";
import { button, make, prose } from "./elements.js";
import { Overview } from "./overview.js";
import { Popover } from "./popover.js";
import { FormattedText } from "./formatted_text.js";
import { TokenText } from "./text.js";
import { Toolbar } from "./toolbar.js";

const LONG = 100; // a shorter answer needs no overview
const OF_BARS = 12; // tokens; a longer answer has a table below it
const CARDS = 6; // compared beside each other; more would be a list again
const SOON = 110; // milliseconds that the pointer rests on a token before its card comes
const LINGER = 250; // and in which it may get from the token to the card

/**
 * Shows `table` in `root`. `asks`: {forks, tail, onWay, onStop} as for TokenText, {onFork, whyNot} as for the card, and
 * `onSelect(tokens)`; where the text can be read formatted, `formatted()` → its nodes, a `picture` to stand below it,
 * and `redraw()`: the view anew, which draws the tokens themselves where `habits.isRaw`. `habits`: what the reader set, kept from one view to the next.
 */
export class View {
  constructor(root, table, asks, habits) {
    Object.assign(this, { table, asks, habits });
    this.current = -1; // the group with the tab stop
    this.pins = []; // groups whose cards stay
    const nodes = habits.isRaw ? null : asks.formatted?.();
    this.text = nodes ? new FormattedText(table, nodes, asks) : new TokenText(table, asks);
    if (this.text.isUnseen) this.text = new TokenText(table, asks);
    this.spans = this.text.spans;
    this.toolbar = new Toolbar(this);
    this.toolbar.legend.before(cellActions(asks));
    this.cards = make("div", "dsx-cards");
    const stage = make("div", "dsx-stage", this.text.element);
    this.popover = new Popover(stage);
    stage.append(this.popover.element);
    const canvas = make("canvas", "dsx-overview");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "Surprise along the answer, with the entropy band. Drag to scroll.");
    canvas.hidden = table.groups.length < LONG;
    this.overview = new Overview(canvas, table, {
      onSeek: (group) => this.spans[group] && this.text.scrollTo(group),
      onPoint: (group) => this.link(group),
    });
    this.box = make("div", "dsx-view", ...this.order(stage, canvas), this.footer());
    root.replaceChildren(this.box);
    this.toolbar.setMetric(habits.metric ?? "surprisal");
    this.listen();
    this.setCurrent(this.spans.length ? this.toolbar.uncertain()[0] ?? 0 : -1);
    this.resizes = new ResizeObserver(() => this.drawOverview(true));
    this.resizes.observe(this.box);
    this.drawOverview(true);
  }

  destroy() {
    this.popover.hide();
    this.resizes.disconnect();
    clearTimeout(this.later);
  }

  /** Tools first, or, where the text stands in its place already, below it: and below the bars of a short one. */
  order(stage, canvas) {
    const { asks, cards, toolbar: { element: tools } } = this;
    if (!asks.formatted) return [tools, canvas, stage, cards];
    const picture = asks.picture ?? "";
    return [stage, cards, ...(this.table.length <= OF_BARS ? [picture, tools, canvas] : [tools, canvas, picture])];
  }

  /** Why the answer is not whole and what to know of it; then one line, with the rest of the small print folded in. */
  footer() {
    if (this.asks.tail) return ""; // the numbers are of another text
    const { notes: [truth, ...notes], measures } = this.table.meta;
    const { ending, remarks = [], line = truth } = this.asks.said;
    const [first, ...rest] = measures.map(([name, value]) => `${name} ${value}`);
    const folded = [...rest, ...notes, this.asks.spent].filter(Boolean).map(prose);
    const more = notes.length ? `${notes.length} note${notes.length > 1 ? "s" : ""}` : "";
    const shown = [first, more, line].filter(Boolean).join(" · ");
    const said = remarks.map((text) => prose(`Note: ${text}`));
    if (ending) said.unshift(make("div", "dsx-ending", `■ ${ending}`));
    const small = make("details", "dsx-footer dsx-small", make("summary", "", shown), ...folded);
    return make("div", "", make("div", "dsx-remarks dsx-small", ...said), small);
  }

  listen() {
    const map = this.text.element;
    map.addEventListener("mouseover", (event) => this.hover(this.text.groupAt(event)));
    map.addEventListener("mouseleave", () => this.hover(undefined));
    map.addEventListener("click", (event) => this.click(event));
    map.addEventListener("keydown", (event) => this.key(event));
    map.addEventListener("scroll", () => this.drawOverview());
    map.addEventListener("focusin", (event) => {
      if (this.text.groupAt(event) === undefined) return;
      this.setCurrent(this.text.groupAt(event));
      if (!this.pins.length) this.show(this.text.groupAt(event));
    });
    const card = this.popover.element;
    card.addEventListener("mouseenter", () => clearTimeout(this.later));
    card.addEventListener("mouseleave", () => this.hover(undefined));
    for (const place of [card, this.cards]) {
      place.addEventListener("keydown", (event) => {
        if (event.key === "Escape") this.unpin();
      });
    }
    this.box.addEventListener("focusout", (event) => {
      if (!this.box.contains(event.relatedTarget) && !this.pins.length) this.soon(() => this.popover.hide(), LINGER);
    });
  }

  soon(action, milliseconds) {
    clearTimeout(this.later);
    this.later = setTimeout(action, milliseconds);
  }

  /** The pointer is over a group, or over none. */
  hover(group) {
    this.link(group);
    if (this.pins.length === 1) return;
    if (group !== undefined) this.soon(() => this.show(group), this.popover.isOpen ? LINGER / 2 : SOON);
    else this.soon(() => this.popover.hide(), LINGER);
  }

  /** Mark a group in the text and in the overview, whichever of them it is pointed at in. */
  link(group) {
    this.spans[this.linked]?.classList.remove("dsx-linked");
    this.linked = group;
    this.spans[group]?.classList.add("dsx-linked");
    this.overview.point(group);
  }

  /** Give a group the tab stop. */
  setCurrent(group) {
    if (!this.spans[group] || group === this.current) return;
    const before = this.spans[this.current];
    if (before) {
      for (const name of ["tabindex", "role", "aria-label", "aria-pressed"]) before.removeAttribute(name);
      before.classList.remove("dsx-current");
    }
    this.current = group;
    const span = this.spans[group];
    span.tabIndex = 0;
    span.classList.add("dsx-current");
    span.setAttribute("role", "button");
    span.setAttribute("aria-label", this.spoken(group));
    span.setAttribute("aria-pressed", String(this.pins.includes(group)));
    if (!this.pins.length) this.tell();
  }

  /** Go to a group; within a text that scrolls bring it into view. */
  select(group, { focus = true, scroll = false } = {}) {
    if (group < 0 || group >= this.spans.length) return;
    if (this.pins.length === 1) this.pin([]);
    if (scroll) this.text.scrollTo(group);
    this.setCurrent(group);
    if (focus) this.spans[group].focus({ preventScroll: true });
    this.text.reveal(group);
    this.show(group);
  }

  /** How a token is read aloud: token ' Paris', 87 percent, rank 1. */
  spoken(group) {
    const { table } = this;
    const i = table.groups[group];
    const said = chance(table, i).replace(" %", " percent").replace("<", "at most").replace("—", "probability not returned");
    const name = table.text(group).replaceAll("·", " ").replaceAll("↵", " line break ");
    return `token '${name}', ${said}, rank ${rank(table, i).replace(">", "above").replace("—", "not known")}`;
  }

  /** The card of a group, beside it. */
  show(group, i = this.table.groups[group]) {
    clearTimeout(this.later);
    if (!this.spans[group]?.isConnected || this.pins.length > 1 && this.pins.includes(group)) return;
    const isPinned = this.pins.includes(group);
    this.popover.element.classList.toggle("dsx-pinned", isPinned);
    this.fill(this.popover.element, group, i, {
      onClose: isPinned ? () => this.unpin() : null,
      onPart: (part) => this.show(group, part),
      onResize: () => this.popover.place(),
      hint: isPinned ? "Shift and click another token to compare them." : "",
    });
    this.popover.show(this.spans[group]);
  }

  fill(card, group, i, how) {
    const { table, asks, habits } = this;
    const ways = this.text.forks.get(group) ?? [];
    const known = new Map(ways.map(({ label, id }) => [label, id]));
    const { onFork, whyNot, onWay } = asks;
    fillCard(card, i, { table, habits, onFork, whyNot, onWay, known, ...how });
  }

  click(event) {
    const group = this.text.groupAt(event);
    if (group === undefined || event.target.closest("a")) return;
    this.setCurrent(group);
    this.spans[group].focus({ preventScroll: true });
    this.toggle(group, event.shiftKey || event.ctrlKey || event.metaKey);
  }

  /** Pin a group, alone or beside those that are; or let it go. */
  toggle(group, isBeside) {
    const others = this.pins.filter((each) => each !== group);
    const isPinned = others.length < this.pins.length;
    if (isBeside) this.pin(isPinned ? others : [...this.pins, group]);
    else this.pin(isPinned ? others : [group]);
  }

  /** These groups are pinned now: one in its place, several beside each other below the text. */
  pin(groups) {
    for (const group of this.pins) this.spans[group].classList.remove("dsx-pin");
    this.pins = groups;
    for (const group of groups) this.spans[group].classList.add("dsx-pin");
    this.spans[this.current]?.setAttribute("aria-pressed", String(groups.includes(this.current)));
    this.popover.hide();
    this.cards.replaceChildren();
    if (groups.length === 1) this.show(groups[0]);
    if (groups.length > 1) this.compare();
    this.tell();
  }

  compare() {
    for (const group of this.pins.slice(0, CARDS)) {
      const card = make("div", "dsx-card");
      card.setAttribute("role", "group");
      const fill = (i) => this.fill(card, group, i, { onClose: () => this.toggleFrom(group), onPart: fill });
      fill(this.table.groups[group]);
      card.addEventListener("mouseenter", () => this.link(group));
      card.addEventListener("mouseleave", () => this.link(undefined));
      this.cards.append(card);
    }
    const more = this.pins.length - CARDS;
    if (more > 0) this.cards.append(make("div", "dsx-row dsx-dim", `and ${more} more, marked in the text`));
    this.cards.append(make("div", "dsx-row", button("dsx-button", "Let go of all", "", () => this.unpin())));
    this.asks.say(`${this.pins.length} tokens are compared below the text.`);
  }

  /** A card of several was closed: the focus goes to its token. */
  toggleFrom(group) {
    this.toggle(group, true);
    this.setCurrent(group);
    this.spans[group].focus({ preventScroll: true });
  }

  unpin() {
    const wasIn = this.popover.element.contains(document.activeElement) || this.cards.contains(document.activeElement);
    const wasOpen = this.pins.length > 0;
    this.pin([]);
    if (wasOpen && wasIn) this.spans[this.current]?.focus({ preventScroll: true });
    this.popover.hide();
    return wasOpen;
  }

  /** Say what is selected: the tokens that are pinned, else the one that has the tab stop. */
  tell() {
    const { table } = this;
    if (this.isTold) return;
    const groups = this.pins.length ? this.pins : this.current < 0 ? [] : [this.current];
    const tokens = groups.flatMap((group) => {
      const [first, end] = [table.groups[group], table.groupEnd(group)];
      return Array.from({ length: end - first }, (_, i) => first + i);
    });
    this.asks.onSelect(tokens);
  }

  /** Pin the tokens of these numbers: as they were selected elsewhere. */
  selectTokens(tokens) {
    const groups = [...new Set(tokens.map((i) => this.table.groupOf[i]))].filter((group) => this.spans[group]);
    this.isTold = true;
    this.pin(groups);
    if (groups.length) {
      this.setCurrent(groups[0]);
      this.text.reveal(groups[0]);
    }
    this.isTold = false;
  }

  /** Go to the next or previous of these groups, around the ends. */
  step(groups, direction, options = {}) {
    if (!groups.length) {
      this.asks.say("none found");
      return;
    }
    const sorted = direction > 0 ? groups : [...groups].reverse();
    const next = sorted.find((group) => (group - this.current) * direction > 0) ?? sorted[0];
    this.select(next, { scroll: true, ...options });
  }

  key(event) {
    if ((event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph")) return;
    if (event.target.matches("button")) return; // in the text
    const last = this.spans.length - 1;
    // Of the token's own paragraph: each has its direction.
    const forth = getComputedStyle(this.spans[this.current] ?? this.text.element).direction === "rtl" ? -1 : 1;
    const go = (group) => this.select(Math.min(last, Math.max(0, group)));
    const actions = {
      ArrowRight: () => go(this.current + forth),
      ArrowLeft: () => go(this.current - forth),
      ArrowDown: () => go(this.text.lineFrom(this.current, 1)),
      ArrowUp: () => go(this.text.lineFrom(this.current, -1)),
      Home: () => this.select(0, { scroll: true }),
      End: () => this.select(last, { scroll: true }),
      Enter: () => this.enter(event.shiftKey),
      " ": () => this.enter(event.shiftKey),
      Escape: () => this.unpin(),
      "[": () => this.wander(-1),
      "]": () => this.wander(1),
      n: () => this.step(this.toolbar.uncertain(), 1),
      p: () => this.step(this.toolbar.uncertain(), -1),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  /** Pin the current token; where its card is pinned go into it. */
  enter(isBeside) {
    const isOnly = this.pins.length === 1 && this.pins[0] === this.current;
    if (isBeside || !isOnly) this.toggle(this.current, isBeside);
    else this.popover.enter();
  }

  wander(by) {
    const isInTail = document.activeElement === this.text.begun;
    const way = this.text.wayFrom(isInTail ? Infinity : this.current, by);
    if (way && !way.isHere) this.asks.onWay(way.id);
  }

  drawOverview(force = false) {
    if (this.drawing && !force) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      if (force) this.overview.drawn = false;
      this.overview.show(this.text.range(), this.toolbar.threshold);
    });
  }
}
