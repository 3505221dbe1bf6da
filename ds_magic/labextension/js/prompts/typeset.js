// Dashes and quotes as slides and editors set them, read as the plain ones they stand for: `magics/typeset.py`.

import { DASHES, LONG_DASHES, QUOTES } from "./options.js";
import { BLANKS, ENDS, LETTERS, matchAt, stripped } from "./python.js";

const OPTION = new RegExp(
  `([-${DASHES}]{1,2})([A-Za-z](?=[-${DASHES}]?\\p{Nd})|[A-Za-z][A-Za-z0-9${DASHES}-]*(?=[=${BLANKS}]|$))`, "yu");
const EVERY_DASH = new RegExp(`[${DASHES}]`, "gu");
const NEGATIVE = new RegExp(`^[${DASHES}](?=\\.?\\p{Nd})`, "u");
const DOUBLE = "“”„‟«»\uff02", SINGLE = "‘’‚‛‹›\uff07";
const DOUBLE_VALUE = `[${DOUBLE}]([^${DOUBLE}"\\n]*)[${DOUBLE}]`;
const SINGLE_VALUE = `[‘‚‛‹\uff07]((?:[^${SINGLE}'\\n]|’(?![${BLANKS}]|$))*)[‘’›\uff07]`;
const TYPESET_VALUE = new RegExp(`=(?:${DOUBLE_VALUE}|${SINGLE_VALUE})${ENDS}`, "gu");
const QUOTED = Object.fromEntries(Object.entries(QUOTES).map(([quote, ends]) => {
  // What stands within other quotes of the kind belongs to the value. `\1`: nothing that was read is read again.
  const within = quote < "\x80" ? "" :
    `|(?<=[${BLANKS}])[${ends}](?=[^${BLANKS}])[^${ends}\\\\]*[${ends}](?![${LETTERS}])|[${ends}](?![${BLANKS}]|$)`;
  return [quote, new RegExp(`${quote}(?=((?:\\\\[^\\n]|[^\\\\${ends}]${within})*))\\1[${ends}]${ENDS}`, "yu")];
}));

/** What stands at `at`, and the option in plain dashes that it could be; null where there is nothing to read so. */
export function optionAt(line, at) {
  const match = matchAt(OPTION, line, at);
  if (!match || /^[\x00-\x7f]*$/.test(match[0])) return null;
  const name = match[2].replace(EVERY_DASH, "-");
  if (name.length > 1) return [match[0], `--${name}`];
  return [...match[1]].some((dash) => LONG_DASHES.includes(dash)) ? null : [match[0], `-${name}`];
}

/** The value in quotes at `at`, without them, and where it ends; null where it never does. */
export function quotedAt(line, at) {
  const quote = line[at];
  const match = matchAt(QUOTED[quote], line, at);
  if (!match) return null;
  const ends = QUOTES[quote];
  const value = match[1].replace(new RegExp(`\\\\([${ends}])`, "g"), "$1");
  // The blanks within these are set, not said.
  return ["«‹".includes(quote) ? stripped(value) : value, at + match[0].length];
}

/** A number whose minus may be another dash. */
export function plainNumber(text) {
  return text.replace(NEGATIVE, "-");
}

/** `text` of the same length whose quotes are plain. */
export function plainQuotes(text) {
  return text.replace(/[“”„‟«»\uff02]/g, '"').replace(/[‘’‚‛‹›\uff07]/g, "'");
}

/** A line of a role, of the same length, with plain quotes around its values. */
export function plainRole(line) {
  return line.replace(TYPESET_VALUE, (found, double, single) =>
    double !== undefined ? `="${double}"` : `='${single}'`);
}
