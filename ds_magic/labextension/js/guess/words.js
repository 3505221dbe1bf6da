// What is said of a guess, in sentences: they are read aloud, too.

import { percent, percentAbove } from "../../../views/tokens/explorer/js/decode.js";
import { chance, counted } from "./bars.js";
import { nameOf } from "./game.js";

export const RULE = {
  guess: "The score: each time the probability halves, from the model's favourite down to your word, you are one bit behind.",
  vote: "A bar is how likely the model found a word; the hands are yours.",
};

/** What a guess was worth, in a sentence or two; `worth` as Game's, null where none was made. */
export function verdict(place, worth) {
  const chosen = place.all[place.chosen];
  const favourite = place.all.find(({ prob }) => prob === place.best) ?? chosen;
  const word = place.key || nameOf(chosen);
  const piece = place.key && nameOf(chosen) !== place.key ? `, which begins with “${nameOf(chosen)}”` : "";
  const isFavourite = favourite === chosen;
  const first = isFavourite ? "the model's favourite" : `the model's favourite was “${nameOf(favourite)}”, ${chance(favourite)}`;
  if (!worth) return `The word is “${word}”${piece}, ${chance(chosen)}; ${isFavourite ? "it was " : ""}${first}.`;
  const behind = `${bits(worth)} behind.`;
  if (worth.isRight) return `Right: “${word}”${piece}, ${chance(chosen)}; ${isFavourite ? "it was " : ""}${first}. ${behind}`;
  const own = worth.choice ? `had ${chance(worth.choice)}` : notReturned(worth);
  const best = isFavourite ? `${chance(chosen)}, ${first}` : `${chance(chosen)}; ${first}`;
  return `The word is “${word}”${piece}, ${best}. Your “${worth.name}” ${own}: ${behind}`;
}

function notReturned({ prob, begins }) {
  const pieces = begins?.map((one) => `“${nameOf(one)}”`).slice(0, 3).join(" or ");
  const why = pieces ? `, since it may begin with ${pieces}` : "";
  return `was not returned, so it had at most ${percentAbove(prob)}${why}`;
}

/** A number of bits, `at least` where the guess has only a bound. */
export function bits({ bits, isBound }) {
  return `${isBound ? "at least " : ""}${bits.toFixed(1)} bits`;
}

/** All guesses so far; empty before the first. */
export function scoreOf({ guesses, right, favourites, ...score }) {
  if (!guesses) return "";
  const often = `${right} of ${guesses} right, ${bits(score)} behind`;
  return `You: ${often}. The model's favourite each time: ${favourites} of ${guesses} right.`;
}

/** What a class has voted, once the word is told. */
export function voted({ all, chosen, offered, key }, hands) {
  const total = hands.reduce((sum, each) => sum + each, 0);
  const own = hands[offered.indexOf(chosen)] ?? 0;
  const share = total ? `: ${own} of ${counted(total)}, ${percent(own / total).replace("≈ ", "")}` : "";
  return `The word is “${key || nameOf(all[chosen])}”. The model: ${chance(all[chosen])}. You${share || ": no hands"}.`;
}

export function votesOf({ words, right }) {
  return words ? `The word had the most hands ${right} of ${words} times.` : "";
}
