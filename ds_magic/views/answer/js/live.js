// The live view of an answer: a widget that is displayed nowhere, and draws beside the output that is kept of it.

import { nodes } from "./elements.js";
import { Answer } from "./live_answer.js";
import { Places } from "./live_places.js";
import { View } from "./live_view.js";
import { watchKernel } from "./notebook_page.js";

export default {
  initialize({ model }) {
    const about = model.get("about");
    const answer = new Answer(about, model.get("styles"));
    const places = new Places(about.mark, (frame) => new View(model, frame, answer));
    const update = (change) => {
      for (const view of places.views) view.update(change);
      if (answer.isOver) places.finish();
    };
    model.on("msg:custom", (message) => {
      if (message.begins) places.begin();
      else if (message.final) places.fill(() => nodes(message.final));
      else if (places.hasBegun) update(answer.take(message));
    });
    // A page that was loaded in mid-answer shows what was saved of it, and then the whole.
    places.ifLate(() => model.send({ final: true }));
    const tell = (change) => places.hasBegun && update(change);
    // The kernel was restarted or has ended: nothing more comes, and nothing can be stopped.
    const abandon = () => tell(answer.abandon());
    model.on("comm_live_update", abandon);
    const leave = watchKernel(model.widget_manager?.kernel, (isConnected) => tell(answer.connect(isConnected)), abandon);
    return () => {
      leave();
      places.end();
    };
  },
};
