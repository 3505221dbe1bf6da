"""What two models held of the next bytes at one place, whose tokens need not be the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .bounded import Bounded
from .distribution import EXACT, SOFTMAX_ERROR
from .glyphs import is_end, label
from .pictured import Pictured
from .rows import Token

if TYPE_CHECKING:
    import pandas as pd

    from .table import LogprobTable

MOST_TEXTS = 20
"""Of so many alternatives of either the text is looked at, the likeliest: all that a service sends; a whole vocabulary
holds too many."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A text that may come next, and how likely each of two models was to go on with it.

    `a`, `b`: the probability (0 … 1) that the next bytes are these, whatever follows and in whatever tokens, between
    its bounds. `said_a`, `said_b`: whether it is a token that was said there. No `bytes`: that the answer ends.
    """

    bytes: bytes
    a: Bounded
    b: Bounded
    said_a: bool = False
    said_b: bool = False

    @property
    def label(self) -> str:
        """The text with its white space visible; `⟨end⟩` for an answer that ends."""
        return label("", self.bytes)


class _Candidate(NamedTuple):
    """A token that might have stood at a place, with its probability."""

    bytes: bytes
    prob: float
    was_said: bool
    is_end: bool


class _Step(NamedTuple):
    """What is known of a token that was said: all that might have stood there, and the share of what did not come."""

    bytes: bytes
    candidates: list[_Candidate]
    unseen: float


@dataclass(frozen=True, slots=True, repr=False)
class NextBytes(Pictured):
    """What two models held of the next bytes where both stood behind the same text.

    A token of one may be a part of the other's, so what compares is the probability of a text, not of a token: that of
    all tokens that begin with it is sure; a token that is only its beginning may go on to it or not, as may what was
    not returned, and that makes the bounds. The texts are the likeliest tokens that either returned, twenty at most;
    one may be the beginning of another, and holds it. Iterating gives each Beginning; `next_bytes[" the"]` finds it,
    or says it of any other text.
    """

    beginnings: tuple[Beginning, ...]
    names: tuple[str, str] = ("a", "b")
    _places: tuple[tuple[_Step, ...], tuple[_Step, ...]] = field(default=((), ()), repr=False)

    def __len__(self) -> int:
        return len(self.beginnings)

    def __iter__(self) -> Iterator[Beginning]:
        return iter(self.beginnings)

    def __getitem__(self, text: str | bytes) -> Beginning:
        """What there is to say of any text, one that neither returned too; an empty one is the end."""
        wanted = text.encode("utf-8", "replace") if isinstance(text, str) else text
        found = next((each for each in self.beginnings if each.bytes == wanted), None)
        return found or _beginning(wanted, self._places)

    def to_pandas(self) -> pd.DataFrame:
        """Columns `label, bytes, a_low, a_high, b_low, b_high, said_a, said_b`."""
        import pandas as pd

        columns = ("label", "bytes", "a_low", "a_high", "b_low", "b_high", "said_a", "said_b")
        rows = [
            (each.label, each.bytes, each.a.low, each.a.high, each.b.low, each.b.high, each.said_a, each.said_b)
            for each in self
        ]
        return pd.DataFrame(rows, columns=columns)


def next_bytes(a: Iterable[Token], b: Iterable[Token], names: tuple[str, str] = ("a", "b")) -> NextBytes:
    """The texts that either returned at the first of its tokens; those behind it are what it went on with."""
    rows = tuple(a), tuple(b)
    texts = dict.fromkeys(text for place in rows for row in place[:1] for text in _texts(row))
    places = tuple(map(_step, rows[0])), tuple(map(_step, rows[1]))
    found = [_beginning(text, places) for text in texts]
    found.sort(key=lambda each: (-max(each.a.low, each.b.low), -max(each.a.high, each.b.high), each.bytes))
    return NextBytes(tuple(found), names, places)


def _beginning(text: bytes, places: tuple[tuple[_Step, ...], tuple[_Step, ...]]) -> Beginning:
    a, b = (_chance(text, place) for place in places)
    said_a, said_b = (bool(place) and place[0].bytes == text for place in places)
    return Beginning(text, a, b, said_a, said_b)


def behind(places: tuple[tuple[LogprobTable, int], tuple[LogprobTable, int]], names: tuple[str, str]) -> NextBytes:
    """The same of two tables, each from one of its tokens on: as many as the longest text that came takes."""
    longest = max((len(text) for table, start in places for row in _steps(table, start, 1) for text in _texts(row)),
                  default=0)
    a, b = (_steps(table, start, longest) for table, start in places)
    return next_bytes(a, b, names)


def _steps(table: LogprobTable, start: int, size: int) -> Iterator[Token]:
    """The tokens from `start` on which `size` bytes take, one at the least where there is one."""
    for index in range(start, len(table)):
        yield table[index]
        size -= len(table.bytes[index])
        if size <= 0 or not table.bytes[index]:
            return


def _texts(row: Token) -> list[bytes]:
    """What was said at a place, and what else came there; nothing for its end, and not what spells nothing."""
    came = [(row.token, row.bytes), *((one.token, one.bytes) for one in row.alternatives.top(MOST_TEXTS))]
    return [raw for token, raw in came if raw or is_end(token, raw)]


def _chance(text: bytes, place: Iterable[_Step]) -> Bounded:
    """The probability (0 … 1) that the bytes from a place on are `text`, or that the answer ends there for no bytes.

    Along the tokens that were said, as far as they are a beginning of it, the numbers behind them are known, too. A
    token that was not said and only begins it is open, as is what was not returned.
    """
    reach, sure, open_ = 1.0, [0.0], [0.0]
    for step in place:
        if not step.candidates:
            break
        open_.append(reach * step.unseen)
        said = 0.0
        for raw, prob, was_said, is_end_ in step.candidates:
            if raw.startswith(text) if text else is_end_:
                sure.append(reach * prob)
            elif text.startswith(raw) and not is_end_:
                if was_said and raw:
                    said = reach * prob
                else:
                    open_.append(reach * prob)
        text, reach = text[len(step.bytes) :], said
        if not reach:
            return _bounded(sure, open_)
    return _bounded(sure, [*open_, reach])


def _bounded(sure: list[float], open_: list[float]) -> Bounded:
    low = min(1.0, math.fsum(sure))
    return Bounded(low, min(1.0, math.fsum((*sure, *open_))))


def _step(row: Token) -> _Step:
    """What is known of the next bytes at a place: no candidate where no number came, or where it is that of the last
    part of a character that the server merged."""
    came = row.alternatives.top()
    known = [_Candidate(one.bytes, one.prob, one.chosen, is_end(one.token, one.bytes)) for one in came]
    said = next((one for one in known if one.was_said), None)
    if said is None and row.status == EXACT:
        known.append(_Candidate(row.bytes, row.prob, True, is_end(row.token, row.bytes)))
    elif said is not None and said.bytes != row.bytes:
        known = []
    is_whole = row.vocabulary_size is not None and row.n_alternatives >= row.vocabulary_size
    return _Step(row.bytes, known, 0.0 if is_whole else max(0.0, 1 + SOFTMAX_ERROR - row.top_mass))
