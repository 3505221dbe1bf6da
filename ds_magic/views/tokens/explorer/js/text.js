// The text of an answer: each token tinted, the prefix before it, and where branches part their ways on.

import { button, make, token } from "./elements.js";

const CHUNK = 256; // groups a block, about: the browser lays out only the blocks that are in view

/**
 * The text as `element`, its tokens as `spans`, by group. `forks`: from `Tree.forks`. `tail`: {at, label, text, note,
 * isRunning} of a branch that has no table, which stands in place of the tokens from `at` on. `onWay(id)` goes
 * another way, `onStop()` ends the tail.
 */
export class TokenText {
  constructor(table, { forks, tail, onWay, onStop, nodes }) {
    this.table = table;
    this.onWay = onWay;
    this.element = make("div", "dsx-map");
    this.element.setAttribute("role", "group");
    this.element.setAttribute(
      "aria-label",
      `The answer, ${table.length} tokens. Arrow keys move, Enter pins, n and p find uncertain tokens, [ and ] change the branch.`,
    );
    this.element.dir = "auto";
    const groups = [...forks].map(([at, ways]) => [table.groupOf[at] ?? table.groups.length, ways]);
    this.forks = new Map(groups); // by group
    this.spans = [];
    this.blocks = [];
    this.starts = [0];
    const end = tail ? table.groupOf[tail.at] ?? table.groups.length : table.groups.length;
    this.draw(end, tail && this.tail(tail, end, onStop), nodes);
  }

  /** Draw the groups before `end`, then the nodes of a tail. */
  draw(end, tail) {
    const { table } = this;
    this.starts = blockStarts(table);
    const isLong = this.starts.length > 2; // a short one goes on in the line of its prefix
    if (table.meta.given) this.element.append(given(table.meta.given));
    for (let b = 0; b + 1 < this.starts.length && this.starts[b] < end; b++) {
      const block = make(isLong ? "div" : "span", isLong ? "dsx-block" : "");
      for (let group = this.starts[b]; group < Math.min(end, this.starts[b + 1]); group++) {
        const span = this.span(group);
        block.append(...(this.forks.has(group) ? this.fork(group, span) : [span]));
      }
      this.blocks.push(block);
      this.element.append(block);
    }
    this.element.append(...(tail ?? []));
  }

  /** The classes of a group's element: one for each metric, and what else is to be seen of it. */
  classes(group) {
    const { table } = this;
    const first = table.groups[group];
    let names = "dsx-t";
    for (const { name } of table.meta.metrics) names += ` dsx-${name}${table.classOf(name, group)}`;
    if (table.status(first) === "censored") names += " dsx-censored";
    if (table.isForced(first)) names += first < table.meta.shared ? " dsx-shared" : " dsx-forced";
    return names;
  }

  span(group) {
    const { table } = this;
    const span = document.createElement("span");
    span.className = this.classes(group);
    // A zero-width space lets lines break before a drawn blank; a drawn line break really breaks.
    span.textContent = table.text(group).replaceAll("·", "\u200b·").replaceAll("↵", "↵\n");
    span.group = group;
    this.spans[group] = span;
    return span;
  }

  /** The ways on from one place as tabs in the text, nodes; the one that the text goes is `here`. */
  fork(group, here) {
    const ways = this.forks.get(group);
    const at = make("span", "dsx-fork");
    at.setAttribute("role", "group");
    at.setAttribute("aria-label", `${ways.length} ways on`);
    for (const { id, label, isHere } of ways) {
      if (isHere) {
        at.append(here);
        continue;
      }
      const way = button("dsx-way", "", `Show the branch with ${label}`, () => this.onWay(id));
      way.append(token(label));
      at.append(way);
    }
    return here.textContent.endsWith("\n") ? [at, "\n"] : [at];
  }

