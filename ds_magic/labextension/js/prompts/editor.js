// The extension of the page's editor: a cell of ours is a prompt, in the language of prompts; others stay as they are.

import { cellMagic } from "./cell.js";
import { drawing } from "./drawing.js";
import { highlighting } from "./highlighting.js";
import { promptLanguage } from "./language.js";
import { Names } from "./names.js";

/** The extension, for every editor of a cell with code. */
export async function prompts(shared, languages, tracker) {
  const [state, view, language, highlight] = await Promise.all(
    ["@codemirror/state", "@codemirror/view", "@codemirror/language", "@lezer/highlight"].map(shared));
  const { EditorState, Prec, StateEffect, StateField } = state;
  const { EditorView } = view;
  const markdown = await promptLanguage(language, languages);
  const plain = language.StreamLanguage.define({ token: (stream) => stream.skipToEnd() });

  const prompt = StateField.define({
    create: ({ doc }) => cellMagic(doc),
    update: (value, { docChanged, state }) => (docChanged ? cellMagic(state.doc) : value),
    compare: isSame,
  });
  const inPrompts = (facet, values, valuesOfText = values) =>
    facet.computeN([prompt], (state) => {
      const magic = state.field(prompt);
      if (!magic) return [];
      return magic.isText ? valuesOfText : values;
    });
  const redraw = StateEffect.define();
  return [
    prompt,
    // The first language of an editor is the one that counts: a prompt is never parsed as Python.
    Prec.highest(inPrompts(language.language, [markdown], [plain])),
    inPrompts(EditorView.editorAttributes, [{ class: "dsp-prompt" }]),
    inPrompts(EditorView.contentAttributes, [{ class: "cm-lineWrapping" }]),
    highlighting(language, highlight),
    drawing({ state, view, language, prompt, redraw, names: new Names(tracker, redraw) }),
  ];
}

function isSame(one, other) {
  const parts = ["from", "number", "indent", "isText"];
  return one === other || Boolean(one && other && parts.every((each) => one[each] === other[each]));
}
