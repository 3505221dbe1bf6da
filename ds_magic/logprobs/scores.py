"""How likely given texts are as an answer, beside each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from .bounded import Bounded
from .distribution import SOFTMAX_ERROR
from .metrics import likelihood
from .pictured import Pictured
from .refused import NoSuchNameError

if TYPE_CHECKING:
    import pandas as pd

    from .table import LogprobTable


@dataclass(frozen=True, slots=True)
class Score:
    """How likely `text` is: `logprobs` are its tokens, `share` (0 … 1) what falls to it of all texts scored with it.

    Where a token was not returned its entry is censored, and is the last: it stands for all that is left of the text,
    and what is known of it is a bound.
    """

    text: str
    logprobs: LogprobTable
    share: Bounded

    @property
    def logprob(self) -> Bounded:
        """Σℓ in nats: the log-probability that the answer begins with the text."""
        return _sum(self.logprobs)

    @property
    def per_byte(self) -> Bounded:
        """Σℓ over the text's bytes in UTF-8, in nats: comparable between texts of different lengths."""
        sum_, size = self.logprob, max(1, len(self.text.encode("utf-8", "replace")))
        return Bounded(sum_.low / size, sum_.high / size, " nats", sum_.tokens, sum_.censored, sum_.left_out)

    def __repr__(self) -> str:
        return f"Score({self.text!r}, {_bits(self.logprob)}, {_percent(self.share)} of all)"


class Scores(Pictured, Sequence[Score]):
    """The scores of several texts in the order they were given: by place, or by text (`scores["yes"]`).

    Shares sum to 1 over the texts; a text that begins another counts in full, as the answer that begins so.
    `notes`: what there is to know of how they came, sentences.
    """

    def __init__(self, tables: Iterable[tuple[str, LogprobTable]], notes: Sequence[str] = ()) -> None:
        found = list(tables)
        shares = _shares([_sum(table) for _, table in found])
        self._scores = [Score(text, table, share) for (text, table), share in zip(found, shares, strict=True)]
        self.notes = tuple(notes)

    def __len__(self) -> int:
        return len(self._scores)

    @overload
    def __getitem__(self, index: int | str) -> Score: ...
    @overload
    def __getitem__(self, index: slice) -> list[Score]: ...
    def __getitem__(self, index: int | str | slice) -> Score | list[Score]:
        if not isinstance(index, str):
            return self._scores[index]
        found = next((each for each in self._scores if each.text == index), None)
        if found is None:
            raise NoSuchNameError(index, [repr(each.text) for each in self], "score of")
        return found

    def __iter__(self) -> Iterator[Score]:
        return iter(self._scores)

    def to_pandas(self) -> pd.DataFrame:
        """Columns `text, tokens, logprob_low, logprob_high, per_byte_low, per_byte_high, share_low, share_high`."""
        import pandas as pd

        bounds = ("logprob", "per_byte", "share")
        columns = ("text", "tokens", *(f"{name}_{end}" for name in bounds for end in ("low", "high")))
        rows = [
            (each.text, len(each.logprobs), *(getattr(getattr(each, name), end) for name in bounds
                                              for end in ("low", "high")))
            for each in self
        ]
        return pd.DataFrame(rows, columns=columns)


def bound_last(table: LogprobTable) -> None:
    """Bound the last entry of `table`, a text of which no whole token is among the alternatives that came.

    However many came: its first token is none that is likelier than the least of them, and within what did not come;
    or it is one of those that came and end within its first character.
    """
    row = table[len(table) - 1]
    known = row.alternatives.top()
    parts = math.fsum(one.prob for one in known if one.bytes and row.bytes.startswith(one.bytes))
    unseen = min(known[-1].prob, row.rest_mass + SOFTMAX_ERROR)
    table.logprob_upper[-1] = min(0.0, math.log(unseen + parts))
    table.surprisal[-1] = -table.logprob_upper[-1] / math.log(2) + 0.0


def _sum(table: LogprobTable) -> Bounded:
    """Σℓ. A token of which nothing is known has p ≤ 1, and no lower bound."""
    found = likelihood(table)
    low = -math.inf if found.left_out else found.lower
    return Bounded(low, found.upper, " nats", found.tokens, found.censored, found.left_out)


def _shares(sums: Sequence[Bounded]) -> list[Bounded]:
    """p / Σp between its bounds: the least where the others are as likely as may be, and the other way round."""
    greatest = max((each.high for each in sums), default=0.0)
    if greatest == -math.inf:
        return [Bounded(0.0, 1.0) for _ in sums]
    lows = [math.exp(each.low - greatest) for each in sums]
    highs = [math.exp(each.high - greatest) for each in sums]
    found = []
    for own, (low, high) in enumerate(zip(lows, highs, strict=True)):
        rivals_low, rivals_high = (math.fsum(each[:own] + each[own + 1 :]) for each in (lows, highs))
        least = low / (low + rivals_high) if low else 0.0
        most = high / (high + rivals_low) if high else 0.0
        found.append(Bounded(least, most, "", sums[own].tokens, sums[own].censored, sums[own].left_out))
    return found


def _bits(sum_: Bounded) -> str:
    return f"{'' if sum_.exact else '≥ '}{-sum_.high / math.log(2) + 0.0:.1f} bits"


def _percent(share: Bounded) -> str:
    low, high = f"{100 * share.low:.1f}", f"{100 * share.high:.1f}"
    return f"{high} %" if low == high else f"{low} – {high} %"
