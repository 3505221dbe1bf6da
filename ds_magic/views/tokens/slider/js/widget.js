// The slider as an anywidget: drawn wherever a notebook shows it, and beside the table that keeps it.

import { widgetOf } from "../../explorer/js/places.js";
import { Picture } from "./picture.js";
import { placeOf } from "./shares.js";

/** One slider of the kernel, with all pictures of it in this page. */
class Source {
  constructor(model) {
    this.model = model;
    this.place = placeOf(model.get("payload"), model.get("place"));
    this.pictures = new Set();
    model.on("change:temperature change:top_p change:top_k", () => {
      for (const picture of this.pictures) picture.set(this.setting());
    });
  }

  setting() {
    const { model } = this;
    return { temperature: model.get("temperature"), topP: model.get("top_p"), topK: model.get("top_k") };
  }

  open(element) {
    const { model } = this;
    const picture = new Picture(element, this.place, this.setting(), {
      look: model.get("look"),
      onChange: ({ temperature, topP, topK }) => {
        model.set("temperature", temperature);
        model.set("top_p", topP);
        model.set("top_k", topK);
        model.save_changes();
      },
    });
    this.pictures.add(picture);
    return () => this.pictures.delete(picture);
  }
}

export default widgetOf(Source);
