// An answer and its branches in one place: shows one at a time, each in place of the rest of the other.

import { arrows, button, make, prose, scrollerOf } from "./elements.js";
import { Tree } from "./tree.js";
import { View } from "./view.js";

/**
 * Shows nodes in `root`. `world`: {tableOf(id) → Table or undefined, show(id): asks for a node, onFork(id, i, rank),
 * onStop(id), onSelect(tokens, session), whyNot, look}; where texts can be read formatted also formattedOf(id) → nodes,
 * pictureOf(id) → an element, and typeset(element): the formulas of what is drawn after the first text; in a notebook
 * that takes cells insertCell(text) → whether it could. `update` when the nodes changed, `show` when another is to be seen.
 */
export class Session {
  constructor(root, world) {
    this.world = world;
    this.habits = {};
    this.streams = new Map(); // what came of a branch that still runs, by its id
    this.status = make("span", "dsx-status dsx-small dsx-dim");
    this.status.setAttribute("role", "status");
    this.tabs = make("div", "dsx-tabs");
    this.tabs.setAttribute("role", "tablist");
    this.tabs.setAttribute("aria-label", "Texts");
    this.place = make("div", "dsx-place");
    this.notice = make("div", "dsx-notice");
    this.notice.setAttribute("role", "alert");
    this.box = make("div", "dsx", this.tabs, this.place, this.notice, this.status);
    this.box.style.cssText = world.look ?? "";
    this.box.dataset.lmSuppressShortcuts = "true"; // for a JupyterLab that asks before we hear of a key
    this.box.addEventListener("keydown", (event) => {
      // A notebook has shortcuts of its own on keys without Ctrl; on Tab it has none.
      if (!(event.ctrlKey || event.metaKey) && event.key !== "Tab") event.stopPropagation();
    });
    this.tabs.addEventListener("keydown", (event) => {
      if (arrows(event, () => [...this.tabs.children], ["ArrowLeft", "ArrowRight"])) document.activeElement.click();
    });
    root.append(make("div", "dsx-frame", this.box));
  }

  /** The nodes as they are now; `notice` says what failed, `spent` what it all took. */
  update(nodes, { notice = "", spent = "" } = {}) {
    this.tree = new Tree(nodes);
    this.notice.replaceChildren(...prose(notice).childNodes);
    this.notice.hidden = !notice;
    this.spent = spent;
    this.showTabs();
  }

  showTabs() {
    const roots = [...this.tree.nodes.values()].filter(({ parent }) => parent < 0);
    this.tabs.hidden = roots.length < 2;
    const above = this.rootOf(this.shown);
    const hadFocus = this.tabs.contains(document.activeElement);
    this.tabs.replaceChildren(...(roots.length < 2 ? [] : roots).map(({ id, name }) => {
      const tab = button("dsx-button dsx-tab", name, "", () => this.world.show(id));
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", String(id === above));
      tab.tabIndex = id === above ? 0 : -1;
      return tab;
    }));
    if (hadFocus) this.tabs.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
  }

  rootOf(id) {
    let node = this.tree.nodes.get(id);
    while (node && node.parent >= 0) node = this.tree.nodes.get(node.parent);
    return node?.id;
  }

  /** Show a node: its table, or where it has none its text after its parent's; the page stays where it is. */
  show(id) {
    const { tree, world } = this;
    const node = tree.nodes.get(id);
    const table = node && world.tableOf(node.explorable ? id : node.parent);
    if (!table) return;
    const came = this.shown;
    const { state } = node;
    const forks = tree.forks(id);
    const drawn = JSON.stringify([id, state, ...forks]);
    if (drawn === this.drawn && this.table === table) return;
    Object.assign(this, { shown: id, table, state, drawn });
    const hadFocus = this.box.contains(document.activeElement);
    const nothing = node.text ? "This branch came without token probabilities." : "Nothing came of this branch.";
    const tail = node.explorable ? null : {
      at: node.at, label: node.label, isRunning: state === "running",
      text: state === "running" ? this.streams.get(id) ?? "" : node.text,
      note: state === "running" ? "" : nothing,
    };
    const scroller = scrollerOf(this.box);
    const [top, height] = [scroller.scrollTop, this.view?.text.element.offsetHeight ?? 0];
    this.view?.destroy();
    this.view = new View(this.place, table, Object.assign(this.ways(id, node), {
      forks, tail,
      onWay: (way) => this.go(way, id),
      onStop: () => world.onStop(id),
      onSelect: (tokens) => world.onSelect(tokens, this),
      say: (text) => this.say(text),
      said: node, spent: this.spent, insertCell: world.insertCell,
      formatted: world.formattedOf && (() => world.formattedOf(node.explorable ? id : node.parent)),
      picture: world.pictureOf?.(id),
      redraw: () => this.redraw(),
    }), this.habits);
    this.view.text.element.parentElement.after(this.notice); // where one looks, also above a long table
    this.showTabs();
    if (came === undefined) return;
    world.typeset?.(this.view.text.element);
    // What stands below keeps its place while a branch grows; nor must a shorter text move a page that is at its end.
    const text = this.view.text.element;
    if (state === "running" || scroller.scrollTop !== top) text.style.minHeight = `${height}px`;
    scroller.scrollTop = top;
    const at = this.landing(came, id);
    this.land(tail ? null : at, hadFocus);
    this.tell(node, at);
  }

