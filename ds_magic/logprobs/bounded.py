"""A value that knows how far it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .refused import NotGivenError


@dataclass(frozen=True, slots=True)
class Bounded:
    """A measure with its bounds: `low` ≤ the value ≤ `high`, equal where it is known exactly.

    `high` is infinite where nothing bounds it, both are NaN where nothing is known. `tokens` is over how
    many it was taken, `censored` how many of them gave only a bound, `left_out` how many gave nothing or
    were no choice of the model (missing, degenerate, forced, constrained). `str(value)` says it all;
    `float(value)` works only where the value is exact.
    """

    low: float
    high: float
    unit: str = ""
    tokens: int = 0
    censored: int = 0
    left_out: int = 0

    @property
    def exact(self) -> bool:
        """Whether the bounds meet."""
        return self.low == self.high

    @property
    def value(self) -> float | None:
        """The value where it is exact, else None."""
        return self.low if self.exact else None

    def __float__(self) -> float:
        if not self.exact:
            raise NotGivenError(f"Only bounds are known: {self}.", "Use `.low` and `.high`.")
        return float(self.low)

    def __format__(self, spec: str) -> str:
        spec = spec or ".3g"
        if math.isnan(self.low) or math.isnan(self.high):
            return "—"
        low, high = _number(self.low, spec), _number(self.high, spec)
        if self.exact or low == high:
            text = low
        elif math.isinf(self.high):
            text = f"≥ {low}"
        elif self.low == 0:
            text = f"≤ {high}"
        else:
            text = f"{low} – {high}"
        return text + self.unit

    def __str__(self) -> str:
        parts = [format(self)]
        if self.censored:
            parts.append(f"{self.censored:,} token{'s' * (self.censored != 1)} censored")
        if self.left_out:
            parts.append(f"{self.left_out:,} left out")
        return ", ".join(parts)

    def __repr__(self) -> str:
        return str(self)


def _number(value: float, spec: str) -> str:
    if spec == ".3g" and (abs(value) >= 1000 and math.isfinite(value)):
        return f"{value:,.0f}" if value < 1e15 else f"{value:.2e}"
    return format(value, spec)
