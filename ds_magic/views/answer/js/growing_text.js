// Text that grows at its end, at a cost that does not depend on how much of it there is.

import { escaped, make } from "./elements.js";

const FULL = 2000; // characters after which the end of a line ends a part
const OVERFULL = 4000; // the same anywhere: a line is broken there, for as long as it grows

/** Parts below each other, of which only the last grows: a browser lays out all of a paragraph at each change. */
export class GrowingText {
  /** In `place`, after `before` characters of another text there. */
  constructor(place, { before = 0, tag = "span", name = "" } = {}) {
    Object.assign(this, { place, before, tag, name });
    this.begin();
  }

  /** `draw` gives the HTML of what stands in `text` from one place to another. */
  add(text, draw = (begin, end) => escaped(text.slice(begin, end))) {
    for (let at = 0; at < text.length; ) {
      if (this.isFull) this.begin();
      const end = this.endInPart(text, at);
      this.part.insertAdjacentHTML("beforeend", draw(at, end));
      this.length += end - at;
      at = end;
      this.isFull = this.length >= OVERFULL || (this.before + this.length >= FULL && text[end - 1] === "\n");
    }
  }

  endInPart(text, at) {
    const line = text.indexOf("\n", at + Math.max(0, FULL - this.before - this.length - 1));
    const end = Math.min(line < 0 ? text.length : line + 1, at + OVERFULL - this.length);
    return /[\uDC00-\uDFFF]/.test(text[end] || "") ? end + 1 : end; // not within a character
  }

  begin() {
    if (this.part) this.before = 0;
    const part = make(this.tag, { class: this.part ? `${this.name} ds-part` : this.name });
    this.part = part;
    this.length = 0;
    this.isFull = false;
    this.place.append(part);
  }
}
