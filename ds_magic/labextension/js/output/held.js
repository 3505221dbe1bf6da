// What an output holds of an answer: its texts as a tree, a table and the formatted text of each, and its metadata.

import { Table } from "../../../views/tokens/explorer/js/decode.js";
import { isSound } from "./sound.js";

const VERSION = 1;
const MOST = 2_000; // texts; nobody grows so many branches
const LOOK = /^(font-size:1\.5em;)?(--dsx-small:none;)?--dsx-widest:[01]\.\d\d$/; // no other style comes from an output

/** Reads `data` and `metadata` as views/tokens/explorer/living.py writes them. Throws where they are something else. */
export class Held {
  constructor(data, metadata) {
    if (data?.version !== VERSION) throw new Error("it is of another version");
    if (!Array.isArray(data.nodes) || !data.nodes.length || data.nodes.length > MOST) throw new Error("no texts");
    this.look = lookOf(data);
    this.places = data.nodes.map(placeOf);
    this.packed = { ...data.tables }; // of each text {packed, html}, as it stands in the output
    this.said = Array.isArray(metadata?.said) ? [...metadata.said] : [];
    this.answers = Array.isArray(metadata?.answers) ? [...metadata.answers] : [];
    this.key = String(data.answer ?? "");
    this.tables = new Map();
    if (!this.table(0)) throw new Error("no table");
  }

  /** The table of a text, read when it is first asked for; undefined where there is none. */
  table(id) {
    const text = this.packed[id]?.packed;
    if (typeof text === "string" && !this.tables.has(id)) {
      const table = new Table(new DataView(decoded(text).buffer));
      if (!isSound(table)) throw new Error("a table is damaged");
      this.tables.set(id, table);
    }
    return this.tables.get(id);
  }

  html(id) {
    const { html } = this.packed[id] ?? {};
    return typeof html === "string" ? html : "";
  }

  /** The texts as an explorer is told them. */
  get nodes() {
    return this.places.map((place, id) => {
      const { ending = "", remarks = [], line = "", cell = "" } = this.said[id] ?? {};
      const whyNot = place.name === "thinking" ? "Only an answer can be continued, not the thinking before it." : "";
      return {
        ...place, id, whyNot, explorable: id in this.packed,
        ending: String(ending), remarks: [...remarks].map(String), line: String(line),
        cell: String(cell),
      };
    });
  }

  /** Takes what a kernel says of a text. */
  put(id, { place, said, answer, table }) {
    this.places[id] = placeOf(place, id);
    if (said) this.said[id] = said;
    if (answer !== undefined) this.answers[id] = answer;
    if (table) this.packed[id] = table;
  }

  get data() {
    return { version: VERSION, answer: this.key, look: this.look, nodes: this.places.map(written), tables: this.packed };
  }

  get metadata() {
    return { said: this.said, answers: this.answers };
  }
}

/** The inline style of what is drawn: its size, and how strong its tints are. */
export function lookOf({ look }) {
  return LOOK.test(look) ? look : "";
}

/** A text's place in the tree: always below one that came before it. */
function placeOf(place, id) {
  const { name = "", parent = -1, at = 0, label = "", replaced = "", state = "done", text = "", error = "" } = place;
  if (!Number.isInteger(parent) || parent < -1 || parent >= id || !Number.isInteger(at)) throw new Error("no tree");
  return { name: String(name), parent, at, label: String(label), replaced: String(replaced), state: String(state),
    text: String(text), error: String(error) };
}

/** A place as living.py writes it: without what is usual. */
function written(place) {
  const usual = { parent: -1, at: 0, label: "", replaced: "", state: "done", text: "", error: "" };
  return Object.fromEntries(Object.entries(place).filter(([name, value]) => value !== usual[name]));
}

function decoded(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
