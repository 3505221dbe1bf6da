// Where a reader is in a guess: what was guessed or voted, and what it was worth. It draws nothing.

const LONGEST = 60; // characters of a guess
const MOST_HANDS = 9_999;

/** How a choice reads. */
export function nameOf({ word, label }) {
  return word || label;
}

/**
 * `held`: what `read` gave; `kept`: where the reader was, as `kept` below gave it, or anything at all. What is kept are
 * the guesses alone, never what they were worth.
 */
export class Game {
  constructor(held, kept) {
    this.held = held;
    const { at, isTold, isOpen, said, hands } = kept ?? {};
    const { places } = held;
    this.at = Number.isInteger(at) ? Math.min(Math.max(at, 0), places.length) : 0;
    this.isTold = isTold === true && !this.isOver;
    this.isOpen = isOpen === true;
    this.said = places.map((place, i) => saidOf(Array.isArray(said) ? said[i] : null, place));
    this.hands = places.map(({ offered }, i) => offered.map((_, n) => handsOf(Array.isArray(hands) ? hands[i]?.[n] : 0)));
  }

  get kept() {
    const told = this.at + (this.isTold ? 1 : 0);
    const { at, isTold, isOpen } = this;
    if (this.held.isVote) return { at, isTold, hands: this.hands.slice(0, at + 1) };
    return { at, isTold, isOpen, said: this.said.slice(0, told) };
  }

  get place() {
    return this.held.places[this.at];
  }

  get isOver() {
    return this.at >= this.held.places.length;
  }

  /** How many words are shown. */
  get told() {
    return this.at + (this.isTold ? 1 : 0);
  }

  /** Say the next word, as text or as the number of a choice; null says none. Then it is told. */
  say(guess) {
    if (this.isTold || this.isOver) return;
    this.said[this.at] = saidOf(guess, this.place);
    this.isTold = true;
  }

  /** One hand more, or less, for the choice of a letter. */
  count(letter, by) {
    if (this.isTold || this.isOver || this.hands[this.at][letter] === undefined) return false;
    this.hands[this.at][letter] = handsOf(this.hands[this.at][letter] + by);
    return true;
  }

  next() {
    if (!this.isTold) return;
    this.at += 1;
    this.isTold = false;
  }

  tellAll() {
    if (!this.isTold) this.said[this.at] = null;
    for (let i = this.at + 1; i < this.said.length; i++) this.said[i] = null;
    this.at = this.held.places.length;
    this.isTold = false;
  }

  restart() {
    Object.assign(this, new Game(this.held, { isOpen: this.isOpen }));
  }

  /**
   * What the guess of a word was worth; null where none was made: {name, prob, bits, isBound, isRight, choice}. `bits` is
   * how many halvings `prob` lies below the model's favourite. Where it `isBound`, `prob` is the most that it can be:
   * of a word that none of the choices is, since a model may write it in pieces of which one is (`begins`).
   */
  worth(i) {
    const said = this.said[i];
    const place = this.held.places[i];
    if (said === null) return null;
    const isRight = said === place.chosen || sameWord(said, place.key);
    const choice = isRight ? place.all[place.chosen] : choiceFor(said, place);
    if (choice) {
      const { prob, isBound } = choice;
      return { name: typeof said === "string" ? said : nameOf(choice), prob, bits: below(prob, place), isBound, isRight, choice };
    }
    const begins = place.all.filter(({ word }) => word && folded(said).startsWith(folded(word)));
    const prob = Math.min(1, begins.reduce((sum, one) => sum + one.prob, place.most));
    return { name: said, prob, bits: below(prob, place), isBound: true, isRight, begins };
  }

  /** All guesses together, and how often the model's favourite was the word. */
  get score() {
    const score = { guesses: 0, right: 0, bits: 0, isBound: false, favourites: 0 };
    for (let i = 0; i < this.told; i++) {
      const worth = this.worth(i);
      if (!worth) continue;
      const place = this.held.places[i];
      score.guesses += 1;
      score.right += worth.isRight;
      score.bits += worth.bits;
      score.isBound ||= worth.isBound;
      score.favourites += place.all[place.chosen].prob === place.best;
    }
    return score;
  }

  /** Of the words that were voted on: how many there are, and for how many the word had the most hands, alone. */
  get votes() {
    const votes = { words: 0, right: 0 };
    for (let i = 0; i < this.told; i++) {
      const most = Math.max(...this.hands[i], 0);
      if (!most) continue;
      const first = this.hands[i].flatMap((hands, letter) => (hands === most ? [letter] : []));
      const { offered, chosen } = this.held.places[i];
      votes.words += 1;
      votes.right += first.length === 1 && offered[first[0]] === chosen;
    }
    return votes;
  }
}

function choiceFor(said, { all }) {
  if (typeof said === "number") return all[said];
  return all.find(({ word }) => word === said) ?? all.find(({ word }) => sameWord(word, said));
}

/** log2(p / p of the favourite), as a number of halvings, at least 0. */
function below(prob, { best }) {
  return Math.max(0, Math.log2(best / prob));
}

function sameWord(one, other) {
  return typeof one === "string" && one !== "" && folded(one) === folded(other);
}

function folded(word) {
  return word.normalize("NFC").toLowerCase();
}

function saidOf(said, { all }) {
  if (Number.isInteger(said)) return said >= 0 && said < all.length ? said : null;
  return typeof said === "string" && bare(said) ? bare(said) : null;
}

/** A word without the white space and the marks around it; marks alone stay. */
function bare(text) {
  const stripped = text.slice(0, LONGEST).trim();
  return stripped.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "") || stripped;
}

function handsOf(hands) {
  return Number.isInteger(hands) ? Math.min(Math.max(hands, 0), MOST_HANDS) : 0;
}
