// The cell that asks the same: its text, to be copied, and where our extension is to be put into the notebook.

import { button, make, prose } from "../../../views/tokens/explorer/js/elements.js";

const INSERT = Symbol.for("ds-magic.insert"); // our extension's: (element, text) → a promise of whether it could be done
const A_WHILE = 1500; // milliseconds for which a button says what came of it
const OPTION = /(?<= )(--[a-z-]+)/;

/** A cell whose options are told apart, and break at no hyphen. */
function drawn(cell) {
  const [line, ...rest] = cell.split("\n");
  const parts = line.split(OPTION).map((part, at) => (at % 2 ? make("span", "dsp-option", part) : part));
  return [...parts, ...rest.map((each) => `\n${each}`)];
}

export class Cell {
  /** `say(words)` is for who does not see the buttons. */
  constructor(say) {
    this.say = say;
    this.text = make("pre", "dsp-cell");
    Object.assign(this.text, { tabIndex: 0, dir: "ltr" });
    this.text.setAttribute("role", "group");
    this.text.setAttribute("aria-label", "The cell that asks the same");
    this.trouble = make("div", "dsp-trouble");
    const copy = this.action("Copy", "Copy the cell that asks the same", async () => {
      await navigator.clipboard.writeText(this.text.textContent);
      return "Copied";
    });
    const insert = this.action("Insert below", "Insert the cell that asks the same below this one", async () =>
      (await globalThis[INSERT](this.element, this.text.textContent)) ? "Inserted below" : null,
    );
    this.insert = insert;
    this.controls = [copy, insert];
    const below = make("div", "dsp-buttons", copy, insert, this.trouble);
    const title = make("div", "dsp-title", "The same as a cell");
    this.element = make("div", "dsp-same", title, this.text, below);
  }

  action(name, label, act) {
    const control = button("dsp-button", name, label, async () => {
      if (this.isStale) return;
      const word = (await act().catch(() => null)) ?? "Not allowed here";
      control.textContent = word;
      this.say(word);
      setTimeout(() => (control.textContent = name), A_WHILE);
    });
    return control;
  }

  /** `isStale`: the kernel has not said yet what the question has become. */
  show({ cell = "", trouble = "" }, isStale) {
    this.isStale = isStale || Boolean(trouble) || !cell;
    if (this.text.textContent !== cell) this.text.replaceChildren(...drawn(cell));
    if (trouble !== this.told) this.trouble.replaceChildren(prose(trouble));
    this.told = trouble;
    this.element.classList.toggle("dsp-stale", this.isStale);
    this.insert.hidden = !globalThis[INSERT]; // the page may have loaded it since
    for (const control of this.controls) control.setAttribute("aria-disabled", String(this.isStale));
  }
}
