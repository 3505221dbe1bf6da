"""What a temperature makes of a distribution: the same tokens as they came and at it, side by side."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ds_magic.logprobs.rows import others

from . import style, style_text
from .classification import bar
from .numbers import between, chance, percent, remainder

if TYPE_CHECKING:
    from ds_magic.logprobs.rows import Token
    from ds_magic.logprobs.temperature import TemperedTable

_PLACES = 4
_SHOWN = 5


class Line(NamedTuple):
    """One token at one place, or all that are not drawn: its share as it came, and its bounds at the temperature."""

    label: str
    prob: float
    came: str
    low: float
    high: float
    kind: str

    def at(self, temperature: float) -> str:
        """Its share there, in words; a chosen token that was not among the alternatives has none of its own."""
        if math.isnan(self.low):
            return "among the others"
        if temperature == 0 and self.low in (0, 1):  # no rounded number, but what is meant by it
            return f"{self.low:.0%}".replace("%", " %")
        return self.came if self.low == self.prob == self.high else between(self.low, self.high)


def tempered_html(tempered: TemperedTable) -> str:
    """The least certain places, the first alternatives of each as they came and at the temperature."""
    places, note = _places(tempered)
    rows = []
    for row in places:
        if len(places) > 1:
            rows.append([f'<span style="{style.DIM}">token {row.position:,}</span>', "", "", "", ""])
        rows += [_row(line, tempered.temperature) for line in lines(tempered, row)]
    at = f"at {tempered.temperature:g}"
    head: style.Head = [("", False), ("as it came", "16%"), ("", False), (at, "16%"), ("", False)]
    return style.table(_sentence(tempered), head, rows, note=note)


def _row(line: Line, temperature: float) -> list[str]:
    rest, chosen = line.kind == "rest", line.kind == "chosen"
    return [
        style.wrapped(f"<i>{line.label}</i>" if rest else style.chip(line.label, strong=chosen)),
        bar(line.prob, kind=line.kind),
        escape(line.came),
        bar(line.low, line.high, line.kind),
        style.wrapped(escape(line.at(temperature))),
    ]


def tempered_text(tempered: TemperedTable) -> str:
    """The same as text."""
    places, note = _places(tempered)
    parts = [_sentence(tempered)]
    for row in places:
        cells = [(f"token {row.position:,}", "as it came", f"at temperature {tempered.temperature:g}", "")]
        cells += [
            (
                ("▸ " if line.kind == "chosen" else "  ") + line.label,
                line.came,
                style_text.bar(line.low, line.high, width=20),
                line.at(tempered.temperature),
            )
            for line in lines(tempered, row)
        ]
        parts.append("\n".join(style_text.rows(cells, widest=(20,))))
    return "\n".join([*parts, *style_text.filled(note)])


def lines(tempered: TemperedTable, row: Token) -> list[Line]:
    """The first alternatives of a place, the chosen one with them, and everything that is not drawn."""
    known = [one for one in tempered.at(row.position) if one.prob == one.prob]
    drawn = known[:_SHOWN] + [one for one in known[_SHOWN:] if one.chosen]
    if not drawn:
        return []
    kinds = {True: "chosen", False: "alternative"}
    found = [Line(one.label, one.prob, percent(one.prob), one.low, one.high, kinds[one.chosen]) for one in drawn]
    if not any(one.chosen for one in known):
        found.append(Line(row.label, math.nan, chance(row), math.nan, math.nan, "chosen"))
    at = int(np.flatnonzero(tempered.table.position == row.position)[0])
    returned = sum(one.low for one in known) - sum(one.low for one in drawn)
    low = max(0.0, returned + float(tempered.rest_low[at]), 1 - sum(one.high for one in drawn))
    high = min(1.0, 1 - sum(one.low for one in drawn))
    rest = max(0.0, 1 - sum(one.prob for one in drawn))
    label = others(len(drawn), tempered.table.vocabulary_size)
    found.append(Line(label, rest, remainder(rest), low, max(low, high), "rest"))
    # Bounds count in how inexactly numbers are sent; at 1 that would set one number against itself.
    is_same = tempered.temperature == 1
    return [line._replace(low=line.prob, high=line.prob) for line in found] if is_same else found


def _places(tempered: TemperedTable) -> tuple[list[Token], str]:
    """The places that are drawn, in the order of the text, and the small print."""
    table = tempered.table
    chosen = table.least_certain(_PLACES)
    picked = sorted(chosen if len(chosen) else table[:_PLACES], key=lambda row: row.position)
    rows = [row for row in picked if row.n_alternatives]
    note = "Taken as from before temperature, as DeepSeek and llama.cpp send them."
    if not rows:
        return [], "No alternatives came, of which it could be computed."
    if len(rows) < len(table):
        note = f"The {len(rows)} least certain of {len(table):,} tokens. {note}"
    return rows, note


def _sentence(tempered: TemperedTable) -> str:
    temperature = tempered.temperature
    if temperature == 0:
        effect = "the likeliest token is always taken"
    elif temperature == 1:
        effect = "tokens are drawn as their probabilities came"
    elif temperature < 1:
        effect = "what was likely becomes likelier"
    else:
        effect = "what was unlikely becomes likelier"
    return f"At temperature {temperature:g} {effect}."

