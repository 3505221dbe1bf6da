// The kernel behind a playground: asked to stop also while it runs a cell, and whether it runs one.

const KIND = "kernel_info_request"; // a kind that every kernel answers; see control_channel.py

/** The page's connection to the kernel, where it is JupyterLab or Notebook. */
function connection(model) {
  return model.widget_manager?.kernel ?? null;
}

export function isBusy(model) {
  return connection(model)?.status === "busy";
}

/** Asks by the channel that a kernel reads also while a cell runs; where there is none, as all else is asked. */
export function askToStop(model) {
  const mark = model.get("mark");
  const kernel = connection(model);
  if (!model.get("is_asked") || !kernel?.sendControlMessage) return model.send({ type: "stop" });
  const header = {
    msg_id: `${mark}-${Date.now()}-${Math.random()}`,
    msg_type: KIND,
    session: kernel.clientId,
    username: kernel.username,
    version: "5.2",
    date: new Date().toISOString(),
  };
  const content = { ds_magic: { asks: "stop", marks: [mark] } };
  kernel.sendControlMessage({ channel: "control", header, content, parent_header: {}, metadata: {}, buffers: [] }, true);
}
