// Places to fill: `{{ name }}`, `{{ name.attr }}` and `{{ name[0] }}`, as `conversation/filling.py` reads them.

import { LETTERS } from "./python.js";

const NAME = "(?!\\p{Nd})[\\p{L}\\p{N}_]";
const STEPS = `(?:\\.${NAME}[${LETTERS}]*|\\[[ \\t]*(?:-?\\p{Nd}+|"[^"\\\\\\n]*"|'[^'\\\\\\n]*')[ \\t]*\\])*`;
const PLACE = new RegExp(`(\\\\)?\\{\\{[ \\t]+(${NAME}[${LETTERS}]*)(${STEPS})[ \\t]+\\}\\}`, "gu");

/** The places of a text: where each stands, and the variable that it begins with; those behind a backslash are text. */
export function* placesIn(text) {
  if (!text.includes("{{")) return;
  for (const match of text.matchAll(PLACE)) {
    if (!match[1]) yield { from: match.index, to: match.index + match[0].length, name: match[2] };
  }
}

/** Whether a text has a place that is filled, or would be but for a backslash. */
export function hasPlaces(text) {
  return text.includes("{{") && text.search(PLACE) >= 0;
}
