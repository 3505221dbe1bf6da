// The exported page: the same view over the tables that stand in the page itself.

import { make } from "./card.js";
import { Table } from "./decode.js";
import { explore } from "./view.js";

const sources = [...document.querySelectorAll("script[data-table]")];
const place = document.getElementById("explorer");
const tabs = document.getElementById("tabs");

function open(index) {
  const packed = atob(sources[index].textContent.trim());
  const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
  const table = new Table(new DataView(bytes.buffer));
  open.view?.destroy();
  open.view = explore(place, table, { metric: open.view?.metric });
  [...tabs.children].forEach((tab, i) => tab.setAttribute("aria-selected", String(i === index)));
}

sources.forEach((source, index) => {
  const tab = make("button", "dsx-tab", source.dataset.table);
  tab.type = "button";
  tab.setAttribute("role", "tab");
  tab.addEventListener("click", () => open(index));
  tabs.append(tab);
});
tabs.hidden = sources.length < 2;
if (sources.length) open(0);
