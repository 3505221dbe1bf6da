"""What was spent: the tokens of every answer that a client of this process was given, by model and place."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from .usage import Usage

PER = 1_000_000
"""Prices are for this many tokens."""


@dataclass
class Sums:
    """The sums of one model; None what its server never told. `uncounted`: answers without any figures."""

    answers: int = 0
    prompt: int = 0
    cached: int | None = None
    completion: int = 0
    reasoning: int | None = None
    uncounted: int = 0

    def cost(self, prices: Mapping[str, float] | None) -> float | None:
        """The cost by prices for a million tokens: "input", "output" and, if cached ones cost less, "cached".

        None where no prices are set or where not everything was counted.
        """
        if not prices or self.uncounted or "input" not in prices or "output" not in prices:
            return None
        cached = self.cached or 0
        price_of_cached = prices.get("cached", prices["input"])
        of_prompts = (self.prompt - cached) * prices["input"] + cached * price_of_cached
        return (of_prompts + self.completion * prices["output"]) / PER


class UsageLog:
    """What was used, by model and place. It may be added to from several threads."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str, str], Sums] = {}
        self._lock = threading.Lock()

    def add(self, model: str | None, place: str | None, usage: Usage | None) -> None:
        """Add one answer of `model` at `place`, with the figures that came with it."""
        with self._lock:
            sums = self.sums.setdefault((model or "unknown model", place or ""), Sums())
            sums.answers += 1
            if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
                sums.uncounted += 1
                return
            sums.prompt += usage.prompt_tokens
            sums.completion += usage.completion_tokens
            if usage.cached_tokens is not None:
                sums.cached = (sums.cached or 0) + usage.cached_tokens
            if usage.reasoning_tokens is not None:
                sums.reasoning = (sums.reasoning or 0) + usage.reasoning_tokens

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self.sums.clear()


SPENT = UsageLog()
"""That of this process: a cell, a fork, `ask`, a client of one's own, whatever asks, is answered through a client."""
