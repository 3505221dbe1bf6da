"""JSON fields and other temperatures as small tables. Script-free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ds_magic.logprobs.glyphs import visible

from . import style
from .numbers import TRUTH, percent, remainder

if TYPE_CHECKING:
    from ds_magic.logprobs.bounded import Bounded
    from ds_magic.logprobs.json_values import Field, Fields
    from ds_magic.logprobs.temperature import TemperedTable

_FIELDS = 100
_POSITIONS = 8
_SHOWN = 5


def bounded_percent(share: Bounded) -> str:
    """A probability with its bounds: `57.0 %`, `≤ 3.0 %`, `12.0 % – 20.0 %`, `—`."""
    if share.low != share.low:
        return "—"
    low, high = percent(share.low), percent(share.high)
    if low == high:
        return low
    return f"≤ {high}" if share.low == 0 else f"{low} – {high}"


def fields_html(fields: Fields) -> str:
    """The values of a JSON answer with the probability of their tokens."""
    head = [
        ("field", False),
        ("value", False),
        ("probability", True),
        ("least token", True),
        ("mean", True),
        ("tokens", True),
    ]
    rows = [
        [
            style.code(visible(field.path)[:60] or "whole"),
            style.code(_cut(visible(field.text), 60)),
            _escaped(_field_chance(field)),
            _escaped(bounded_percent(field.minimum)),
            _escaped(bounded_percent(field.geometric_mean)),
            f"{field.n_tokens}{' *' if field.shared else ''}",
        ]
        for field in fields[:_FIELDS]
    ]
    if not rows:
        return style.table("No JSON values", [], [])
    shared = " * A token also holds punctuation around the value." if any(f.shared for f in fields) else ""
    if any(field.share for field in fields[:_FIELDS]):
        shared += " Of allowed: renormalised over the values that the schema lists."
    if any(field.prob.low != field.prob.low for field in fields[:_FIELDS]):
        shared += " Unconstrained: by the numbers from before a constraint forced a token."
    more = f" {len(fields) - _FIELDS:,} more fields." if len(fields) > _FIELDS else ""
    return style.table("Fields", head, rows, note=TRUTH + shared + more)


def _field_chance(field: Field) -> str:
    """A value's probability; beside it, or where a constraint forced it in its place, its share of what was allowed."""
    facts = [bounded_percent(field.prob)] if field.prob.low == field.prob.low else []
    if field.share is not None and field.allowed is not None:
        facts.append(f"{bounded_percent(field.share)} of allowed")
    if not facts and field.unconstrained.low == field.unconstrained.low:
        return f"{bounded_percent(field.unconstrained)} unconstrained"
    if field.allowed is not None:
        facts.append(f"{bounded_percent(field.allowed.rest)} unconstrained to others")
    return ", ".join(facts) or "—"


def tempered_html(tempered: TemperedTable) -> str:
    """The first alternatives of the first tokens, as they came and at the temperature."""
    rows = []
    positions = tempered.table.position[:_POSITIONS].tolist()
    for index, position in enumerate(positions):
        for one in tempered.at(position)[:_SHOWN]:
            mark = "▸ " if one.chosen else ""
            share = (
                percent(one.low)
                if percent(one.low) == percent(one.high)
                else f"{percent(one.low)} – {percent(one.high)}"
            )
            rows.append([str(position), mark + style.code(one.label), percent(one.prob), _escaped(share)])
        low, high = float(tempered.rest_low[index]), float(tempered.rest_high[index])
        if low == low:
            share = percent(low) if percent(low) == percent(high) else f"{percent(low)} – {percent(high)}"
            rest = remainder(float(tempered.table.rest_mass[index]))
            rows.append([str(position), "<i>not returned</i>", _escaped(rest), _escaped(share)])
    head = [("at", True), ("token", False), ("as it came", True), (f"at temperature {tempered.temperature:g}", True)]
    note = "Taken as from before temperature, as DeepSeek and llama.cpp send them."
    return style.table(f"At temperature {tempered.temperature:g}", head, rows, note=note)


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
