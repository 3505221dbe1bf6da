"""One call a little later, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Soon:
    """Calls `action` when its time has come, although the main thread is blocked in a read.

    One thread for many calls: a `threading.Timer` would be a new one for each.
    """

    def __init__(self, action: Callable[[], None]):
        self._action = action
        self._changed = threading.Condition()
        self._due: float | None = None
        self._thread: threading.Thread | None = None
        self._is_over = False

    @property
    def is_set(self) -> bool:
        """Whether a call is due."""
        return self._due is not None

    def at(self, due: float) -> None:
        """Call at `due`, by `time.monotonic`."""
        with self._changed:
            self._due = due
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="ds_magic-soon")
                self._thread.start()
            self._changed.notify()

    def end(self) -> None:
        """No more calls."""
        with self._changed:
            self._is_over = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._is_over and (self._due is None or time.monotonic() < self._due):
                    self._changed.wait(None if self._due is None else max(0.0, self._due - time.monotonic()))
                if self._is_over:
                    return
                self._due = None
            self._action()
