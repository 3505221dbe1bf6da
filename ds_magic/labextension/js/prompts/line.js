// A magic line taken apart, as `magics/line.py` does it; where that refuses a line, this goes on as well as it can.

import { lengthOfJson } from "./json.js";
import { nearest } from "./nearest.js";
import { DASHES, OPTIONS, QUOTES } from "./options.js";
import { hasPlaces } from "./places.js";
import { BLANKS, ENDS, matchAt, nextWord, stripped, wholeNumber } from "./python.js";
import { optionAt, plainNumber, plainQuotes, quotedAt } from "./typeset.js";
import { refused, wrongValue } from "./values.js";

const OPTION = new RegExp(`(--[A-Za-z][A-Za-z0-9-]*|-[A-Za-z])(?==|[${BLANKS}]|$)(=?)`, "yu");
const NUMBER = new RegExp(`-?\\p{Nd}[\\p{Nd}.,]*${ENDS}`, "yu");
const LOOKS_LIKE_OPTION = /--?[A-Za-z]/y;
const PLACE = /\{\{[ \t][^{}]*[ \t]\}\}/y;
const WORD = new RegExp(`(?:\\{\\{[ \\t][^{}]*[ \\t]\\}\\}|[^${BLANKS}])+`, "yu");
const SEPARATOR = new RegExp(`--${ENDS}`, "yu");
/** Mistakes of a line behind which it is read no further: nobody types as many. */
const MOST_WRONG = 20;
const SPELLINGS = new Map(OPTIONS.flatMap((option) => option.spellings.map((spelling) => [spelling, option])));

/**
 * A magic line: `{given, wrong, promptFrom, refused}`.
 *
 * `given`: the options, `{option, typed, from, to, valueFrom, valueTo, raw, wrong}`; `from` to `to` is its name, and
 * a flag has no value. `wrong`: what stands in no option, `{from, to, says}`. `refused`: what Python refuses it for.
 */
export function parse(line) {
  const parsed = { given: [], wrong: [], promptFrom: 0, refused: null };
  const refuse = (from, to, says) => {
    parsed.wrong.push({ from, to, says });
    parsed.refused ??= says;
  };
  let at = nextWord(line, 0);
  while (at < line.length && `-${DASHES}`.includes(line[at]) && parsed.wrong.length < MOST_WRONG) {
    if (matchAt(SEPARATOR, line, at)) {
      at = nextWord(line, at + 2);
      break;
    }
    const { stood, plain, isTypeset } = named(line, at);
    if (stood === null) {
      if (!plain) break;
      const word = wordAt(line, at);
      refuse(at, at + (word.length || 1), unknown(plain));
      at = nextOption(line, at + word.length);
      continue;
    }
    const option = SPELLINGS.get(plain), from = at, to = at + stood.length;
    const packed = plain.length === 2 && isNumber(option) && matchAt(NUMBER, line, to);
    if (packed) {
      at = to + packed[0].length;
      parsed.given.push(given(option, plain, from, to, to, at, packed[0]));
      at = nextWord(line, at);
      continue;
    }
    const hasValue = line[to] === "=";
    if (option.kind === "flag") {
      const end = hasValue ? to + wordAt(line, to).length : to;
      if (hasValue) refuse(from, end, refused(`\`${plain}\` takes no value.`, option, plain));
      else parsed.given.push({ option, typed: plain, from, to, wrong: null });
      at = nextWord(line, end);
      continue;
    }
    at = hasValue ? to + 1 : nextWord(line, to);
    if ("implied" in option && !hasValue && wholeNumber(wordAt(line, at)) === null) {
      parsed.given.push({ option, typed: plain, from, to, raw: option.implied, wrong: null });
      continue;
    }
    const value = valueAt(line, at, option, plain);
    if (value.says) {
      const needs = value.to === at;
      refuse(needs ? from : at, needs ? to : value.to, value.says);
      if (!needs || at >= line.length) {
        at = value.to;
        break;
      }
      at = nextWord(line, at);
      continue;
    }
    parsed.given.push(given(option, plain, from, to, at, value.to, inPlain(option, value.raw)));
    at = nextWord(line, value.to);
  }
  parsed.promptFrom = at;
  return parsed;
}

