// One view of an answer that streams: draws what has come, and stops it.

import { announce, button, copyText, make, nodes, withCopyButton } from "./elements.js";
import { GrowingText } from "./growing_text.js";
import { follower } from "./notebook_page.js";

const STATES = {
  waiting: "waiting",
  queued: "queued",
  preparing: "getting ready",
  thinking: "thinking",
  answering: "answering",
  calling: "calling a tool",
  done: "done",
  stopped: "stopped",
  failed: "failed",
  abandoned: "the kernel has gone",
  lost: "no connection",
};
const IN_SECTION = 50; // blocks
const LOST = "The connection to the Jupyter server is lost: this is what had come. More comes when it is back.";
const INLINE = new Set(["A", "B", "BDI", "BR", "CODE", "EM", "I", "MJX-CONTAINER", "S", "SPAN", "STRONG"]);

/** One view of an answer, in the frame and the styles that the static output has. */
export class View {
  constructor(home, el, answer) {
    this.home = home;
    this.answer = answer;
    const { styles } = home;
    this.root = make("div", { class: `ds-live jp-RenderedHTMLCommon ${styles.ignore}`, dir: "ltr" });
    const frame = make("div", { style: styles.root });
    this.status = make("span", { class: "ds-status" });
    this.figures = make("span", { class: "ds-figures" });
    this.name = make("bdi", {}, answer.model);
    this.place = make("bdi", {}, answer.about.backend);
    this.copy = button("Copy", "Copy the answer", () => copyText(answer.source, this.copy));
    this.stop = button("Stop", "Stop the answer", () => this.stopAnswer());
    this.stop.classList.add("ds-stop");
    // Under the text, where the final output has its small print: nothing moves when the answer ends.
    this.line = make("div", { class: "ds-line", style: styles.line });
    this.line.append(this.status, this.stop, this.copy, this.figures, this.name, this.place);
    this.legend = make("div", { class: "ds-legend", style: styles.line, hidden: "" });
    this.note = make("div", { class: "ds-note", style: styles.quiet });
    this.reasoning = make("details", { class: "ds-reasoning", style: styles.reasoning });
    this.thought = make("summary", { style: styles.summary });
    const thoughts = make("div", { dir: "auto", style: styles.thoughts, class: "ds-thoughts" });
    this.thoughts = new GrowingText(thoughts);
    this.reasoning.append(this.thought, thoughts);
    this.isCode = answer.about.is_code;
    const block = make(this.isCode ? "pre" : "div", { class: "ds-answer", style: styles.measure });
    this.text = answer.about.gap ? placeInGap(block, answer.about.gap) : block;
    if (!this.isCode) this.beginSection();
    this.calls = make("div", { class: "ds-calls" });
    this.shownCalls = new Map();
    this.progress = make("progress", { class: "ds-progress", hidden: "", "aria-label": "Fetched of the model" });
    frame.append(this.reasoning, block, this.calls, this.legend, this.note, this.progress, this.line);
    this.root.append(frame);
    el.append(this.root);
    this.growing = [];
    this.tail = null;
    this.seenTo = 0; // where in the source the text ends that was looked at for a tail
    this.typesetting = Promise.resolve();
    this.wasThinking = false;
    this.begun = false;
    const calls = [...answer.calls].map(([index, { name, text }]) => [index, name, text]);
    this.update({ reasoning: answer.reasoning, blocks: answer.finished, growing: answer.growing, calls });
    this.clock = setInterval(() => this.drawFigures(), 500);
  }

  update(change) {
    const follow = follower(this.root);
    this.drawStatus();
    this.thoughts.add(change.reasoning);
    this.drawReasoning();
    if (change.growing !== null) this.drawBlocks(change);
    this.drawTail();
    for (const call of change.calls) this.drawCall(...call);
    this.drawLegend();
    follow();
    this.announce();
  }

  drawStatus() {
    const { answer } = this;
    this.name.textContent = answer.model;
    const state = answer.isLost ? "lost" : answer.state;
    const note = answer.isLost ? LOST : answer.note;
    this.status.textContent = STATES[state] || "";
    this.root.dataset.state = state;
    this.note.textContent = note;
    this.note.hidden = !note;
    this.progress.hidden = answer.progress === null || answer.state !== "preparing";
    this.progress.value = answer.progress || 0;
    this.copy.hidden = !answer.source;
    this.stop.hidden = answer.isOver || answer.isLost || !this.home.canStop;
    this.drawFigures();
  }

  drawFigures() {
    const spans = this.answer.figures.map((figure, at) => make("span", {}, at ? ` · ${figure}` : figure));
    this.figures.replaceChildren(...spans);
  }

  /** Open while the model thinks, folded when the answer begins; after that it is the reader's. */
  drawReasoning() {
    const { answer } = this;
    this.reasoning.hidden = !answer.reasoning;
    const isThinking = answer.state === "thinking" && !answer.isOver;
    if (isThinking !== this.wasThinking) this.reasoning.open = isThinking;
    this.wasThinking = isThinking;
    this.thought.textContent = isThinking ? "Thinking…" : answer.thought || "Reasoning";
  }

  drawBlocks({ blocks, growing }) {
    for (const node of this.growing) node.remove();
    this.tail = null;
    this.seenTo = this.answer.formattedTo;
    for (const html of blocks) {
      if (this.section.childElementCount > IN_SECTION) this.beginSection();
      this.section.append(...this.finishedNodes(html));
    }
    this.growing = nodes(growing);
    this.text.append(...this.growing);
  }

