// A guess in an output: the question, a blank, and what a reader or a class says before it is told.

import { arrows, button, make, prose } from "../../../views/tokens/explorer/js/elements.js";
import { EXPLORER } from "../output/styles.js";
import { barsOf, barsOfVote } from "./bars.js";
import { Game, nameOf } from "./game.js";
import { read } from "./held.js";
import { RULE, scoreOf, verdict, voted, votesOf } from "./words.js";

const GUESS = "application/vnd.ds-magic.guess+json";
const METADATA = "ds_magic_guess"; // of the output: where the reader is
const LETTERS = "ABCDE";
const LAST = 120; // characters before a blank that are said aloud
const TRUTH = "a probability is of a choice, not of a truth";

/** In the place of the static form in `root`. Throws where what the output of `model` holds cannot be read. */
export class Guessing {
  static sheets = [...EXPLORER, new URL("guess.css", import.meta.url)];

  constructor(model, root) {
    this.model = model;
    this.held = read(model.data[GUESS]);
    this.game = new Game(this.held, model.metadata?.[METADATA]);
    this.build();
    this.draw();
    root.replaceChildren(make("div", "dsx-frame", this.box));
  }

  build() {
    const { isVote, question, origin, notes, isRecorded, look } = this.held;
    this.count = make("span", "dsx-small dsx-dim");
    this.text = make("p", "dsg-text");
    this.input = make("input", "dsx-search dsg-input");
    Object.assign(this.input, { type: "text", autocomplete: "off", spellcheck: false, maxLength: 60, placeholder: "next word" });
    this.input.setAttribute("autocapitalize", "off");
    this.input.setAttribute("aria-label", "Your guess of the next word");
    this.main = button("dsx-button dsg-main", "", "", () => {});
    this.main.type = "submit";
    this.skip = button("dsx-button", "Skip", "", () => this.skipped());
    this.toggle = button("dsx-button", "", "", () => this.toggled());
    this.all = button("dsx-button", "Reveal all", "", () => this.change(() => this.game.tellAll()));
    const tools = isVote ? [this.main, this.all] : [this.input, this.main, this.skip, this.toggle, this.all];
    this.form = make("form", "dsg-form", ...tools);
    this.choices = make("div", "dsg-choices");
    this.choices.setAttribute("role", "group");
    this.choices.setAttribute("aria-label", isVote ? "Hands" : "Choices");
    this.status = make("div", "dsg-status");
    this.status.setAttribute("role", "status");
    this.bars = make("div", "dsg-place");
    const keys = isVote
      ? "A to E: one hand more; with Shift, one less. Enter: reveal, and go on. Alt+Enter: reveal all."
      : "Enter: guess, and go on. Esc: skip. Alt+Enter: reveal all.";
    this.keys = make("p", "dsx-small dsx-dim dsg-line", keys);
    const title = make("strong", "", isVote ? "Which word comes next? Hands up" : "Guess the next word");
    const asked = make("p", "dsg-question dsx-dim", question);
    asked.dir = this.text.dir = "auto";
    this.heard = make("div", "dsx-unseen");
    this.heard.setAttribute("role", "status");
    const rule = make("p", "dsx-small dsx-dim dsg-line", RULE[isVote ? "vote" : "guess"]);
    const played = isVote
      ? [make("div", "dsg-beside", this.choices, this.bars), this.form, this.keys, rule, this.status]
      : [this.form, this.choices, this.keys, rule, this.status, this.bars];
    this.box = make(
      "div", isVote ? "dsx dsg dsg-voting" : "dsx dsg",
      make("div", "dsg-head", title, this.count), ...(question ? [asked] : []), this.text, this.heard, ...played,
      ...notes.map((note) => make("div", "dsx-small dsx-dim dsg-note", ...prose(`Note: ${note}`).childNodes)),
      // Before a class small print is left out, but never a word that it is a recording.
      make("div", isRecorded ? "dsx-small" : "dsx-footer dsx-small", [...origin, TRUTH].join(" · ")),
    );
    this.box.style.cssText = look;
    this.box.tabIndex = -1; // so that a click anywhere in it brings the keys here
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", title.textContent);
    this.box.dataset.lmSuppressShortcuts = "true"; // for a JupyterLab that asks before we hear of a key
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.go();
    });
  }

  key(event) {
    // A notebook has shortcuts of its own on keys without Ctrl; on Tab it has none.
    if (!(event.ctrlKey || event.metaKey) && event.key !== "Tab") event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.isComposing) return;
    const does = this.meant(event);
    if (!does) return;
    event.preventDefault();
    does();
  }

  /** What a key does beside what the element under it does by itself. */
  meant(event) {
    const { game } = this;
    const { isVote } = this.held;
    if (event.key === "Enter") {
      if (event.altKey) return () => this.change(() => game.tellAll());
      return event.target === this.box ? () => this.go() : null;
    }
    if (event.altKey || game.isOver) return null;
    if (event.key === "Escape") return isVote ? null : () => this.skipped();
    const letter = isVote ? letterOf(event) : -1;
    return letter < 0 ? null : () => this.hand(letter, event.shiftKey ? -1 : 1);
  }

  /** Enter: guess or tell, then the next word, at the end again from the first. */
  go() {
    const { game, input } = this;
    if (game.isOver) this.ask(() => game.restart());
    else if (game.isTold) this.ask(() => game.next());
    else if (this.held.isVote) this.change(() => game.say(null));
    else if (input.value.trim()) this.change(() => game.say(input.value));
    else this.say("Type the next word first, or skip it.");
  }

  /** Ask for a word: what is next is to type it, also for who clicked a button to come here. */
  ask(does) {
    this.change(does);
    this.tellWhere();
    const { activeElement } = document;
    if (!this.input.hidden && [this.main, this.skip, this.box].includes(activeElement)) this.input.focus({ preventScroll: true });
  }

  /** Say aloud which word it is, and behind what: the focus stays, so that nobody would hear of it. */
  tellWhere() {
    const shown = this.text.textContent;
    this.heard.textContent = `${this.count.textContent}: ${shown.length > LAST ? `…${shown.slice(-LAST)}` : shown}`;
  }

  skipped() {
    if (this.game.isTold) this.go();
    else this.change(() => this.game.say(null));
  }

  toggled() {
    this.change(() => (this.game.isOpen = !this.game.isOpen));
  }

  hand(letter, by) {
    if (!this.game.count(letter, by)) return;
    this.drawVotes();
    const { all, offered } = this.game.place;
    this.say(`${LETTERS[letter]} ${nameOf(all[offered[letter]])}: ${this.game.hands[this.game.at][letter]}`);
    this.keep();
  }

  change(does) {
    this.heard.textContent = "";
    does();
    this.draw();
    this.keep();
  }

  draw() {
    const { game, held, main, input } = this;
    const { isVote, places } = held;
    const hadFocus = this.box.contains(document.activeElement);
    const n = places.length;
    const words = `${n} word${n === 1 ? "" : "s"}`;
    this.count.textContent = game.isOver ? `all ${words}` : game.told ? `word ${game.at + 1} of ${n}` : `answered, ${words} to guess`;
    this.drawText();
    main.textContent = game.isOver ? "Start again" : game.isTold ? (game.at + 1 < n ? "Next word" : "Finish") : isVote ? "Reveal" : "Guess";
    for (const tool of [this.skip, this.toggle, this.keys, input]) tool.hidden = game.isOver;
    this.all.hidden = game.at + 1 >= n; // of the last word the other buttons do the same
    this.skip.disabled = game.isTold;
    input.readOnly = game.isTold;
    const worth = game.isTold ? game.worth(game.at) : null;
    if (game.isTold) input.value = worth?.name ?? "";
    else if (this.asked !== game.at) input.value = "";
    this.asked = game.isTold ? -1 : game.at;
    this.toggle.textContent = game.isOpen ? "Hide choices" : "Show choices";
    this.toggle.setAttribute("aria-expanded", String(game.isOpen));
    if (isVote) this.drawVotes();
    else this.drawChoices();
    this.drawBars(worth);
    const told = !game.isTold ? "" : isVote ? voted(game.place, game.hands[game.at]) : verdict(game.place, worth);
    this.say(told, isVote ? votesOf(game.votes) : scoreOf(game.score));
    for (const place of [this.status, this.bars]) reserve(place, game.isOver);
    if (hadFocus && !this.hasFocus()) (isVote || game.isOver || input.readOnly ? main : input).focus({ preventScroll: true });
  }

  /** Whether the focus is in it, on something that is seen and can be used. */
  hasFocus() {
    const { activeElement } = document;
    return this.box.contains(activeElement) && !activeElement.hidden && !activeElement.disabled;
  }

  drawText() {
    const { game, held } = this;
    const parts = held.given ? [make("span", "dsx-given", held.given)] : [];
    held.places.slice(0, game.told).forEach(({ before, word }, i) => {
      const isNew = game.isTold && i === game.at;
      parts.push(before, make("span", isNew ? "dsg-new" : "", word));
    });
    if (game.isOver) parts.push(held.tail);
    else if (!game.isTold) {
      const line = make("span", "dsg-blank");
      line.setAttribute("aria-hidden", "true");
      parts.push(game.place.before, line, make("span", "dsx-unseen", "blank"));
    }
    this.text.replaceChildren(...parts);
  }

  drawChoices() {
    const { game } = this;
    const isOpen = game.isOpen && !game.isOver;
    this.choices.hidden = !isOpen;
    if (!isOpen) return this.choices.replaceChildren();
    const { all, offered } = game.place;
    redrawn(this.choices, offered.map((at, n) => {
      const pick = button("dsx-button", nameOf(all[at]), "", (event) => {
        if (!game.isTold) this.change(() => game.say(at));
        else if (!event.detail) this.go(); // by the keyboard
      });
      pick.dataset.key = String(n);
      pick.setAttribute("aria-pressed", String(game.isTold && game.said[game.at] === at));
      if (game.isTold) pick.setAttribute("aria-disabled", "true");
      pick.addEventListener("keydown", (event) => {
        arrows(event, () => [...this.choices.children], ["ArrowLeft", "ArrowRight"]);
      });
      return pick;
    }));
  }

  drawVotes() {
    const { game } = this;
    this.choices.hidden = game.isOver;
    if (game.isOver) return this.choices.replaceChildren();
    const { all, offered } = game.place;
    redrawn(this.choices, offered.map((at, n) => {
      const name = `${LETTERS[n]} ${nameOf(all[at])}`;
      const less = button("dsx-button", "−", `One hand less for ${name}`, () => this.hand(n, -1));
      const more = button("dsx-button", "+", `One hand more for ${name}`, () => this.hand(n, 1));
      less.dataset.key = `${n}-`;
      more.dataset.key = `${n}+`;
      for (const one of [less, more]) if (game.isTold) one.setAttribute("aria-disabled", "true");
      const hands = make("span", "dsg-hands", String(game.hands[game.at][n]));
      const word = make("bdi", "dsx-label dsx-chip", nameOf(all[at]));
      return make("div", "dsg-vote", make("b", "dsg-letter", LETTERS[n]), word, less, hands, more);
    }));
  }

  drawBars(worth) {
    const { game, held, bars } = this;
    const isSeen = game.isTold || (held.isVote && !game.isOver);
    if (!isSeen) return bars.replaceChildren();
    const { place } = game;
    const drawn = held.isVote
      ? barsOfVote(place, game.hands[game.at], game.isTold, LETTERS, held.vocabulary)
      : barsOf(place, worth, held.vocabulary);
    bars.replaceChildren(drawn);
  }

  say(told, score) {
    const [line, sum] = this.status.children.length ? this.status.children : [make("p", "dsg-told"), make("p", "dsg-score")];
    if (!line.parentElement) this.status.append(line, sum);
    if (line.textContent !== told) line.textContent = told;
    if (score !== undefined && sum.textContent !== score) sum.textContent = score;
  }

  /** Put where the reader is into the notebook. */
  keep() {
    const { data, metadata } = this.model;
    this.model.setData({ data, metadata: { ...metadata, [METADATA]: this.game.kept } });
  }

  /** Whether a model holds what is shown already; where the reader went on in another view, so does this one. */
  takes({ data, metadata }) {
    if (!this.held.name || data[GUESS]?.name !== this.held.name) return false;
    const game = new Game(this.held, metadata?.[METADATA]);
    if (JSON.stringify(game.kept) !== JSON.stringify(this.game.kept)) {
      this.game = game;
      this.draw();
    }
    return true;
  }

  close() {}
}

/** The number of the letter that a key says, also on a keyboard of another alphabet; −1 for another key. */
function letterOf({ key, code }) {
  const said = /^[a-z]$/i.test(key) ? key.toUpperCase() : /^\p{L}$/u.test(key) ? code.replace("Key", "") : "";
  return said.length === 1 ? LETTERS.indexOf(said) : -1;
}

/** Keep an element as high as it has been, so that what is below does not jump at each word. */
function reserve({ style, offsetHeight }, isOver) {
  style.minHeight = isOver ? "" : `${Math.max(offsetHeight, Number.parseFloat(style.minHeight) || 0)}px`;
}

/** Put elements in the place of others; the focus stays on the one with the same key. */
function redrawn(place, elements) {
  const key = place.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  place.replaceChildren(...elements);
  if (key === undefined) return;
  const found = [...place.querySelectorAll("[data-key]")];
  (found.find((one) => one.dataset.key === key) ?? found.at(-1))?.focus({ preventScroll: true });
}
