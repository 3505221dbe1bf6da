// Where a notebook keeps an explorer: each output that holds its static form, beside which it is drawn while it lives.

import { make } from "./elements.js";

/** `open(place)` draws in an element beside each output with the class `mark`, and returns what ends it. */
export class Places {
  constructor(mark, open) {
    this.open = open;
    this.marked = document.getElementsByClassName(mark);
    this.places = new Map(); // of an output: the element beside it, and what ends it
    this.observer = new MutationObserver(() => this.look());
    this.observer.observe(document.body, { childList: true, subtree: true });
    this.look();
  }

  // A notebook takes cells that are far away out of the page, and puts them back as they were: nothing ends here.
  look() {
    for (const kept of this.marked) {
      const output = kept.closest(".jp-OutputArea-output") ?? kept.parentElement;
      if (this.places.has(output) || output.matches(".ds-output")) continue; // or it is alive itself
      const place = make("div", "jp-OutputArea-output dsx-beside");
      output.after(place);
      output.style.display = "none";
      this.places.set(output, { place, close: this.open(place) });
    }
  }

  /** The kernel has gone, or the page: what is kept is shown again. */
  end() {
    this.observer.disconnect();
    for (const [output, { place, close }] of this.places) {
      close();
      place.remove();
      output.style.display = "";
    }
    this.places.clear();
  }
}

/** The module of a widget: a `Source` of its model has `open(place)`, for the notebook's outputs and other views. */
export function widgetOf(Source) {
  return () => {
    let source = null;
    return {
      initialize({ model }) {
        source = new Source(model);
        const places = new Places(model.get("mark"), (place) => source.open(place));
        return () => places.end();
      },
      render({ el }) {
        return source.open(el);
      },
    };
  };
}
