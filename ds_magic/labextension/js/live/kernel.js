// One kernel: its answers that are coming, as its messages say.

import { aboutOf, unfinished, update } from "./outputs.js";
import { Runs } from "./runs.js";

const MARK = "ds-live-"; // and the number under which an answer's messages come
const ASK = "kernel_info_request"; // a kind that every kernel answers; see control_channel.py
const SOON = 500; // ms
const VIEWS = "../../../views/answer/js/";

export class Kernel {
  constructor(connection, page) {
    Object.assign(this, { connection, page });
    this.answers = new Map(); // that come: by their number
    this.stale = new Set(); // numbers of those of which something may have been missed
    this.questions = []; // until there is a connection
    this.met = new WeakSet(); // notebooks
    this.runs = new Runs(() => this.panels());
    this.queue = Promise.resolve(); // what is heard is taken in order, also while the views are still fetched
    connection.iopubMessage.connect(this.hear, this);
    connection.statusChanged.connect(this.changeStatus, this);
    connection.connectionStatusChanged.connect(this.changeConnection, this);
  }

  hear(_, message) {
    const { content, parent_header: parent } = message;
    switch (message.header.msg_type) {
      case "comm_open":
        return this.open(content);
      case "comm_msg":
        return this.told(content.comm_id, content.data?.content);
      case "update_display_data":
        return this.update(message);
      case "display_data":
        return this.displayed(message);
      case "stream":
      case "execute_result":
      case "error":
      case "clear_output":
        return this.runs.hear(message);
      case "status":
        return content.execution_state === "idle" && this.runs.end(parent.msg_id);
      case "shutdown_reply": // also where it was another page that restarts it or shuts it down
        return this.abandon();
    }
  }

  /** An answer begins. */
  open({ comm_id, data }) {
    if (this.isOurs(comm_id, data?.state?.about)) this.inOrder(() => this.show(comm_id, data.state));
  }

  told(number, message) {
    if (this.isOurs(number, message?.about)) this.inOrder(() => this.toldWhole(number, message));
    else if (message) this.inOrder(() => this.answers.get(number)?.take(message));
  }

  /** All of an answer, because this page has asked, or another. */
  async toldWhole(number, message) {
    if (!this.answers.has(number) || this.stale.delete(number)) await this.show(number, message, message.whole);
  }

  /** Other widgets send messages too, and other versions of ours may mean something else by them. */
  isOurs(number, about) {
    return about?.mark === MARK + number && about.protocol === this.page.protocol;
  }

  async show(number, { about, styles }, whole) {
    const { Shown } = await views();
    this.answers.get(number)?.end();
    const shown = new Shown(about, this.home(about, styles));
    this.answers.set(number, shown);
    shown.begin(whole);
  }

  /** A notebook is there: it may hold answers that had not ended, and others may be coming. */
  meet(panel) {
    if (this.met.has(panel)) return;
    this.met.add(panel);
    this.ask("whole", unfinished(panel, this.connection.id).map(({ mark }) => mark));
  }

  /** Asks by the channel that a kernel reads also while a cell runs. */
  ask(asks, marks) {
    const question = () => {
      const content = { ds_magic: { asks, marks } };
      const future = this.connection.sendControlMessage(this.message("control", ASK, content), true);
      let isHeard = false;
      future.done.then(() => (isHeard = true), () => {});
      // A server passes on what a kernel tells all pages only a while after it has connected one: then once more.
      future.onReply = () => setTimeout(() => isHeard || future.isDisposed || question(), SOON);
    };
    if (this.connection.connectionStatus === "connected") question();
    else this.questions.push(question);
  }

  message(channel, msgType, content) {
    const { clientId: session, username } = this.connection;
    return this.page.KernelMessage.createMessage({ channel, msgType, content, session, username });
  }

  displayed(message) {
    const about = aboutOf(message.content);
    if (about) this.runs.begin(about);
    this.runs.hear(message);
  }

  /** What is kept of an answer has changed, or it has ended. */
  update(message) {
    const mark = message.content.transient?.display_id;
    if (!mark?.startsWith?.(MARK)) return;
    const about = aboutOf(message.content);
    const isThere = this.panels().map((panel) => update(panel, mark, message.content)).some(Boolean);
    if (about) this.runs.begin(about);
    if (about && !isThere) this.runs.hear(message, about.run);
    if (!about) this.inOrder(() => this.finish(numberOf({ mark })));
  }

  finish(number) {
    this.answers.get(number)?.finish();
    this.answers.delete(number);
  }

  changeStatus(_, status) {
    if (["restarting", "autorestarting", "dead"].includes(status)) this.abandon();
  }

  abandon() {
    this.runs.abandon();
    this.inOrder(() => {
      for (const shown of this.answers.values()) shown.abandon();
      this.answers.clear();
    });
  }

  changeConnection(_, status) {
    const isConnected = status === "connected";
    if (isConnected) for (const question of this.questions.splice(0)) question();
    this.inOrder(() => {
      for (const [number, shown] of this.answers) {
        // What was told in the meantime is lost where another page has heard it.
        if (isConnected && shown.answer.isLost) this.stale.add(number);
        shown.connect(isConnected);
      }
      if (isConnected && this.stale.size) this.ask("whole", [...this.stale].map((number) => MARK + number));
    });
  }

  /** What a view needs of the page. */
  home(about, styles) {
    return { styles, typesetter: this.page.typesetter, canStop: true, stop: () => this.stop(about) };
  }

  async stop({ mark, in_background, is_asked }) {
    if (!in_background) return this.connection.interrupt();
    if (is_asked) return this.ask("stop", [mark]);
    const data = { method: "custom", content: { stop: true } };
    this.connection.sendShellMessage(this.message("shell", "comm_msg", { comm_id: numberOf({ mark }), data }));
  }

  /** The notebooks that have this kernel. */
  panels() {
    const all = [];
    this.page.notebooks.forEach((panel) => all.push(panel));
    return all.filter((panel) => panel.sessionContext.session?.kernel?.id === this.connection.id);
  }

  inOrder(action) {
    this.queue = this.queue.then(action).catch((error) => console.error("ds_magic:", error));
  }

  /** This connection has ended. */
  end() {
    this.inOrder(() => {
      for (const shown of this.answers.values()) shown.end();
      this.answers.clear();
    });
  }
}

const numberOf = ({ mark }) => mark.slice(MARK.length);

let fetched;

/** The live view and its styles, fetched when the first answer comes. */
function views() {
  if (!fetched) {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = new URL(`${VIEWS}live.css`, import.meta.url);
    document.head.append(sheet);
    fetched = import(`${VIEWS}live_shown.js`);
  }
  return fetched;
}
