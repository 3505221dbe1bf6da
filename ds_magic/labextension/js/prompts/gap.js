// A cell that is a text with a gap, as `magics/gap_in_cell.py` reads it: `--fim` with a line `@gap`, or `--suffix`.

import { parse } from "./line.js";

const OPTIONS = ["fim", "suffix"];
const GAP = /^(\\+)?(@gap)[ \t]*$/;

/** Whether the options of a cell, `line`, make it a text with a gap: it is no prompt then, and has no roles. */
export function hasGap(line) {
  if (!OPTIONS.some((name) => line.includes(`--${name}`))) return false;
  return parse(line).given.some(({ option }) => OPTIONS.includes(option.name));
}

/** What a line of such a cell is: the gap, `{to}`, or `{escaped: true}` where its first backslash is none; else null. */
export function gapOf(line) {
  const match = GAP.exec(line);
  if (!match) return null;
  return match[1] ? { escaped: true } : { to: match[2].length };
}
