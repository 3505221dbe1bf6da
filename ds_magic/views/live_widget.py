"""The widget of the live view: what the browser is told once, and the messages it is sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anywidget
import traitlets

HERE = Path(__file__).parent
VIEW_TYPE = "application/vnd.jupyter.widget-view+json"


class LiveWidget(anywidget.AnyWidget):
    """Shows a stream. Its text travels in custom messages, in order; nothing of it is kept as state."""

    _esm = HERE / "live.js"
    _css = HERE / "live.css"

    about = traitlets.Dict(help="backend, model, kernel, in_background").tag(sync=True)
    styles = traitlets.Dict(help="inline styles that the live and the static form share").tag(sync=True)

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
