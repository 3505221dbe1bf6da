// A card beside its token: above or below it, over whatever else stands there, never over the token itself.

import { make } from "./elements.js";

const APART = 3; // pixels between the card and the token

/** The card as `element`; it stays within the width of `stage` and follows its token while the page scrolls. */
export class Popover {
  constructor(stage) {
    this.stage = stage;
    this.element = make("div", "dsx-card dsx-floating");
    this.element.setAttribute("role", "group");
    // In the top layer nothing cuts it off: the outputs of a notebook hide what leaves them.
    this.element.popover = "manual";
    this.element.hidden = true;
    this.follow = () => this.place();
    this.seen = new IntersectionObserver(([entry]) => this.element.classList.toggle("dsx-away", !entry.isIntersecting));
  }

  get isOpen() {
    return !this.element.hidden;
  }

  show(anchor) {
    if (anchor !== this.anchor || !this.isOpen) {
      this.seen.disconnect();
      this.seen.observe(anchor);
      this.anchor = anchor;
    }
    if (!this.isOpen) {
      this.element.hidden = false;
      this.element.showPopover?.();
      addEventListener("scroll", this.follow, { capture: true, passive: true });
      addEventListener("resize", this.follow);
    }
    this.place();
  }

  hide() {
    if (!this.isOpen) return;
    this.seen.disconnect();
    removeEventListener("scroll", this.follow, { capture: true });
    removeEventListener("resize", this.follow);
    if (this.element.isConnected) this.element.hidePopover?.();
    this.element.hidden = true;
  }

  /** Put the focus at what one can do here: the first alternative, where one can go on with it. */
  enter() {
    const what = [".dsx-go", ".dsx-more", "summary"].map((each) => this.element.querySelector(each)).find(Boolean);
    what?.focus();
  }

  place() {
    const { element, anchor, stage } = this;
    if (!anchor.isConnected) return this.hide();
    const lines = [...anchor.getClientRects()].filter((line) => line.width > 0);
    if (!lines.length) return;
    const [first, last] = [lines[0], lines.at(-1)];
    const frame = stage.getBoundingClientRect();
    const room = { above: first.top - APART - 4, below: innerHeight - last.bottom - APART - 4 };
    element.style.maxWidth = `${frame.width}px`;
    element.style.maxHeight = "none";
    const height = element.offsetHeight;
    const isBelow = height <= room.below || room.below >= room.above;
    element.style.maxHeight = `${Math.max(80, isBelow ? room.below : room.above)}px`;
    const line = isBelow ? last : first;
    const left = Math.max(frame.left, Math.min(line.left, frame.right - element.offsetWidth));
    element.style.left = `${left}px`;
    element.style.top = `${isBelow ? line.bottom + APART : line.top - APART - element.offsetHeight}px`;
  }
}
