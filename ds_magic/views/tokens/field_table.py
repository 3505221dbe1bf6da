"""The values of a JSON answer: how likely each was, and of those that a schema lists how the choice fell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ds_magic.logprobs.glyphs import visible

from . import style, style_text
from .classification import bar, beside, label_bars, label_lines, verdict
from .numbers import TRUTH, between

if TYPE_CHECKING:
    from ds_magic.logprobs.json_values import Field, Fields
    from ds_magic.logprobs.labels import Classification

_FIELDS = 100
_CHOICES = 6


def fields_html(fields: Fields) -> str:
    """The values with a bar for the probability of each, and the choices between what a schema allows."""
    return _html(fields)


def field_html(field: Field) -> str:
    """One value, likewise."""
    return _html([field])


def _html(fields: Sequence[Field]) -> str:
    shown = fields[:_FIELDS]
    rows = [
        [
            style.wrapped(style.code(_path(field))),
            style.wrapped(style.chip(_cut(visible(field.text).replace("·", " ")))),
            bar(*_ends(field), "chosen"),
            style.wrapped(escape(how_likely(field))),
        ]
        for field in shown
    ]
    head: style.Head = [("field", False), ("value", False), ("", "25%"), ("how likely", False)]
    choices = "".join(
        f'<div style="margin:0.6em 0 0 0">{style.code(path)}: {escape(verdict(choice))}</div>'
        f"{label_bars(choice)}{style.small(style.prose(_elsewhere(choice)))}"
        for path, choice in _choices(shown)
    )
    return style.frame(
        style.heading(_sentence(fields)) + style.grid(head, rows) + choices + style.small(style.prose(_note(fields)))
    )


def fields_text(fields: Fields) -> str:
    """The same as text."""
    return _text(fields)


def field_text(field: Field) -> str:
    """One value, likewise."""
    return _text([field])


def _text(fields: Sequence[Field]) -> str:
    shown = fields[:_FIELDS]
    cells = [
        (_path(field), _cut(visible(field.text).replace("·", " ")), style_text.bar(*_ends(field), width=16),
         how_likely(field))
        for field in shown
    ]  # fmt: skip
    lines = [_sentence(fields), *style_text.rows(cells, widest=(18, 20))]
    for path, choice in _choices(shown):
        lines += [f"{path}: {verdict(choice)}", *label_lines(choice), *style_text.filled(_elsewhere(choice))]
    return "\n".join([*lines, *style_text.filled(_note(fields))])


def how_likely(field: Field) -> str:
    """A value's probability; where a constraint forced it, what the model itself gave it, where that is known."""
    if not math.isnan(field.prob.low):
        return between(field.prob.low, field.prob.high)
    own = between(field.unconstrained.low, field.unconstrained.high)
    return "forced" if own in ("—", "not known") else f"forced; by itself {own}"


def _ends(field: Field) -> tuple[float, float]:
    known = field.unconstrained if math.isnan(field.prob.low) else field.prob
    return known.low, known.high


def _choices(fields: Sequence[Field]) -> list[tuple[str, Classification]]:
    return [(_path(field), field.allowed) for field in fields if field.allowed is not None][:_CHOICES]


def _elsewhere(choice: Classification) -> str:
    """What fell outside of what the schema allows."""
    return beside(choice).replace("these labels", "what the schema allows")


def _sentence(fields: Sequence[Field]) -> str:
    """Which value the model was least sure of."""
    if not fields:
        return "There are no JSON values."
    known = [field for field in fields if not math.isnan(_ends(field)[1])]
    if not known or len(fields) == 1:
        return "How sure the model was of this value." if len(fields) == 1 else "The values of the answer."
    least = min(known, key=lambda field: _ends(field)[1])
    share = "" if math.isnan(least.prob.low) else f": {how_likely(least)}"
    return f"The model was least sure of {_path(least)}{share}."


def _note(fields: Sequence[Field]) -> str:
    if not fields:
        return ""
    parts = [TRUTH]
    if any(math.isnan(field.prob.low) and not math.isnan(field.unconstrained.low) for field in fields):
        parts.append("Forced: the grammar left no other choice; by itself is what the model gave it before.")
    if len(fields) > _FIELDS:
        parts.append(f"{len(fields) - _FIELDS:,} more fields.")
    return " ".join(parts)


def _path(field: Field) -> str:
    return _cut(visible(field.path)) or "the whole"


def _cut(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
