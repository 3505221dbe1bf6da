// The explorer as an anywidget: a table from the kernel, and branches that stream in.

import { make } from "./card.js";
import { Table } from "./decode.js";
import { explore } from "./view.js";

/** What was streamed into each branch; kept here because messages come before a view exists. */
class Streams {
  constructor() {
    this.texts = new Map();
    this.listeners = new Set();
  }

  take(message) {
    if (message.type !== "text") return;
    this.texts.set(message.id, (this.texts.get(message.id) ?? "") + message.text);
    for (const listener of this.listeners) listener();
  }
}

export default () => {
  const streams = new Streams();
  return {
    initialize({ model }) {
      model.on("msg:custom", (message) => streams.take(message));
    },
    render({ model, el }) {
      const tabs = make("div", "dsx-tabs");
      tabs.setAttribute("role", "tablist");
      const place = make("div");
      const branches = make("div", "dsx dsx-branches");
      el.append(tabs, place, branches);
      let view = null;

      const showTable = () => {
        const metric = view?.metric;
        view?.destroy();
        const fork = model.get("can_fork") ? (i, rank) => model.send({ type: "fork", at: i, rank }) : null;
        view = explore(place, new Table(model.get("payload")), { onFork: fork, metric });
      };
      const showTabs = () => {
        const names = model.get("tabs");
        tabs.hidden = names.length < 2;
        tabs.replaceChildren(...names.map((name, index) => {
          const tab = make("button", "dsx-tab", name);
          tab.type = "button";
          tab.setAttribute("role", "tab");
          tab.setAttribute("aria-selected", String(index === model.get("tab")));
          tab.addEventListener("click", () => model.send({ type: "show", tab: index }));
          return tab;
        }));
      };
      const showBranches = () => {
        const shown = model.get("branches").map((branch) => branchBlock(model, branch, streams.texts.get(branch.id)));
        const spent = model.get("spent");
        branches.replaceChildren(...shown, ...(spent ? [make("div", "dsx-dim dsx-small", spent)] : []));
      };
      const streamed = () => showBranches();

      streams.listeners.add(streamed);
      model.on("change:payload", showTable);
      model.on("change:tabs change:tab", showTabs);
      model.on("change:branches change:spent", showBranches);
      showTabs();
      showTable();
      showBranches();
      return () => {
        streams.listeners.delete(streamed);
        view.destroy();
        model.off("change:payload", showTable);
        model.off("change:tabs change:tab", showTabs);
        model.off("change:branches change:spent", showBranches);
      };
    },
  };
};

function branchBlock(model, branch, streamed) {
  const head = make("div", "dsx-branch-head", make("span", "dsx-dim", branch.heading));
  const action = (text, message) => {
    const button = make("button", "dsx-button", text);
    button.type = "button";
    button.addEventListener("click", () => model.send(message));
    head.append(button);
  };
  if (branch.state === "running") action("Stop", { type: "stop", id: branch.id });
  else if (branch.tab >= 0) action("Explore", { type: "show", tab: branch.tab });
  const text = make(
    "div", "dsx-branch-text", make("span", "dsx-shared", branch.shared), make("mark", "", branch.forced),
    branch.state === "running" ? streamed ?? "" : branch.text,
  );
  text.dir = "auto";
  const block = make("div", "dsx-branch", head, text);
  if (branch.error) block.append(make("div", "dsx-error", branch.error));
  return block;
}
