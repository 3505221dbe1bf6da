// The exported page: the same explorer over the tables that stand in the page itself.

import { Table } from "./decode.js";
import { Session } from "./session.js";

const { nodes, look, whyNot } = JSON.parse(document.getElementById("nodes").textContent);
const tables = new Map();

function decoded(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const packed = atob(base64);
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  return bytes;
}

/** The table of a node, read when it is first shown. */
function tableOf(id) {
  if (!tables.has(id)) {
    const source = document.querySelector(`script[data-table="${id}"]`);
    if (source) tables.set(id, new Table(new DataView(decoded(source.textContent).buffer)));
  }
  return tables.get(id);
}

const session = new Session(document.getElementById("explorer"), {
  tableOf, whyNot, look, show: (id) => session.show(id), onFork: null, onStop: () => {}, onSelect: () => {},
});
session.update(nodes);
session.show(0);
