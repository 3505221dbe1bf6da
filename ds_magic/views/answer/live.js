// The live view of an answer. One state a model, filled by messages in order; any number of views draw it.

const STATES = {
  waiting: "waiting",
  queued: "queued",
  thinking: "thinking",
  answering: "answering",
  calling: "calling a tool",
  done: "done",
  stopped: "stopped",
  failed: "failed",
};
const INLINE = new Set(["A", "B", "BDI", "BR", "CODE", "EM", "I", "MJX-CONTAINER", "S", "SPAN", "STRONG"]);
const OUTPUT = ".jp-OutputArea-output > .mathjax_ignore";

export default () => {
  const views = new Set();
  let state;
  return {
    initialize({ model }) {
      state = new Answer(model.get("about"), model.get("styles"));
      // The listener must be there before the first view is: messages do not wait for it.
      model.on("msg:custom", (message) => {
        const change = state.take(message);
        for (const view of views) view.update(change);
      });
    },
    render({ model, el }) {
      const view = new View(model, el, state);
      views.add(view);
      return () => {
        views.delete(view);
        view.close();
      };
    },
  };
};

/** What has come: the source of the answer, its finished blocks, and the growing one. */
class Answer {
  constructor(about, { markup, tints }) {
    this.about = about;
    this.markup = markup;
    this.tintStyles = tints; // of each class of surprisal, the same as in the final output
    this.model = about.model;
    this.state = "waiting";
    this.note = "";
    this.reasoning = "";
    this.thought = "";
    this.source = "";
    this.finished = []; // HTML of the blocks that will not change
    this.finishedTo = 0; // where in the source they end
    this.growing = "";
    this.formattedTo = 0;
    this.calls = new Map();
    this.tints = { ends: [about.prefix_units || 0], classes: [0] };
    this.steps = [];
    this.pieces = 0;
    this.began = performance.now();
    this.first = this.counted = null;
    this.over = null;
  }

  /** Takes a message in and says what of it concerns a view. */
  take(message) {
    const change = { reasoning: message.reasoning || "", blocks: [], growing: null };
    if (message.state) this.state = message.state;
    if (message.pieces) {
      this.pieces += message.pieces;
      this.counted = performance.now();
      this.first ??= this.counted;
    }
    if (message.note !== undefined) this.note = message.note;
    else if (message.content || message.reasoning || message.calls) this.note = "";
    if (message.model) this.model = message.model;
    if (message.thought) this.thought = message.thought;
    this.reasoning += change.reasoning;
    this.source += message.content || "";
    this.addTints(message.tints || []);
    for (const [index, name, argumentsText] of message.calls || []) {
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
      this.formattedTo = this.source.length;
    }
    if (message.over) this.over = performance.now();
    return change;
  }

