"""Records: the rows of whatever holds some, each as the names and values that a template is filled from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from ..api.errors import InvalidRequestError
from ..conversation.filling import PLACEHOLDER, STEP
from .row import is_missing

VALUE, KEY = "value", "key"


def names_in(texts: Iterable[Any]) -> list[str]:
    """The names whose values the places of texts are filled from."""
    matches = (match for text in texts if isinstance(text, str) for match in PLACEHOLDER.finditer(text))
    steps = (STEP.match(match[2]) for match in matches if not match[1])
    return list(dict.fromkeys(step[0] for step in steps if step is not None))


def records_of(rows: Any, names: list[str]) -> Iterator[dict[str, Any]]:
    """The rows of a DataFrame, Series, list, dict or any iterable, each as a dict of its columns.

    A row that has no columns, such as a text, stands under the one of `names`, else under `value`. A dict of rows has
    each one's `key` besides. Raises InvalidRequestError for what holds no rows.
    """
    if isinstance(rows, str | bytes) or not isinstance(rows, Iterable):
        raise InvalidRequestError(
            f"The rows are {rows!r:.60}, which are none.",
            remedy="Give a DataFrame, a Series, a list, a dict, or anything to iterate over.",
        )
    alone = names[0] if len(names) == 1 else VALUE
    frame: Any = rows
    if hasattr(frame, "itertuples"):
        columns = list(map(str, frame.columns))
        twice = [name for name, count in Counter(columns).items() if count > 1]
        if twice:
            raise InvalidRequestError(
                f"The rows have several columns `{twice[0]:.60}`: nobody knows which is meant.",
                remedy="Rename all but one of them, for example by `rows.columns = [...]`.",
            )
        return (dict(zip(columns, each, strict=True)) for each in frame.itertuples(index=False, name=None))
    if isinstance(rows, Mapping):
        alone = next((name for name in names if name != KEY), VALUE) if len(set(names) - {KEY}) == 1 else VALUE
        return ({KEY: key, **_columns(each, alone)} for key, each in rows.items())
    return (_columns(each, alone) for each in rows)


def count_of(rows: Any) -> int | None:
    """How many rows there are; None where nobody knows before they are read."""
    return len(rows) if hasattr(rows, "__len__") else None


def _columns(row: Any, alone: str) -> dict[str, Any]:
    if isinstance(row, Mapping):
        return {str(name): value for name, value in row.items()}
    if hasattr(row, "_asdict"):
        return dict(row._asdict())
    if is_dataclass(row) and not isinstance(row, type):
        return {each.name: getattr(row, each.name) for each in fields(row)}
    return {alone: row}


def missing(names: Iterable[str], record: Mapping[str, Any]) -> str | None:
    """The first of `names` that has no value in a record: None, or what pandas has in its place (NaN, NaT, NA)."""
    return next((name for name in names if name in record and is_missing(record[name])), None)
