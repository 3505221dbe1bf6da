// The live view of an answer: a widget that is displayed nowhere, and draws beside the output that is kept of it.

import { nodes } from "./elements.js";
import { Shown } from "./live_shown.js";
import { canStop, interrupt, watchKernel } from "./notebook_page.js";

export default {
  initialize({ model }) {
    const about = model.get("about");
    // Our extension hears the same messages, and draws instead.
    if (globalThis[Symbol.for("ds-magic.live")] === about.protocol) return;
    const shown = new Shown(about, home(model, about));
    const { places } = shown;
    model.on("msg:custom", (message) => {
      if (message.begins) shown.begin();
      else if (message.final) places.fill(() => nodes(message.final));
      else if (places.hasBegun && !message.whole) shown.take(message);
    });
    // A page that was loaded in mid-answer shows what was saved of it, and then the whole.
    places.ifLate(() => model.send({ final: true }));
    const abandon = () => shown.abandon();
    model.on("comm_live_update", abandon);
    const leave = watchKernel(model.widget_manager?.kernel, (isConnected) => shown.connect(isConnected), abandon);
    return () => {
      leave();
      shown.end();
    };
  },
};

/** What a view needs of the page, by the widget's ways. */
function home(model, about) {
  return {
    styles: model.get("styles"),
    typesetter: model.widget_manager?.rendermime?.latexTypesetter,
    canStop: canStop(about),
    stop: () => (about.in_background ? model.send({ stop: true }) : interrupt(about.kernel)),
  };
}
