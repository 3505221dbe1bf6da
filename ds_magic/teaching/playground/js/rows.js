// The messages of a question: a row each, to be written, added, moved and taken away.

import { button, make } from "../../../views/tokens/explorer/js/elements.js";

const PREFIX = "prefix";
const ROLES = [
  ["system", "system"],
  ["user", "user"],
  ["assistant", "assistant"],
  [PREFIX, "assistant prefix"],
];

/** `onChange()` hears of every change, also while one types. */
export class Rows {
  constructor(onChange) {
    this.onChange = onChange;
    this.list = make("div", "dsp-rows");
    const add = button("dsp-plain", "+ Add a message", "", () => this.add());
    this.element = make("div", "", this.list, add);
    this.rows = [];
  }

  /** The messages as the kernel has them; a row keeps what it does not show, as long as its role is the same. */
  get value() {
    return this.rows.map(({ more, role, text }) => {
      const isPrefix = role.value === PREFIX;
      const said = { ...more, role: isPrefix ? "assistant" : role.value, content: text.value };
      return isPrefix ? { ...said, prefix: true } : said;
    });
  }

  set value(messages) {
    this.rows = messages.map((message) => this.row(message));
    this.place();
  }

  row({ role, content, prefix, ...more }) {
    const row = {
      more,
      role: make("select", "dsp-input", ...ROLES.map(([value, name]) => option(value, name))),
      text: make("textarea", "dsp-input dsp-text"),
    };
    row.role.value = prefix ? PREFIX : role;
    row.text.value = content ?? "";
    row.text.rows = 2;
    row.text.dir = "auto";
    row.role.addEventListener("change", () => {
      row.more = {};
      this.onChange();
    });
    row.text.addEventListener("input", () => this.onChange());
    row.up = button("dsp-small", "↑", "", () => this.move(row, -1));
    row.down = button("dsp-small", "↓", "", () => this.move(row, 1));
    row.remove = button("dsp-small", "×", "", () => this.remove(row));
    row.element = make("div", "dsp-row", row.role, row.text, row.up, row.down, row.remove);
    row.element.setAttribute("role", "group");
    return row;
  }

  /** Puts the rows into their order, and says in words which each one is. */
  place() {
    this.rows.forEach((row, at) => {
      // What stands there already is left alone: it may have the focus.
      if (this.list.children[at] !== row.element) this.list.insertBefore(row.element, this.list.children[at] ?? null);
      const name = `message ${at + 1}`;
      label(row.element, `Message ${at + 1}`);
      label(row.role, `Role of ${name}`);
      label(row.text, `Text of ${name}`);
      label(row.up, `Move ${name} up`);
      label(row.down, `Move ${name} down`);
      label(row.remove, `Remove ${name}`);
      row.up.setAttribute("aria-disabled", String(at === 0));
      row.down.setAttribute("aria-disabled", String(at === this.rows.length - 1));
      row.remove.setAttribute("aria-disabled", String(this.rows.length === 1));
    });
    while (this.list.children.length > this.rows.length) this.list.lastChild.remove();
  }

  add() {
    const row = this.row({ role: this.rows.at(-1)?.role.value === "user" ? "assistant" : "user", content: "" });
    this.rows.push(row);
    this.changed();
    row.text.focus();
  }

  move(row, by) {
    const at = this.rows.indexOf(row);
    const to = at + by;
    if (to < 0 || to >= this.rows.length) return;
    this.rows.splice(at, 1);
    this.rows.splice(to, 0, row);
    const { activeElement } = document;
    this.changed();
    activeElement?.focus(); // moving an element takes it away
  }

  remove(row) {
    if (this.rows.length === 1) return;
    const at = this.rows.indexOf(row);
    this.rows.splice(at, 1);
    row.element.remove();
    this.changed();
    this.rows[Math.min(at, this.rows.length - 1)].text.focus();
  }

  changed() {
    this.place();
    this.onChange();
  }
}

export function option(value, name) {
  const element = make("option", "", name);
  element.value = value;
  return element;
}

function label(element, text) {
  element.setAttribute("aria-label", text);
  if (element.matches("button")) element.title = text;
}
