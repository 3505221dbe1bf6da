"""How fast a server may be asked: what is in flight, what it refuses, and what the user allows."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ..api.errors import InvalidRequestError

START = 8
MOST = 64
"""Requests in flight at first, and at most, where nobody says a number."""

AT_HOME = 4
"""Requests in flight at the embedded server, which has so many places: others of its kernels ask it, too."""

_MINUTE = 60.0


@dataclass(frozen=True)
class Limits:
    """What many requests may take; None is no limit.

    `concurrency`: requests in flight, at first and at most (without it 8 at first and 64 at most). `in_flight`: at
    most, where that is to be more than at first. `requests_per_minute`, `tokens_per_minute`: of what is begun and of
    what was spent in the last 60 seconds. `token_budget`: tokens after which nothing new is begun; what runs by then
    ends. Raises InvalidRequestError for what is no number above 0.
    """

    concurrency: int | None = None
    in_flight: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    token_budget: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            is_whole = name in ("concurrency", "in_flight")
            kinds = int if is_whole else int | float
            if value is not None and (isinstance(value, bool) or not isinstance(value, kinds) or not value >= 1):
                raise InvalidRequestError(
                    f"`{name}` is {value!r:.60}, and must be a {'whole ' * is_whole}number, 1 or more.",
                    field=name, value=value,
                    remedy=f"Leave `{name}` out where there is no limit.",
                )

    @property
    def first(self) -> int:
        """Requests in flight at first."""
        return min(self.concurrency or START, self.most)

    @property
    def most(self) -> int:
        """Requests in flight at most."""
        return int(self.in_flight or self.concurrency or MOST)


class Pace:
    """Says when one more request may begin. It belongs to the thread that begins them.

    `allowed`: how many may be in flight by now: one more for each `allowed` answers, half as many where the server
    refuses. What was in flight at a refusal and is refused as well halves it no further. `clock` gives seconds.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self.allowed = float(limits.first)
        self.in_flight = 0
        self.spent = 0.0
        self.answers = 0
        self._begun: deque[float] = deque()
        self._costs: deque[tuple[float, float]] = deque()
        self._cost_of_minute = 0.0
        self._paused_until = self._refused_at = -math.inf

    @property
    def now(self) -> float:
        """The time by the clock."""
        return self._clock()

    @property
    def paused(self) -> float:
        """Seconds for which nothing may begin; 0 where there is no pause."""
        return max(0.0, self._paused_until - self.now)

    @property
    def is_used_up(self) -> bool:
        """Whether the budget is spent: nothing new may begin any more."""
        return self._limits.token_budget is not None and self.spent >= self._limits.token_budget

    def wait(self) -> float:
        """Seconds until one more request may begin; infinite where an answer has to come first."""
        if self.is_used_up or self.in_flight >= int(self.allowed):
            return math.inf
        limits, now = self._limits, self.now
        expected = (self.in_flight + 1) * (self.spent / self.answers if self.answers else 0.0)
        if self.in_flight and limits.token_budget is not None and self.spent + expected > limits.token_budget:
            return math.inf
        while self._begun and self._begun[0] <= now - _MINUTE:
            self._begun.popleft()
        while self._costs and self._costs[0][0] <= now - _MINUTE:
            self._cost_of_minute -= self._costs.popleft()[1]
        waits = [self._paused_until - now]
        if limits.requests_per_minute is not None and len(self._begun) >= limits.requests_per_minute:
            waits.append(self._begun[0] + _MINUTE - now)
        if limits.tokens_per_minute is not None and self._cost_of_minute + expected > limits.tokens_per_minute:
            if self._costs:
                waits.append(self._costs[0][0] + _MINUTE - now)
            elif self.in_flight:
                return math.inf
        return max(0.0, *waits)

    def begin(self) -> float:
        """One more request begins; gives the time, which its end is told with."""
        now = self.now
        self.in_flight += 1
        if self._limits.requests_per_minute is not None:
            self._begun.append(now)
        return now

    def ended(self, tokens: float = 0.0, *, answered: bool = False) -> None:
        """A request is over, and took so many tokens."""
        is_full = self.in_flight >= int(self.allowed)
        self.in_flight -= 1
        self.spent += tokens
        if tokens and self._limits.tokens_per_minute is not None:
            self._costs.append((self.now, tokens))
            self._cost_of_minute += tokens
        if answered:
            self.answers += 1
            if is_full:  # a limit that nobody reached has not been tried
                self.allowed = min(self._limits.most, self.allowed + 1 / self.allowed)

    def refused(self, begun_at: float, *, is_full: bool = True) -> bool:
        """A request failed for a reason that all may meet; `is_full`: the server has too much to do.

        Whether that is news: what began before the last such refusal says no more than that one.
        """
        if begun_at < self._refused_at:
            return False
        self._refused_at = self.now
        if is_full:
            self.allowed = max(1.0, self.allowed / 2)
        return True

    def pause(self, seconds: float) -> None:
        """Let nothing begin for so long; a longer pause stays."""
        self._paused_until = max(self._paused_until, self.now + seconds)
