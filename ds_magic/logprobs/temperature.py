"""What the same distribution would be at another temperature, with bounds for what was not returned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .columns import ByteStrings, Column, Counts, Flags, Indices, Nats, Shares, Texts, labels_of
from .distribution import rest_bounds, whole_atoms
from .glyphs import label
from .pictured import Pictured
from .refused import NotGivenError

if TYPE_CHECKING:
    import pandas as pd

    from .table import LogprobTable


@dataclass(frozen=True, slots=True)
class TemperedAlternative:
    """One alternative at a temperature: its share lies between `low` and `high` (0 … 1); `prob` is as sent."""

    position: int
    rank: int
    token: str
    bytes: bytes
    prob: float
    low: float
    high: float
    chosen: bool

    @property
    def label(self) -> str:
        """The token with its white space visible."""
        return label(self.token, self.bytes)


class TemperedTable(Pictured):
    """The alternatives of every token at temperature T: p^(1/T), renormalised.

    Columns as AlternativeTable's `position, rank, token, bytes, prob, chosen`, with `low` and `high`, the
    bounds of the share at T. One value a token: `rest_low`, `rest_high`, the share of all that was not
    returned. A chosen token outside the alternatives counts as returned and has no row. Numbers are taken
    as from before temperature, as DeepSeek and llama.cpp send them.
    """

    position: Indices
    rank: Counts
    token: Texts
    bytes: ByteStrings
    prob: Shares
    chosen: Flags
    low: Shares
    high: Shares
    rest_low: Shares
    rest_high: Shares

    def __init__(self, table: LogprobTable, temperature: float) -> None:
        if not temperature >= 0:
            raise NotGivenError(f"A temperature is 0 or more, not {temperature!r}.", "Say for example 1.5.")
        self.table, self.temperature = table, temperature
        long = table.alternatives()
        for name in ("position", "rank", "token", "bytes", "prob", "chosen"):
            setattr(self, name, getattr(long, name))
        self.low, self.high, self.rest_low, self.rest_high = _bounds(table, temperature)

    def __len__(self) -> int:
        return len(self.rank)

    def at(self, position: int) -> list[TemperedAlternative]:
        """The alternatives of the token at this position, the likeliest first."""
        return [self._row(index) for index in np.flatnonzero(self.position == position).tolist()]

    def __iter__(self) -> Iterator[TemperedAlternative]:
        return (self._row(index) for index in range(len(self)))

    def _row(self, index: int) -> TemperedAlternative:
        return TemperedAlternative(
            int(self.position[index]),
            int(self.rank[index]),
            self.token[index],
            self.bytes[index],
            float(self.prob[index]),
            float(self.low[index]),
            float(self.high[index]),
            bool(self.chosen[index]),
        )

    def to_pandas(self) -> pd.DataFrame:
        """Columns `position, rank, token, label, prob, low, high, chosen`."""
        import pandas as pd

        frame = pd.DataFrame({name: getattr(self, name) for name in ("position", "rank", "token")})
        frame["label"] = labels_of(self.token, self.bytes)
        return frame.assign(prob=self.prob, low=self.low, high=self.high, chosen=self.chosen)


def _bounds(table: LogprobTable, temperature: float) -> tuple[Shares, Shares, Shares, Shares]:
    """Bounds of each alternative's share and of the rest's.

    With q the probabilities that were not returned, Σq = r and q ≤ p_k, the sum Σ q^(1/T) lies between its
    value for the rest in as few tokens as may be and that for the rest spread over the vocabulary (which of
    the two is less turns at T = 1). It grows with r, which itself lies between bounds. Work is relative to p₁,
    so that small T does not underflow.
    """
    rows, logprobs = table._alternative_rows, table._alternative_logprobs
    n_tokens = len(table)
    if temperature == 0:
        return _greedy(table)
    beta = 1 / temperature
    first, least = np.full(n_tokens, np.nan), np.full(n_tokens, np.nan)
    has, starts, k = table.n_alternatives > 0, table._alternative_starts[:-1], table.n_alternatives
    first[has] = logprobs[starts[has]]
    least[has] = logprobs[(starts + k - 1)[has]]
    listed = np.bincount(rows[table._chosen], minlength=n_tokens) > 0
    outside = ~listed & (table.status == "exact")

    weight = np.exp(beta * (logprobs - first[rows]))
    known = np.bincount(rows, weights=np.nan_to_num(weight), minlength=n_tokens).astype(float)
    known += np.where(outside, np.nan_to_num(np.exp(beta * (table.logprob - first))), 0.0)

    least_p, size = np.exp(least), table.vocabulary_size
    others = np.full(n_tokens, np.inf) if size is None else np.maximum(0, size - k - outside)
    rests = rest_bounds(table.top_mass, least_p, others)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        in_few, in_many = zip(*(powers(rest, first, least_p, others, beta) for rest in rests), strict=True)
        least_rest, most_rest = np.minimum(in_few[0], in_many[0]), np.maximum(in_few[1], in_many[1])
        low = weight / (known + most_rest)[rows]
        high = weight / (known + least_rest)[rows]
        rest_low = least_rest / (known + least_rest)
        rest_high = np.where(np.isinf(most_rest), 1.0, most_rest / (known + most_rest))
    unknown = ~has
    rest_low[unknown] = rest_high[unknown] = np.nan
    return low, high, rest_low, rest_high


def powers(
    rest: Shares, first: Nats, least_p: Shares, others: Column[Any], beta: float
) -> tuple[Column[Any], Column[Any]]:
    """Σ (q/p₁)^β of a rest in as few tokens as may be, and of one spread over the vocabulary."""
    p = np.exp(first)
    if beta == 1:
        return rest / p, rest / p
    atoms, remainder = whole_atoms(rest, least_p)
    few = atoms * (least_p / p) ** beta + (remainder / p) ** beta
    unknown = 0.0 if beta > 1 else np.inf  # the limit of ever more tokens
    spread = np.where(np.isinf(others), unknown, others * (rest / np.maximum(1, others) / p) ** beta)
    return few, np.where(rest > 0, spread, 0.0)


def _greedy(table: LogprobTable) -> tuple[Shares, Shares, Shares, Shares]:
    """Temperature 0: the likeliest token is taken; tokens that tie share it."""
    rows, logprobs = table._alternative_rows, table._alternative_logprobs
    first = np.full(len(table), np.nan)
    has = table.n_alternatives > 0
    first[has] = logprobs[table._alternative_starts[:-1][has]]
    best = logprobs == first[rows]
    count = np.bincount(rows[best], minlength=len(table))
    share = np.where(best, 1 / np.maximum(1, count)[rows], 0.0)
    share[np.isnan(logprobs)] = np.nan
    rest = np.where(has, 0.0, np.nan)
    return share, share.copy(), rest, rest.copy()
