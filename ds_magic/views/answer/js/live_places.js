// Where live views stand: each beside an output that the notebook keeps, which is hidden while the answer comes.

import { make } from "./elements.js";
import { follower } from "./notebook_page.js";

const AREA = ".jp-OutputArea";
const OUTPUT = ".jp-OutputArea-output";

/** One view beside each output that has the class `mark`, wherever the page draws it, until the final one is there. */
export class Places {
  constructor(mark, makeView) {
    this.makeView = makeView;
    this.mark = mark;
    this.marked = document.getElementsByClassName(mark);
    this.places = new Map(); // of an output: the frame and the view beside it, and the area of the cell's outputs
    this.hasBegun = this.isOver = false;
    this.observer = new MutationObserver(() => this.look());
    this.observer.observe(document.body, { childList: true, subtree: true });
  }

  /** The answer begins; a page that was loaded later does not hear of it. */
  begin() {
    this.hasBegun = true;
    this.look();
  }

  /** Calls `ask` where there is an output of an answer whose beginning this page has not heard. */
  ifLate(ask) {
    this.askOnce = () => {
      this.askOnce = null;
      ask();
    };
    this.look();
  }

  look() {
    if (!this.hasBegun) {
      if (this.marked.length) this.askOnce?.();
      return;
    }
    for (const place of this.marked) {
      const output = place.closest(OUTPUT) || place.parentElement;
      if (!this.places.has(output)) this.open(output);
    }
    for (const [output, place] of this.places) {
      const isShown = output.isConnected;
      if (isShown && !output.getElementsByClassName(this.mark).length) this.handOver(output, place);
      else if (!isShown && this.isOver) this.giveWay(output, place);
      // Run All clears the outputs of a cell that still runs: its view stays, and with it the way to stop it.
      else if (!isShown && place.area?.isConnected && !place.frame.isConnected) place.area.append(place.frame);
    }
    if (this.isOver && !this.places.size) this.observer.disconnect();
  }

  open(output) {
    const frame = make("div", { class: "jp-OutputArea-output ds-live-frame" });
    output.after(frame);
    output.style.display = "none";
    const area = output.closest(AREA);
    const at = area ? [...area.children].findIndex((child) => child.contains(output)) : -1;
    this.places.set(output, { frame, area, at, view: this.makeView(frame) });
  }

  /** The final output has come in the place of the one that was kept: it is shown, and what is unfolded stays so. */
  handOver(output, { frame, view }) {
    const follow = follower(frame);
    const details = output.querySelector("details");
    if (details && view.reasoning.open) details.open = true;
    this.close(output);
    follow(output);
  }

  /** The final output is of another kind, and so in another element: what is unfolded stays so when it is drawn. */
  giveWay(output, { area, at, view }) {
    const next = area?.isConnected && area.children[at];
    const isOpen = view.reasoning.open;
    this.close(output);
    if (!next || !isOpen) return;
    const unfold = () => {
      const details = next.querySelector("details");
      if (details) details.open = true;
      return details;
    };
    if (unfold()) return;
    const observer = new MutationObserver(() => unfold() && observer.disconnect());
    observer.observe(next, { childList: true, subtree: true });
  }

  close(output) {
    const { frame, view } = this.places.get(output);
    view.close();
    output.style.display = "";
    frame.remove();
    this.places.delete(output);
  }

  /** Everything has come: what stands in no output any more goes. */
  finish() {
    this.isOver = true;
    this.look();
  }

  /** In a page that came later: the final output takes the place of what was saved. */
  fill(makeNodes) {
    for (const place of [...this.marked]) place.replaceWith(...makeNodes());
    this.end();
  }

  get views() {
    return [...this.places.values()].map(({ view }) => view);
  }

  end() {
    this.observer.disconnect();
    for (const output of [...this.places.keys()]) this.close(output);
  }
}
