"""Stop: what ends an answer from any thread, and what two Ctrl-C's within a second mean."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any, Protocol
from weakref import WeakSet

TWICE_SECONDS = 1.0
"""Two interrupts within this many seconds mean "stop everything", also a Run All."""

_last_interrupt = float("-inf")


class Closable(Protocol):
    """What a Stop can end: a stream, an exchange, a wait."""

    def close(self) -> None:
        """End it at once, from any thread; nothing where it is over."""


class Stop:
    """Ends what it holds, at once and for good: `set()` from any thread, as often as one likes.

    A request that is given a Stop which is set already is not sent.
    """

    def __init__(self) -> None:
        self._is_set = threading.Event()
        self._lock = threading.Lock()
        self._held: WeakSet[Closable] = WeakSet()

    @property
    def is_set(self) -> bool:
        """Whether somebody has said so."""
        return self._is_set.is_set()

    def set(self) -> None:
        """End what is held now, and whatever will be."""
        with self._lock:
            self._is_set.set()
            held = list(self._held)
        for each in held:
            each.close()

    def hold(self, what: Closable) -> None:
        """Close `what` when this is set; at once where it is. What nobody else needs any more is let go."""
        with self._lock:
            self._held.add(what)
            is_set = self.is_set
        if is_set:
            what.close()

    def __repr__(self) -> str:
        return f"<Stop: {'set' if self.is_set else 'not set'}>"


def told_apart(stop: Any, fields: Mapping[str, Any]) -> tuple[Stop | None, dict[str, Any]]:
    """The Stop that `stop` is, and the request fields with the stop strings that it is otherwise."""
    if stop is None or isinstance(stop, Stop):
        return stop, dict(fields)
    return None, {**fields, "stop": stop}


@contextlib.contextmanager
def interrupts_heard(first: Callable[[], None]) -> Iterator[None]:
    """While it lasts, a first Ctrl-C calls `first` rather than breaking off whatever the main thread is at.

    `first` runs between any two of its steps, and must take no lock. The second within a second is raised as ever; so
    is the first in other threads than the main one, and where something else than Python's own handler is installed.
    """
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def heard(number: int, frame: FrameType | None) -> None:
        if (again := second_interrupt(KeyboardInterrupt())) is not None:
            raise again
        first()

    signal.signal(signal.SIGINT, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def second_interrupt(interrupt: KeyboardInterrupt) -> KeyboardInterrupt | None:
    """None for a first Ctrl-C, which ends one answer; the second within a second, to be raised.

    Python raises a KeyboardInterrupt in the main thread only, so there is one clock for them.
    """
    global _last_interrupt
    previous, _last_interrupt = _last_interrupt, time.monotonic()
    return interrupt if _last_interrupt - previous < TWICE_SECONDS else None
