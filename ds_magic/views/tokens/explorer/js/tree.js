// The tree of an answer and its branches, along the text: where which of them part.

/**
 * `nodes`: {id, parent (−1: none), at (the token where it left its parent), label, replaced, state}. A branch that left
 * a branch within what that one shares with its own parent hangs on the parent: so that what two nodes
 * share is always the text up to where they part.
 */
export class Tree {
  constructor(nodes) {
    this.nodes = new Map(nodes.map((node) => [node.id, node]));
    this.places = new Map();
    this.children = new Map();
    for (const node of nodes) {
      let { parent, at } = node;
      while (parent >= 0) {
        const above = this.places.get(parent);
        if (above.parent < 0 || at > above.at) break;
        parent = above.parent;
      }
      this.places.set(node.id, { parent, at });
      if (node.state === "failed" || parent < 0) continue;
      if (!this.children.has(parent)) this.children.set(parent, []);
      this.children.get(parent).push(node);
    }
  }

  /** Where the path to a node parts from others: Map from the token's index to the ways on, [{id, label, isHere}]. */
  forks(id) {
    const found = new Map();
    let end = Infinity;
    let way = id;
    for (let here = id; here >= 0; ) {
      for (const child of this.children.get(here) ?? []) {
        const { at } = this.places.get(child.id);
        if (at > end) continue;
        if (!found.has(at)) found.set(at, [{ id: here, label: child.replaced, isHere: at < end }]);
        found.get(at).push({ id: child.id, label: child.label, isHere: child.id === way && at === end });
      }
      const { parent, at } = this.places.get(here);
      way = here;
      here = parent;
      end = at;
    }
    return found;
  }
}
