"""The engine's places: the best one for a prompt, first come first served, a bounded line."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ..model_failures import QueueFullError


@dataclass
class Slot:
    """One place, and the tokens that its cache was last filled with."""

    number: int
    tokens: list[int] = field(default_factory=list)


class Slots:
    """`count` places, and a line for `waiting` more."""

    def __init__(self, count: int, waiting: int):
        self.count = count
        self.waiting = waiting
        self._idle = [Slot(number) for number in range(count)]
        self._line: deque[tuple[asyncio.Future[Slot], list[int]]] = deque()

    def resize(self, count: int) -> None:
        """Have so many places, before any was taken."""
        self.count = count
        self._idle = [Slot(number) for number in range(count)]

    @property
    def busy(self) -> int:
        """Places in use."""
        return self.count - len(self._idle)

    @property
    def queued(self) -> int:
        """Requests in the line."""
        return sum(not turn.done() for turn, _ in self._line)

    def check_line(self) -> None:
        """Raise QueueFullError where one more could not even wait."""
        if self.queued >= self.waiting and (self.queued or not self._idle):
            raise QueueFullError(f"{self.busy} requests are being answered and {self.queued} wait.")

    @asynccontextmanager
    async def take(self, prompt: list[int]) -> AsyncIterator[Slot]:
        """A place for as long as the block lasts: the one whose cache begins most like `prompt`."""
        self.check_line()
        turn: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        self._line.append((turn, prompt))
        self._serve()
        try:
            slot = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was our turn just as we gave up
                self._give_back(turn.result())
            else:
                self._serve()  # who stood behind may be the first now
            raise
        try:
            yield slot
        finally:
            self._give_back(slot)

    def _serve(self) -> None:
        """Give places to those in front of the line, as long as there are places."""
        while self._line and self._idle:
            turn, prompt = self._line[0]
            if turn.done():  # gave up while it waited
                self._line.popleft()
                continue
            slot = max(self._idle, key=lambda idle: (_common(idle.tokens, prompt), -len(idle.tokens)))
            self._line.popleft()
            self._idle.remove(slot)
            turn.set_result(slot)

    def _give_back(self, slot: Slot) -> None:
        self._idle.append(slot)
        self._serve()


def _common(one: list[int], other: list[int]) -> int:
    """How many tokens both begin with."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
