// The page around a live view: the Jupyter server behind it, and where it is scrolled to.

/** The Jupyter server that this page talks to, where it is JupyterLab or Notebook. */
export function server() {
  const config = JSON.parse(document.getElementById("jupyter-config-data")?.textContent || "null");
  if (!config) return null;
  const xsrf = /(?:^|;\s*)_xsrf=([^;]*)/.exec(document.cookie);
  const headers = {};
  if (xsrf) headers["X-XSRFToken"] = decodeURIComponent(xsrf[1]);
  if (config.token) headers.Authorization = `token ${config.token}`;
  return { base: config.baseUrl || "/", headers };
}

export function canStop(about) {
  return about.in_background || Boolean(about.kernel && server());
}

/** Interrupts a kernel by way of its server; fails where that refuses. */
export async function interrupt(kernel) {
  const { base, headers } = server();
  const url = `${base}api/kernels/${encodeURIComponent(kernel)}/interrupt`;
  const { ok, status } = await fetch(url, { method: "POST", headers, credentials: "same-origin" });
  if (!ok) throw new Error(`the server answered ${status}`);
}

/** Tells whether there is a connection to the kernel as it is lost and comes back, and when the kernel has ended. */
// Where the server was killed, its kernels are known to have ended when another server answers in its place.
export function watchKernel(kernel, onConnection, onEnd) {
  const connected = (_, status) => onConnection(status === "connected");
  const changed = (_, status) => status === "dead" && onEnd();
  kernel?.connectionStatusChanged?.connect(connected);
  kernel?.statusChanged?.connect(changed);
  return () => {
    kernel?.connectionStatusChanged?.disconnect(connected);
    kernel?.statusChanged?.disconnect(changed);
  };
}

/** Keeps the end of the view on the screen if it is there now, so a reader who scrolled up is left alone. */
export function follower(root) {
  let scroller = root.parentElement;
  while (scroller && !/auto|scroll/.test(getComputedStyle(scroller).overflowY)) scroller = scroller.parentElement;
  if (!scroller) return () => {};
  const below = (end = root) => end.getBoundingClientRect().bottom - scroller.getBoundingClientRect().bottom;
  const before = below();
  const isAtEnd = before <= 40 && before > -scroller.clientHeight;
  return (end = root) => {
    const after = below(end);
    if (isAtEnd && after > -8) scroller.scrollTop += after + 8;
  };
}
