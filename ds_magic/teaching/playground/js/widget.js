// The playground as an anywidget: drawn wherever a notebook shows it, beside the cell that is kept of it.

import { widgetOf } from "../../../views/tokens/explorer/js/places.js";
import { Form } from "./form.js";
import { askToStop, isBusy } from "./kernel.js";

/** One playground of the kernel, with all its forms in this page. */
class Source {
  constructor(model) {
    this.model = model;
    this.forms = new Set();
    this.isAsked = false; // to run, and the kernel has said nothing of it yet
    this.isUnwanted = false; // stopped meanwhile
    this.isWaiting = false; // for a kernel that was busy with something else
    model.on("change:question", () => this.forms.forEach((form) => form.take()));
    model.on("change:said change:state change:history change:models change:controls change:question", () => {
      this.forms.forEach((form) => form.draw());
    });
    model.on("msg:custom", ({ type }) => type === "heard" && this.heard());
    model.on("comm_live_update", () => this.forms.forEach((form) => form.abandon()));
  }

  get question() {
    return this.model.get("question");
  }

  get said() {
    return this.model.get("said");
  }

  get state() {
    return this.model.get("state");
  }

  get history() {
    return this.model.get("history");
  }

  get models() {
    return this.model.get("models");
  }

  get controls() {
    return this.model.get("controls");
  }

  get look() {
    return this.model.get("look");
  }

  ask(question) {
    this.model.set("question", { ...question, number: this.question.number + 1 });
    this.model.save_changes();
  }

  run() {
    Object.assign(this, { isAsked: true, isUnwanted: false, isWaiting: isBusy(this.model) });
    this.model.send({ type: "run" });
    this.forms.forEach((form) => form.draw());
  }

  /** What the kernel has not begun yet is ended when it does. */
  stop() {
    this.isUnwanted = this.isAsked;
    if (this.state.running) askToStop(this.model);
  }

  /** The kernel has begun, or has said why it does not. */
  heard() {
    if (this.isUnwanted && this.state.running) askToStop(this.model);
    Object.assign(this, { isAsked: false, isUnwanted: false, isWaiting: false });
    this.forms.forEach((form) => form.draw());
  }

  back(number) {
    this.model.send({ type: "back", run: number });
  }

  open(place) {
    const form = new Form(place, this);
    this.forms.add(form);
    return () => this.forms.delete(form);
  }
}

export default widgetOf(Source);