  /** Whether one can go on from a token is known when its card is drawn: a kernel may have come or gone. */
  ways(id, node) {
    const session = this;
    return {
      get whyNot() {
        return session.whyNot(node);
      },
      get onFork() {
        return session.world.onFork && !this.whyNot ? (i, rank) => session.fork(id, i, rank) : null;
      },
    };
  }

  whyNot(node) {
    if (node.whyNot) return node.whyNot;
    if (!node.explorable) return "This branch cannot be continued before it has ended.";
    return this.world.whyNot;
  }

  /** The token at which the text that was shown before and the one that is shown now part. */
  landing(came, id) {
    const { places } = this.tree;
    if (this.wanted !== undefined) return this.wanted;
    for (const [at, ways] of this.tree.forks(id)) {
      if (ways.some((way) => !way.isHere && way.id === came)) return at;
    }
    if (places.get(came)?.parent === id) return places.get(came).at;
    return places.get(id).parent < 0 ? null : places.get(id).at;
  }

  /** Put the tab stop at a token, and the focus where it was lost. */
  land(at, hadFocus) {
    const { view } = this;
    this.wanted = undefined;
    const group = this.table.groupOf[at];
    if (group !== undefined) {
      view.setCurrent(group);
      view.text.reveal(group);
    }
    if (!hadFocus) return;
    const stop = this.place.querySelector(".dsx-stop");
    (stop ?? view.text.begun ?? view.spans[view.current] ?? this.place.querySelector("button"))?.focus({ preventScroll: true });
    if (!stop && at !== null) view.popover.hide();
  }

  tell(node, at) {
    if (node.state === "running") return this.say(`Going on with ${node.label} instead of ${node.replaced} …`);
    const ways = at === null ? [] : this.tree.forks(node.id).get(at) ?? [];
    const here = ways.findIndex((way) => way.isHere);
    const place = ways.length > 1 ? ` with ${ways[here].label}, ${here + 1} of ${ways.length}: [ and ] show the others.` : ".";
    this.say(`This is the ${node.parent < 0 ? node.name : "branch"}${place}`);
  }

  say(text) {
    this.status.textContent = text;
  }

  fork(id, i, rank) {
    this.view.unpin();
    this.view.spans[this.view.current]?.focus({ preventScroll: true });
    this.say("Asking …");
    this.world.onFork(id, i, rank);
  }

  /** Go another way from a place of the text that is shown. */
  go(way, from) {
    this.wanted = [...this.tree.forks(from)].find(([, ways]) => ways.some((each) => each.id === way && !each.isHere))?.[0];
    this.world.show(way);
  }

  /** More text of a branch that runs. */
  stream(id, text) {
    this.streams.set(id, (this.streams.get(id) ?? "") + text);
    if (id === this.shown && this.view?.text.running && this.state === "running") {
      this.view.text.running.textContent = this.streams.get(id);
    }
  }

  /** Nothing can be asked any more, because of `whyNot`; what came stays. */
  abandon(whyNot) {
    Object.assign(this.world, { onFork: null, whyNot, show: (id) => this.show(id) });
    this.redraw();
    this.say(whyNot);
  }

  /** Draw what is shown once more. */
  redraw() {
    this.drawn = "";
    if (this.shown !== undefined) this.show(this.shown);
  }

  destroy() {
    this.view?.destroy();
    this.box.parentElement.remove();
  }
}
