// Runs of cells that another page began, or this one before it was reloaded: what they put out is for us to show.

import { add, ended, running } from "./outputs.js";

export class Runs {
  /** `panels`: gives the notebooks of the kernel. */
  constructor(panels) {
    this.panels = panels;
    this.cells = new Map(); // by the run: the cells in the notebooks here, and the count that they get at its end
  }

  /** An answer is in the run of a cell, as its output says. */
  begin({ run, cell, page, count }) {
    const isOurs = this.panels().some((panel) => panel.sessionContext.session.kernel.clientId === page);
    if (!run || isOurs || this.cells.has(run)) return;
    const cells = this.panels().map((panel) => running(panel, cell)).filter(Boolean);
    this.cells.set(run, { cells, count });
  }

  /** A message of a run that is one of these. */
  hear(message, run = message.parent_header.msg_id) {
    for (const cell of this.cells.get(run)?.cells ?? []) add(cell, message);
  }

  end(run) {
    const { cells = [], count } = this.cells.get(run) ?? {};
    for (const cell of cells) ended(cell, count);
    this.cells.delete(run);
  }

  /** The kernel has gone. */
  abandon() {
    for (const { cells } of this.cells.values()) cells.forEach((cell) => ended(cell, null));
    this.cells.clear();
  }
}
