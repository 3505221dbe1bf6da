// The JSON value that begins a text, as Python's decoder reads it: NaN and Infinity are numbers, and nothing recurs.

import { matchAt } from "./python.js";

const BLANK = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/.source;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/.source;
const SCALAR = new RegExp(`${STRING}|${NUMBER}|null|true|false|NaN|-?Infinity`, "y");
const KEY = new RegExp(`[ \\t\\n\\r]*${STRING}[ \\t\\n\\r]*:[ \\t\\n\\r]*`, "y");

/** How much of `text` is the JSON value that begins it; null where none does. */
export function lengthOfJson(text) {
  const open = [];
  let at = 0;
  for (;;) {
    // A value begins here.
    const opened = text[at];
    if (opened === "{" || opened === "[") {
      at = afterBlanks(text, at + 1);
      if (text[at] === (opened === "{" ? "}" : "]")) at++;
      else {
        if (opened === "{" && (at = afterKey(text, at)) < 0) return null;
        open.push(opened);
        continue;
      }
    } else {
      const scalar = matchAt(SCALAR, text, at);
      if (!scalar) return null;
      at += scalar[0].length;
    }
    // A value has ended here.
    for (;;) {
      if (!open.length) return at;
      at = afterBlanks(text, at);
      const within = open.at(-1);
      if (text[at] === ",") {
        at = within === "{" ? afterKey(text, at + 1) : afterBlanks(text, at + 1);
        if (at < 0) return null;
        break;
      }
      if (text[at] !== (within === "{" ? "}" : "]")) return null;
      open.pop();
      at++;
    }
  }
}

/** Whether a text is one JSON object, and nothing else. */
export function isObject(text) {
  const inner = text.slice(afterBlanks(text, 0));
  const length = inner[0] === "{" ? lengthOfJson(inner) : null;
  return length !== null && afterBlanks(inner, length) === inner.length;
}

function afterBlanks(text, at) {
  return at + matchAt(BLANK, text, at)[0].length;
}

function afterKey(text, at) {
  const key = matchAt(KEY, text, at);
  return key ? at + key[0].length : -1;
}
