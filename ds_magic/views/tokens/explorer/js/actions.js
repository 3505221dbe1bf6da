// The cell that asks for a text again: to be copied, and where a notebook takes it to be put into it.

import { button, make } from "./elements.js";

const ASKS = /^%%deepseek[ \n]/; // a saved output may hold anything, and no other code is offered to be run
const A_WHILE = 1500; // milliseconds for which a button says what came of it

/**
 * The buttons for the text that is shown, or nothing where no cell is told. `insertCell(text)`, where there is one, says
 * whether it could; `say` is for who does not see the buttons.
 */
export function cellActions({ said: { cell }, insertCell, say }) {
  if (!ASKS.test(cell)) return "";
  const action = (name, label, act, done) => {
    const control = button("dsx-plain", name, label, async () => {
      const word = (await act().catch(() => false)) ? done : "Not allowed here";
      control.textContent = word;
      say(word);
      setTimeout(() => (control.textContent = name), A_WHILE);
    });
    return control;
  };
  const copied = async () => {
    await navigator.clipboard.writeText(cell);
    return true;
  };
  const controls = [action("Copy as cell", "Copy the cell that asks for this text", copied, "Copied")];
  if (insertCell) {
    const label = "Insert the cell that asks for this text below this one";
    controls.push(action("Insert cell", label, async () => insertCell(cell), "Inserted below"));
  }
  return make("div", "dsx-actions", ...controls);
}
