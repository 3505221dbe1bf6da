"""The widget of the live view: what the browser is told once, and the messages it is sent."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ..scripts import joined

HERE = Path(__file__).parent
_SCRIPTS = ("elements.js", "notebook_page.js", "live_answer.js", "live_view.js", "live.js")
_COMMENT = re.compile(r"//|/\*\*.*\*/$")
VIEW_TYPE = "application/vnd.jupyter.widget-view+json"


def _without_comments(text: str) -> str:
    """Without indentation and lines of comment: it travels to the browser with each widget."""
    lines = map(str.strip, text.splitlines())
    return "\n".join(line for line in lines if line and not _COMMENT.match(line))


class LiveWidget(anywidget.AnyWidget):
    """Shows a stream. Its text travels in custom messages, in order; nothing of it is kept as state."""

    _esm = _without_comments(joined(HERE, *_SCRIPTS))
    _css = _without_comments((HERE / "live.css").read_text(encoding="utf-8"))

    about = traitlets.Dict(help="backend, model, kernel, in_background").tag(sync=True)
    styles = traitlets.Dict(help="inline styles that the live and the static form share").tag(sync=True)

    def __init__(self, **state: Any) -> None:
        # The id stands in each message; the usual one is almost three times as long.
        super().__init__(model_id=secrets.token_hex(6), **state)

    def tell(self, message: dict[str, Any]) -> None:
        """Send a custom message, from any thread.

        It is of no cell in particular, which leaves out of each message a copy of the cell's own header:
        a quarter of the traffic.
        """
        comm = self.comm
        kernel = getattr(comm, "kernel", None)
        if kernel is None:
            self.send(message)
            return
        content = {"comm_id": comm.comm_id, "data": {"method": "custom", "content": message}}
        kernel.session.send(kernel.iopub_socket, "comm_msg", content, ident=comm.topic)

    def view_bundle(self) -> dict[str, Any]:
        """The display data of a view alone, without a text that would stand beside it."""
        return {VIEW_TYPE: {"version_major": 2, "version_minor": 0, "model_id": self.model_id}}


def kernel_id() -> str | None:
    """The id under which the Jupyter server knows this kernel, from its connection file; None elsewhere."""
    try:
        from ipykernel.connect import get_connection_file

        name = Path(get_connection_file()).name
    except (ImportError, RuntimeError):
        return None
    found = re.fullmatch(r"kernel-([\w-]+)\.json", name)
    return found and found.group(1)
