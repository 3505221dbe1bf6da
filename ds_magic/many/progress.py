"""Progress: how far many requests are, what they took, and how long the rest may take."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from ..views.many.captions import progress_text

if TYPE_CHECKING:
    from ..conversation.turn import Audience
    from .row import Row


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: rows `done` (of them `failed`) of `total` (None: not known), `in_flight`, of at most `allowed`.

    `tokens` were spent in `seconds`. `paused`: seconds until something may begin again, 0 where there is no pause,
    and `reason` is why. `plan`, `cost` and `changed`: what is asked, what it costs, and what is other than in the
    journal, in words; empty where there is nothing to say.
    """

    total: int | None
    done: int = 0
    failed: int = 0
    in_flight: int = 0
    allowed: int = 0
    tokens: float = 0.0
    seconds: float = 0.0
    paused: float = 0.0
    reason: str = ""
    plan: str = ""
    cost: str = ""
    changed: str = ""

    @property
    def rate(self) -> float:
        """Rows a second so far."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> tuple[float, float] | None:
        """The seconds that the rest may take, at least and at most; None where nobody can say yet.

        What n rows took tells the pace to within a share of 1 / √n.
        """
        if self.total is None or self.done < 4 or not self.rate:
            return None
        likely, share = (self.total - self.done) / self.rate, 1 / math.sqrt(self.done)
        return self.paused + likely / (1 + share), self.paused + likely / (1 - share)

    def __str__(self) -> str:
        return progress_text(self)


class Listener(Protocol):
    """Whoever is told how far it is: before it starts, after each row, and where a pause begins."""

    def progress(self, progress: Progress) -> None:
        """So far it is."""

    def close(self) -> None:
        """It is over; called once, whatever happened."""


class Watcher(Protocol):
    """Whoever is shown what runs; without one nothing is kept of it before it is done."""

    def begun(self, number: int, factors: Mapping[str, Any]) -> Audience:
        """The row of this number is asked, for the first time or again; gives whom its answer is shown to."""

    def ended(self, number: int, row: Row) -> None:
        """It is done."""


class Nobody:
    """Is told, and does nothing."""

    def progress(self, progress: Progress) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class ProgressLine:
    """What is to be asked, and below it one line of a terminal, written over itself some ten times a second."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._clock = out, clock
        self._next = -math.inf
        self._latest: Progress | None = None
        self._plan = ""

    def progress(self, progress: Progress) -> None:
        """Write it, where the last is old enough or a pause begins."""
        self._latest = progress
        if progress.plan and not self._plan:
            self._plan = progress.plan
            self._out.write("".join(f"{said}\n" for said in (self._plan, progress.changed) if said))
        if self._clock() >= self._next or progress.paused:
            self._next = self._clock() + 0.1
            self._write(progress)

    def close(self) -> None:
        """The last figures, and the end of the line."""
        if self._latest is not None:
            self._write(self._latest)
            self._out.write("\n")
            self._out.flush()

    def _write(self, progress: Progress) -> None:
        self._out.write(f"\r\x1b[2K{progress}")
        self._out.flush()


def listening(out: TextIO) -> Listener:
    """A line of progress in a terminal; nobody elsewhere."""
    return ProgressLine(out) if getattr(out, "isatty", lambda: False)() else Nobody()
