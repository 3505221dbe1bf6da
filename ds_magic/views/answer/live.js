// The live view of an answer as a widget: any number of views draw one state.

import { Answer } from "./live_answer.js";
import { View } from "./live_view.js";

export default () => {
  const views = new Set();
  let state;
  return {
    initialize({ model }) {
      state = new Answer(model.get("about"), model.get("styles"));
      // The listener must be there before the first view is: messages do not wait for it.
      model.on("msg:custom", (message) => {
        const change = state.take(message);
        for (const view of views) view.update(change);
      });
    },
    render({ model, el }) {
      const view = new View(model, el, state);
      views.add(view);
      return () => {
        views.delete(view);
        view.close();
      };
    },
  };
};
