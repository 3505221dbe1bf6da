"""What a page asks while a cell runs: a kernel reads its control channel in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

KIND = "update_display_data"
"""The kind of the message. A kernel is never sent one; and neither the server nor JupyterLab takes it for work, so
that a kernel that has answered it is not shown as idle while its cell still runs."""

_listeners: dict[str, Callable[[str], None]] = {}


def listen(display_id: str, listener: Callable[[str], None]) -> bool:
    """Have `listener` called, from another thread, with what a page asks of a display; whether the kernel can."""
    handlers = _handlers()
    if handlers is None or handlers.setdefault(KIND, _heard) is not _heard:
        return False
    _listeners[display_id] = listener
    return True


def forget(display_id: str) -> None:
    """Hear no more questions about a display."""
    _listeners.pop(display_id, None)


def leave() -> None:
    """Leave the channel as it was."""
    handlers = _handlers()
    if handlers is not None and handlers.get(KIND) is _heard:
        del handlers[KIND]


def _handlers() -> dict[str, Any] | None:
    """Of ipykernel: its handlers by the kind of message; other kernels have none."""
    from IPython import get_ipython

    handlers = getattr(getattr(get_ipython(), "kernel", None), "control_handlers", None)
    return handlers if isinstance(handlers, dict) else None


def _heard(stream: Any, idents: Any, message: dict[str, Any]) -> None:
    content = message["content"]
    listener = _listeners.get(content.get("display_id"))
    if listener is not None:
        listener(content.get("asks"))
