// Draws our lines: those of prompts, and those of magics between lines of Python. Only what is seen is looked at.

import { lineMagic } from "./cell.js";
import { marksOfLine, marksOfPlaces, marksOfRole } from "./marks.js";
import { gapOf } from "./gap.js";
import { mentionsMagic } from "./mentions.js";
import { hasWord } from "./python.js";
import { roleOf } from "./roles.js";

/** Characters of a cell above a line of a magic in which its variables may be made. */
const ABOVE = 10_000;

/** The places of a cell that is asked for each row of something are filled from the rows. */
const FROM_ROWS = /\s--map(?=[\s=])/;

/** The extension that draws. `prompt`: the field of the cell's magic; `redraw`: the effect that names are known. */
export function drawing({ view, language, prompt, redraw, names }) {
  const { Decoration, ViewPlugin } = view;
  const { syntaxTree } = language;
  const line = (name, style) => Decoration.line({ class: `dsp-${name}`, attributes: style ? { style } : undefined });
  const lines = Object.fromEntries(["magic", "line", "role", "said", "code"].map((name) => [name, line(name)]));

  class Drawing {
    constructor(view) {
      this.view = view;
      this.wanted = new Set();
      this.draw();
    }

    update(update) {
      const isToldNames = update.transactions.some((each) => each.effects.some((effect) => effect.is(redraw)));
      const isParsed = syntaxTree(update.startState) !== syntaxTree(update.state);
      // What is wrong is not marked while it is being typed.
      const isLeft = (update.selectionSet || update.focusChanged) && this.wrong.length && this.typed() !== this.left;
      if (update.docChanged || update.viewportChanged || isToldNames || isParsed || isLeft) this.draw();
    }

    destroy() {
      names.forget(this.view);
    }

    /** Draw what is seen. */
    draw() {
      const { state } = this.view;
      this.found = [];
      this.wrong = [];
      this.wanted.clear();
      this.drawnLine = 0;
      const magic = state.field(prompt);
      for (const { from, to } of this.view.visibleRanges) {
        if (magic) this.drawPrompt(magic, from, to);
        else if (mentionsMagic(state.sliceDoc(from, to))) this.drawMagics(from, to);
      }
      this.left = this.typed();
      const isDrawn = (each) => !each.isWrong || this.wrong.indexOf(each) !== this.left;
      this.decorations = Decoration.set(this.found.map((each) => each.value ? each.value.range(each.from, each.to)
        : markOf(each, isDrawn(each)).range(each.from, each.to)), true);
      names.want(this.view, this.wanted);
    }

    /** Which of what is wrong the cursor is at: its number, or -1. */
    typed() {
      if (!this.view.hasFocus) return -1;
      const at = this.view.state.selection.main.head;
      return this.wrong.findIndex(({ from, to }) => from <= at && at <= to);
    }

    drawPrompt(magic, from, to) {
      const { doc } = this.view.state;
      const blocks = this.blocks(from, to);
      this.isFromRows = FROM_ROWS.test(doc.line(magic.number).text);
      for (let at = from; at <= to; ) {
        const line = doc.lineAt(at), { number, from: start } = line;
        if (number === magic.number) this.drawMagicLine(line, magic.to - start, "deepseek", magic.from - start);
        else if (number > magic.number) this.drawSaid(line, at, Math.min(line.to, to), magic, blocks);
        at = line.to + 1;
      }
    }

    /** A line of a prompt; of a long one only what is seen, from `at` to `end`. */
    drawSaid(line, at, end, { indent, isText }, blocks) {
      const set = line.text.startsWith(indent) ? indent.length : 0;
      const role = (isText ? gapOf : roleOf)(line.text.slice(set));
      if (role?.to) {
        this.found.push({ from: line.from, to: line.from, value: lines.role });
        this.add(marksOfRole(role), line.from + set);
      } else {
        const block = isText ? lines.code : blocks.get(line.number);
        this.found.push({ from: line.from, to: line.from, value: block ?? lines.said });
        if (role?.escaped) this.add([{ from: 0, to: 1, name: "mark" }], line.from + set);
      }
      this.drawPlaces(at, end);
    }

    /** The lines of code between fences, and those of lists, whose lines are set in as their text is. */
    blocks(from, to) {
      const { state } = this.view, { doc } = state, found = new Map();
      syntaxTree(state).iterate({ from, to, enter: (node) => {
        if (node.name === "FencedCode") {
          const last = doc.lineAt(Math.min(node.to, to)).number;
          for (let at = doc.lineAt(Math.max(node.from, from)).number; at <= last; at++) found.set(at, lines.code);
          return false;
        }
        if (node.name === "ListMark") {
          const item = doc.lineAt(node.from);
          const ems = Math.min(8, (node.from - item.from) * 0.28 + (node.to - node.from) * 0.5 + 0.3);
          found.set(item.number, line("said dsp-item", `--dsp-hang: ${ems.toFixed(2)}em`));
        }
        return undefined;
      } });
      return found;
    }

    drawMagics(from, to) {
      const { state } = this.view;
      for (let at = from, line; at <= to; at = line.to + 1) {
        line = state.doc.lineAt(at);
        const magic = lineMagic(line.text);
        if (!magic || this.isInText(line.from + magic.from)) continue;
        line = continued(state.doc, line);
        this.isFromRows = FROM_ROWS.test(line.text);
        for (const start of line.starts) this.found.push({ from: start, to: start, value: lines.line });
        this.drawMagicLine(line, magic.to, magic.name, magic.from);
      }
    }

    /** Whether a place is in a string of Python, or in a comment. */
    isInText(at) {
      for (let node = syntaxTree(this.view.state).resolveInner(at, 1); node; node = node.parent) {
        if (/String|Comment/.test(node.name)) return node.from < at;
      }
      return false;
    }

    /** A line with a magic's name from `nameFrom` to `at`. */
    drawMagicLine(line, at, name, nameFrom) {
      if (this.drawnLine === line.number) return; // a long one may be seen at both its ends
      this.drawnLine = line.number;
      const { marks, promptFrom } = marksOfLine(line.text, at, name);
      const isCell = line.text[nameFrom + 1] === "%";
      if (isCell) this.found.push({ from: line.from, to: line.from, value: lines.magic });
      else this.add([{ from: nameFrom, to: line.text.length, name: "plain" }], line.from);
      this.add([{ from: nameFrom, to: at, name: "name" }, ...marks], line.from);
      const role = roleOf(line.text.slice(promptFrom));
      const said = role?.role ? marksOfRole(role) : [{ from: 0, to: line.text.length - promptFrom, name: "prose" }];
      this.add(said, line.from + promptFrom);
      const before = isCell ? "" : this.view.state.sliceDoc(Math.max(0, line.from - ABOVE), line.from);
      if (name === "deepseek") this.drawPlaces(line.from + at, line.to, before);
    }

    /** The places from `from` to `to`; a variable that is in `before` will be there when they are filled. */
    drawPlaces(from, to, before = "") {
      const text = this.view.state.sliceDoc(from, to);
      this.add(marksOfPlaces(text, 0, (name) => {
        this.wanted.add(name);
        return !this.isFromRows && names.isMissing(this.view, name) && !hasWord(before, name);
      }), from);
    }

    add(marks, by) {
      for (const each of marks) {
        if (each.to <= each.from) continue;
        const here = { ...each, from: each.from + by, to: each.to + by };
        this.found.push(here);
        if (here.isWrong) this.wrong.push(here);
      }
    }
  }

  /** A line of Python with those that a backslash at its end joins to it, and where each of them starts. */
  function continued(doc, { from, to, text, number }) {
    const starts = [from];
    for (let next = number; text.endsWith("\\") && next < doc.lines; ) {
      const line = doc.line(++next);
      text = `${text.slice(0, -1)}  ${line.text}`;
      to = line.to;
      starts.push(line.from);
    }
    return { from, to, text, number, starts };
  }

  /** A range as it is drawn; `isShown`: whether it shows that it is wrong. */
  function markOf({ name, says, isWrong }, isShown) {
    return Decoration.mark({
      class: `dsp-${name}${isWrong && isShown ? " dsp-wrong" : ""}`,
      attributes: says && isShown ? { title: says } : undefined,
    });
  }

  return ViewPlugin.fromClass(Drawing, { decorations: (drawing) => drawing.decorations });
}
