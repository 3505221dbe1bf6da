// The answer in the notebook: what a cell's output holds beside its static form, drawn by JupyterLab and Notebook 7.

/** The plugin that draws outputs of the type `application/vnd.ds-magic.answer+json`. */
export async function output(shared) {
  const { IRenderMimeRegistry } = await shared("@jupyterlab/rendermime");
  const { Widget } = await shared("@lumino/widgets");
  return {
    id: "ds_magic:output",
    description: "Draws the answers of language models, with what they nearly said.",
    autoStart: true,
    requires: [IRenderMimeRegistry],
    activate(app, rendermime) {
      class Output extends Widget {
        async renderModel(model) {
          this.node.textContent = "alive";
        }
      }
      rendermime.addFactory({
        safe: true,
        mimeTypes: ["application/vnd.ds-magic.answer+json"],
        createRenderer: (options) => new Output(options),
      }, 10);
    },
  };
}
