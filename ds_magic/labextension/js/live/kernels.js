// The kernels of the notebooks in this page: of each, one connection is listened to.

import { Kernel } from "./kernel.js";

export class Kernels {
  constructor(page) {
    this.page = page;
    this.heard = new Map(); // by the kernel's id
  }

  /** Listens to the kernel of a notebook, whichever it has. */
  follow(panel) {
    const look = () => this.look(panel);
    panel.sessionContext.kernelChanged.connect(look);
    panel.context.ready.then(look, () => {});
    look();
  }

  look(panel) {
    const connection = panel.isDisposed ? null : panel.sessionContext.session?.kernel;
    if (!connection || connection.isDisposed) return;
    const { id } = connection;
    if (!this.heard.has(id)) {
      this.heard.set(id, new Kernel(connection, this.page));
      connection.disposed.connect(() => this.lose(id));
    }
    if (panel.context.isReady) this.heard.get(id).meet(panel);
  }

  /** A connection is gone, with its notebook or its kernel: another notebook may have one to the same kernel. */
  lose(id) {
    this.heard.get(id).end();
    this.heard.delete(id);
    this.page.notebooks.forEach((panel) => this.look(panel));
  }
}
