// The text of an answer as it is read: formatted, each token alive in it.

import { make } from "./elements.js";
import { TokenText } from "./text.js";

/**
 * As TokenText, over `nodes`: the formatted answer, in which each visible group of tokens stands in elements of the
 * class `dsx-g` and its number. Marks of Markdown are tokens that nobody sees: they are found at what stands before.
 */
export class FormattedText extends TokenText {
  constructor(table, nodes, ways) {
    super(table, { ...ways, nodes });
  }

  draw(end, tail, nodes) {
    this.element.classList.add("dsx-formatted");
    this.element.append(...nodes);
    const parts = [...this.element.querySelectorAll('[class^="dsx-g"]')];
    for (const part of parts) {
      const group = Number(part.className.slice("dsx-g".length));
      if (this.table.groups[group] === undefined) continue;
      part.group = group;
      part.className = this.classes(group);
      this.spans[group] ??= part;
    }
    this.isSeen = this.spans.map(Boolean);
    this.cut(parts.find((part) => part.group >= end), tail ?? []);
    const { length } = this.table.groups;
    let last = this.spans.find(Boolean);
    this.isUnseen = !last && length > 0;
    for (let group = 0; group < Math.min(end, length); group++) last = this.spans[group] ??= last;
    this.spans.length = Math.min(end, length);
    for (const [group] of this.forks) if (group < end) this.part(group);
  }

  /** Take away what stands from an element on, and put the nodes of a tail in its place; at the end without one. */
  cut(from, tail) {
    if (!tail.length) return;
    const place = make("span", "");
    if (from) {
      from.before(place);
      const rest = document.createRange();
      rest.setStartAfter(place);
      rest.setEndAfter(this.element.lastChild);
      rest.deleteContents();
    } else (this.spans.at(-1)?.parentElement ?? this.element).append(place);
    place.replaceWith(...tail);
  }

  /** Show the ways on at a group, in its place or after what stands before it. */
  part(group) {
    const span = this.spans[group];
    if (!span) return;
    const place = make("span", "");
    span.after(place);
    const here = this.isSeen[group] ? span : make("span", "dsx-t", this.table.label(this.table.groups[group]));
    place.replaceWith(...this.fork(group, here));
  }

  scrollTo(group) {
    this.spans[group].scrollIntoView({ block: "center" });
  }

  reveal(group) {
    this.spans[group].scrollIntoView({ block: "nearest" });
  }
}
