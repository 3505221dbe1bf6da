"""What was said how often, beside how likely it was by the numbers that came."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from ..logprobs.bounded import Bounded
from .odds import computed
from .row import Row

if TYPE_CHECKING:
    import pandas as pd

    from ..api.response import ChatCompletion

_Z = 1.959964
"""Of an interval that holds what it is of in 95 of 100 cases."""


@dataclass(frozen=True, slots=True)
class Count:
    """A text that was said `n` times of `of`; `computed`: its probability with bounds, or None where nobody can say."""

    text: str
    n: int
    of: int
    computed: Bounded | None = None

    @property
    def share(self) -> float:
        """n / of, 0 … 1."""
        return self.n / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval for the share, at 95 %."""
        return wilson(self.n, self.of)


class Counts(Sequence[Count]):
    """The texts of several answers, the most frequent first, then those that were likely and never said.

    `total`: how many answers were counted. `left_out`: rows without one. `notes`: what to know of the numbers.
    """

    def __init__(self, counts: Sequence[Count], total: int, left_out: int, notes: Sequence[str] = ()) -> None:
        self._counts, self.total, self.left_out, self.notes = tuple(counts), total, left_out, tuple(notes)

    def __len__(self) -> int:
        return len(self._counts)

    @overload
    def __getitem__(self, index: int | str) -> Count: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Count, ...]: ...
    def __getitem__(self, index: int | str | slice) -> Count | tuple[Count, ...]:
        if isinstance(index, str):
            found = (count for count in self._counts if count.text == index)
            return next(found, Count(index, 0, self.total))
        return self._counts[index]

    def __iter__(self) -> Iterator[Count]:
        return iter(self._counts)

    def to_pandas(self) -> pd.DataFrame:
        """Columns `text, n, share, share_low, share_high, computed_low, computed_high`."""
        import pandas as pd

        rows = [
            (each.text, each.n, each.share, *each.interval, *(
                (each.computed.low, each.computed.high) if each.computed else (math.nan, math.nan)))
            for each in self
        ]
        names = ("text", "n", "share", "share_low", "share_high", "computed_low", "computed_high")
        return pd.DataFrame(rows, columns=names)

    def _repr_html_(self) -> str:
        from ..views.many.counted import counts_html

        return counts_html(self)

    def __repr__(self) -> str:
        from ..views.many.counted import counts_text

        return counts_text(self)


def wilson(n: int, of: int) -> tuple[float, float]:
    """Wilson's interval at 95 % for a share of which n of `of` were seen (J. Am. Stat. Assoc. 22, 1927, 209)."""
    if not of:
        return math.nan, math.nan
    share, spread = n / of, _Z * _Z / of
    middle = share + spread / 2
    wide = _Z * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, (middle - wide) / (1 + spread)), min(1.0, (middle + wide) / (1 + spread))


def counted(rows: Sequence[Row], of: Callable[[str], str] | None = None) -> Counts:
    """The counts of rows, and what is computed where all were asked the same."""
    of = of or str
    answers = [row.answer for row in rows if row.answer is not None and not row.answer.interrupted]
    numbers: dict[str, int] = {}
    for answer in answers:
        text = of(said(answer))
        numbers[text] = numbers.get(text, 0) + 1
    shares, notes = computed(answers, said, of)
    total = len(answers)
    found = [
        Count(text, numbers.get(text, 0), total, shares.get(text))
        for text in dict.fromkeys([*numbers, *shares])
    ]
    found.sort(key=lambda each: (-each.n, -(each.computed.high if each.computed else 0.0)))
    return Counts(found, total, len(rows) - total, notes)


def said(answer: ChatCompletion) -> str:
    """What an answer says: its text, or the functions that it calls."""
    calls = [f"{call.function.name}({call.function.arguments})" for call in answer.tool_calls]
    return "\n".join(filter(None, [answer.content, *calls]))
