// New cells in the notebook, through the model that all who look at it share.

/**
 * Put a code cell with this text below the cell that has `node` in its output, make it the active one and show it; a
 * promise of whether it could be done. `notebooks`: the page's tracker of notebooks.
 */
export async function insertBelow(notebooks, node, text) {
  const content = notebooks?.find(({ content }) => content.node.contains(node))?.content;
  const at = content ? content.widgets.findIndex((cell) => cell.node.contains(node)) : -1;
  if (at < 0 || content.model?.readOnly) return false;
  // As a cell that its user has begun: nothing in it has run yet.
  content.model.sharedModel.insertCell(at + 1, { cell_type: "code", source: text, metadata: { trusted: true } });
  content.deselectAll();
  content.activeCellIndex = at + 1;
  content.activate();
  await content.scrollToItem(at + 1);
  return true;
}
