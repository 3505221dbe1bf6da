"""Measured: a metric of several answers by the values of a factor, with what is behind each mean."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..logprobs.refused import ASK, NoSuchNameError, NotGivenError
from ..logprobs.samples import entropy
from .counts import wilson
from .row import SAMPLE

if TYPE_CHECKING:
    import pandas as pd

    from .answers import Answers, Groups

_COLUMNS = {"tokens": "completion_tokens"}
_BOUNDED = ("perplexity", "bits_per_byte")
"""Columns with one for the least that they can be."""
OF_SAMPLES = ("entropy", "agreement")
"""Metrics of what was asked several times, not of an answer."""
_FEWEST = 5
"""So many values at the least have an interval."""
_RESAMPLED = 2000
_MOST = 40


@dataclass(slots=True)
class Measure:
    """The metric at one value of the factor: `values`, and `least`, of which only that they are no less is known.

    `left_out`: of how many nothing is known.
    """

    value: Any
    values: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    left_out: int = 0
    is_share: bool = False

    @property
    def known(self) -> list[float]:
        """All numbers that there are, bounds too."""
        return [*self.values, *self.least]

    @property
    def mean(self) -> float:
        """Their mean, which is at least so much where one of them is a bound."""
        return sum(self.known) / len(self.known) if self.known else math.nan

    @property
    def interval(self) -> tuple[float, float] | None:
        """At 95 %: Wilson's of a share, else of the means of values drawn again from these.

        None of fewer than five, and where one of them is a bound.
        """
        if self.least:
            return None
        if self.is_share:
            return wilson(int(sum(self.values)), len(self.values)) if self.values else None
        if len(self.values) < _FEWEST:
            return None
        drawn = np.random.default_rng(0).choice(self.values, (_RESAMPLED, len(self.values)))
        low, high = np.quantile(drawn.mean(axis=1), (0.025, 0.975))
        return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric by a factor; iterating gives a Measure for each value. `of`: what a value is of, in words."""

    metric: str
    by: str
    of: str
    measures: Sequence[Measure]

    def __iter__(self) -> Iterator[Measure]:
        return iter(self.measures)

    @property
    def is_number(self) -> bool:
        """Whether the factor is a number, so that its values lie on a line."""
        return all(_is_number(each.value) for each in self)

    @property
    def is_share(self) -> bool:
        """Whether each value is yes or no, and the mean a share."""
        return any(each.is_share for each in self)

    @property
    def left_out(self) -> int:
        return sum(each.left_out for each in self)


def measured(answers: Answers, metric: str | None = None, by: str | None = None) -> Measured:
    """See `Answers.plot`: the metric, or the one that says most, by the factor, or the first that was varied.

    Raises NotGivenError where there is no such metric or factor, or nothing of it is known.
    """
    by = _factor(answers) if by is None else by
    metric = _metric(answers) if metric is None else metric
    groups = answers.group_by(by)
    is_number = all(map(_is_number, groups))
    if not is_number and len(groups) > _MOST:
        raise NotGivenError(
            f"{by!r} has {len(groups):,} values, which are too many bars.",
            f"Varied were {', '.join(map(str, _varied(answers)))}.",
        )
    of = "an answer"
    if metric in OF_SAMPLES:
        rest = [name for name in answers.factors if name not in (by, SAMPLE)]
        found = [_of_samples(value, each, metric, rest) for value, each in groups.items()]
        others = ", ".join(str(name) for name in rest if len(answers.factors[name]) > 1)
        of = f"the samples of one {others}" if others else "all samples"
    else:
        found = _of_rows(groups, answers, metric)
    if not any(each.known for each in found):
        raise NotGivenError(f"Of no answer the {metric} is known.", _remedy(metric))
    return Measured(metric, by, of, sorted(found, key=lambda each: each.value) if is_number else found)


def _of_samples(value: Any, answers: Answers, metric: str, rest: Sequence[str]) -> Measure:
    """What the samples of each thing that was asked have together; a single sample says nothing."""
    measure = Measure(value)
    for same in answers.group_by(*rest).values() if rest else [answers]:
        several = [row for row in same if row.ok]
        if len(several) < 2:
            measure.left_out += 1
            continue
        found = entropy(several)
        measure.values.append(found.semantic if metric == "entropy" else max(found.shares))
    return measure


def _of_rows(groups: Groups, answers: Answers, metric: str) -> list[Measure]:
    """A column of `to_pandas()`, of which yes and no are a share."""
    import pandas as pd

    frame = answers.to_pandas()
    if metric == "correct" and "is_correct" in frame:
        metric = "is_correct"
    column = metric if metric in frame else _COLUMNS.get(metric, metric)
    if column not in frame and metric != "correct":
        raise NoSuchNameError(metric, _metrics(frame), "metric")
    values = frame[column] if column in frame else pd.Series([None] * len(frame))
    is_share = bool(values.map(lambda each: each is None or isinstance(each, bool | np.bool_)).all())
    bounds = frame[f"{column}_low"] if column in _BOUNDED else [math.nan] * len(frame)
    pairs = zip(pd.to_numeric(values, errors="coerce"), bounds, strict=True)
    numbers = dict(zip(map(id, answers), pairs, strict=True))
    found = []
    for value, rows in groups.items():
        measure = Measure(value, is_share=is_share)
        for number, bound in (numbers[id(row)] for row in rows):
            if math.isfinite(number):
                measure.values.append(float(number))
            elif math.isfinite(bound):
                measure.least.append(float(bound))
            else:
                measure.left_out += 1
        found.append(measure)
    return found


def _factor(answers: Answers) -> str:
    """The first number that was varied; else the first factor with few enough values."""
    varied = _varied(answers)
    numbers = [name for name, values in varied.items() if all(map(_is_number, values))]
    few = [name for name, values in varied.items() if len(values) <= _MOST]
    if not (numbers or few):
        known = "Ask with several values of one: `ds_magic.sweep(prompt, temperature=[0, 0.5, 1])`."
        raise NotGivenError("Nothing was varied, so that there is nothing to plot by.", known)
    return [*numbers, *few][0]


def _metric(answers: Answers) -> str:
    """What says most of what there is: how many are right, how sure the model was, else how long they are."""
    if any(row.correct is not None for row in answers):
        return "correct"
    if not any(row.logprobs for row in answers):
        return "tokens"
    models = {answer.model for answer in answers.completions}
    return "perplexity" if len(models) < 2 else "bits_per_byte"  # models part texts into tokens of their own


def _varied(answers: Answers) -> dict[str, tuple[Any, ...]]:
    return {name: values for name, values in answers.factors.items() if name != SAMPLE and len(values) > 1}


def _metrics(frame: pd.DataFrame) -> list[str]:
    from pandas.api.types import is_numeric_dtype

    columns = [str(name) for name in frame if is_numeric_dtype(frame[name])]
    return list(dict.fromkeys([*(name for name in _COLUMNS if name not in columns), *OF_SAMPLES, *columns]))


def _remedy(metric: str) -> str:
    if metric in OF_SAMPLES:
        return "Ask each several times: `times=5`."
    if metric == "correct":
        return 'Say what is right: `answers.marked("right").plot()`, the name of a factor or a function.'
    return ASK if metric.startswith(_BOUNDED) else "Take a column of `.to_pandas()` that has numbers."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
