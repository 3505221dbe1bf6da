// Prompts in the notebook: cells of ours look like what they are. What draws them is loaded with the first of them.

import { mentionsMagic } from "./mentions.js";

/** The plugin that draws the cells and lines of our magics. */
export async function prompts(shared) {
  const [{ EditorExtensionRegistry, IEditorExtensionRegistry, IEditorLanguageRegistry }, { INotebookTracker }] =
    await Promise.all(["@jupyterlab/codemirror", "@jupyterlab/notebook"].map(shared));
  return {
    id: "ds_magic:prompts",
    description: "Draws prompts for language models as prose, and the options of their magics.",
    autoStart: true,
    requires: [IEditorExtensionRegistry, IEditorLanguageRegistry, INotebookTracker],
    async activate(app, extensions, languages, tracker) {
      const { ViewPlugin } = await shared("@codemirror/view");
      const { StateEffect } = await shared("@codemirror/state");
      let loaded = null;
      const load = async () => withStyle((await import("./editor.js")).prompts(shared, languages, tracker));

      class Watch {
        constructor(view) {
          this.view = view;
          if (mentionsMagic(view.state.doc.toString())) this.begin();
        }

        update({ docChanged, changes, state }) {
          if (!docChanged || this.hasBegun) return;
          changes.iterChangedRanges((_from, _to, from, to) => {
            if (mentionsMagic(state.sliceDoc(state.doc.lineAt(from).from, state.doc.lineAt(to).to))) this.begin();
          });
        }

        destroy() {
          this.view = null;
        }

        async begin() {
          if (this.hasBegun) return;
          this.hasBegun = true;
          loaded ??= load().catch((error) => console.warn("Prompts are shown as code.", error));
          const extension = await loaded;
          if (extension) this.view?.dispatch({ effects: StateEffect.appendConfig.of(extension) });
        }
      }

      const watch = EditorExtensionRegistry.createImmutableExtension(ViewPlugin.fromClass(Watch));
      extensions.addExtension({
        name: "ds_magic:prompts",
        factory: ({ model }) => (model.type === "code" ? watch : null),
      });
    },
  };
}

/** What `loading` gives, once the style sheet is there too. */
async function withStyle(loading) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("prompts.css", import.meta.url);
  const styled = new Promise((resolve) => {
    link.onload = link.onerror = resolve;
  });
  document.head.append(link);
  const [given] = await Promise.all([loading, styled]);
  return given;
}
