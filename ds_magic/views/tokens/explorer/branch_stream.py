"""How a branch comes into an explorer, piece by piece."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .nodes import running

FLUSH_SECONDS = 1 / 20


class Into:
    """The observer that hands on an answer's text: the first piece at once, then what waits each 50 ms."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._waiting: list[str] = []
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def start(self, request: Any, backend: str) -> None:
        """Nothing."""

    def event(self, event: Any) -> None:
        """Nothing."""

    def delta(self, delta: Any) -> None:
        """Send it at once, or soon."""
        if not delta.content:
            return
        with self._lock:
            self._waiting.append(delta.content)
            if self._timer is not None:
                return
            self._timer = threading.Timer(FLUSH_SECONDS, self._tick)
            self._timer.daemon = True
            self._timer.start()
        if len(self._waiting) == 1:
            self.flush()

    def _tick(self) -> None:
        with self._lock:
            self._timer = None
        self.flush()

    def flush(self) -> None:
        """Send what waits."""
        with self._lock:
            text, self._waiting = "".join(self._waiting), []
        if text:
            self._send(running(text))

    def finish(self, completion: Any, error: Any) -> None:
        """Send the rest."""
        self.flush()
