"""Answers in a file of JSON Lines: a header, then a row a line, whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..api import errors
from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.response import ChatCompletion
from ..api.saved import dumped, restored, state_of
from ..conversation.answer_schema import UnfitAnswerError
from ..conversation.tools import TooManyRoundsError
from .answers import Answers
from .row import Row

FORMAT, VERSION = "ds_magic answers", 1
_KNOWN = ("status", "remedy", "field", "code", "type", "retry_after")
_CLASSES: dict[str, type[DeepSeekError]] = {
    each.__name__: each
    for each in (*vars(errors).values(), UnfitAnswerError, TooManyRoundsError)
    if isinstance(each, type) and issubclass(each, DeepSeekError)
}


def write(answers: Answers, path: str | Path) -> Path:
    """Write them; see `Answers.save`."""
    path = Path(path)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_line({"format": FORMAT, "version": VERSION, "rows": len(answers), "notes": answers.notes}))
        for row in answers:
            file.write(_line({
                "factors": {str(name): _as_json(value) for name, value in row.factors.items()},
                "answer": row.answer and state_of(row.answer),
                "error": row.error and _error_state(row.error),
                **({} if row.correct is None else {"correct": row.correct}),
            }))
    return path


def read(path: str | Path) -> Answers:
    """Read them; see `Answers.load`."""
    with Path(path).open(encoding="utf-8", errors="replace", newline="\n") as file:
        try:
            head = json.loads(next(file, ""))
            is_known = head["format"] == FORMAT and head["version"] == VERSION
        except (ValueError, TypeError, KeyError, RecursionError):
            is_known = False
        if not is_known:
            raise InvalidRequestError(
                f"{path} holds no answers that this version reads.", remedy="They are written by `answers.save(path)`."
            )
        rows, notes = _rows(file)
    if len(rows) + len(notes) < head.get("rows", 0):
        notes.append(f"The file ends after {len(rows):,} of {head['rows']:,} rows.")
    return Answers(rows, [*head.get("notes", ()), *notes])


def _rows(lines: Iterable[str]) -> tuple[list[Row], list[str]]:
    rows, notes = [], []
    for number, line in enumerate(lines, 2):
        try:
            saved = json.loads(line)
            answer = saved["answer"] and restored(saved["answer"], ChatCompletion)
            error = saved["error"] and _error_of(saved["error"], answer)
            rows.append(Row(saved["factors"], answer, error, saved.get("correct")))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            notes.append(f"Line {number:,} of the file is damaged, and left out.")
    return rows, notes


def _line(value: Any) -> str:
    return dumped(value) + "\n"


def _error_state(error: DeepSeekError) -> dict[str, Any]:
    known = {name: getattr(error, name) for name in _KNOWN}
    return {"class": type(error).__name__, "message": error.message, **known}


def _error_of(saved: dict[str, Any], partial: ChatCompletion | None) -> DeepSeekError:
    """The error, of its class where there is such a one; `partial` is the row's answer again."""
    kind = _CLASSES.get(saved["class"], DeepSeekError)
    error = kind.__new__(kind, saved["message"])
    DeepSeekError.__init__(error, saved["message"], partial=partial, **{name: saved[name] for name in _KNOWN})
    if isinstance(error, UnfitAnswerError):
        error.reason = saved["message"]
    return error


def _as_json(value: Any) -> Any:
    """A factor as JSON; its text where it is none."""
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError, RecursionError):
        return str(value)
