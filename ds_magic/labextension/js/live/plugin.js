// The live view in JupyterLab and Notebook 7: it hears the kernel itself, so a page that comes late hears all of it.

import { Kernels } from "./kernels.js";

const PROTOCOL = 1; // what the kernel's messages mean; see live_widget.py

/** The plugin that draws the answers of the notebooks' kernels while they come. */
export async function live(shared) {
  const { INotebookTracker } = await shared("@jupyterlab/notebook");
  const { IRenderMimeRegistry } = await shared("@jupyterlab/rendermime");
  const { KernelMessage } = await shared("@jupyterlab/services");
  return {
    id: "ds_magic:live",
    description: "Draws answers while they come, also in a page that is loaded in mid-answer.",
    autoStart: true,
    requires: [INotebookTracker, IRenderMimeRegistry],
    activate(app, notebooks, rendermime) {
      const page = { notebooks, KernelMessage, protocol: PROTOCOL, typesetter: rendermime.latexTypesetter };
      const kernels = new Kernels(page);
      notebooks.forEach((panel) => kernels.follow(panel));
      notebooks.widgetAdded.connect((_, panel) => kernels.follow(panel));
      // The widgets of the answers keep out where this stands.
      globalThis[Symbol.for("ds-magic.live")] = PROTOCOL;
    },
  };
}
