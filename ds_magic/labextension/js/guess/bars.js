// The bars of a word's place: what the model nearly said, with the reader's own word or the class's hands beside.

import { percent, percentAbove, remainder } from "../../../views/tokens/explorer/js/decode.js";
import { make, token } from "../../../views/tokens/explorer/js/elements.js";
import { nameOf } from "./game.js";

const DRAWN = 5; // bars beside the word itself and the reader's
const MEASURED = { meta: { vagueRest: 0.005, restError: 0.0005 } }; // numbers.VAGUE_REST, distribution.SOFTMAX_ERROR

/** A choice's probability in words. */
export function chance({ prob, isBound }) {
  return isBound ? `< ${percentAbove(prob)}` : percent(prob);
}

/** The bars of what the model nearly said, the reader's own word marked; `worth` as Game's, or null. */
export function barsOf({ all, chosen }, worth, vocabulary) {
  const own = worth?.choice;
  const drawn = all.filter((one, at) => at < DRAWN || at === chosen || one === own);
  const rows = drawn.map((one) => {
    const isWord = one === all[chosen];
    const marks = [isWord ? "the word" : "", one === own ? "your guess" : ""].filter(Boolean).join(", ");
    return row(one, isWord ? "dsx-chosen" : "", { marks: [marks] });
  });
  rows.push(restOf(drawn, vocabulary));
  if (worth && !own) rows.push(row({ word: worth.name, prob: 0 }, "dsg-own", { share: "not returned", marks: ["your guess"] }));
  return table(["word", "probability", ""], rows);
}

/** The bars of a vote's choices: of what nobody is told yet without words, and then with words and hands. */
export function barsOfVote({ all, chosen, offered }, hands, isTold, letters, vocabulary) {
  const order = offered.map((at, letter) => ({ one: all[at], letter, isWord: at === chosen }));
  order.sort((a, b) => b.one.prob - a.one.prob || a.letter - b.letter);
  const total = hands.reduce((sum, each) => sum + each, 0);
  const rows = order.map(({ one, letter, isWord }) => {
    if (!isTold) return row({ ...one, word: "?" }, "", {});
    const share = total ? hands[letter] / total : 0;
    const marks = [barOf(share), make("span", "dsg-share", counted(hands[letter]))];
    return row(one, isWord ? "dsx-chosen" : "", { marks, letter: letters[letter] });
  });
  rows.push(restOf(order.map(({ one }) => one), vocabulary));
  return table(["word", "the model", isTold ? "you" : ""], rows);
}

export function counted(hands) {
  return `${hands.toLocaleString("en")} hand${hands === 1 ? "" : "s"}`;
}

function restOf(drawn, vocabulary) {
  const others = vocabulary - drawn.length;
  const label = others > 0 ? `${others.toLocaleString("en")} others` : "all others";
  const prob = Math.max(0, 1 - drawn.reduce((sum, { prob, isBound }) => sum + (isBound ? 0 : prob), 0));
  return row({ word: label, prob }, "dsx-rest", { share: remainder(MEASURED, prob) });
}

/** A share on a track to 100 %; above zero it is always to be seen. */
function barOf(share) {
  const bar = make("span", "dsx-bar");
  bar.style.width = `${100 * Math.min(1, share)}%`;
  return make("span", "dsx-track", ...(share > 0 ? [bar] : []));
}

function row(one, kind, { share = chance(one), marks = [], letter = "" }) {
  const name = make("th", "dsx-name", ...(letter ? [make("b", "dsg-letter", letter), " "] : []), token(nameOf(one)));
  name.scope = "row";
  const bar = barOf(one.isBound ? 0 : one.prob);
  return make(
    "tr", `dsx-alternative ${kind}`,
    name, make("td", "", bar), make("td", "dsx-end", share), make("td", "", make("div", "dsg-marks", ...marks)),
  );
}

function table([word, probability, last], rows) {
  const heads = [[word, 1], [probability, 2], [last, 1]].map(([text, columns]) => {
    const head = make(text ? "th" : "td", "", text);
    if (text) head.scope = "col";
    head.colSpan = columns;
    return head;
  });
  const columns = ["name", "bar", "share", "marks"].map((name) => make("col", `dsg-col-${name}`));
  const head = make("thead", "", make("tr", "", ...heads));
  return make("table", "dsx-alternatives dsg-bars", make("colgroup", "", ...columns), head, make("tbody", "", ...rows));
}
