// Where our magics stand in a cell.

import { hasGap } from "./gap.js";
import { COMPANIONS } from "./options.js";
import { BLANKS, LETTERS } from "./python.js";

const CELL = new RegExp(`^([ \\t]*)(%%deepseek)(?=[${BLANKS}]|$)`, "u");
const NAMES = ["deepseek", ...Object.keys(COMPANIONS)];
const LINE = new RegExp(
  `^([ \\t]*(?:[${LETTERS}][${LETTERS}.,\\[\\]'" ]{0,200}=[ \\t]*)?)(%(${NAMES.join("|")}))(?=[${BLANKS}]|$)`, "u");
const BLANK_LINE = new RegExp(`^[${BLANKS}]*$`, "u");

/**
 * The magic that makes a prompt of a whole cell: `{from, to, number, indent}`, of its name; null where there is none.
 * `isText`: whether the cell is a text with a gap rather than a prompt.
 *
 * IPython drops blank lines before the magic, and takes its indentation from all lines.
 */
export function cellMagic(doc) {
  for (let number = 1; number <= doc.lines; number++) {
    const line = doc.line(number);
    if (BLANK_LINE.test(line.text)) continue;
    const match = CELL.exec(line.text);
    if (!match) return null;
    const from = line.from + match[1].length;
    const isText = hasGap(line.text.slice(match[0].length));
    return { from, to: from + match[2].length, number, indent: match[1], isText };
  }
  return null;
}

/** The magic in a line of Python, such as `x = %deepseek …`: `{from, to, name}`; null where there is none. */
export function lineMagic(text) {
  const match = text.includes("%") && LINE.exec(text);
  return match ? { from: match[1].length, to: match[0].length, name: match[3] } : null;
}
