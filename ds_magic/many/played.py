"""Played: the answer of a recorded exchange, as a client reads an answer, at the pace at which it came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from ..api import errors
from ..api.errors import DeepSeekError
from ..api.recorded import Recorded
from .entry import Entry, Failure

DONE = b"data: [DONE]\n\n"


class Pace:
    """When the pieces of a recording are due: `speed` times as fast as they came, all at once where it is 0.

    `clock` and `wait` (which gives true where the event is set meanwhile) are how the time passes.
    """

    def __init__(
        self,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ):
        self.speed = speed
        self.clock = clock
        self._wait = wait

    def until(self, began: float, ms: int, gone: threading.Event) -> None:
        """Wait until `ms` milliseconds of the recording have passed since `began`, or until somebody is `gone`."""
        if self.speed > 0:
            left = began + ms / 1000 / self.speed - self.clock()
            if left > 0:
                self._wait(gone, min(left, threading.TIMEOUT_MAX))


class Played:
    """A Source that reads a recorded exchange. Its times are those of the recording, whatever the pace."""

    def __init__(self, entry: Entry, url: str, recorded: Recorded, pace: Pace):
        self.url = url
        self.recorded: Recorded | None = recorded
        self.closed = False
        self.was_closed = False
        self.sent_at = pace.clock()
        self.media_type = "application/json" if entry.deltas is None else "text/event-stream"
        self._pace = pace
        self._gone = threading.Event()
        self._ms = 0
        self._entry = entry
        self._pieces = self._played(entry)

    def clock(self) -> float:
        """When what was read last had come."""
        return self.sent_at + self._ms / 1000

    def read(self) -> bytes:
        """The next piece when it is due; b"" at the end. Raises the error that was recorded there."""
        for ms, piece in self._pieces:
            self._pace.until(self.sent_at, ms, self._gone)
            if self._gone.is_set():
                return b""
            self._ms = ms
            if piece:
                return piece
        if self._entry.error is not None and not self.closed:
            raise raised(self._entry.error)
        if self._entry.ended == "interrupted":
            self.close()
        return b""

    def _played(self, entry: Entry) -> Iterator[tuple[int, bytes]]:
        for ms, payload in entry.payloads():
            yield ms, b"".join(b"data: %s\n" % line for line in payload.split(b"\n")) + b"\n"
        if entry.deltas is not None and entry.ended == "whole":
            yield entry.ms, DONE
        yield entry.ms, entry.body_bytes()

    def finish(self, *, whole: bool) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """End it at once, from any thread."""
        self.closed = self.was_closed = True
        self._gone.set()


def raised(failure: Failure) -> DeepSeekError:
    """The error that was recorded."""
    kind = getattr(errors, failure.type, None)
    kind = kind if isinstance(kind, type) and issubclass(kind, DeepSeekError) else DeepSeekError
    return kind(
        failure.message, status=failure.status, remedy=failure.remedy, field=failure.field, code=failure.code
    )


def failure_of(error: DeepSeekError, masked: Callable[[str], str]) -> Failure:
    """An error, to be recorded."""
    return Failure(
        type(error).__name__, masked(error.message), error.status, masked(error.remedy),
        error.field and masked(error.field), masked(error.code) if isinstance(error.code, str) else error.code,
    )
