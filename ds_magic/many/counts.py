"""What was said how often, beside how likely it was by the numbers that came."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from ..logprobs.bounded import Bounded
from ..logprobs.distribution import SOFTMAX_ERROR
from .rows import Row

if TYPE_CHECKING:
    import pandas as pd

    from ..api.response import ChatCompletion
    from ..logprobs.table import LogprobTable

_Z = 1.959964
"""Of an interval that holds what it is of in 95 of 100 cases."""
_NEUTRAL = {"top_p": 1, "frequency_penalty": 0, "presence_penalty": 0}


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
    shares, notes = computed(answers, of)
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


def asked_the_same(answers: Sequence[ChatCompletion]) -> bool:
    """Whether all were asked the same of one model, but for what only numbers the samples."""
    return len({_question(answer) for answer in answers}) == 1


def _question(answer: ChatCompletion) -> str:
    asked = answer.request.to_wire() if answer.request is not None else {}
    for name in ("seed", "user_id", "stream", "stream_options", "logprobs", "top_logprobs"):
        asked.pop(name, None)
    return json.dumps([answer.model, answer.backend, asked], sort_keys=True, default=str)


def computed(answers: Sequence[ChatCompletion], of: Callable[[str], str]) -> tuple[dict[str, Bounded], list[str]]:
    """The probability of each text by the tables, and what is to be said of it."""
    tables = [answer.logprobs for answer in answers if answer.logprobs]
    if not tables:
        return {}, []
    if not asked_the_same(answers):
        return {}, ["Not all were asked the same: each group of `group_by` has its own probabilities."]
    for name, neutral in _NEUTRAL.items():
        value = getattr(tables[0].provenance, name)
        if value is not None and value != neutral:
            return {}, [f"Probabilities are from before {name} = {value:g}: they are none of what was drawn from."]
    given = tables[0].temperature
    temperature = 1.0 if given is None else given
    notes = [] if temperature == 1 else [f"Computed at temperature {temperature:g}, from numbers from before it."]
    if all(_is_one_token(answer) for answer in answers if answer.logprobs):
        shares = _of_one_token(tables[0], temperature, {said(answer) for answer in answers}, of)
        return shares, [*notes, "One request gives what is computed here; more of them show what is drawn from it."]
    return _of_tokens(answers, temperature, of), notes


def _own(table: LogprobTable) -> Any:
    return (~table.forced).nonzero()[0]


def _is_one_token(answer: ChatCompletion) -> bool:
    own = _own(answer.logprobs)
    return len(own) == 1 and bool(answer.logprobs.n_alternatives[own[0]]) and not answer.tool_calls


def _of_one_token(
    table: LogprobTable, temperature: float, drawn: set[str], of: Callable[[str], str]
) -> dict[str, Bounded]:
    """The probability of each text that one token spells: of all that were returned, and of what was drawn."""
    row = table[int(_own(table)[0])]
    tempered = table.at_temperature(temperature)
    shares: dict[str, list[float]] = {}
    known: set[str] = set()
    for one in tempered.at(row.position):
        text = one.bytes.decode("utf-8", "replace")
        known.add(text)
        if one.low == one.low:
            share = shares.setdefault(of(text), [0.0, 0.0])
            share[0], share[1] = share[0] + one.low, share[1] + one.high
    index = row.position - int(table.position[0])
    rest = float(tempered.rest_high[index]) + SOFTMAX_ERROR
    for text in drawn - known:
        shares.setdefault(of(text), [0.0, 0.0])[1] += rest
    return {text: Bounded(low, min(1.0, high)) for text, (low, high) in shares.items()}


def _of_tokens(
    answers: Sequence[ChatCompletion], temperature: float, of: Callable[[str], str]
) -> dict[str, Bounded]:
    """The probability of each text by the tokens that spelt it; a text of several spellings has the sum of them."""
    spelt: dict[str, dict[tuple[bytes, ...], Bounded | None]] = {}
    for answer in answers:
        table = answer.logprobs
        spellings = spelt.setdefault(of(said(answer)), {})
        if table and (key := tuple(table.bytes)) not in spellings:
            spellings[key] = _all_chosen(answer, table, temperature)
    sums = {}
    for text, spellings in spelt.items():
        known = [each for each in spellings.values() if each is not None]
        if known and len(known) == len(spellings):
            low, high = sum(each.low for each in known), sum(each.high for each in known)
            sums[text] = Bounded(min(1.0, low), min(1.0, high))
    return sums


def _all_chosen(answer: ChatCompletion, table: LogprobTable, temperature: float) -> Bounded | None:
    """The probability of choosing all these tokens; None where that of one is not known.

    Where the model ended the answer and the token of the end did not come, it is at most that of beginning so.
    """
    from ..logprobs.metrics import likelihood

    own = _own(table)
    if not len(own) or not set(table.status[own].tolist()) <= {"exact", "censored"}:
        return None
    if temperature == 1:
        sum_ = likelihood(table)
        low, high = sum_.lower, sum_.upper
    else:
        low, high = _tempered(table, own, temperature)
    is_ended = answer.finish_reason == "length" or not table.bytes[-1]
    return Bounded(math.exp(low) if is_ended else 0.0, math.exp(high))


def _tempered(table: LogprobTable, own: Any, temperature: float) -> tuple[float, float]:
    """Σ ln p of the chosen tokens at a temperature, at least and at most."""
    tempered = table.at_temperature(temperature)
    chosen = {int(tempered.position[at]): at for at in tempered.chosen.nonzero()[0].tolist()}
    low = high = 0.0
    for index in own.tolist():
        at = chosen.get(int(table.position[index]))
        bounds = (tempered.low[at], tempered.high[at]) if at is not None else (0.0, tempered.rest_high[index])
        low += math.log(bounds[0]) if bounds[0] > 0 else -math.inf
        high += math.log(bounds[1]) if bounds[1] > 0 else -math.inf
    return low, high
