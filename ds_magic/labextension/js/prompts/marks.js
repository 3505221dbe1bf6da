// What stands where in our lines: plain lists of ranges with their classes, for the editor to draw.

import { COMPANIONS } from "./options.js";
import { parse } from "./line.js";
import { placesIn } from "./places.js";
import { nextWord } from "./python.js";

/** Characters of a place that is not broken at the end of a line. */
const SHORT = 40;

/** A range of a text: its class, what is said of it, and whether it is wrong. */
function mark(from, to, name, says, isWrong = false) {
  return { from, to, name, says, isWrong };
}

/** The marks of a magic line behind the magic's name, which ends at `at`, and where its prompt begins. */
export function marksOfLine(text, at, name) {
  const line = text.slice(at);
  if (name !== "deepseek" && name !== "ds_models") return marksOfCompanion(line, at, name);
  const { given, wrong, promptFrom } = parse(line);
  const marks = [];
  for (const { option, typed, from, to, valueFrom, valueTo, wrong: says } of given) {
    marks.push(mark(from, to, "option", help(option, typed)));
    if (valueTo > valueFrom) marks.push(mark(valueFrom, valueTo, "value", says ?? possible(option), Boolean(says)));
  }
  for (const { from, to, says } of wrong) marks.push(mark(from, to, "option", says, true));
  if (name === "ds_models" && promptFrom < line.length) return { marks: moved(marks, at), promptFrom: text.length };
  return { marks: moved(marks, at), promptFrom: at + promptFrom };
}

/** The marks of places to fill; `isMissing` tells whether there is no variable of a name. */
export function marksOfPlaces(text, at, isMissing) {
  return Array.from(placesIn(text), ({ from, to, name }) => {
    const says = isMissing(name) ? `There is no variable \`${name}\` yet.` : undefined;
    const kind = `place${to - from <= SHORT ? " dsp-short" : ""}${says ? " dsp-missing" : ""}`;
    return mark(at + from, at + to, kind, says);
  });
}

/** The marks of a line that begins a message, or is a gap. */
export function marksOfRole({ to, attributes = [] }) {
  const marks = [mark(0, to, "role-name")];
  for (const { from, to: end, wrong } of attributes) marks.push(mark(from, end, "attribute", wrong, Boolean(wrong)));
  return marks;
}

function marksOfCompanion(line, at, name) {
  const from = nextWord(line, 0), marks = [];
  const word = line.slice(from).trimEnd();
  const known = COMPANIONS[name];
  if (known.includes(word)) marks.push(mark(from, from + word.length, "option"));
  else if (word && known.length && !word.startsWith("#")) {
    const says = `\`%${name}\` takes nothing, or ${known.map((each) => `\`${each}\``).join(", ")}.`;
    marks.push(mark(from, from + word.length, "option", says, true));
  }
  return { marks: moved(marks, at), promptFrom: at + line.length };
}

function moved(marks, by) {
  return marks.map((each) => ({ ...each, from: each.from + by, to: each.to + by }));
}

function help(option, typed) {
  return typed.startsWith("--no-") ? `not: ${option.help}` : option.help;
}

function possible(option) {
  return option.possible === option.possible.toUpperCase() ? undefined : option.possible;
}
