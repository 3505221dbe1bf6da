"""Memory that was freed goes back to the system once nothing is going on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Thrift:
    """Gives freed memory back when nothing `happened` for `pauses`, in seconds, unless `is_busy` says otherwise.

    The C library keeps what is freed between other things, for the next time: after answers with the whole vocabulary
    up to 270 MB in the server, and 77 in a kernel that no longer has them. To give that back took 50 ms, and below 1
    ms where there was little. Without an event loop that runs, and with other libraries than glibc, it does nothing.
    """

    def __init__(self, *pauses: float, is_busy: Callable[[], bool] = lambda: False):
        self._pauses = pauses
        self._is_busy = is_busy
        self._awaited: list[asyncio.TimerHandle] = []

    def happened(self, *_: Any) -> None:
        """Something did: each pause begins anew."""
        self.stop()
        with suppress(RuntimeError):  # no loop
            loop = asyncio.get_running_loop()
            self._awaited = [loop.call_later(pause, self._give_back) for pause in self._pauses]

    def stop(self) -> None:
        """Nothing more is given back until something happens."""
        for handle in self._awaited:
            handle.cancel()
        self._awaited = []

    def _give_back(self) -> None:
        if not self._is_busy() and sys.platform == "linux":
            import ctypes

            with suppress(OSError, AttributeError):  # musl has no such function
                ctypes.CDLL(None).malloc_trim(0)
