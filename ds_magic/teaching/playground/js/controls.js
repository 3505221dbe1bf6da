// The settings of a question: one control for each field, made of what the kernel says of it.

import { button, make } from "../../../views/tokens/explorer/js/elements.js";
import { option } from "./rows.js";

const KINDS = { slider, number, choice, words, lines };
let made = 0; // elements with an id of their own

/** `onChange()` hears of every change, also while a slider moves. */
export class Controls {
  constructor(known, models, onChange) {
    this.models = make("datalist", "");
    this.models.id = unique();
    this.offer(models);
    this.controls = known.map((each) => new Control(each, this.models.id, onChange));
    const all = this.controls.map(({ element }) => element);
    this.element = make("div", "dsp-controls", ...all, this.models);
  }

  offer(models) {
    this.models.replaceChildren(...models.map((name) => option(name, "")));
  }

  /** The fields that are set. */
  get value() {
    const set = this.controls.filter(({ value }) => value !== null);
    return Object.fromEntries(set.map(({ known, value }) => [known.name, value]));
  }

  set value(settings) {
    for (const control of this.controls) control.show(settings[control.known.name] ?? null);
  }

  /** `reasons`: why a field has no effect, by its name. */
  explain(reasons) {
    for (const control of this.controls) control.explain(reasons[control.known.name] ?? "");
  }
}

/** A field: its name, what it is set by, and a line that says what it does, or why it does nothing. */
class Control {
  constructor(known, models, onChange) {
    this.known = known;
    this.value = null;
    const { input, show, said = make("span", "dsp-said") } = KINDS[known.kind](known, models, (value) => {
      this.show(value);
      onChange();
    });
    this.input = input;
    this.draw = show;
    this.said = said;
    input.id = unique();
    this.help = make("div", "dsp-help");
    this.help.id = unique();
    input.setAttribute("aria-describedby", this.help.id);
    const name = make("label", "dsp-name", known.name);
    name.htmlFor = input.id;
    name.title = known.range;
    this.clear = button("dsp-small dsp-clear", "×", `Leave out ${known.name}`, () => {
      this.show(null);
      input.focus();
      onChange();
    });
    this.element = make("div", "dsp-control", name, said, this.clear, input, this.help);
    this.explain("");
    this.show(null);
  }

  show(value) {
    this.value = value;
    this.draw(value);
    const isSet = value !== null;
    this.element.classList.toggle("dsp-unset", !isSet);
    this.clear.style.visibility = isSet ? "visible" : "hidden";
  }

  explain(reason) {
    this.element.classList.toggle("dsp-idle", Boolean(reason));
    const text = reason || this.known.help;
    this.help.textContent = text;
    this.help.title = text;
  }
}

function slider(known, _, onChange) {
  const input = make("input", "dsp-slider");
  Object.assign(input, { type: "range", min: known.least, max: known.most, step: known.step });
  const said = make("span", "dsp-said");
  input.addEventListener("input", () => onChange(Number(input.value)));
  const show = (value) => {
    input.value = value ?? known.usual ?? known.neutral;
    said.textContent = value ?? known.unset;
    input.setAttribute("aria-valuetext", said.textContent);
  };
  return { input, said, show };
}

function number(known, _, onChange) {
  const input = make("input", "dsp-input");
  Object.assign(input, { type: "number", step: known.step, placeholder: known.unset });
  if (known.least !== null) input.min = known.least;
  if (known.most !== null) input.max = known.most;
  input.addEventListener("input", () => onChange(input.value === "" ? null : Number(input.value)));
  // What is being typed is not written anew: 1. would become 1.
  const show = (value) => {
    if (value === null ? !input.validity.badInput : Number(input.value) !== value || input.value === "") {
      input.value = value ?? "";
    }
  };
  return { input, show };
}

function choice(known, _, onChange) {
  const names = known.choices.map(([, name]) => name);
  const input = make("select", "dsp-input", option("", known.unset), ...names.map((name) => option(name, name)));
  input.addEventListener("change", () => {
    const chosen = known.choices.find(([, name]) => name === input.value);
    onChange(chosen ? chosen[0] : null);
  });
  const show = (value) => (input.value = known.choices.find(([each]) => each === value)?.[1] ?? "");
  return { input, show };
}

function words(known, models, onChange) {
  const input = make("input", "dsp-input");
  Object.assign(input, { type: "text", placeholder: known.unset, spellcheck: false, autocomplete: "off" });
  if (known.name === "model") input.setAttribute("list", models);
  input.addEventListener("input", () => onChange(input.value || null));
  const show = (value) => {
    if (input.value !== (value ?? "")) input.value = value ?? "";
  };
  return { input, show };
}

/** Several texts, a line each: in a line \n is a new line, as on the magic line. */
function lines(known, _, onChange) {
  const input = make("textarea", "dsp-input");
  Object.assign(input, { rows: 1, placeholder: `${known.unset}; a line each`, spellcheck: false });
  const read = () => input.value.split("\n").filter(Boolean).map(unescaped);
  input.addEventListener("input", () => onChange(read().length ? read() : null));
  const show = (value) => {
    if (JSON.stringify(read()) !== JSON.stringify(value ?? [])) input.value = (value ?? []).map(escapedLine).join("\n");
  };
  return { input, show };
}

const ESCAPES = { n: "\n", t: "\t", r: "\r", "\\": "\\" };

function unescaped(line) {
  return line.replace(/\\([ntr\\])/g, (_, letter) => ESCAPES[letter]);
}

function escapedLine(text) {
  const letters = Object.entries(ESCAPES);
  return text.replace(/[\n\t\r\\]/g, (one) => `\\${letters.find(([, each]) => each === one)[0]}`);
}

function unique() {
  made += 1;
  return `dsp-${Date.now().toString(36)}-${made}`;
}
