// What Python takes for a blank, a word, a name and a number, where JavaScript takes something else.

/** Blanks, and letters of words, for use within brackets of a pattern with the flag u. */
export const BLANKS = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
export const LETTERS = "\\p{L}\\p{N}_";

/** A lookahead: a blank, or the end. */
export const ENDS = `(?=[${BLANKS}]|$)`;

const BLANK = new RegExp(`[${BLANKS}]`, "u");
const NOT_BLANK = new RegExp(`[^${BLANKS}]`, "gu");
const NAME = /^[\p{XIDS}_]\p{XIDC}*$/u;
const WHOLE = /^[+-]?\d+$/;
const DIGITS = "\\d+(?:_\\d+)*";
const NUMBER = new RegExp(
  `^[+-]?(?:inf(?:inity)?|nan|(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:e[+-]?${DIGITS})?)$`, "i");
const DIGIT = /\p{Nd}/gu;

/** The match of a pattern with the flag y exactly at a place, or null. */
export function matchAt(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Where the next word begins, from a place on. */
export function nextWord(text, at) {
  return matchAt(NOT_BLANK, text, at)?.index ?? text.length;
}

/** `text.strip()`. */
export function stripped(text) {
  let to = text.length;
  while (to && BLANK.test(text[to - 1])) to--;
  return text.slice(nextWord(text, 0), to);
}

/** Whether a text is the name of a variable, if it is no keyword. */
export function isName(text) {
  return NAME.test(text);
}

/** Whether a text of Python has a word. */
export function hasWord(text, word) {
  return text.includes(word) && new RegExp(`(?<![${LETTERS}])${word}(?![${LETTERS}])`, "u").test(text);
}

/** `int(text)` for digits with a sign; null for all else. */
export function wholeNumber(text) {
  const plain = plainDigits(text);
  return WHOLE.test(plain) ? Number(plain) : null;
}

/** `float(text)`; null for what is none. */
export function number(text) {
  const plain = plainDigits(stripped(text));
  if (!NUMBER.test(plain)) return null;
  const value = plain.toLowerCase().replaceAll("_", "").replace(/inf(inity)?/, "Infinity");
  return value.endsWith("nan") ? NaN : Number(value);
}

/** Digits of any script as 0 to 9: those of each stand in a row from its zero on. */
function plainDigits(text) {
  return text.replace(DIGIT, (digit) => {
    const code = digit.codePointAt(0);
    let before = 0;
    while (/\p{Nd}/u.test(String.fromCodePoint(code - before - 1))) before++;
    return before % 10;
  });
}
