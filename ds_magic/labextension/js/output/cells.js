// The cell that has an output, also where the output is looked at in a tab of its own, and new cells below it.

const ASKS = /^%%deepseek[ \n]/; // no other code is put into a notebook by what stands in its outputs

/** `{panel, at}`: the notebook with the output of this model, and its cell's number; null where no notebook has it. */
export function homeOf(notebooks, output) {
  let at = -1;
  const panel = notebooks?.find(({ model }) => {
    at = [...(model?.cells ?? [])].findIndex(({ outputs }) => hasOutput(outputs, output));
    return at >= 0;
  });
  return panel ? { panel, at } : null;
}

function hasOutput(outputs, output) {
  for (let at = 0; at < (outputs?.length ?? 0); at++) if (outputs.get(at) === output) return true;
  return false;
}

/** The same of an element in an output; null where no notebook draws it. */
export function homeAround(notebooks, element) {
  let at = -1;
  const panel = notebooks?.find(({ content }) => {
    at = content.widgets.findIndex(({ node }) => node.contains(element));
    return at >= 0;
  });
  return panel ? { panel, at } : null;
}

/**
 * Put a code cell with this question below the cell at `home`, make it the active one and show it; a promise of
 * whether it could be done. The model is the one that all who look at the notebook share.
 */
export async function insertBelow(home, text) {
  if (!ASKS.test(text)) return false;
  const content = home?.panel.content;
  if (!content || content.model.readOnly) return false;
  const at = home.at + 1;
  // As a cell that its user has begun: nothing in it has run yet.
  content.model.sharedModel.insertCell(at, { cell_type: "code", source: text, metadata: { trusted: true } });
  content.deselectAll();
  content.activeCellIndex = at;
  content.activate();
  await content.scrollToItem(at);
  return true;
}