  tail(tail, group, onStop) {
    const here = make("span", "dsx-t dsx-forced dsx-begun", tail.label);
    this.begun = here;
    here.tabIndex = 0;
    here.setAttribute("role", "group");
    here.setAttribute("aria-label", `branch with ${tail.label}`);
    this.running = make("span", "dsx-tail", tail.text);
    const stop = tail.isRunning ? button("dsx-button dsx-stop", "Stop", "Stop this branch", onStop) : "";
    const note = tail.note ? make("span", "dsx-small dsx-dim", ` ${tail.note}`) : "";
    return [...(this.forks.has(group) ? this.fork(group, here) : [here]), this.running, note, stop];
  }

  /** The group of the token that an event happened at; undefined where it was none. */
  groupAt({ target }) {
    return target.closest?.(".dsx-t")?.group;
  }

  /** Which way is `by` further at the fork that is nearest before `group`; undefined where there is none. */
  wayFrom(group, by) {
    const before = [...this.forks.keys()].sort((a, b) => a - b);
    const at = before.findLast((each) => each <= group) ?? before[0];
    const ways = this.forks.get(at);
    if (!ways) return undefined;
    const here = ways.findIndex((way) => way.isHere);
    return { ...ways[(here + by + ways.length) % ways.length], group: at, count: ways.length };
  }

  /** How far below the top of the whole text an element stands, in pixels. */
  topOf(element) {
    return element.getBoundingClientRect().top - this.element.getBoundingClientRect().top + this.element.scrollTop;
  }

  scrollTo(group) {
    const span = this.spans[group];
    // Blocks out of view have an estimated height: bring the block in first, then the token.
    this.element.scrollTop = this.topOf(span.closest(".dsx-block") ?? span);
    this.element.scrollTop = Math.max(0, this.topOf(span) - this.element.clientHeight / 2);
  }

  /** Bring a token into the window of a text that scrolls, and move nothing else: not the page. */
  reveal(group) {
    const top = this.topOf(this.spans[group]) - this.element.scrollTop;
    const bottom = top + this.spans[group].offsetHeight;
    if (top < 0) this.element.scrollTop += top;
    else if (bottom > this.element.clientHeight) this.element.scrollTop += bottom - this.element.clientHeight;
  }

  /** The group above or below, nearest to where this one stands. */
  lineFrom(current, direction) {
    const from = this.spans[current].getBoundingClientRect();
    let best = current;
    let bestDistance = Infinity;
    let line = null;
    for (let g = current + direction; g >= 0 && g < this.spans.length; g += direction) {
      const box = this.spans[g].getBoundingClientRect();
      if (Math.abs(box.top - from.top) < 8) continue; // chips stand a little higher
      line ??= box.top;
      if (Math.abs(box.top - line) >= 8) break;
      const distance = Math.abs(box.left - from.left);
      if (distance < bestDistance) [best, bestDistance] = [g, distance];
    }
    return best;
  }

  /** The first and the last group in view, by the blocks' places and shares of their heights. */
  range() {
    const count = this.spans.length;
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    if (!count || scrollHeight <= clientHeight) return [0, Math.max(0, count - 1)];
    const blocks = this.blocks.map((block) => [this.topOf(block), block.offsetHeight]);
    const at = (y) => {
      const b = Math.max(0, blocks.findLastIndex(([top]) => top <= y));
      const [top, height] = blocks[b];
      const share = Math.min(1, Math.max(0, (y - top) / Math.max(1, height)));
      const size = this.starts[b + 1] - this.starts[b];
      return Math.min(count - 1, Math.floor(this.starts[b] + share * size));
    };
    return [at(scrollTop), at(scrollTop + clientHeight)];
  }
}

/** What the model was given to go on from: no token of the answer. */
function given(text) {
  const shown = make("span", "dsx-given", text);
  shown.title = "The prefix: given, not chosen by the model";
  shown.append(make("span", "dsx-unseen", " (the prefix, given) "));
  return shown;
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
