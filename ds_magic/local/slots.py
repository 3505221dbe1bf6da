"""The engine's places: the best one for a prompt, first come first served, a bounded line."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from .errors import QueueFullError


@dataclass
class Slot:
    """One place, and the tokens that its cache was last filled with."""

    number: int
    tokens: list[int] = field(default_factory=list)


class Slots:
    """`count` places, and room in the line for `waiting` more."""

    def __init__(self, count: int, waiting: int):
        self.count = count
        self.waiting = waiting
        self._idle = [Slot(number) for number in range(count)]
        self._line: deque[asyncio.Future[Slot]] = deque()

    @property
    def busy(self) -> int:
        """Places in use."""
        return self.count - len(self._idle)

    @property
    def queued(self) -> int:
        """Requests in the line."""
        return len(self._line)

    def check_line(self) -> None:
        """Raise QueueFullError where one more could not even wait."""
        if not self._idle and self.queued >= self.waiting:
            raise QueueFullError(f"{self.busy} requests are being answered and {self.queued} wait.")

    @asynccontextmanager
    async def take(self, prompt: list[int]) -> AsyncIterator[Slot]:
        """A place for as long as the block lasts: the one whose cache begins most like `prompt`."""
        self.check_line()
        slot = await self._next(prompt)
        try:
            yield slot
        finally:
            self._give_back(slot)

    async def _next(self, prompt: list[int]) -> Slot:
        if self._idle:
            slot = max(self._idle, key=lambda idle: (_common(idle.tokens, prompt), -len(idle.tokens)))
            self._idle.remove(slot)
            return slot
        turn: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was our turn just as we gave up
                self._give_back(turn.result())
            elif turn in self._line:
                self._line.remove(turn)
            raise

    def _give_back(self, slot: Slot) -> None:
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(slot)
                return
        self._idle.append(slot)


def _common(one: list[int], other: list[int]) -> int:
    """How many tokens both begin with."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
