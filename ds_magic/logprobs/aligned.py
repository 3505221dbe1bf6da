"""Two tables of tokens on the same bytes: the smallest pieces at whose ends both have a boundary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .bounded import Bounded
from .columns import Flags, Indices
from .distribution import CENSORED, EXACT
from .table import LogprobTable


@dataclass(frozen=True, slots=True)
class Aligned:
    """A stretch of the shared text that begins and ends between tokens in both runs, and has no such place inside.

    `a` and `b` are its tokens in either, `logprob_a` and `logprob_b` their sums in nats with bounds, forced tokens
    too; `cuts_a`, `cuts_b` the bytes of the text at which tokens begin inside. `difference` is b − a: positive where b
    was surer. `text`: what it adds to the decoded text, empty where it ends inside a character.
    """

    start_byte: int
    end_byte: int
    text: str
    logprob_a: Bounded
    logprob_b: Bounded
    cuts_a: tuple[int, ...] = ()
    cuts_b: tuple[int, ...] = ()
    _tables: tuple[LogprobTable, LogprobTable] = field(repr=False, kw_only=True)
    _tokens: tuple[range, range] = field(repr=False, kw_only=True)

    @property
    def a(self) -> LogprobTable:
        """Its tokens in the first run."""
        return self._tables[0].take(self._tokens[0])

    @property
    def b(self) -> LogprobTable:
        """Its tokens in the second run."""
        return self._tables[1].take(self._tokens[1])

    @property
    def tokens(self) -> tuple[int, int]:
        """How many tokens it has in either."""
        return len(self._tokens[0]), len(self._tokens[1])

    @property
    def starts(self) -> tuple[int, int]:
        """The number of its first token in either."""
        return self._tokens[0].start, self._tokens[1].start

    @property
    def n_bytes(self) -> int:
        """How long it is; 0 of the tokens that end both."""
        return self.end_byte - self.start_byte

    @property
    def difference(self) -> Bounded:
        """logprob_b − logprob_a in nats; NaN where nothing is known of one of them."""
        return Bounded(self.logprob_b.low - self.logprob_a.high, self.logprob_b.high - self.logprob_a.low, " nats")


class Sums:
    """Σℓ of any tokens of a table, in nats, each sum rounded once: the same whatever they are grouped by.

    Forced tokens count: a fork's shared part is forced, and still has its parent's numbers. A token of which nothing
    is known has p ≤ 1 and no lower bound, a censored one its own bound. An entry that the server merged from the
    tokens of a character has the number of the last part, and is no likelier than that.
    """

    def __init__(self, table: LogprobTable) -> None:
        exact = table.status == EXACT
        merged = merged_entries(table)
        self._censored = (table.status == CENSORED).tolist()
        self._known = (exact | (table.status == CENSORED)).tolist()
        self._upper: list[float] = np.where(exact, table.logprob, np.nan_to_num(table.logprob_upper, nan=0.0)).tolist()
        self._lower: list[float] = np.where(exact & ~merged, table.logprob, -np.inf).tolist()

    def of(self, tokens: range) -> Bounded:
        """The sum over a range of tokens; NaN where nothing is known of any of them."""
        span = slice(tokens.start, tokens.stop)
        known = sum(self._known[span])
        low, high = (math.fsum(self._lower[span]), math.fsum(self._upper[span])) if known else (math.nan, math.nan)
        return Bounded(low, high, " nats", known, sum(self._censored[span]), len(tokens) - known)


def merged_entries(table: LogprobTable) -> Flags:
    """Which entries are whole characters that the server merged from several tokens, with the numbers of the last."""
    merged = np.zeros(len(table), bool)
    for index in np.flatnonzero(table._chosen).tolist():
        row = int(table._alternative_rows[index])
        merged[row] = table._vocabulary[table._alternative_codes[index]][1] != table.bytes[row]
    return merged


def byte_starts(table: LogprobTable) -> Indices:
    """The byte at which each token begins, and behind the last of them where they end."""
    return np.cumsum([0, *map(len, table.bytes)])


def common(a: bytes, b: bytes) -> int:
    """How many leading bytes are the same."""
    n = min(len(a), len(b))
    differs = np.flatnonzero(np.frombuffer(a[:n], np.uint8) != np.frombuffer(b[:n], np.uint8))
    return int(differs[0]) if len(differs) else n


def stretches(a: LogprobTable, b: LogprobTable, same: int) -> tuple[Aligned, ...]:
    """The pieces of the first `same` bytes, as far as both tables have a boundary.

    A token without bytes goes with the token that it stands before; those that nothing follows are the end of an
    answer, and a piece of their own where both texts are over.
    """
    starts_a, starts_b = byte_starts(a), byte_starts(b)
    meeting = np.intersect1d(starts_a, starts_b)
    meeting = meeting[meeting <= same]
    at_a, at_b = (np.searchsorted(starts, meeting, side="left").tolist() for starts in (starts_a, starts_b))
    places: list[int] = meeting.tolist()
    if same == starts_a[-1] == starts_b[-1] and at_a[-1] < len(a) and at_b[-1] < len(b):
        places.append(same)
        at_a.append(len(a))
        at_b.append(len(b))
    sums, starts = (Sums(a), Sums(b)), (starts_a.tolist(), starts_b.tolist())
    found = []
    for start, end, i, next_i, j, next_j in zip(
        places[:-1], places[1:], at_a[:-1], at_a[1:], at_b[:-1], at_b[1:], strict=True
    ):
        tokens = range(i, next_i), range(j, next_j)
        found.append(Aligned(
            start, end, "".join(a.text[i:next_i]), sums[0].of(tokens[0]), sums[1].of(tokens[1]),
            *(_cuts(starts[side], tokens[side], start) for side in (0, 1)), _tables=(a, b), _tokens=tokens,
        ))
    return tuple(found)


def _cuts(starts: Sequence[int], tokens: range, start: int) -> tuple[int, ...]:
    """Where tokens begin inside a piece, in bytes from its start."""
    return tuple(dict.fromkeys(starts[index] - start for index in tokens if starts[index] > start))
