// Formulas between single dollars, as the answers have them: "$5 and $10" is none.

import { BLANKS } from "./python.js";

const FORMULA = "InlineMathDollar"; // of the page's Markdown, which takes any two dollars for one
const DOLLAR = 36;
const PAIR = { resolve: FORMULA, mark: `${FORMULA}Mark` };
const BLANK = new RegExp(`[${BLANKS}]`, "u");
const DIGIT = /\p{Nd}/u;

/** What a Markdown parser is to be configured with; nothing where it knows no formulas. */
export function dollars({ nodeSet }) {
  if (![FORMULA, PAIR.mark].every((name) => nodeSet.types.some((type) => type.name === name))) return [];
  return { parseInline: [{ name: "Dollar", before: "Escape", parse: dollar }] };
}

function dollar(context, next, at) {
  if (next !== DOLLAR || context.char(at + 1) === DOLLAR || context.char(at - 1) === DOLLAR) return -1;
  const [before, after] = [context.slice(at - 1, at), context.slice(at + 1, at + 2)];
  const opens = after !== "" && !BLANK.test(after) && !DIGIT.test(before);
  const closes = before !== "" && !BLANK.test(before) && !DIGIT.test(after);
  return opens || closes ? context.addDelimiter(PAIR, at, at + 1, opens, closes) : at + 1;
}
