// Which variables there are: asked of the kernel while it is idle, for all names at once, and nothing is run by it.

const PAUSE = 150;
const MOST = 1000;

/** What is known of the variables of all notebooks' kernels. */
export class Names {
  /** `redraw`: the effect that tells an editor that more is known. */
  constructor(tracker, redraw) {
    this.tracker = tracker;
    this.redraw = redraw;
    this.wanted = new Map();
    this.kernels = new WeakMap();
    this.homes = new WeakMap();
  }

  /** An editor shows these names. */
  want(view, names) {
    const before = this.wanted.get(view) ?? new Set();
    if (before.size === names.size && [...names].every((name) => before.has(name)) && this.homes.has(view)) return;
    this.wanted.set(view, new Set(names));
    // Whose it is is known when it stands in the page.
    if (names.size) setTimeout(() => this.of(view)?.plan(), 0);
  }

  forget(view) {
    this.wanted.delete(view);
  }

  /** Whether the kernel said that there is no such variable. */
  isMissing(view, name) {
    return this.homes.get(view)?.known.get(name) === false;
  }

  of(view) {
    if (!this.wanted.has(view)) return null;
    const panel = this.tracker.find(({ node }) => node.contains(view.dom));
    if (!panel) return null;
    const context = panel.sessionContext;
    if (!this.kernels.has(context)) this.kernels.set(context, new KernelNames(context, this));
    this.homes.set(view, this.kernels.get(context));
    return this.kernels.get(context);
  }

  /** The editors whose names a kernel knows, with those names. */
  *viewsOf(kernel) {
    for (const [view, names] of this.wanted) {
      if (this.homes.get(view) === kernel) yield [view, names];
    }
  }
}

/** What is known of the variables of one notebook's kernel. */
class KernelNames {
  constructor(context, all) {
    this.context = context;
    this.all = all;
    this.timer = null;
    this.follow = (_, { msg, direction }) => this.heard(msg, direction);
    context.kernelChanged.connect((_, { oldValue, newValue }) => this.change(oldValue, newValue));
    context.statusChanged.connect((_, status) => this.turned(status));
    this.change(null, context.session?.kernel);
  }

  change(old, kernel) {
    old?.anyMessage.disconnect(this.follow);
    kernel?.anyMessage.connect(this.follow);
    this.begin();
  }

  /** Nothing is known of a kernel that begins. */
  begin() {
    this.known = new Map();
    this.running = new Set();
    this.ours = new Set();
    this.isStale = false;
    this.tell(() => true);
    this.plan();
  }

  turned(status) {
    if (["restarting", "autorestarting", "dead", "unknown"].includes(status)) this.begin();
    else this.plan();
  }

  /** Take note of what is being run, and of what has ended: then variables may have come and gone. */
  heard({ header, parent_header: parent, content }, direction) {
    if (direction === "send") {
      if (header.msg_type === "execute_request" && !this.ours.has(header.msg_id)) this.running.add(header.msg_id);
      return;
    }
    if (parent?.msg_type !== "execute_request" || this.ours.has(parent.msg_id)) return;
    const isOver = header.msg_type === "execute_reply" || content?.execution_state === "idle";
    if (!isOver) return;
    this.running.delete(parent.msg_id);
    this.isStale = true;
    this.plan();
  }

  /** Ask soon, if there is something to ask. */
  plan() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  async ask() {
    const kernel = this.context.session?.kernel;
    if (!kernel || kernel.status !== "idle" || this.running.size || this.ours.size) return;
    const names = new Set();
    for (const [, wanted] of this.all.viewsOf(this)) {
      for (const name of wanted) if (names.size < MOST && (this.isStale || !this.known.has(name))) names.add(name);
    }
    if (!names.size || !(await speaksPython(kernel)) || kernel.status !== "idle" || this.ours.size) return;
    const known = this.known, asked = [...names];
    this.isStale = false;
    const found = await this.request(kernel, asked);
    if (known !== this.known || !found) return;
    const changed = new Set(asked.filter((name, at) => known.get(name) !== (found[at] === "1")));
    asked.forEach((name, at) => known.set(name, found[at] === "1"));
    this.tell((wanted) => [...wanted].some((name) => changed.has(name)));
    if (this.isStale) this.plan();
  }

  /** For each name "1" or "0", in one text; null where the kernel did not say. */
  async request(kernel, names) {
    const each = JSON.stringify(names.join(" "));
    const future = kernel.requestExecute({
      code: "",
      silent: true,
      store_history: false,
      stop_on_error: false,
      allow_stdin: false,
      user_expressions: { found: `"".join("01"[name in globals()] for name in ${each}.split())` },
    });
    this.ours.add(future.msg.header.msg_id);
    this.running.delete(future.msg.header.msg_id);
    try {
      const reply = await future.done;
      return /^'([01]*)'$/.exec(reply.content.user_expressions?.found?.data?.["text/plain"])?.[1] ?? null;
    } catch {
      return null; // the kernel ended meanwhile
    } finally {
      this.ours.delete(future.msg.header.msg_id);
    }
  }

  tell(concerns) {
    for (const [view, names] of this.all.viewsOf(this)) {
      if (concerns(names)) view.dispatch({ effects: this.all.redraw.of(null) });
    }
  }
}

async function speaksPython(kernel) {
  try {
    return (await kernel.info).language_info.name === "python";
  } catch {
    return false; // it ended before it said anything
  }
}
