"""Measures of a whole answer or a stretch of it, each with its bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .bounded import Bounded
from .columns import Indices, Nats, Shares
from .pictured import Pictured

if TYPE_CHECKING:
    import pandas as pd

    from .table import LogprobTable


class HasLogprobs(Protocol):
    """An answer, or whatever else may have a table."""

    @property
    def logprobs(self) -> LogprobTable | None: ...


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Σℓ over the tokens that the model chose, in nats: at most `upper`, at least `lower` (−∞ if censored)."""

    upper: float
    lower: float
    tokens: int
    censored: int
    left_out: int
    n_bytes: int

    def bounded(self, low: float, high: float, unit: str = "") -> Bounded:
        """A measure made from this sum; without any token nothing is known."""
        if not self.tokens:
            low = high = math.nan
        return Bounded(low, high, unit, self.tokens, self.censored, self.left_out)


def likelihood(table: LogprobTable) -> Likelihood:
    """The answer's log-probability. A censored token counts with its bound, without one with p ≤ 1."""
    chosen = ~table.forced & np.isin(table.status, ("exact", "censored"))
    exact = chosen & (table.status == "exact")
    censored = chosen & ~exact
    known = float(table.logprob[exact].sum())
    upper = known + float(np.nan_to_num(table.logprob_upper[censored], nan=0.0).sum())
    sizes = np.fromiter(map(len, table.bytes), np.int64, len(table))
    return Likelihood(
        upper=upper,
        lower=-math.inf if censored.any() else known,
        tokens=int(chosen.sum()),
        censored=int(censored.sum()),
        left_out=int((~chosen).sum()),
        n_bytes=int(sizes[chosen].sum()),
    )


def probability(table: LogprobTable) -> Bounded:
    """exp Σℓ, the probability of choosing all these tokens, 0 … 1."""
    sum_ = likelihood(table)
    return sum_.bounded(math.exp(sum_.lower), math.exp(sum_.upper))


def perplexity(table: LogprobTable) -> Bounded:
    """exp(−Σℓ / T), ≥ 1: among how many equally likely tokens the model chose on average."""
    sum_ = likelihood(table)
    count = max(1, sum_.tokens)
    return sum_.bounded(_exp(-sum_.upper / count), _exp(-sum_.lower / count))


def mean_surprisal(table: LogprobTable) -> Bounded:
    """−Σℓ / (T ln 2), bits a token."""
    sum_ = likelihood(table)
    scale = math.log(2) * max(1, sum_.tokens)
    return sum_.bounded(-sum_.upper / scale + 0.0, -sum_.lower / scale + 0.0, " bits")


def bits_per_byte(table: LogprobTable) -> Bounded:
    """−Σℓ / (ln 2 · bytes): comparable between models with different tokens."""
    sum_ = likelihood(table)
    if not sum_.n_bytes:
        return Bounded(math.nan, math.nan, " bits", 0, sum_.censored, sum_.left_out)
    scale = math.log(2) * sum_.n_bytes
    return sum_.bounded(-sum_.upper / scale + 0.0, -sum_.lower / scale + 0.0, " bits")


def mean_entropy(table: LogprobTable) -> Bounded:
    """The mean of the tokens' entropies in bits, between the means of their bounds."""
    known = ~table.forced & (table.status != "constrained") & ~np.isnan(table.entropy_low)
    left_out = int((~known).sum())
    if not known.any():
        return Bounded(math.nan, math.nan, " bits", 0, 0, left_out)
    low, high = float(table.entropy_low[known].mean()), float(table.entropy_high[known].mean())
    return Bounded(low, high, " bits", int(known.sum()), 0, left_out)


def relative_probability(table: LogprobTable) -> Shares:
    """p / p₁ of each token (GLTR, arXiv 1906.04043): 1 for the likeliest; NaN unless exact."""
    starts = table._alternative_starts[:-1]
    has = table.n_alternatives > 0
    first = np.full(len(table), np.nan)
    first[has] = table._alternative_logprobs[starts[has]]
    relative: Shares = np.exp(table.logprob - first)
    return relative


@dataclass(frozen=True, slots=True, repr=False)
class Windows(Pictured):
    """Sliding confidence: one window of `n` tokens beginning at each `start` (an index of the table).

    `confidence` is the mean of the tokens' −(1/k) Σ ln pᵢ, in nats: high where the model's alternatives were
    far behind, low where it wavered (DeepConf, arXiv 2508.15260). It depends on k, the alternatives
    returned: `k_least` … `k_most`. NaN where no token of the window had any.
    """

    table: LogprobTable
    n: int
    start: Indices
    confidence: Nats
    k_least: int
    k_most: int

    def __len__(self) -> int:
        return len(self.start)

    @property
    def lowest(self) -> LogprobTable:
        """The tokens of the window where the model was least confident; empty where nothing is known."""
        if not len(self) or np.isnan(self.confidence).all():
            return self.table[:0]
        start = int(self.start[np.nanargmin(self.confidence)])
        return self.table[start : start + self.n]

    def to_pandas(self) -> pd.DataFrame:
        """Columns `position, confidence, text`."""
        import pandas as pd

        texts = ["".join(self.table.text[start : start + self.n]) for start in self.start]
        return pd.DataFrame({"position": self.table.position[self.start], "confidence": self.confidence, "text": texts})


def windows(table: LogprobTable, n: int = 16) -> Windows:
    """Sliding confidence over `n` tokens (fewer where the answer is shorter)."""
    n = max(1, min(n, len(table)))
    rows, logprobs = table._alternative_rows, table._alternative_logprobs
    k = table.n_alternatives
    known = (k > 0) & ~table.forced & (table.status != "constrained")
    sums = np.bincount(rows, weights=-np.nan_to_num(logprobs), minlength=len(table))
    confidence = np.where(known, sums / np.maximum(1, k), 0.0)
    total, counted = (np.concatenate(([0.0], np.cumsum(values))) for values in (confidence, known))
    start = np.arange(max(0, len(table) - n + 1) if len(table) else 0)
    size = counted[start + n] - counted[start] if len(start) else start.astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        sliding = (total[start + n] - total[start]) / size if len(start) else size
    least, most = (int(k[known].min()), int(k[known].max())) if known.any() else (0, 0)
    return Windows(table, n, start, sliding, least, most)


def _exp(exponent: float) -> float:
    return math.inf if exponent > 700 else math.exp(exponent)
