// One view of an answer that streams: draws what has come, and stops it.

import { announce, button, copyText, make, nodes, withCopyButton } from "./elements.js";
import { canStop, follower, server } from "./notebook_page.js";

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
const LOST = "The connection to the Jupyter server is lost: this is what had come. More comes when it is back.";
const INLINE = new Set(["A", "B", "BDI", "BR", "CODE", "EM", "I", "MJX-CONTAINER", "S", "SPAN", "STRONG"]);

/** One view of an answer, in the frame and the styles that the static output has. */
export class View {
  constructor(model, el, answer) {
    this.model = model;
    this.answer = answer;
    const styles = model.get("styles");
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
    this.thoughts = make("div", { dir: "auto", style: styles.thoughts, class: "ds-thoughts" });
    this.reasoning.append(this.thought, this.thoughts);
    this.text = make(answer.about.is_json ? "pre" : "div", { class: "ds-answer", style: styles.measure });
    // The page gives a heading less room where it is the first child, which it is not in the static output.
    if (!answer.about.is_json) this.text.append(make("span", { hidden: "" }));
    this.calls = make("div", { class: "ds-calls" });
    this.progress = make("progress", { class: "ds-progress", hidden: "", "aria-label": "Fetched of the model" });
    frame.append(this.reasoning, this.text, this.calls, this.legend, this.note, this.progress, this.line);
    this.root.append(frame);
    el.append(this.root);
    this.canStop = canStop(answer.about);
    this.growing = [];
    this.tail = null;
    this.typesetting = Promise.resolve();
    this.wasThinking = false;
    this.begun = false;
    this.update({ reasoning: answer.reasoning, blocks: answer.finished, growing: answer.growing });
    this.clock = setInterval(() => this.drawFigures(), 500);
  }

  update(change) {
    const { answer } = this;
    const follow = follower(this.root);
    this.drawStatus();
    if (change.reasoning) this.thoughts.append(change.reasoning);
    this.drawReasoning();
    if (change.growing !== null) this.drawBlocks(change);
    this.drawTail();
    if (answer.calls.size) this.drawCalls();
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
    this.stop.hidden = answer.isOver || answer.isLost || !this.canStop;
    this.drawFigures();
  }

  drawFigures() {
    this.figures.textContent = this.answer.figures;
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
    this.tail?.remove();
    this.tail = null;
    for (const html of blocks) this.text.append(...this.finishedNodes(html));
    this.growing = nodes(growing);
    this.text.append(...this.growing);
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
    const typesetter = this.model.widget_manager?.rendermime?.latexTypesetter;
    // The frame around the block tells the typesetter to leave all but formulas alone; here it begins inside.
    node.classList.add(...this.model.get("styles").ignore.split(" "));
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
      this.drawnTo = answer.formattedTo;
      if (!answer.source.slice(this.drawnTo).trim()) return;
      this.tail = make("span", { class: "ds-tail" });
      this.beginTail();
    }
    this.tail.insertAdjacentHTML("beforeend", answer.tinted(this.drawnTo, answer.source.length));
    this.drawnTo = answer.source.length;
  }

  /** Puts the tail into the block that grows, after the line breaks that formatting left out, or into a new one. */
  beginTail() {
    const { source, finishedTo, formattedTo } = this.answer;
    const breaks = /\n*$/.exec(source.slice(finishedTo, formattedTo))[0];
    const last = this.growing.findLast((node) => node.nodeType === Node.ELEMENT_NODE);
    const isCode = last?.tagName === "PRE" || this.text.tagName === "PRE";
    if (isCode || (last && breaks.length < 2)) {
      this.tail.append(breaks);
      this.placeIn(last).append(this.tail);
      return;
    }
    this.drawnTo += /^\s*/.exec(source.slice(formattedTo))[0].length;
    const paragraph = make("p", { dir: "auto" });
    paragraph.append(this.tail);
    this.growing.push(paragraph);
    this.text.append(paragraph);
  }

  placeIn(last) {
    if (this.text.tagName === "PRE") return this.text;
    if (last.tagName === "PRE") return last.querySelector("code");
    let place = last;
    while (place.lastElementChild && !INLINE.has(place.lastElementChild.tagName)) place = place.lastElementChild;
    return place;
  }

  drawCalls() {
    this.calls.replaceChildren();
    for (const { name, text } of this.answer.calls.values()) {
      const title = make("div", { class: "ds-quiet" }, "calls ");
      title.append(make("code", {}, name));
      this.calls.append(title, make("pre", { class: "ds-arguments" }, text));
    }
  }

  /** What the tints mean, as soon as there is one, and those that there are. */
  drawLegend() {
    const { seen, tintStyles } = this.answer;
    if (!seen.size || this.legend.childElementCount === seen.size) return;
    const { title, names } = this.model.get("styles").legend;
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
    this.stop.disabled = true;
    this.stop.textContent = "Stopping…";
    if (this.answer.about.in_background) {
      this.model.send({ stop: true });
      return;
    }
    const { base, headers } = server();
    const url = `${base}api/kernels/${encodeURIComponent(this.answer.about.kernel)}/interrupt`;
    const response = await fetch(url, { method: "POST", headers, credentials: "same-origin" }).catch(() => null);
    if (response?.ok) return;
    this.stop.textContent = "Stop";
    this.stop.disabled = false;
    this.note.textContent = "The server refused. Interrupt the kernel with the notebook's own button.";
    this.note.hidden = false;
  }

  close() {
    clearInterval(this.clock);
  }
}