  addTints(pairs) {
    const { ends, classes } = this.tints;
    for (let at = 0; at < pairs.length; at += 2) {
      ends.push(ends[ends.length - 1] + pairs[at]);
      classes.push(pairs[at + 1]);
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

  get figures() {
    const now = this.over ?? performance.now();
    const figures = [duration((now - this.began) / 1000)];
    if (this.pieces) figures.push(`≈ ${this.pieces.toLocaleString("en")} tokens`);
    const streaming = (this.counted - this.first) / 1000;
    if (streaming > 0.5 && this.pieces > 1) figures.push(`${((this.pieces - 1) / streaming).toPrecision(2) * 1} tokens/s`);
    return figures.join(" · ");
  }
}

/** One view of an answer, in the frame and the styles that the static output has. */
class View {
  constructor(model, el, answer) {
    this.model = model;
    this.answer = answer;
    const styles = model.get("styles");
    this.root = make("div", { class: `ds-live jp-RenderedHTMLCommon ${styles.ignore}`, dir: "ltr" });
    const frame = make("div", { style: styles.root });
    this.header = make("div", { class: "ds-header", style: styles.header });
    this.name = make("bdi", {}, answer.model);
    this.status = make("span", { class: "ds-status" });
    this.figures = make("span", { class: "ds-figures" });
    this.copy = button("Copy", "Copy the answer", () => copyText(answer.source, this.copy));
    this.stop = button("Stop", "Stop the answer", () => this.stopAnswer());
    this.stop.classList.add("ds-stop");
    const facts = make("span", { class: "ds-facts" });
    const badge = make("span", { style: styles.badge });
    badge.append(make("bdi", {}, answer.about.backend));
    facts.append(badge, this.name);
    this.header.append(facts, this.status, this.figures, this.copy, this.stop);
    this.note = make("div", { class: "ds-note", style: styles.quiet });
    this.reasoning = make("details", { class: "ds-reasoning", style: styles.reasoning });
    this.thought = make("summary", { style: styles.summary });
    this.thoughts = make("div", { dir: "auto", style: styles.thoughts, class: "ds-thoughts" });
    this.reasoning.append(this.thought, this.thoughts);
    this.text = make(answer.about.is_json ? "pre" : "div", { class: "ds-answer" });
    // The page gives a heading less room where it is the first child, which it is not in the static output.
    if (!answer.about.is_json) this.text.append(make("span", { hidden: "" }));
    this.calls = make("div", { class: "ds-calls" });
    frame.append(this.header, this.note, this.reasoning, this.text, this.calls);
    this.root.append(frame);
    el.append(this.root);
    this.stop.hidden = !canStop(answer.about);
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
    follow();
    this.announce();
    if (answer.isOver) this.handOver();
  }

  drawStatus() {
    const { answer } = this;
    this.name.textContent = answer.model;
    this.status.textContent = STATES[answer.state] || "";
    this.root.dataset.state = answer.state;
    this.note.textContent = answer.note;
    this.note.hidden = !answer.note;
    this.copy.hidden = !answer.source;
    if (answer.isOver) this.stop.hidden = true;
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

  /** The static output comes below: once it is there it takes this view's place, and what is unfolded stays so. */
  handOver() {
    const area = this.root.closest(".jp-OutputArea");
    if (!area || this.observer) return;
    const before = new Set(area.querySelectorAll(OUTPUT));
    this.observer = new MutationObserver(() => {
      const output = [...area.querySelectorAll(OUTPUT)].find((one) => !before.has(one));
      if (!output) return;
      this.observer.disconnect();
      const follow = follower(this.root);
      const details = output.querySelector("details");
      if (details && this.reasoning.open) details.open = true;
      this.root.hidden = true;
      follow(output);
    });
    this.observer.observe(area, { childList: true, subtree: true });
  }

  close() {
    clearInterval(this.clock);
    this.observer?.disconnect();
  }
}

/** The Jupyter server that this page talks to, where it is JupyterLab or Notebook. */
function server() {
  const config = JSON.parse(document.getElementById("jupyter-config-data")?.textContent || "null");
  if (!config) return null;
  const xsrf = /(?:^|;\s*)_xsrf=([^;]*)/.exec(document.cookie);
  const headers = {};
  if (xsrf) headers["X-XSRFToken"] = decodeURIComponent(xsrf[1]);
  if (config.token) headers.Authorization = `token ${config.token}`;
  return { base: config.baseUrl || "/", headers };
}

function canStop(about) {
  return about.in_background || Boolean(about.kernel && server());
}

/** Keeps the end of the view on the screen if it is there now, so a reader who scrolled up is left alone. */
function follower(root) {
  let scroller = root.parentElement;
  while (scroller && !/auto|scroll/.test(getComputedStyle(scroller).overflowY)) scroller = scroller.parentElement;
  if (!scroller) return () => {};
  const below = (end = root) => end.getBoundingClientRect().bottom - scroller.getBoundingClientRect().bottom;
  const before = below();
  const isAtEnd = before <= 40 && before > -scroller.clientHeight;
  return (end = root) => {
    const after = below(end);
    if (isAtEnd && after > -8) scroller.scrollTop += after + 8;
  };
}

function withCopyButton(pre) {
  const box = make("div", { class: "ds-code" });
  const copy = button("Copy", "Copy the code", () => copyText(pre.textContent, copy));
  box.append(pre, copy);
  return box;
}

async function copyText(text, control) {
  await navigator.clipboard?.writeText(text).catch(() => {});
  control.textContent = navigator.clipboard ? "Copied" : "Not allowed here";
  setTimeout(() => (control.textContent = "Copy"), 1500);
}

function announce(text) {
  let region = document.getElementById("ds-magic-announcer");
  if (!region) {
    region = make("div", { id: "ds-magic-announcer", "aria-live": "polite", class: "ds-unseen" });
    document.body.append(region);
  }
  region.textContent = text;
}

function make(tag, attributes = {}, text = "") {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
}

function button(text, label, onClick) {
  const element = make("button", { type: "button", "aria-label": label, title: label }, text);
  element.addEventListener("click", onClick);
  return element;
}

/** Nodes of HTML that the kernel made; a template's content runs nothing and loads nothing until it is placed. */
function nodes(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.childNodes];
}

function escaped(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
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
