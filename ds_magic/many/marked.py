"""Whether answers are right: by a column that holds what is right, or by a function of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..logprobs.folding import folded, holds
from ..logprobs.refused import NoSuchNameError
from .records import missing
from .row import Row

Correct = str | Callable[[Row], Any]


def check(correct: Any, names: Iterable[Any]) -> None:
    """Raise NoSuchNameError for a column that is none of `names`."""
    names = list(names)
    if not callable(correct) and correct not in names:
        raise NoSuchNameError(correct, sorted(map(str, names)), "factor")


def marked(rows: Sequence[Row], correct: Correct, *, contains: bool = False) -> tuple[list[Row], list[str]]:
    """The rows with `correct` set, and what to know of it; see `Answers.marked`.

    A function that fails on a row leaves that one unmarked: what was answered is not lost by it.
    """
    check(correct, {name for row in rows for name in row.factors} if rows else [correct])
    found, wrong = [], list[Exception]()
    for row in rows:
        right = None
        if row.answer is not None:
            try:
                right = _of(row, correct, contains)
            except Exception as error:  # a function of the user's own
                wrong.append(error)
        found.append(replace(row, correct=right))
    notes = [] if not wrong else [
        f"`correct` failed on {len(wrong):,} rows, which are not marked: {type(wrong[0]).__name__}: {wrong[0]!s:.120}"
    ]
    return found, notes


def _of(row: Row, correct: Correct, contains: bool) -> bool | None:
    if callable(correct):
        right = correct(row)
        return None if right is None else bool(right)
    if missing([correct], row.factors) is not None or correct not in row.factors:
        return None
    value = row.factors[correct]
    wanted = map(_spelt, value if isinstance(value, list | tuple | set | frozenset) else [value])
    if contains:
        return any(holds(row.content, each) for each in wanted)
    said = folded(row.content)
    return any(folded(each) == said for each in wanted)


def _spelt(value: Any) -> str:
    """A right answer as it would be said: 56 also where a table made it 56.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
