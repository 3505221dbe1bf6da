"""The probability of the values in a JSON answer; of those that a schema lists, also how the choice fell."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from .bounded import Bounded
from .columns import Column
from .distribution import CONSTRAINED, SOFTMAX_ERROR
from .json_spans import ValueSpan, value_spans
from .labels import Classification, Reading, shares
from .metrics import likelihood
from .pictured import Pictured
from .refused import NoSuchNameError
from .schema_choices import allowed_values

if TYPE_CHECKING:
    import pandas as pd

    from .table import LogprobTable


@dataclass(frozen=True, slots=True, repr=False)
class Field(Pictured):
    """One value of a JSON answer and how sure the model was of its tokens.

    `path` (`items[0].name`), `value`, `text` (as written), `start` and `end` (the tokens' range in the table),
    `prob` the product of the tokens' probabilities and that of the value's ending there (10 is not 100),
    `minimum` the least of the tokens', `geometric_mean` their geometric mean, 0 … 1 with bounds; `shared` where a
    token also holds punctuation around the value.

    Where a constraint forced one of the tokens there is no such product: `prob` is unknown. `unconstrained` is
    what the model itself gave the value, before any constraint. `allowed`: where the schema lists the values that
    may stand here, how the model's choice fell between them; their shares are renormalised over the list, and
    `allowed.rest` is what the model gave to everything else. Where a constraint is in force, a text that only one of
    the values begins with counts for it, since it can become no other. None where no list is known.
    """

    path: str
    value: Any
    text: str
    start: int
    end: int
    prob: Bounded
    minimum: Bounded
    geometric_mean: Bounded
    shared: bool
    unconstrained: Bounded
    allowed: Classification | None = None

    @property
    def n_tokens(self) -> int:
        """How many tokens spell the value."""
        return self.end - self.start

    @property
    def share(self) -> Bounded | None:
        """The value's share of what the schema allows here, renormalised over it; None where no list is known."""
        name = label_of(self.value)
        labels = self.allowed.labels if self.allowed else ()
        return next((each.share for each in labels if each.label == name), None)


class Fields(Pictured, Sequence[Field]):
    """The values of a JSON answer in order; `fields["items[0].name"]` finds one by its path."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields = tuple(fields)

    def __len__(self) -> int:
        return len(self._fields)

    @overload
    def __getitem__(self, key: int | str) -> Field: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Field, ...]: ...
    def __getitem__(self, key: int | slice | str) -> Field | tuple[Field, ...]:
        if not isinstance(key, str):
            return self._fields[key]
        for field in self._fields:
            if field.path == key:
                return field
        raise NoSuchNameError(key, [field.path or "the whole" for field in self._fields], "value at")

    def to_pandas(self) -> pd.DataFrame:
        """One row a value; `prob`, `minimum`, `geometric_mean` NaN unless exact, with `prob_low`, `prob_high`.

        `share_low`, `share_high`: of what the schema allows; NaN where it lists nothing.
        """
        import pandas as pd

        rows = [
            {
                "path": field.path,
                "value": field.value,
                "prob": _exact(field.prob),
                "prob_low": field.prob.low,
                "prob_high": field.prob.high,
                "minimum": _exact(field.minimum),
                "geometric_mean": _exact(field.geometric_mean),
                "share_low": field.share.low if field.share else math.nan,
                "share_high": field.share.high if field.share else math.nan,
                "n_tokens": field.n_tokens,
                "shared": field.shared,
            }
            for field in self
        ]
        names = (
            "path", "value", "prob", "prob_low", "prob_high", "minimum", "geometric_mean", "share_low", "share_high",
            "n_tokens", "shared",
        )  # fmt: skip
        return pd.DataFrame(rows, columns=names)


def fields(table: LogprobTable, *, prefix: str = "", schema: Any = None) -> Fields:
    """Each scalar of the JSON that the tokens spell, with the probability of its tokens.

    `prefix` is JSON that stood before the first token, and that the answer was made to begin with: a value
    that begins in it counts from the first token on. `schema`: the JSON Schema (or the pydantic model)
    that it was to follow, by default the one that was asked for; where it lists values, the fields have `allowed`.
    """
    text = prefix + table.text_content
    spans = (span for span in value_spans(text) if span.end > len(prefix))
    schema = table.schema if schema is None else schema
    schema = schema.model_json_schema() if hasattr(schema, "model_json_schema") else schema
    return Fields(_field(table, text, span, len(prefix), schema) for span in spans)


def _field(table: LogprobTable, text: str, span: ValueSpan, offset: int, schema: Any) -> Field:
    first, last = max(0, span.start - offset), span.end - offset
    indices = overlapping(table, first, last)
    start, end = (int(indices[0]), int(indices[-1]) + 1) if len(indices) else (0, 0)
    part = table[start:end]
    sum_ = likelihood(part)
    count = max(1, sum_.tokens)
    least = _least(part)
    low, high = _ends_there(table, end, span, offset)
    forced = (part.status == CONSTRAINED).any()
    allowed = allowed_values(schema, span.keys) if schema is not None else None
    return Field(
        path=span.path,
        value=span.value,
        text=text[span.start : span.end],
        start=start,
        end=end,
        prob=sum_.bounded(math.nan, math.nan) if forced else sum_.bounded(
            math.exp(sum_.lower) * low, math.exp(sum_.upper) * high),
        minimum=sum_.bounded(*least),
        geometric_mean=sum_.bounded(math.exp(sum_.lower / count), math.exp(sum_.upper / count)),
        shared=bool(len(part)) and bool(part.char_start[0] < first or part.char_end[-1] > last),
        unconstrained=_before_constraint(part, low, high),
        allowed=_choice(table, text, span, offset, allowed) if allowed else None,
    )


def _ends_there(table: LogprobTable, end: int, span: ValueSpan, offset: int) -> tuple[float, float]:
    """How likely a value that came so far was to end: bounds, by the tokens that might have stood at `end`.

    1 where its last token holds what ends it, or the user wrote it.
    """
    is_string = isinstance(span.value, str)
    if not is_string and not isinstance(span.value, int | float) or isinstance(span.value, bool):
        return 1.0, 1.0
    written = span.end == span.outer_end and is_string
    if written or (end and table.char_end[end - 1] > span.end - offset):
        return 1.0, 1.0
    if end >= len(table):
        return 0.0, 1.0
    row = table[end]
    if row.forced:
        return 1.0, 1.0
    known = [(one.bytes, one.prob) for one in row.alternatives.top()]
    if row.status == "exact" and row.alternatives.chosen is None:
        known.append((row.bytes, row.prob))
    ending = sum(p for begin, p in known if _may_end(begin, is_string))
    going_on = sum(p for begin, p in known if not _may_end(begin, is_string))
    if row.status == CONSTRAINED:  # what was forbidden here could only have gone on
        return ending, 1.0
    return ending, max(ending, min(1.0, 1 + SOFTMAX_ERROR - going_on))


def _may_end(begin: bytes, is_string: bool) -> bool:
    return begin[:1] == b'"' if is_string else begin[:1] not in [bytes([byte]) for byte in b"0123456789.eE+-"]


def _before_constraint(part: LogprobTable, low: float, high: float) -> Bounded:
    """The probability of these tokens by the numbers that came, which are from before any constraint."""
    sums = [0.0, 0.0]
    censored = 0
    for row in part:
        if row.forced:
            continue
        own = row.logprob
        if row.status == CONSTRAINED:
            own = math.nan if (chosen := row.alternatives.chosen) is None else chosen.logprob
        upper = own if own == own else row.logprob_upper
        censored += own != own
        sums[0] += own if own == own else -math.inf
        sums[1] += upper if upper == upper else 0.0
    counted = int((~part.forced).sum())
    if not counted:
        return Bounded(math.nan, math.nan, left_out=len(part))
    return Bounded(math.exp(sums[0]) * low, math.exp(sums[1]) * high, "", counted, censored, len(part) - counted)


def label_of(value: Any) -> str:
    """How a value is named among the allowed ones: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _choice(table: LogprobTable, text: str, span: ValueSpan, offset: int, allowed: list[Any]) -> Classification | None:
    """How the choice fell between the values that the schema allows, by all that might have stood from its token on."""
    begin = max(0, span.outer_start - offset)
    indices = overlapping(table, begin, begin + 1)
    if not len(indices) or not table.n_alternatives[indices[0]]:
        return None
    start = int(indices[0])
    lead = text[int(table.char_start[start]) + offset : span.outer_start] if span.outer_start >= offset else ""
    begun = text[span.outer_start : offset] if span.outer_start < offset else ""
    forms = {
        label_of(value): {lead + json.dumps(value), lead + json.dumps(value, ensure_ascii=False)} for value in allowed
    }

    names = [(form, label) for label, each in forms.items() for form in each]
    in_force = bool((table.status == CONSTRAINED).any())

    def read(so_far: str, ended: bool) -> Reading:
        open_ = {label for form, label in names if form.startswith(so_far) and form != so_far and not ended}
        for form, label in names:
            behind = so_far[len(form) :]
            if so_far.startswith(form):
                if form.endswith('"') or ended or behind[:1] in (*",]} \t\r\n",):
                    return Reading(label)
                if not behind:
                    open_.add(label)
        # Under a constraint what only one value begins with can only become that one.
        if in_force and len(open_) == 1:
            return Reading(next(iter(open_)))
        whole = next((label for form, label in names if form == so_far), None)
        return Reading(whole, frozenset(open_))

    return shares(table, start, forms, read, begun, constrained=in_force)


def _least(part: LogprobTable) -> tuple[float, float]:
    counted = ~part.forced & np.isin(part.status, ("exact", "censored"))
    if not counted.any():
        return math.nan, math.nan
    upper = np.where(part.status == "exact", part.prob, np.exp(np.nan_to_num(part.logprob_upper, nan=0.0)))
    lower = np.where(part.status == "exact", part.prob, 0.0)
    return float(lower[counted].min()), float(upper[counted].min())


def overlapping(table: LogprobTable, start: int, end: int) -> Column[np.intp]:
    """The rows of the tokens that hold any byte of the characters `start` … `end` of the decoded text.

    A token that holds only a part of a character has no text of its own: it counts where the token that
    completes the character does.
    """
    touched = (table.char_start < end) & (table.char_end > start)
    runs = np.isin(table.glyph, table.glyph[touched])
    parts = (table.char_start == table.char_end) & runs & (table.char_start >= start) & (table.char_start < end)
    filled = np.fromiter(map(len, table.bytes), np.int64, len(table)) > 0
    return np.flatnonzero(touched | (parts & filled))


def _exact(measure: Bounded) -> float:
    return math.nan if measure.value is None else measure.value
