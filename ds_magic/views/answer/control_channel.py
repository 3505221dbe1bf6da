"""What a page asks while a cell runs: a kernel reads its control channel in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

KIND = "kernel_info_request"
"""The kind of the message: every kernel answers it, and neither the server nor JupyterLab takes it for work, so that
a kernel that was asked is not shown as idle while its cell still runs. What is asked stands in it beside."""

_listeners: dict[str, Callable[[str, bool], None]] = {}
_usual: Any = None


def listen(mark: str, listener: Callable[[str, bool], None]) -> bool:
    """Have `listener` called when a page asks, from another thread; whether it can be.

    It is given what is asked, "whole" or "stop", and whether it is asked of the answer `mark` by name.
    """
    global _usual
    handlers = _handlers()
    if handlers is None or KIND not in handlers:
        return False
    if handlers[KIND] is not _heard:
        _usual, handlers[KIND] = handlers[KIND], _heard
    _listeners[mark] = listener
    return True


def forget(mark: str) -> None:
    """Hear no more questions about an answer."""
    _listeners.pop(mark, None)


def leave() -> None:
    """Leave the channel as it was."""
    handlers = _handlers()
    if handlers is not None and handlers.get(KIND) is _heard:
        handlers[KIND] = _usual


def _handlers() -> dict[str, Any] | None:
    """Of ipykernel: its handlers by the kind of message; other kernels have none."""
    from IPython import get_ipython

    handlers = getattr(getattr(get_ipython(), "kernel", None), "control_handlers", None)
    return handlers if isinstance(handlers, dict) else None


def _heard(stream: Any, idents: Any, message: dict[str, Any]) -> Any:
    asked = message["content"].get("ds_magic")
    if isinstance(asked, dict):
        for mark, listener in list(_listeners.items()):
            listener(asked.get("asks", ""), mark in asked.get("marks", ()))
    return _usual(stream, idents, message)
