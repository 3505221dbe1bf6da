// An output that is alive: the explorer over what it holds, in the place of its static text.

import { make } from "../../../views/tokens/explorer/js/elements.js";
import { Session } from "../../../views/tokens/explorer/js/session.js";
import { Branches } from "./branches.js";
import { homeOf, insertBelow } from "./cells.js";
import { Held } from "./held.js";
import { EXPLORER } from "./styles.js";

const ANSWER = "application/vnd.ds-magic.answer+json";

/**
 * Over the output of `model`, whose static form stands in `root`. The page's are a `sanitizer` and `typeset(element)`.
 * Throws where what the output holds cannot be read.
 */
export class Living {
  static sheets = EXPLORER;

  constructor(model, root, { sanitizer, typeset }, notebooks) {
    Object.assign(this, { model, sanitizer, clean: new Map() });
    this.held = new Held(model.data[ANSWER], model.metadata.ds_magic);
    const text = root.querySelector(".dsx-static-text");
    if (!text) throw new Error("there is no place for it");
    this.branches = new Branches(notebooks, this);
    const { branches } = this;
    const picture = root.querySelector(".dsx-static-bars");
    const place = make("div", "");
    this.session = new Session(place, {
      tableOf: (id) => this.table(id),
      formattedOf: (id) => this.formatted(id),
      show: (id) => this.session.show(id),
      pictureOf: (id) => (id === 0 ? picture : null),
      onFork: (id, at, rank) => branches.fork(id, at, rank),
      onStop: (id) => branches.stop(id),
      onSelect: () => {},
      insertCell: (text) => insertBelow(homeOf(notebooks, this.model), text),
      get whyNot() {
        return branches.whyNot;
      },
      look: this.held.look,
      typeset,
    });
    this.session.box.classList.add("dsx-living");
    this.session.update(this.held.nodes);
    this.session.show(0);
    // What the explorer says itself; further choices keep theirs.
    const said = [".dsx-static-legend", ".dsx-static-tree", ...(this.held.said.length ? [".dsx-static-end"] : [])];
    for (const each of said) root.querySelector(each)?.remove();
    // What is looked at takes the whole width, where nothing else is read below the text.
    if (text.nextSibling) text.replaceWith(place);
    else {
      text.parentElement.after(place);
      text.remove();
    }
  }

  /** The table of a node; undefined, and it is said, where what is held of a branch is none. */
  table(id) {
    try {
      return this.held.table(id);
    } catch {
      this.refused("What this output holds of that branch is damaged.");
      return undefined;
    }
  }

  /** The formatted text of a node, as nodes that nothing runs in; null where there is none. */
  formatted(id) {
    const html = this.held.html(id);
    if (!html) return null;
    if (!this.clean.has(html)) this.clean.set(html, this.sanitizer.sanitize(html));
    const template = document.createElement("template");
    template.innerHTML = this.clean.get(html);
    return [...template.content.childNodes];
  }

  /** Whether a model holds what is shown already, so that nothing has to be drawn. */
  takes({ data }) {
    const held = data[ANSWER];
    return held?.answer === this.held.key && held.nodes?.length === this.held.places.length;
  }

  opening() {
    return { data: this.held.data, metadata: { ds_magic: this.held.metadata } };
  }

  /** The kernel says something of a branch. */
  said(message) {
    const { held, session } = this;
    const { type, node, notice = "", spent = "" } = message;
    if (type === "refused") this.refused(message.why);
    else if (type === "notice") this.refused(notice);
    else if (type === "text") session.stream(node, message.text);
    else if (type === "node") {
      held.put(node, message);
      const { state, parent } = held.places[node];
      session.update(held.nodes, { notice, spent });
      session.show(state === "running" ? node : state === "failed" && session.shown === node ? parent : session.shown);
      if (state === "done" && message.fits) this.keep(message.tree);
      else if (state === "done") this.refused("The branches are too long to be kept in the notebook.");
    }
  }

  refused(why) {
    this.session.update(this.held.nodes, { notice: why });
    this.session.say("");
  }

  waits() {
    this.session.say("The kernel is busy: the branch begins when it is free.");
  }

  /** What had come of the branches that ran stays, and nothing more comes. */
  gone(why) {
    const { held, session } = this;
    held.places.forEach((place, id) => {
      if (place.state === "running") held.put(id, { place: { ...place, state: "done", text: session.streams.get(id) ?? "" } });
    });
    session.update(held.nodes, { notice: why });
    session.redraw();
  }

  /** Put the branches into the notebook, and their tree into the static form. */
  keep(tree) {
    const { data, metadata } = this.model;
    this.model.setData({
      data: { ...data, [ANSWER]: this.held.data, "text/html": withTree(String(data["text/html"] ?? ""), tree) },
      metadata: { ...metadata, ds_magic: { ...metadata.ds_magic, ...this.held.metadata } },
    });
  }

  close() {
    this.branches.leave();
    this.session.destroy();
  }
}

/** The static form with another tree, in a template: there nothing runs and nothing is loaded. */
function withTree(html, tree) {
  const [page, grown] = [html, tree].map((source) => {
    const template = document.createElement("template");
    template.innerHTML = source;
    return template;
  });
  page.content.querySelector(".dsx-static-tree")?.remove();
  page.content.querySelector(".dsx-static-end")?.before(grown.content);
  return page.innerHTML;
}
