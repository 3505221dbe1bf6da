// The exported page: the same view over the tables that stand in the page itself.

import { make } from "./card.js";
import { Table } from "./decode.js";
import { explore } from "./view.js";

const sources = [...document.querySelectorAll("script[data-table]")];
const place = document.getElementById("explorer");
const tabs = document.getElementById("tabs");

function open(index) {
  const bytes = decoded(sources[index].textContent);
  const table = new Table(new DataView(bytes.buffer));
  open.view?.destroy();
  open.view = explore(place, table, { metric: open.view?.metric });
  [...tabs.children].forEach((tab, i) => tab.setAttribute("aria-selected", String(i === index)));
}

function decoded(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const packed = atob(base64);
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  return bytes;
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
