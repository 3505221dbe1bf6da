"""AlternativeTable: everything that could have stood, in columns; one row an alternative."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

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


def alternatives_at(table: LogprobTable, index: int) -> tuple[Alternative, ...]:
    """What else could have stood at a row, the most likely first."""
    span = slice(int(table._alternative_starts[index]), int(table._alternative_starts[index + 1]))
    logprobs = table._alternative_logprobs[span]
    shared = np.cumsum(np.nan_to_num(np.exp(logprobs)))
    position = int(table.position[index])
    return tuple(
        Alternative(position, rank, token, token_bytes, logprob, math.exp(logprob), cumulative, chosen)
        if logprob == logprob
        else Alternative(position, rank, token, token_bytes, math.nan, math.nan, math.nan, chosen)
        for rank, ((token, token_bytes), logprob, cumulative, chosen) in enumerate(
            zip(
                map(table._vocabulary.__getitem__, table._alternative_codes[span].tolist()),
                logprobs.tolist(),
                shared.tolist(),
                table._chosen[span].tolist(),
                strict=True,
            ),
            1,
        )
    )
