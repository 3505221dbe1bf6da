// The answer in the notebook: what a cell's output holds beside its static form, drawn by JupyterLab and Notebook 7.

/** By the type of an output, a promise of what makes it alive. */
const KINDS = {
  "application/vnd.ds-magic.answer+json": async () => (await import("./living.js")).Living,
  "application/vnd.ds-magic.guess+json": async () => (await import("../guess/guessing.js")).Guessing,
};
const RANK = 10; // before text/html, whose rank is 50

/** The plugin that draws outputs of an answer's own type. */
export async function output(shared) {
  const [{ IRenderMimeRegistry, renderHTML }, { INotebookTracker }, { Widget }] = await Promise.all(
    ["@jupyterlab/rendermime", "@jupyterlab/notebook", "@lumino/widgets"].map(shared),
  );
  return {
    id: "ds_magic:output",
    description: "Draws the answers of language models, with what they nearly said.",
    autoStart: true,
    requires: [IRenderMimeRegistry],
    optional: [INotebookTracker],
    activate(app, rendermime, notebooks) {
      /** An output: its static form at once, and then alive, where what it holds can be read. */
      class Output extends Widget {
        constructor({ mimeType, sanitizer, resolver, linkHandler, latexTypesetter }) {
          super();
          this.kind = KINDS[mimeType];
          this.page = { sanitizer, resolver, linkHandler, latexTypesetter };
          this.addClass("jp-RenderedHTMLCommon");
          this.addClass("jp-RenderedHTML");
          this.addClass("ds-output");
        }

        /** Called again when the output has changed, also by ourselves. */
        async renderModel(model) {
          if (this.living?.takes(model)) {
            this.living.model = model;
            return;
          }
          this.living?.close();
          this.living = null;
          const turn = (this.turn = {});
          await this.drawStatic(model.data);
          try {
            const [Alive, { styles }] = await Promise.all([this.kind(), import("./styles.js")]);
            await styles(Alive.sheets);
            if (turn !== this.turn || this.isDisposed) return; // it has changed once more, or gone
            const typeset = (element) => this.page.latexTypesetter?.typeset(element);
            this.living = new Alive(model, this.node, { ...this.page, typeset }, notebooks);
          } catch (error) {
            console.warn("ds_magic: this output cannot be made alive, and is shown as it is.", error);
          }
          await this.page.latexTypesetter?.typeset(this.node);
        }

        async drawStatic({ "text/html": source, "text/plain": text = "" }) {
          if (source) return renderHTML({ ...this.page, host: this.node, source, trusted: false, shouldTypeset: false });
          const plain = document.createElement("pre"); // somebody took the rest away
          plain.textContent = text;
          this.node.replaceChildren(plain);
        }

        dispose() {
          this.living?.close();
          super.dispose();
        }
      }
      // For widgets of ours, which do not reach the notebook themselves.
      globalThis[Symbol.for("ds-magic.insert")] = async (element, text) => {
        const { homeAround, insertBelow } = await import("./cells.js");
        return insertBelow(homeAround(notebooks, element), text);
      };
      const mimeTypes = Object.keys(KINDS);
      rendermime.addFactory({ safe: true, mimeTypes, createRenderer: (options) => new Output(options) }, RANK);
    },
  };
}