  /** Finished blocks stand in sections: a browser looks at each neighbour of what it lays out anew. */
  beginSection() {
    this.section = make("div");
    // The page gives a heading less room where it is the first child, which it is not in the static output.
    this.section.append(make("span", { hidden: "" }));
    this.text.append(this.section);
  }

  finishedNodes(html) {
    const made = nodes(html);
    for (const node of made) {
      if (node.nodeType !== Node.ELEMENT_NODE) continue;
      if (node.querySelector(".mathjax_process")) this.typeset(node);
    }
    return made.map((node) => (node.tagName === "PRE" ? withCopyButton(node) : node));
  }

  /** Formulas one block after the other: the page's typesetter forgets what it began when it is called again. */
  typeset(node) {
    const { typesetter, styles } = this.home;
    // The frame around the block tells the typesetter to leave all but formulas alone; here it begins inside.
    node.classList.add(...styles.ignore.split(" "));
    this.typesetting = this.typesetting.then(async () => {
      const follow = follower(this.root);
      await typesetter?.typeset(node);
      follow();
    }).catch(() => {});
  }

  /** What has come since the growing block was formatted, as text at its end. */
  drawTail() {
    const { answer } = this;
    if (!this.tail) {
      const fresh = answer.source.slice(this.seenTo);
      this.seenTo = answer.source.length;
      if (!fresh.trim()) return;
      this.beginTail();
    }
    const from = this.drawnTo;
    this.drawnTo = answer.source.length;
    this.tail.add(answer.source.slice(from), (begin, end) => answer.tinted(from + begin, from + end));
  }

  /** Begins the tail in the block that grows, with the blanks that formatting left out, or in a new one. */
  beginTail() {
    const { source, finishedTo, formattedTo } = this.answer;
    const name = "ds-tail";
    const last = this.growing.findLast((node) => node.nodeType === Node.ELEMENT_NODE);
    const isCode = this.isCode || last?.tagName === "PRE";
    const blanks = blanksBefore(source, formattedTo, finishedTo, isCode ? "\n" : "\n \t");
    if (isCode || (last && blanks.split("\n").length <= 2)) {
      this.drawnTo = formattedTo - blanks.length;
      const before = this.drawnTo - finishedTo;
      const place = this.placeIn(last);
      this.tail = new GrowingText(place, { before, name, tag: place.firstElementChild?.tagName === "CODE" ? "code" : "span" });
      return;
    }
    this.drawnTo = formattedTo + /^\s*/.exec(source.slice(formattedTo))[0].length;
    const paragraph = make("p", { dir: "auto" });
    this.tail = new GrowingText(paragraph, { name });
    this.growing.push(paragraph);
    this.text.append(paragraph);
  }

  placeIn(last) {
    if (this.isCode) return this.text;
    let place = last;
    while (place.tagName !== "PRE" && place.lastElementChild && !INLINE.has(place.lastElementChild.tagName)) {
      place = place.lastElementChild;
    }
    return place;
  }

  drawCall(index, name, text) {
    if (!this.shownCalls.has(index)) {
      const title = make("div", { class: "ds-quiet" }, "calls ");
      const called = make("code");
      const given = make("pre", { class: "ds-arguments" });
      title.append(called);
      this.calls.append(title, given);
      this.shownCalls.set(index, { called, given: new GrowingText(given) });
    }
    const { called, given } = this.shownCalls.get(index);
    if (name) called.textContent = name;
    given.add(text);
  }

  /** What the tints mean, as soon as there is one, and those that there are. */
  drawLegend() {
    const { seen, tintStyles } = this.answer;
    if (!seen.size || this.legend.childElementCount === seen.size) return;
    const { title, names } = this.home.styles.legend;
    this.legend.replaceChildren(`${title} `);
    for (const tint of [...seen].sort()) {
      const swatch = make("span", { style: `${tintStyles[tint]};padding:0 0.4em;white-space:nowrap` }, names[tint]);
      this.legend.append(this.legend.childElementCount ? " · " : "", swatch);
    }
    this.legend.hidden = false;
  }

  announce() {
    const { answer } = this;
    if (!this.begun && answer.source) {
      this.begun = true;
      announce("The answer begins.");
    }
    if (answer.isOver) announce(answer.state === "done" ? "The answer is complete." : `The answer ${answer.state}.`);
  }

  /** Ends the answer: by a message to a stream in the background, else by interrupting the kernel. */
  async stopAnswer() {
    // The button goes with the view, and would take the focus along: the cell has it then, and its keys go on working.
    this.stop.closest("[tabindex]")?.focus({ preventScroll: true });
    this.stop.disabled = true;
    this.stop.textContent = "Stopping…";
    try {
      await this.home.stop();
    } catch {
      this.refuseToStop();
    }
  }

  refuseToStop() {
    this.stop.textContent = "Stop";
    this.stop.disabled = false;
    this.note.textContent = "The server refused. Interrupt the kernel with the notebook's own button.";
    this.note.hidden = false;
  }

  close() {
    clearInterval(this.clock);
  }
}

/** The place for what comes, in a block that shows what stands before it and behind it. */
function placeInGap(block, gap) {
  const given = (text) => make("span", { class: "ds-given" }, text);
  const place = make("span");
  const [above, more] = gap.before, [below, rest] = gap.behind;
  block.append(given(more ? `${more}\n${above}` : above), place, given(below));
  if (rest) block.append(given(below.endsWith("\n") ? rest : `\n${rest}`));
  return place;
}

/** The blanks, of a few kinds, that stand just before a place in a text. */
function blanksBefore(text, place, begin, kinds) {
  let at = place;
  while (at > begin && kinds.includes(text[at - 1])) at--;
  return text.slice(at, place);
}
