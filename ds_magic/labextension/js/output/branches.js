// Branches of an answer that stands in an output: asked of the notebook's kernel, over a comm.

import { homeOf } from "./cells.js";

const TARGET = "ds_magic.answer";
const NO_KERNEL = "There is no kernel: choose one, and run `%load_ext ds_magic` in it, to go on with another token.";
const NO_NOTEBOOK = "Only in a notebook can one go on with another token.";
const NO_MAGIC = "This kernel has no ds_magic: run `%load_ext ds_magic` in it, then choose once more.";
const TAKEN = "Another tab of this page speaks with this kernel: close it and reload the page to go on with another token.";
const GONE = "The kernel has gone: this is what had come of the branch.";

/**
 * For an output. `listener`: {model: the output's, opening() → what it holds, said(message): what the kernel says,
 * refused(why), gone(why)}.
 */
export class Branches {
  constructor(notebooks, listener) {
    Object.assign(this, { notebooks, listener, comm: null });
    this.watch = (_, status) => /restarting|dead|terminating/.test(status) && this.end();
    this.lose = () => this.end();
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

  /** The connection to a kernel that may open comms: JupyterLab has one a page, and it may be another notebook's. */
  lineTo(kernel) {
    const lines = [];
    this.notebooks.forEach(({ sessionContext: { session } }) => lines.push(session?.kernel));
    return [kernel, ...lines].find((line) => line?.id === kernel.id && line.handleComms && !line.isDisposed);
  }

  /** Why nothing can be asked; empty where it can. */
  get whyNot() {
    const { kernel } = this;
    if (kernel) return this.lineTo(kernel) ? "" : TAKEN;
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
    const line = this.lineTo(kernel);
    if (!line) return this.listener.refused(TAKEN);
    if (line !== this.asked || !this.comm || this.comm.isDisposed) this.open(line);
    this.comm.send(message);
    if (kernel.status === "busy") this.listener.waits();
  }

  open(line) {
    this.leave();
    this.asked = line;
    const comm = line.createComm(TARGET);
    this.comm = comm;
    comm.onMsg = ({ content: { data } }) => this.listener.said(data);
    comm.onClose = () => {
      if (comm !== this.comm) return;
      this.comm = null;
      this.listener.refused(NO_MAGIC);
    };
    line.statusChanged.connect(this.watch);
    line.disposed.connect(this.lose);
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
    asked?.disposed.disconnect(this.lose);
    if (comm && !comm.isDisposed && !asked.isDisposed) comm.close();
  }
}
