// Which values an option may have, and what is said of one that it may not, in the kernel's words.

import { isObject } from "./json.js";
import { nearest } from "./nearest.js";
import { KEYWORDS } from "./options.js";
import { isName, number, stripped, wholeNumber } from "./python.js";

const SHOWN = 60;

/** What there is to say against `text` as the value of an option that is typed so; null where it is possible. */
export function wrongValue(option, text, typed) {
  if (isPossible(option, text)) return null;
  const letters = [...text];
  const shown = letters.length <= SHOWN ? text : `${letters.slice(0, SHOWN - 1).join("")}…`;
  const near = option.choices ? nearest(text, option.choices) : null;
  const remedy = near && `Did you mean \`${typed} ${near}\`?`;
  return refused(`\`${typed}\` takes ${option.possible}, not \`${shown}\`.`, option, typed, remedy);
}

/** A message with its remedy; where there is none, an example. */
export function refused(message, option, typed, remedy) {
  const example = option.example ? `${typed} ${option.example}` : typed;
  return `${message} ${remedy || `For example \`${example}\`.`}`;
}

function isPossible(option, text) {
  switch (option.kind) {
    case "number": {
      const value = wholeNumber(text) ?? number(text);
      return value !== null && isInRange(option, value);
    }
    case "count": {
      const value = wholeNumber(text);
      return value !== null && isInRange(option, value);
    }
    case "variable":
      return isName(text) && !KEYWORDS.includes(text);
    case "objects":
      return text.split(",").some((name) => stripped(name));
    case "json":
      return (option.choices ?? []).includes(text) || (option.name === "extra" && isName(text)) || isObject(text);
    case "word":
      return !option.choices || option.name === "tool-choice" || option.choices.includes(text);
    default:
      return true;
  }
}

function isInRange({ name, least = -Infinity, most = Infinity }, value) {
  return value >= least && value <= most && (name !== "timeout" || value > 0);
}
