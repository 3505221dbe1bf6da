// An answer as a page shows it while it comes: what has come, and the views of it.

import { Answer } from "./live_answer.js";
import { Places } from "./live_places.js";
import { View } from "./live_view.js";

/** `home` is what draws: the styles, the page's typesetter, and how an answer is stopped there. */
export class Shown {
  constructor(about, home) {
    this.answer = new Answer(about, home.styles);
    this.places = new Places(about.mark, (frame) => new View(home, frame, this.answer));
  }

  /** The answer begins, or has: `whole` is all that was told before this page came. */
  begin(whole) {
    if (whole) this.answer.take(whole);
    this.places.begin();
  }

  take(message) {
    this.update(this.answer.take(message));
  }

  /** The kernel was restarted or has ended: nothing more comes, and nothing can be stopped. */
  abandon() {
    this.update(this.answer.abandon());
  }

  connect(isConnected) {
    this.update(this.answer.connect(isConnected));
  }

  update(change) {
    if (!this.places.hasBegun) return;
    for (const view of this.places.views) view.update(change);
    if (this.answer.isOver) this.places.finish();
  }

  /** What is kept is the final output now. */
  finish() {
    this.answer.over ??= performance.now();
    this.places.finish();
  }

  end() {
    this.places.end();
  }
}
