"""The probability of the values in a JSON answer, and of labels where one word is the answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from .. import conveniences
from .bounded import Bounded
from .columns import Column
from .json_spans import ValueSpan, value_spans
from .metrics import likelihood

if TYPE_CHECKING:
    import pandas as pd

    from .table import LogprobTable


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a JSON answer and how sure the model was of its tokens.

    `path` (`items[0].name`), `value`, `text` (as written), `start` and `end` (the tokens' range in the table),
    `prob` the product of the tokens' probabilities, `minimum` the least of them, `geometric_mean` their
    geometric mean, 0 … 1 with bounds; `shared` where a token also holds punctuation around the value.
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

    @property
    def n_tokens(self) -> int:
        """How many tokens spell the value."""
        return self.end - self.start

    def __repr__(self) -> str:
        shared = ", shared with punctuation" if self.shared else ""
        return f"Field({self.path or 'whole'} = {self.value!r}, p = {self.prob}{shared})"


class Fields(Sequence[Field]):
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
        raise KeyError(f"No value at {key!r}; there are {', '.join(f.path or 'the whole' for f in self._fields)}.")

    def to_pandas(self) -> pd.DataFrame:
        """One row a value; `prob`, `minimum`, `geometric_mean` NaN unless exact, with `prob_low`, `prob_high`."""
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
                "n_tokens": field.n_tokens,
                "shared": field.shared,
            }
            for field in self
        ]
        names = ("path", "value", "prob", "prob_low", "prob_high", "minimum", "geometric_mean", "n_tokens", "shared")
        return pd.DataFrame(rows, columns=names)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) if self else "Fields(no JSON value)"

    def _repr_html_(self) -> str:
        return conveniences.fields_shown(self)


def fields(table: LogprobTable, *, prefix: str = "") -> Fields:
    """Each scalar of the JSON that the tokens spell, with the probability of its tokens.

    `prefix` is JSON that stood before the first token, and that the answer was made to begin with: a value
    that begins in it counts from the first token on.
    """
    text = prefix + table.text_content
    spans = (span for span in value_spans(text) if span.end > len(prefix))
    return Fields(_field(table, text, span, len(prefix)) for span in spans)


def _field(table: LogprobTable, text: str, span: ValueSpan, offset: int) -> Field:
    first, last = max(0, span.start - offset), span.end - offset
    indices = overlapping(table, first, last)
    start, end = (int(indices[0]), int(indices[-1]) + 1) if len(indices) else (0, 0)
    part = table[start:end]
    sum_ = likelihood(part)
    count = max(1, sum_.tokens)
    least = _least(part)
    return Field(
        path=span.path,
        value=span.value,
        text=text[span.start : span.end],
        start=start,
        end=end,
        prob=sum_.bounded(math.exp(sum_.lower), math.exp(sum_.upper)),
        minimum=sum_.bounded(*least),
        geometric_mean=sum_.bounded(math.exp(sum_.lower / count), math.exp(sum_.upper / count)),
        shared=bool(len(part)) and bool(part.char_start[0] < first or part.char_end[-1] > last),
    )


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


@dataclass(frozen=True, slots=True)
class Label:
    """How much of the choice between labels fell to one.

    `mass`: the probability (0 … 1) of its returned surface forms (`forms`). `ratio`: mass over that of all
    labels, None where a label was not returned at all. `share`: the same between its bounds: tokens that
    were not returned, or that only begin the label, may be its own or a rival's. `returned`: whether any of
    its forms was.
    """

    label: str
    mass: float
    ratio: float | None
    share: Bounded
    forms: tuple[str, ...]

    @property
    def returned(self) -> bool:
        """Whether any form of the label was among the returned alternatives."""
        return bool(self.forms)


@dataclass(frozen=True, slots=True)
class Classification:
    """The labels of a one-word answer by their shares, at the token at `position`.

    `rest`: the probability (0 … 1) of everything that is no form of any label.
    """

    labels: tuple[Label, ...]
    rest: Bounded
    position: int

    def __getitem__(self, label: str) -> Label:
        return next(each for each in self.labels if each.label == label)

    def to_pandas(self) -> pd.DataFrame:
        """Columns `label, mass, ratio, share_low, share_high, forms`."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "label": each.label,
                    "mass": each.mass,
                    "ratio": math.nan if each.ratio is None else each.ratio,
                    "share_low": each.share.low,
                    "share_high": each.share.high,
                    "forms": " ".join(each.forms),
                }
                for each in self.labels
            ],
            columns=("label", "mass", "ratio", "share_low", "share_high", "forms"),
        )

    def __repr__(self) -> str:
        shares = ", ".join(f"{each.label} {_percents(each.ratio, each.share)}" for each in self.labels)
        return f"Classification({shares}; everything else {_percents(None, self.rest)})"


def _percents(ratio: float | None, share: Bounded) -> str:
    interval = f"{100 * share.low:.1f} – {100 * share.high:.1f} %"
    return interval if ratio is None else f"{100 * ratio:.1f} % ({interval})"


def classify(
    table: LogprobTable, labels: Sequence[str] | Mapping[str, Sequence[str]], *, at: int | None = None
) -> Classification:
    """How the choice fell between labels where one word is the answer.

    `labels`: the words, or {label: its surface forms}. A form is a token that equals it but for case and the
    white space around; a token that only begins it widens the interval. `at` is the index of the token
    where the choice falls: without it the first that is not forced and holds more than white space.
    Raises ValueError where that token has no alternatives.
    """
    forms = (
        {label: tuple(each) for label, each in labels.items()}
        if isinstance(labels, Mapping)
        else {label: (label,) for label in labels}
    )
    index = _first_word(table) if at is None else range(len(table))[at]
    if index is None or not table.n_alternatives[index]:
        raise ValueError("There are no alternatives at the answer's first word: ask for logprobs with -l.")
    row = table[index]
    choices = [(one.token, one.prob) for one in row.alternatives if one.prob == one.prob]
    if row.status == "exact" and not any(one.chosen for one in row.alternatives):
        choices.append((row.token, row.prob))
    found: dict[str, list[tuple[str, float]]] = {label: [] for label in forms}
    begun = dict.fromkeys(forms, 0.0)
    for token, prob in choices:
        word = token.strip().casefold()
        for label, names in forms.items():
            wanted = [name.strip().casefold() for name in names]
            if word in wanted:
                found[label].append((token, prob))
            elif word and any(name.startswith(word) for name in wanted):
                begun[label] += prob
    mass = {label: sum(prob for _, prob in each) for label, each in found.items()}
    shares = []
    for label in forms:
        others = sum(mass.values()) - mass[label]
        others_begun = sum(begun.values()) - begun[label]
        most = mass[label] + begun[label] + row.rest_mass
        least_total = mass[label] + others + others_begun + row.rest_mass
        low = mass[label] / least_total if least_total else 0.0
        high = most / (most + others) if most + others else 1.0
        ratio = mass[label] / sum(mass.values()) if all(mass.values()) else None
        spelt = tuple(token for token, _ in found[label])
        shares.append(Label(label, mass[label], ratio, Bounded(low, high), spelt))
    shares.sort(key=lambda each: (each.mass, each.share.high), reverse=True)
    named = sum(mass.values())
    rest = Bounded(max(0.0, row.top_mass - named - sum(begun.values())), max(0.0, 1 - named))
    return Classification(tuple(shares), rest, int(row.position))


def _first_word(table: LogprobTable) -> int | None:
    words = (i for i in range(len(table)) if not table.forced[i] and table.text[i].strip())
    return next(words, None)


def _exact(measure: Bounded) -> float:
    return math.nan if measure.value is None else measure.value
