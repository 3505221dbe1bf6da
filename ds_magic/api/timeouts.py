"""Timeouts: how long an answer may take, in whole and in parts."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from .errors import InvalidRequestError

_LONGEST_REFUSAL = 5.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, each None for no limit.

    `connect`: until a connection stands. `idle`: between two reads, also until the first; a server's
    keep-alives begin it anew. The head of an answer, which is short, has it in whole, and the body of a refusal
    5 seconds of it. `total`: from the first try to the end of the answer.
    """

    connect: float | None = 10.0
    idle: float | None = 120.0
    total: float | None = None

    @property
    def refusal(self) -> float:
        """Seconds that the body of a refusal has in whole: what it says is worth no long wait."""
        return min(_LONGEST_REFUSAL, self.idle or _LONGEST_REFUSAL)

    @classmethod
    def of(cls, timeout: Timeouts | float | None) -> Timeouts:
        """`timeout` as Timeouts; a bare number is the total. Raises InvalidRequestError where a time is not > 0."""
        if timeout is None:
            return cls()
        if not isinstance(timeout, Timeouts):
            timeout = cls(total=timeout)
        for seconds in (timeout.connect, timeout.idle, timeout.total):
            if seconds is not None and not (isinstance(seconds, int | float) and 0 < seconds <= threading.TIMEOUT_MAX):
                limit = "a number of seconds greater than 0"
                raise InvalidRequestError(
                    f"`timeout` is {seconds!r}, and must be {limit}.", field="timeout", value=seconds, limit=limit,
                    remedy="Change `timeout`.",
                )
        return timeout
