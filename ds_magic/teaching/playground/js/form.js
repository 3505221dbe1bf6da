// The form of a playground: the question, its settings, the cell that asks the same, Run, Stop, and the last runs.

import { button, make } from "../../../views/tokens/explorer/js/elements.js";
import { Cell } from "./cell.js";
import { Controls } from "./controls.js";
import { Rows } from "./rows.js";

const IS_MAC = /Mac|iP(hone|ad)/.test(navigator.platform);
const GONE = "The kernel has gone: run the cell again to ask more.";
const STOPPING = "Stopping";
const BUSY = "The kernel is busy: it asks when it is free.";

/**
 * Draws in `place`. `source` has what the kernel says (`question`, `said`, `state`, `history`, `models`, `controls`,
 * `look`; `isAsked`: it is to run, and has not begun; then `isWaiting`: the kernel was busy, `isUnwanted`: it is to stop),
 * and is told: `ask(question)`, `run()`, `stop()`, `back(number)`.
 */
export class Form {
  constructor(place, source) {
    this.source = source;
    this.hasEnded = false;
    const change = () => this.change();
    this.rows = new Rows(change);
    this.settings = make("div", "dsp-settings", make("div", "dsp-title", "Settings"));
    this.offerControls();
    this.cell = new Cell((words) => this.say(words));
    this.runButton = button("dsp-button dsp-run", "Run", "Run: ask this", () => this.run());
    this.stopButton = button("dsp-button dsp-stop", "Stop", "Stop the answer", () => this.stop());
    const keys = make("span", "dsp-keys", `${IS_MAC ? "⌘" : "Ctrl"} Enter runs, Escape stops`);
    this.status = make("span", "dsp-status");
    this.status.setAttribute("role", "status");
    this.runs = make("div", "dsp-runs");
    this.runs.setAttribute("role", "group");
    this.runs.setAttribute("aria-label", "The last runs");
    const question = make("div", "dsp-question", make("div", "dsp-title", "Question"), this.rows.element);
    const columns = make("div", "dsp-columns", question, this.cell.element);
    const bar = make("div", "dsp-bar", this.runButton, this.stopButton, keys, this.status);
    this.box = make("div", "dsp", columns, this.settings, bar, this.runs);
    this.box.style.cssText = source.look;
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", "Playground");
    this.box.addEventListener("keydown", (event) => this.key(event));
    place.append(make("div", "dsp-frame", this.box));
    this.take();
    this.draw();
  }

  /** What the form holds now. */
  get question() {
    return { rows: this.rows.value, settings: this.controls.value };
  }

  /** Have in the form what the kernel, or another form of the same playground, has of the question. */
  take() {
    const { rows, settings } = this.source.question;
    if (JSON.stringify(this.question) === JSON.stringify({ rows, settings })) return;
    if (JSON.stringify(this.rows.value) !== JSON.stringify(rows)) this.rows.value = rows;
    this.controls.value = settings;
  }

  /** The controls anew, where what is set for every cell has changed. */
  offerControls() {
    const known = JSON.stringify(this.source.controls);
    if (known === this.offered) return;
    this.offered = known;
    this.controls?.element.remove();
    this.controls = new Controls(this.source.controls, this.source.models, () => this.change());
    this.controls.value = this.source.question.settings;
    this.settings.append(this.controls.element);
  }

  change() {
    this.source.ask(this.question);
  }

  draw() {
    const { said, state, question, models } = this.source;
    this.offerControls();
    this.cell.show(said, said.number !== question.number);
    this.controls.explain(said.idle ?? {});
    this.controls.offer(models);
    this.runButton.setAttribute("aria-disabled", String(state.running || this.hasEnded));
    this.stopButton.setAttribute("aria-disabled", String(!this.canStop));
    this.box.classList.toggle("dsp-running", state.running);
    if (!this.hasEnded) this.say(this.words);
    this.drawRuns();
  }

  drawRuns() {
    const { history } = this.source;
    if (JSON.stringify(history) === this.drawn) return;
    this.drawn = JSON.stringify(history);
    const runs = history.map((label, at) =>
      button("dsp-past", label, `Back to: ${label}`, () => this.source.back(at)),
    );
    this.runs.replaceChildren(...(runs.length ? ["Back to", ...runs] : []));
  }

  /** What there is to say: of what was asked and has not begun, else what the kernel says. */
  get words() {
    const { state, isAsked, isWaiting, isUnwanted } = this.source;
    if (!isAsked || state.running) return state.words;
    return isUnwanted ? STOPPING : isWaiting ? BUSY : state.words;
  }

  run() {
    if (!this.hasEnded && !this.source.state.running) this.source.run();
  }

  get canStop() {
    return !this.hasEnded && (this.source.state.running || this.source.isAsked);
  }

  stop() {
    if (!this.canStop) return;
    this.source.stop();
    this.say(STOPPING);
  }

  /** The keys of the form are no keys of the notebook, whose cells they would move, run and delete. */
  key(event) {
    const isCommand = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && isCommand) this.run();
    else if (event.key === "Escape") this.stop();
    else if (isCommand || event.key === "Tab") return;
    else return event.stopPropagation();
    event.preventDefault();
    event.stopPropagation();
  }

  say(words) {
    const text = (words ?? "").replaceAll("`", "");
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  abandon() {
    this.hasEnded = true;
    this.say(GONE);
    this.draw();
  }
}
