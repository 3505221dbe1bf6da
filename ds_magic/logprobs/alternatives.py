"""AlternativeTable: everything that could have stood, in columns; one row an alternative."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from .columns import ByteStrings, Columns, Counts, Flags, Indices, Nats, Shares, Texts
from .rows import ALTERNATIVE_COLUMNS, Alternative, plain, with_label

if TYPE_CHECKING:
    from .table import LogprobTable


class AlternativeTable(Columns):
    """The long form: one row for each alternative of each token, the most likely first.

    Columns: `position, rank, token, label, bytes, logprob` (nats; NaN where no number was returned), `prob,
    cumulative` (0 … 1), `chosen`. A chosen token that was not among the alternatives has no row here.
    """

    __slots__ = ALTERNATIVE_COLUMNS
    _names = with_label(ALTERNATIVE_COLUMNS)

    position: Indices
    rank: Counts
    token: Texts
    bytes: ByteStrings
    logprob: Nats
    prob: Shares
    cumulative: Shares
    chosen: Flags

    def __init__(self, table: LogprobTable) -> None:
        rows = table._alternative_rows
        pairs = [table._vocabulary[code] for code in table._alternative_codes]
        self.position = table.position[rows]
        self.rank = (np.arange(len(rows)) - table._alternative_starts[:-1][rows] + 1).astype(np.int32)
        self.token = [token for token, _ in pairs]
        self.bytes = [token_bytes for _, token_bytes in pairs]
        self.logprob = table._alternative_logprobs
        self.prob = np.exp(self.logprob)
        known = np.nan_to_num(self.prob)
        total = np.concatenate(([0.0], np.cumsum(known)))
        self.cumulative = np.where(np.isnan(self.prob), np.nan, total[1:] - total[table._alternative_starts[:-1][rows]])
        self.chosen = table._chosen

    def __len__(self) -> int:
        return len(self.rank)

    def __getitem__(self, index: int) -> Alternative:
        return Alternative(*(plain(getattr(self, name)[index]) for name in ALTERNATIVE_COLUMNS))

    def __iter__(self) -> Iterator[Alternative]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        return f"AlternativeTable({len(self):,} alternatives of {len(np.unique(self.position)):,} tokens)"


class Alternatives(Sequence[Alternative]):
    """What else could have stood at a place, the most likely first: a sequence whose items are made on demand.

    A slice is a tuple. `logprobs`: all numbers in one array (nats; NaN, at the end, where none was returned).
    """

    __slots__ = ("position", "logprobs", "_vocabulary", "_codes", "_cumulative", "_chosen")

    def __init__(self, table: LogprobTable, index: int) -> None:
        span = slice(int(table._alternative_starts[index]), int(table._alternative_starts[index + 1]))
        self.position = int(table.position[index])
        self.logprobs: Nats = table._alternative_logprobs[span]
        self._vocabulary, self._codes = table._vocabulary, table._alternative_codes[span]
        self._cumulative: Shares = np.cumsum(np.nan_to_num(np.exp(self.logprobs)))
        self._chosen: Flags = table._chosen[span]

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, index: int) -> Alternative: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Alternative, ...]: ...
    def __getitem__(self, index: int | slice) -> Alternative | tuple[Alternative, ...]:
        if isinstance(index, slice):
            return tuple(map(self._one, range(len(self))[index]))
        return self._one(range(len(self))[index])

    def __iter__(self) -> Iterator[Alternative]:
        return map(self._one, range(len(self)))

    def _one(self, at: int) -> Alternative:
        logprob = float(self.logprobs[at])
        token, token_bytes = self._vocabulary[self._codes[at]]
        cumulative = math.nan if logprob != logprob else float(self._cumulative[at])
        return Alternative(
            self.position, at + 1, token, token_bytes, logprob, math.exp(logprob), cumulative, bool(self._chosen[at])
        )

    def top(self, n: int | None = None) -> tuple[Alternative, ...]:
        """The first `n` of those that came with a number, or all of these."""
        known = len(self) - int(np.isnan(self.logprobs).sum())
        return self[: known if n is None else min(n, known)]

    @property
    def chosen(self) -> Alternative | None:
        """The one that was chosen, where it is among them."""
        places = np.flatnonzero(self._chosen)
        return self._one(int(places[0])) if len(places) else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alternatives) and self[:] == other[:]

    def __hash__(self) -> int:
        return hash(self[:])

    def __repr__(self) -> str:
        return repr(self[:])


def only(table: LogprobTable, n: int) -> LogprobTable:
    """The table with the first `n` alternatives of each token; the others are part of what was not returned.

    What was computed of them all, an entropy or a rank, stays as it is.
    """
    counts = np.diff(table._alternative_starts)
    if counts.max(initial=0) <= n:
        return table
    part = table.take(np.arange(len(table)))
    kept = np.arange(len(part._alternative_rows)) - part._alternative_starts[:-1][part._alternative_rows] < n
    lost = ~kept & ~part._chosen  # the chosen token counts as returned, listed or not
    part.rest_mass = part.rest_mass + np.bincount(
        part._alternative_rows[lost], weights=np.nan_to_num(np.exp(part._alternative_logprobs[lost])),
        minlength=len(part),
    )
    part.top_mass = 1 - part.rest_mass
    part.n_alternatives = np.minimum(part.n_alternatives, n).astype(np.int32)
    part._alternative_starts = np.concatenate(([0], np.cumsum(np.minimum(counts, n))))
    for name in ("_alternative_rows", "_alternative_codes", "_alternative_logprobs", "_chosen"):
        setattr(part, name, getattr(part, name)[kept])
    return part
