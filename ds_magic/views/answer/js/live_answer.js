// What a live view shows, whatever shows it: one state a model, filled by messages in order.

import { escaped } from "./elements.js";

const UNCHANGED = { reasoning: "", blocks: [], growing: null, calls: [] };

/** What has come: the source of the answer, its finished blocks, and the growing one. */
export class Answer {
  constructor(about, { markup, tints }) {
    this.about = about;
    this.markup = markup;
    this.tintStyles = tints; // of each class of surprisal, the same as in the final output
    this.model = about.model;
    this.state = "waiting";
    this.note = "";
    this.progress = null; // how much of the model has been fetched, from 0 to 1
    this.reasoning = "";
    this.thought = "";
    this.source = "";
    this.finished = []; // HTML of the blocks that will not change
    this.finishedTo = 0; // where in the source they end
    this.growing = "";
    this.formattedTo = 0;
    this.calls = new Map();
    this.tints = { ends: [about.prefix_units || 0], classes: [0] };
    this.seen = new Set(); // classes that are tinted somewhere
    this.steps = [];
    this.pieces = 0;
    this.began = performance.now();
    this.first = this.counted = null;
    this.lost = null; // since when there is no connection to the kernel
    this.over = null;
  }

  /** Takes a message in and says what of it concerns a view. */
  take(message) {
    const change = { reasoning: message.reasoning || "", blocks: [], growing: null, calls: message.calls || [] };
    if (message.state) this.state = message.state;
    if (message.pieces) {
      this.pieces += message.pieces;
      this.counted = performance.now();
      this.first ??= this.counted;
    }
    if (message.note !== undefined) this.note = message.note;
    else if (message.content || message.reasoning || message.calls) this.note = "";
    if (message.progress !== undefined) this.progress = message.progress;
    if (message.model) this.model = message.model;
    if (message.thought) this.thought = message.thought;
    this.reasoning += change.reasoning;
    this.source += message.content || "";
    this.addTints(message.tints || []);
    for (const [index, name, argumentsText] of change.calls) {
      const call = this.calls.get(index) || { name: "", text: "" };
      this.calls.set(index, { name: name || call.name, text: call.text + argumentsText });
    }
    for (const [length, changed] of message.finished || []) {
      change.blocks.push(this.html(changed));
      this.finishedTo += length;
      this.steps = [];
      this.growing = change.growing = "";
      this.formattedTo = this.finishedTo;
    }
    this.finished.push(...change.blocks);
    if (message.growing) {
      this.growing = change.growing = this.html(message.growing);
      this.formattedTo = message.formatted ?? this.source.length;
    }
    if (message.ago) {
      const times = message.ago.map((seconds) => performance.now() - 1000 * seconds);
      [this.began, this.first = null, this.counted = null] = times;
    }
    if (message.over) this.over = performance.now();
    return change;
  }

  /** The kernel has gone: what had come stays, and its clock stands. */
  abandon() {
    if (!this.isOver) {
      this.state = "abandoned";
      this.note = "The kernel has gone in the middle of the answer: this is what had come.";
      this.over = this.lost ?? performance.now();
    }
    return UNCHANGED;
  }

  /** The connection to the kernel is lost, perhaps for a while, or is back: the kernel may well go on. */
  connect(isConnected) {
    this.lost = isConnected ? null : this.lost ?? performance.now();
    return UNCHANGED;
  }

  addTints(pairs) {
    const { ends, classes } = this.tints;
    for (let at = 0; at < pairs.length; at += 2) {
      ends.push(ends[ends.length - 1] + pairs[at]);
      classes.push(pairs[at + 1]);
      if (pairs[at + 1]) this.seen.add(pairs[at + 1]);
    }
  }

  /** HTML from the steps that changed; see blocks.py for what a step is. */
  html([same, ...rest]) {
    this.steps = this.steps.slice(0, same).concat(rest);
    let at = this.finishedTo;
    const parts = [];
    for (const step of this.steps) {
      if (typeof step === "string") parts.push(step);
      else if (Array.isArray(step)) parts.push(this.markup[step[0]]);
      else if (step < 0) at -= step;
      else {
        parts.push(this.tinted(at, at + step));
        at += step;
      }
    }
    return parts.join("");
  }

  /** The source from `begin` to `end` as escaped HTML, each surprising token tinted. */
  tinted(begin, end) {
    const { ends, classes } = this.tints;
    if (ends.length === 1) return escaped(this.source.slice(begin, end));
    const parts = [];
    let token = firstAbove(ends, begin);
    for (let at = begin; at < end; token++) {
      const to = token < ends.length ? Math.min(end, ends[token]) : end;
      const text = escaped(this.source.slice(at, to));
      const tint = classes[token];
      parts.push(tint ? `<span class="ds-tint-${tint}" style="${this.tintStyles[tint]}">${text}</span>` : text);
      at = to;
    }
    return parts.join("");
  }

  get isOver() {
    return this.over !== null;
  }

  get isLost() {
    return this.lost !== null && !this.isOver;
  }

  get figures() {
    const now = this.over ?? this.lost ?? performance.now();
    const figures = [duration((now - this.began) / 1000)];
    if (this.pieces) figures.push(`≈ ${this.pieces.toLocaleString("en")} tokens`);
    const streaming = (this.counted - this.first) / 1000;
    if (streaming > 0.5 && this.pieces > 1) figures.push(`${((this.pieces - 1) / streaming).toPrecision(2) * 1} tokens/s`);
    return figures;
  }
}

function firstAbove(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
