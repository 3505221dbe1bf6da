// What an output holds of the words to guess, as teaching/guess/guess.py writes it: read, and nothing of it believed.

import { lookOf } from "../output/held.js";

const VERSION = 1;
const MOST = 500; // words
const MOST_CHOICES = 60; // of a word
const LONGEST = 25_000; // characters of a text
const LETTERS = 5;

/** Throws where `data` is something else. */
export function read(data) {
  if (data?.version !== VERSION) throw new Error("it is of another version");
  if (!Array.isArray(data.places) || !data.places.length || data.places.length > MOST) throw new Error("no words");
  return {
    name: text(data.name),
    isVote: data.mode === "vote",
    look: lookOf(data),
    question: text(data.question),
    given: text(data.given),
    places: data.places.map(placeOf),
    tail: text(data.tail),
    origin: lines(data.origin),
    isRecorded: data.isRecorded === true,
    notes: lines(data.notes),
    vocabulary: Number.isSafeInteger(data.vocabulary) ? data.vocabulary : 0,
  };
}

function placeOf({ before, word, key, choices, chosen, offered, most }) {
  if (!Array.isArray(choices) || choices.length > MOST_CHOICES || !Array.isArray(offered)) throw new Error("no choices");
  const all = choices.map(choiceOf);
  const isOne = (at) => Number.isInteger(at) && at >= 0 && at < all.length;
  if (!isOne(chosen) || !offered.every(isOne)) throw new Error("no such choice");
  const best = Math.max(...all.map(({ prob, isBound }) => (isBound ? 0 : prob))) || 1; // of the model's favourite
  const words = { before: text(before), word: text(word), key: text(key) };
  return { ...words, all, chosen, best, offered: [...new Set(offered)].slice(0, LETTERS), most: share(most) };
}

function choiceOf([label, word, prob, isBound]) {
  return { label: text(label), word: text(word), prob: share(prob), isBound: isBound === true };
}

function lines(value) {
  return Array.isArray(value) ? value.slice(0, 9).map(text) : [];
}

function text(value) {
  return typeof value === "string" ? value.slice(0, LONGEST) : "";
}

function share(value) {
  if (!(typeof value === "number" && value > 0 && value <= 1.01)) throw new Error("no probability");
  return value;
}
