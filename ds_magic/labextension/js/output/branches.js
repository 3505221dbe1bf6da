// Branches of an answer that stands in an output: asked of the notebook's kernel, over a comm.

import { homeOf } from "./cells.js";

const TARGET = "ds_magic.answer";
const NO_KERNEL = "There is no kernel: choose one, and run `%load_ext ds_magic` in it, to go on with another token.";
const NO_NOTEBOOK = "Only in a notebook can one go on with another token.";
const NO_MAGIC = "This kernel has no ds_magic: run `%load_ext ds_magic` in it, then choose once more.";
const GONE = "The kernel has gone: this is what had come of the branch.";

/**
 * For an output. `listener`: {model: the output's, opening() → what it holds, said(message): what the kernel says,
 * refused(why), gone(why)}.
 */
export class Branches {
  constructor(notebooks, listener) {
    Object.assign(this, { notebooks, listener, comm: null });
    this.watch = (_, status) => /restarting|dead|terminating/.test(status) && this.end();
  }

  /** The notebook that has the output. */
  get notebook() {
    return homeOf(this.notebooks, this.listener.model)?.panel;
  }

  /** Its kernel, which has to be connected. */
  get kernel() {
    const kernel = this.notebook?.sessionContext.session?.kernel;
    return kernel && kernel.connectionStatus === "connected" && kernel.status !== "dead" ? kernel : null;
  }

  /** Why nothing can be asked; empty where it can. */
  get whyNot() {
    if (this.kernel) return "";
    return this.notebook ? NO_KERNEL.replaceAll("`", "") : NO_NOTEBOOK;
  }

  fork(node, at, rank) {
    this.send({ type: "fork", node, at, rank });
  }

  stop(node) {
    this.send({ type: "stop", node });
  }

  send(message) {
    const { kernel } = this;
    if (!kernel) return this.listener.refused(NO_KERNEL);
    if (kernel !== this.asked || !this.comm || this.comm.isDisposed) this.open(kernel);
    this.comm.send(message);
    if (kernel.status === "busy") this.listener.waits();
  }

  open(kernel) {
    this.leave();
    this.asked = kernel;
    const comm = kernel.createComm(TARGET);
    this.comm = comm;
    comm.onMsg = ({ content: { data } }) => this.listener.said(data);
    comm.onClose = () => {
      if (comm !== this.comm) return;
      this.comm = null;
      this.listener.refused(NO_MAGIC);
    };
    kernel.statusChanged.connect(this.watch);
    kernel.disposed.connect(this.watch);
    comm.open(this.listener.opening());
  }

  /** The kernel has gone. */
  end() {
    if (!this.comm) return;
    this.leave();
    this.listener.gone(GONE);
  }

  leave() {
    const { comm, asked } = this;
    this.comm = this.asked = null;
    asked?.statusChanged.disconnect(this.watch);
    asked?.disposed.disconnect(this.watch);
    if (comm && !comm.isDisposed && !asked.isDisposed) comm.close();
  }
}
