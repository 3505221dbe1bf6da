// What notebooks hold of answers that had not ended when it was put there.

/** What the unfinished outputs in a notebook say of answers of a kernel: their mark, and how to ask for them. */
export function unfinished(panel, kernel) {
  const abouts = [...outputs(panel)].map(([model, at]) => aboutOf(model.get(at)));
  return abouts.filter((about) => about?.kernel === kernel);
}

/** Puts what the kernel shows now in the place of an output that this page's JupyterLab does not know as displayed. */
export function update(panel, mark, { data, metadata }) {
  for (const [model, at] of outputs(panel)) {
    const output = model.get(at);
    if (aboutOf(output)?.mark !== mark || output.data["text/html"] === data["text/html"]) continue;
    model.set(at, { output_type: "display_data", data, metadata });
  }
}

function* outputs(panel) {
  for (const cell of panel.model?.cells ?? []) {
    const model = cell.outputs;
    for (let at = 0; at < (model?.length ?? 0); at++) yield [model, at];
  }
}

const aboutOf = (output) => output.metadata?.ds_magic?.live;
