// The explorer as an anywidget: tables and branches from the kernel, shown wherever a notebook has it.

import { Table } from "./decode.js";
import { widgetOf } from "./places.js";
import { Session } from "./session.js";

/** One explorer of the kernel: what came of it, for all views of it in this page. */
class Source {
  constructor(model) {
    this.model = model;
    this.tables = new Map();
    this.streams = [];
    this.sessions = new Set();
    this.take();
    model.on("msg:custom", (message) => {
      if (message.type !== "text") return;
      // Kept, because messages come before a view exists.
      this.streams.push([message.id, message.text]);
      for (const session of this.sessions) session.stream(message.id, message.text);
    });
    // What is set together comes as a series of changes: all of it has come when the first is told.
    model.on("change:nodes change:shown change:payload change:notice change:spent", () => this.change());
    model.on("comm_live_update", () => this.abandon());
    model.on("change:selection", () => {
      const tokens = model.get("selection");
      for (const session of this.sessions) {
        if (String(tokens) !== String(session.told)) session.view?.selectTokens(tokens);
        session.told = tokens;
      }
    });
  }

  take() {
    const { model } = this;
    const [id, bytes] = [model.get("packed"), model.get("payload")];
    if (bytes?.byteLength && bytes !== this.bytes) this.tables.set(id, new Table(bytes));
    this.bytes = bytes;
  }

  change() {
    this.take();
    for (const session of this.sessions) this.draw(session);
  }

  /** The kernel has gone: what came can still be explored, and nothing can be asked. */
  abandon() {
    for (const session of this.sessions) {
      session.abandon("The kernel has gone: run the cell again to go on with another token.");
    }
  }

  draw(session) {
    const { model } = this;
    session.update(model.get("nodes"), { notice: model.get("notice"), spent: model.get("spent") });
    session.show(model.get("shown"));
  }

  open(place) {
    const { model } = this;
    const session = new Session(place, {
      tableOf: (id) => this.tables.get(id),
      show: (id) => model.send({ type: "show", node: id }),
      onFork: model.get("can_fork") ? (id, at, rank) => model.send({ type: "fork", node: id, at, rank }) : null,
      onStop: (id) => model.send({ type: "stop", node: id }),
      onSelect: (tokens, from) => {
        if (!from.view || String(tokens) === String(from.told)) return;
        from.told = tokens;
        model.set("selection", tokens);
        model.save_changes();
      },
      whyNot: model.get("can_fork") ? "" : "A table alone cannot be continued: explore the answer, answer.explore().",
      look: model.get("look"),
    });
    for (const [id, text] of this.streams) session.stream(id, text);
    this.draw(session);
    this.sessions.add(session);
    const asked = model.get("selection");
    session.told = asked;
    if (asked.length) session.view?.selectTokens(asked);
    return () => {
      this.sessions.delete(session);
      session.destroy();
    };
  }
}

export default widgetOf(Source);
