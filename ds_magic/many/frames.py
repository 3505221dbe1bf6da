"""Answers as a DataFrame, a row an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from ..api.clean_text import heal_surrogates
from .row import Row

if TYPE_CHECKING:
    import pandas as pd

    from ..logprobs.bounded import Bounded

FIGURES = (
    "prompt_tokens", "completion_tokens", "finish_reason", "perplexity", "perplexity_low", "bits_per_byte",
    "bits_per_byte_low", "seconds", "model", "interrupted", "error",
)  # fmt: skip


def frame_of(rows: Sequence[Row]) -> pd.DataFrame:
    """The DataFrame that `Answers.to_pandas` describes."""
    import pandas as pd

    factors = dict.fromkeys(name for row in rows for name in row.factors)
    objects = [spread(row.parsed) for row in rows]
    taken = {*factors, "content", *FIGURES, "correct"}
    names = {name: f"parsed_{name}" if name in taken else name for each in objects for name in each}
    columns: dict[str, list[Any]] = {
        f"factor_{name}" if name in ("content", *FIGURES) else str(name): [
            as_cell(row.factors.get(name)) for row in rows
        ]
        for name in factors
    }
    columns["content"] = [row.content if row.answer is not None else None for row in rows]
    columns |= {column: [each.get(name) for each in objects] for name, column in names.items()}
    figures = [_figures(row) for row in rows]
    columns |= {name: [each[at] for each in figures] for at, name in enumerate(FIGURES)}
    if any(row.correct is not None for row in rows):
        columns["is_correct" if "correct" in factors else "correct"] = [row.correct for row in rows]
    return pd.DataFrame(columns)


def as_cell(value: Any) -> Any:
    """A factor as a column takes it: half a character, a lone surrogate, is none that pandas can hold."""
    return heal_surrogates(value) if isinstance(value, str) else value


def spread(parsed: Any) -> dict[str, Any]:
    """The fields of an object that was asked for; under `parsed` what has none."""
    if parsed is None:
        return {}
    if isinstance(parsed, Mapping):
        return {str(name): value for name, value in parsed.items()}
    if is_dataclass(parsed):
        return {each.name: getattr(parsed, each.name) for each in fields(parsed)}
    if hasattr(type(parsed), "model_fields"):
        return {name: getattr(parsed, name) for name in type(parsed).model_fields}
    return {"parsed": parsed}


def _figures(row: Row) -> tuple[Any, ...]:
    answer = row.answer
    error = None if row.error is None else f"{type(row.error).__name__}: {row.error}"
    if answer is None:
        return None, None, None, *[math.nan] * 5, None, False, error
    usage, table = answer.usage, answer.logprobs
    return (
        usage.prompt_tokens if usage is not None else None,
        usage.completion_tokens if usage is not None else None,
        answer.finish_reason,
        *(_known(table.perplexity) if table else (math.nan, math.nan)),
        *(_known(table.bits_per_byte) if table else (math.nan, math.nan)),
        answer.timing.total if answer.timing is not None else math.nan,
        answer.model,
        answer.interrupted,
        error,
    )


def _known(measure: Bounded) -> tuple[float, float]:
    """The value, NaN where only bounds are known, and the lower of them."""
    return math.nan if measure.value is None else measure.value, measure.low