/** The option that stands at `at`: as it `stood`, and `plain`; `stood` is null where there is none of that name. */
function named(line, at) {
  const set = optionAt(line, at);
  if (set) {
    const [stood, plain] = set;
    if (SPELLINGS.has(plain)) {
      const isWhole = /^(?:=|$)/.test(line.slice(at + stood.length, at + stood.length + 1)) ||
        nextWord(line, at + stood.length) > at + stood.length;
      if (isWhole || (isNumber(SPELLINGS.get(plain)) && matchAt(NUMBER, line, at + stood.length))) {
        return { stood, plain };
      }
      return { stood: null, plain: plain + wordAt(line, at + stood.length).split("=")[0] };
    }
    // A prompt may begin with such a dash and a word, but hardly with one that is almost an option.
    const names = [...SPELLINGS.keys()].map(bare);
    if (nearest(bare(plain), names, 0.8)) return { stood: null, plain };
  }
  const letter = line.slice(at, at + 2);
  if (SPELLINGS.has(letter) && isNumber(SPELLINGS.get(letter)) && matchAt(NUMBER, line, at + 2)) {
    return { stood: letter, plain: letter };
  }
  const match = matchAt(OPTION, line, at);
  if (!match) {
    const looks = matchAt(LOOKS_LIKE_OPTION, line, at);
    return { stood: null, plain: looks ? wordAt(line, at).split("=")[0] : null };
  }
  return SPELLINGS.has(match[1]) ? { stood: match[1], plain: match[1] } : { stood: null, plain: match[1] };
}

function bare(spelling) {
  return spelling.replace(/^-+|-+$/g, "");
}

function isNumber(option) {
  return option.kind === "number" || option.kind === "count";
}

function given(option, typed, from, to, valueFrom, valueTo, raw) {
  let wrong = null;
  for (const value of hasPlaces(raw) ? [] : listed(option, raw)) wrong ??= wrongValue(option, value, typed);
  return { option, typed, from, to, valueFrom, valueTo, raw, wrong };
}

/** The values of `0,0.5,1`, where the option takes several; else the one that there is. */
function listed(option, raw) {
  const values = option.listed && !raw.includes("{{") ? raw.split(",").map(stripped) : [raw];
  return values.every(Boolean) ? values : [raw];
}

/** The raw value that begins at `at` and where it ends; or what it `says` against one that is none. */
function valueAt(line, at, option, typed) {
  if (at >= line.length || nextWord(line, at) > at) {
    return { to: at, says: refused(`\`${typed}\` needs a value: ${option.possible}.`, option, typed) };
  }
  if (line[at] in QUOTES) {
    const quoted = quotedAt(line, at);
    if (quoted) return { raw: quoted[0], to: quoted[1] };
    const says = refused(`The value of \`${typed}\` begins with ${line[at]} and never ends.`, option, typed);
    return { to: line.length, says };
  }
  if (option.kind === "json" && "{[".includes(line[at]) && !matchAt(PLACE, line, at)) {
    const rest = line.slice(at);
    const length = lengthOfJson(rest) || lengthOfJson(plainQuotes(rest));
    if (length === null) return { to: line.length, says: wrongValue(option, rest, typed) };
    return { raw: rest.slice(0, length), to: at + length };
  }
  const word = wordAt(line, at);
  return { raw: word, to: at + word.length };
}

/** A raw value without the typographic characters that would break it; text may have them. */
function inPlain(option, raw) {
  if (isNumber(option)) return raw.split(",").map(plainNumber).join(",");
  const isBroken = option.kind === "json" && lengthOfJson(raw) === null;
  return isBroken && lengthOfJson(plainQuotes(raw)) !== null ? plainQuotes(raw) : raw;
}

/** What stands at `at`, up to a blank that is in no place to be filled. */
function wordAt(line, at) {
  return matchAt(WORD, line, at)?.[0] ?? "";
}

/** Behind a word that is no option: the next one that looks like an option, or else the next word. */
function nextOption(line, at) {
  const next = nextWord(line, at);
  for (let from = next; from < line.length; from = nextWord(line, from + wordAt(line, from).length)) {
    if (matchAt(LOOKS_LIKE_OPTION, line, from)) return from;
  }
  return next;
}

function unknown(spelling) {
  const near = nearest(spelling, SPELLINGS.keys());
  const remedy = near ? `Did you mean \`${near}\`?` : "`%%deepseek?` lists the options.";
  return `There is no option \`${spelling}\`. ${remedy} ` +
    "A prompt that begins with a dash is told apart by `--` before it.";
}
