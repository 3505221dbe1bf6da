// One kernel: its answers that are coming, as its messages say.

import { update } from "./outputs.js";

const MARK = "ds-live-"; // and the number under which an answer's messages come
const ASK = "update_display_data"; // a kind that is not taken for work of the kernel; see control_channel.py
const VIEWS = "../../../views/answer/js/";

export class Kernel {
  constructor(connection, page) {
    Object.assign(this, { connection, page });
    this.answers = new Map(); // that come: by their number
    this.asked = new Set(); // numbers of those of which the whole was asked for
    this.queue = Promise.resolve(); // what is heard is taken in order, also while the views are still fetched
    connection.iopubMessage.connect(this.hear, this);
    connection.statusChanged.connect(this.changeStatus, this);
    connection.connectionStatusChanged.connect(this.changeConnection, this);
  }

  hear(_, message) {
    const { content } = message;
    switch (message.header.msg_type) {
      case "comm_open":
        return this.open(content);
      case "comm_msg":
        return this.told(content.comm_id, content.data?.content);
      case "update_display_data":
        return this.update(content);
      case "shutdown_reply": // also where it was another page that restarts it or shuts it down
        return this.abandon();
    }
  }

  /** An answer begins. */
  open({ comm_id, data }) {
    const { about, styles } = data?.state ?? {};
    if (about?.mark === MARK + comm_id && about.protocol === this.page.protocol) this.show(comm_id, { about, styles });
  }

  told(number, message) {
    if (message?.whole && this.asked.delete(number)) this.show(number, message, message.whole);
    else if (message) this.inOrder(() => this.answers.get(number)?.take(message));
  }

  show(number, { about, styles }, whole) {
    this.inOrder(async () => {
      const { Shown } = await views();
      this.answers.get(number)?.end();
      const shown = new Shown(about, this.home(about, styles));
      this.answers.set(number, shown);
      shown.begin(whole);
    });
  }

  /** The notebook has an output of an answer of whose beginning this page has not heard. */
  comeLate(about) {
    const number = numberOf(about);
    if (about.protocol === this.page.protocol && !this.answers.has(number)) this.askForWhole(about);
  }

  askForWhole({ mark, is_asked }) {
    const number = numberOf({ mark });
    if (!is_asked || this.asked.has(number)) return;
    this.asked.add(number);
    this.ask(mark, "whole");
  }

  /** Asks by the channel that a kernel reads also while a cell runs. */
  ask(mark, asks) {
    this.connection.sendControlMessage(this.message("control", ASK, { display_id: mark, asks }));
  }

  message(channel, msgType, content) {
    const { clientId: session, username } = this.connection;
    return this.page.KernelMessage.createMessage({ channel, msgType, content, session, username });
  }

  /** What is kept of an answer has changed, or it has ended. */
  update(content) {
    const mark = content.transient?.display_id;
    if (!mark?.startsWith?.(MARK)) return;
    this.page.notebooks.forEach((panel) => update(panel, mark, content));
    if (!content.metadata.ds_magic?.live) this.inOrder(() => this.finish(numberOf({ mark })));
  }

  finish(number) {
    this.answers.get(number)?.finish();
    this.answers.delete(number);
  }

  changeStatus(_, status) {
    if (["restarting", "autorestarting", "dead"].includes(status)) this.abandon();
  }

  abandon() {
    this.inOrder(() => {
      for (const shown of this.answers.values()) shown.abandon();
      this.answers.clear();
    });
  }

  changeConnection(_, status) {
    const isConnected = status === "connected";
    this.inOrder(() => {
      for (const shown of this.answers.values()) {
        // What was told in the meantime is lost where another page has heard it.
        if (isConnected && shown.answer.isLost) this.askForWhole(shown.answer.about);
        shown.connect(isConnected);
      }
    });
  }

  /** What a view needs of the page. */
  home(about, styles) {
    return { styles, typesetter: this.page.typesetter, canStop: true, stop: () => this.stop(about) };
  }

  async stop({ mark, in_background, is_asked }) {
    if (!in_background) return this.connection.interrupt();
    if (is_asked) return this.ask(mark, "stop");
    const data = { method: "custom", content: { stop: true } };
    this.connection.sendShellMessage(this.message("shell", "comm_msg", { comm_id: numberOf({ mark }), data }));
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
