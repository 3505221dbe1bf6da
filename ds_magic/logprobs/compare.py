"""Two runs side by side: aligned by bytes, so that different tokens of the same text still meet."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .bounded import Bounded
from .columns import Indices
from .metrics import HasLogprobs, likelihood
from .pictured import Pictured
from .refused import ASK, NotGivenError
from .rows import Token
from .table import LogprobTable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Aligned:
    """A stretch of the shared text that begins and ends between tokens in both runs.

    `a` and `b` are its tokens in either, `logprob_a` and `logprob_b` their sums in nats with bounds, forced and
    constrained tokens too. `difference` is b − a: positive where b was surer.
    """

    start_byte: int
    end_byte: int
    text: str
    a: LogprobTable
    b: LogprobTable
    logprob_a: Bounded
    logprob_b: Bounded

    @property
    def difference(self) -> Bounded:
        """logprob_b − logprob_a in nats; NaN where one of them is not known."""
        return Bounded(self.logprob_b.low - self.logprob_a.high, self.logprob_b.high - self.logprob_a.low, " nats")


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where two runs part: the tokens that differ, and how likely each held the other's (NaN: not returned)."""

    byte: int
    a: int | None
    b: int | None
    b_in_a: float
    a_in_b: float


class Comparison(Pictured):
    """What two runs share, where they part, and how their probabilities differ on the shared part.

    `shared`: the stretches they share. `divergence`: where they part, None where they say the same.
    `rest_a`, `rest_b`: the tokens from there on. Iterating gives the shared stretches.
    """

    def __init__(self, a: LogprobTable, b: LogprobTable, names: tuple[str, str] = ("a", "b")) -> None:
        self.a, self.b, self.names = a, b, names
        ends_a, ends_b = _ends(a), _ends(b)
        same = _common(b"".join(a.bytes), b"".join(b.bytes))
        self.shared = tuple(_stretches(a, b, ends_a, ends_b, same))
        done_a = sum(len(stretch.a) for stretch in self.shared)
        done_b = sum(len(stretch.b) for stretch in self.shared)
        self.rest_a, self.rest_b = a[done_a:], b[done_b:]
        self.divergence = _divergence(a, b, done_a, done_b, same)

    def __iter__(self) -> Iterator[Aligned]:
        return iter(self.shared)

    def __len__(self) -> int:
        return len(self.shared)

    def to_pandas(self) -> pd.DataFrame:
        """One row a shared stretch, then one a token of either rest.

        Columns: `part` (shared, or a run's name), `text`, `label` (how it is shown), `tokens_a`, `tokens_b`,
        `logprob_a`, `logprob_b`, `difference` (nats, b − a; on the shared part only; NaN unless exact).
        """
        import pandas as pd

        rows = [
            {
                "part": "shared",
                "text": stretch.text,
                "label": "".join(stretch.a.label),
                "tokens_a": len(stretch.a),
                "tokens_b": len(stretch.b),
                "logprob_a": _exact(stretch.logprob_a),
                "logprob_b": _exact(stretch.logprob_b),
                "difference": _exact(stretch.difference),
            }
            for stretch in self.shared
        ]
        for name, side, rest in zip(self.names, "ab", (self.rest_a, self.rest_b), strict=True):
            other = "b" if side == "a" else "a"
            rows += [
                {
                    "part": name,
                    "text": row.text,
                    "label": row.label,
                    f"tokens_{side}": 1,
                    f"tokens_{other}": 0,
                    f"logprob_{side}": row.logprob,
                    f"logprob_{other}": math.nan,
                    "difference": math.nan,
                }
                for row in rest
            ]
        names = ("part", "text", "label", "tokens_a", "tokens_b", "logprob_a", "logprob_b", "difference")
        return pd.DataFrame(rows, columns=names)


def compare(
    a: HasLogprobs | LogprobTable, b: HasLogprobs | LogprobTable, *, names: tuple[str, str] = ("a", "b")
) -> Comparison:
    """Two answers (or tables) side by side. Raises NotGivenError where one has no logprobs."""
    left, right = (each if isinstance(each, LogprobTable) else each.logprobs for each in (a, b))
    if not (isinstance(left, LogprobTable) and isinstance(right, LogprobTable)):
        raise NotGivenError("Both answers need token probabilities.", ASK)
    return Comparison(left, right, names)


def _ends(table: LogprobTable) -> Indices:
    return np.cumsum([0, *map(len, table.bytes)])


def _common(a: bytes, b: bytes) -> int:
    """How many leading bytes are the same."""
    n = min(len(a), len(b))
    differs = np.flatnonzero(np.frombuffer(a[:n], np.uint8) != np.frombuffer(b[:n], np.uint8))
    return int(differs[0]) if len(differs) else n


def _stretches(
    a: LogprobTable, b: LogprobTable, ends_a: Indices, ends_b: Indices, same: int
) -> Iterator[Aligned]:
    """Pairs of token ranges with the same bytes. A token without bytes goes with what stands before it."""
    meeting = np.intersect1d(ends_a, ends_b)
    meeting = meeting[meeting <= same]
    i = j = 0
    for start, end in zip(meeting[:-1].tolist(), meeting[1:].tolist(), strict=True):
        next_i = int(np.searchsorted(ends_a, end, side="left"))
        next_j = int(np.searchsorted(ends_b, end, side="left"))
        left, right = a[i:next_i], b[j:next_j]
        yield Aligned(start, end, "".join(left.text), left, right, _sum(left), _sum(right))
        i, j = next_i, next_j
    both_end = i < len(a) and j < len(b) and not a.bytes[i] and not b.bytes[j]
    if both_end:
        yield Aligned(same, same, "", a[i : i + 1], b[j : j + 1], _sum(a[i : i + 1]), _sum(b[j : j + 1]))


def _sum(part: LogprobTable) -> Bounded:
    """Σℓ of all tokens, forced ones too: a fork's shared part is forced, and still has its parent's numbers."""
    free = part.take(np.arange(len(part)))
    free.forced = np.zeros(len(part), bool)
    sum_ = likelihood(free)
    if sum_.tokens < len(part):
        return Bounded(math.nan, math.nan, " nats", sum_.tokens, sum_.censored, sum_.left_out)
    return sum_.bounded(sum_.lower, sum_.upper, " nats")


def _divergence(a: LogprobTable, b: LogprobTable, i: int, j: int, same: int) -> Divergence | None:
    if i >= len(a) and j >= len(b):
        return None
    left = a[i] if i < len(a) else None
    right = b[j] if j < len(b) else None
    return Divergence(
        same,
        None if left is None else left.position,
        None if right is None else right.position,
        _share(left, right),
        _share(right, left),
    )


def _share(row: Token | None, other: Token | None) -> float:
    """How likely `row`'s place held the token of `other`."""
    if row is None or other is None:
        return math.nan
    return next((one.prob for one in row.alternatives if one.bytes == other.bytes), math.nan)


def _exact(measure: Bounded) -> float:
    return math.nan if measure.value is None else measure.value
