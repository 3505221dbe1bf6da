"""How often answers are right, against how sure the model was of them: the table of a reliability diagram."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..logprobs.refused import ASK, NotGivenError
from .counts import wilson
from .row import Row

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers of which the model was sure to between `low` and `high`: `n` of them, `right` of those correct."""

    low: float
    high: float
    n: int
    right: int
    confidence: float

    @property
    def share(self) -> float:
        """right / n, 0 … 1."""
        return self.right / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval for the share, at 95 %."""
        return wilson(self.right, self.n)


class Reliability:
    """Bins of answers by how sure the model was, those without any left out; iterating gives them.

    `n` answers, of which `right` are correct; `left_out` had no answer, no probability or no mark. `error`: the mean
    distance between share and confidence, each bin by its number (expected calibration error, arXiv 1706.04599).
    `brier`: the mean of (confidence − right)², 0 … 1.
    """

    def __init__(self, pairs: Sequence[tuple[float, bool]], bins: int, left_out: int) -> None:
        self.left_out, self.n = left_out, len(pairs)
        self.right = sum(right for _, right in pairs)
        self.brier = sum((sure - right) ** 2 for sure, right in pairs) / len(pairs) if pairs else math.nan
        found: dict[int, list[tuple[float, bool]]] = {}
        for sure, right in pairs:
            found.setdefault(min(bins - 1, int(sure * bins)), []).append((sure, right))
        self._bins = tuple(
            Bin(at / bins, (at + 1) / bins, len(each), sum(right for _, right in each),
                sum(sure for sure, _ in each) / len(each))
            for at, each in sorted(found.items())
        )
        self.error = sum(each.n * abs(each.share - each.confidence) for each in self) / self.n if pairs else math.nan

    def __iter__(self) -> Iterator[Bin]:
        return iter(self._bins)

    def __len__(self) -> int:
        return len(self._bins)

    def to_pandas(self) -> pd.DataFrame:
        """A row a bin: `low, high, n, right, confidence, share, share_low, share_high`."""
        import pandas as pd

        names = ("low", "high", "n", "right", "confidence", "share", "share_low", "share_high")
        rows = [(b.low, b.high, b.n, b.right, b.confidence, b.share, *b.interval) for b in self]
        return pd.DataFrame(rows, columns=names)

    def _repr_html_(self) -> str:
        from ..views.many.reliance import reliability_html

        return reliability_html(self)

    def __repr__(self) -> str:
        from ..views.many.reliance import reliability_text

        return reliability_text(self)


def reliable(rows: Sequence[Row], bins: int, of: Callable[[Row], float] | None) -> Reliability:
    """See `Answers.reliability`. Raises NotGivenError where no row has a probability, or none is marked."""
    if rows and all(row.correct is None for row in rows):
        raise NotGivenError(
            "It is not known which answers are right.",
            "Say it: `answers.reliability(correct)`, the name of a factor that holds the right ones, or a function.",
        )
    pairs, left_out = [], 0
    for row in rows:
        sure = (of or _confidence)(row) if row.answer is not None else math.nan
        if sure != sure or row.correct is None:
            left_out += 1
            continue
        pairs.append((min(1.0, max(0.0, float(sure))), row.correct))
    if rows and not pairs:
        raise NotGivenError("None of the answers has a probability.", ASK)
    return Reliability(pairs, max(1, bins), left_out)


def _confidence(row: Row) -> float:
    """The probability of the answer's tokens; of a bounded one the middle is not known, so NaN."""
    measure = row.logprobs.probability if row.logprobs else None
    return math.nan if measure is None or measure.value is None else float(measure.value)
