// What notebooks hold of answers, and what is put there where the page's JupyterLab did not run the cell itself.

/** What the metadata of an output say of an answer that has not ended. */
export const aboutOf = (output) => output.metadata?.ds_magic?.live;

/** What the unfinished outputs in a notebook say of answers of a kernel. */
export function unfinished(panel, kernel) {
  const abouts = [...outputs(panel)].map(([model, at]) => aboutOf(model.get(at)));
  return abouts.filter((about) => about?.kernel === kernel && typeof about.mark === "string");
}

/** Puts what the kernel shows now in the place of an output; whether there is one of that mark, or in that place. */
export function update(panel, mark, { data, metadata }) {
  let isThere = false;
  for (const [model, at] of outputs(panel)) {
    const output = model.get(at);
    if (aboutOf(output)?.mark !== mark && output.metadata?.ds_magic?.place !== mark) continue;
    isThere = true;
    // As a rule JupyterLab has done it.
    if (output.data["text/html"] !== data["text/html"]) model.set(at, { output_type: "display_data", data, metadata });
  }
  return isThere;
}

/** The cell that runs, in a notebook: what an earlier run has left there goes. */
export function running(panel, id) {
  const cell = [...cells(panel)].find((each) => each.id === id);
  if (!cell?.outputs) return null;
  if (cell.executionCount !== null) cell.outputs.clear();
  cell.executionCount = null;
  cell.executionState = "running";
  return cell;
}

/** Adds what a cell puts out, as the message says. */
export function add(cell, { header: { msg_type }, content }) {
  if (msg_type === "clear_output") cell.outputs.clear(content.wait);
  else cell.outputs.add({ ...content, output_type: msg_type === "update_display_data" ? "display_data" : msg_type });
}

/** The cell has been run; `count` is null where it was not to its end. */
export function ended(cell, count) {
  cell.executionState = "idle";
  if (count !== null) cell.executionCount = count;
}

function* outputs(panel) {
  for (const cell of cells(panel)) {
    for (let at = 0; at < (cell.outputs?.length ?? 0); at++) yield [cell.outputs, at];
  }
}

const cells = (panel) => panel.model?.cells ?? [];
