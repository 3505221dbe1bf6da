"""Token probabilities under an answer: script-free HTML (its text forms: probability_text).

Everything is a pure function of a LogprobTable. Tokens are hostile text: they pass through
`glyphs.label`, which names control and bidi characters, and are escaped for where they land. Colour only
repeats what the text says, so that the pieces read the same where a page strips CSS.
"""

from __future__ import annotations

import math
import re
from html import escape
from typing import TYPE_CHECKING

from ds_magic.logprobs.glyphs import visible

from . import style
from .heatmap import heatmap_html
from .numbers import BARS_LIMIT, Bar, bars, bits, chance, least_certain, notes, other_choices, percent, rank_text
from .tables_text import to_markdown, to_text
from .tints import tint

if TYPE_CHECKING:
    from ds_magic.logprobs.rows import Token
    from ds_magic.logprobs.table import LogprobTable

__all__ = ["bars_html", "heatmap_html", "least_certain_html", "to_html", "to_markdown", "to_text"]


def to_html(table: LogprobTable) -> str:
    """What stands under an answer: heat map, least certain tokens, bars for a short answer, what to know."""
    body = heatmap_html(table) + least_certain_html(table)
    if len(table) <= BARS_LIMIT:
        body += bars_html(table)
    sentences = " ".join(map(escape, notes(table)))
    return (
        f'<div {style.IGNORE} style="margin:8px 0;line-height:1.4">{body}'
        f'<div style="font-size:12px;margin:8px 0 0 0;{style.DIM}">{sentences}</div></div>'
    )


def least_certain_html(table: LogprobTable, *, n: int | None = None) -> str:
    """The `n` tokens of the greatest surprisal as a small table; empty where no token has a probability.

    Without `n` 10, or 5 for an answer so short that it gets bars.
    """
    title, rows = least_certain(table, n)
    if not rows:
        return ""
    head = "".join(
        f'<th style="{style.NUMBER if right else style.CELL};{style.HEAD}">{name}</th>'
        for name, right in (
            ("at", True), ("token", False), ("probability", True),
            ("bits", True), ("rank", True), ("the model's other choices", False),
        )
    )  # fmt: skip
    return (
        f'<div {style.IGNORE} style="overflow-x:auto;margin:0 0 4px 0">{style.heading(title)}'
        f'<table style="{style.TABLE}"><thead><tr style="{style.ROW}">{head}</tr></thead>'
        f"<tbody>{''.join(_certainty_row(table, row) for row in rows)}</tbody></table></div>"
    )


def bars_html(table: LogprobTable, *, limit: int = BARS_LIMIT) -> str:
    """For each token a small bar chart of its first five alternatives, the chosen one marked, with the rest.

    An answer of more than `limit` tokens gets charts for its first `limit`, and a line that says so.
    """
    cards = "".join(_card(row) for row in table[:limit])
    more = len(table) - limit
    note = f'<div style="font-size:12px;{style.DIM}">… and {more:,} tokens more</div>' if more > 0 else ""
    return f'<div {style.IGNORE} style="margin:10px 0 0 0">{cards}{note}</div>' if cards else ""


def _certainty_row(table: LogprobTable, row: Token) -> str:
    before, after = _context(table, row)
    token = (
        f'<span style="{style.DIM}"><bdi>{escape(before)}</bdi></span>{_token(row)}'
        f'<span style="{style.DIM}"><bdi>{escape(after)}</bdi></span>'
    )
    others = " &nbsp; ".join(
        f'<span style="white-space:nowrap">{style.code(one.label)} {percent(one.prob)}</span>'
        for one in other_choices(row)
    )
    cells = (
        (style.NUMBER, f"{row.position:,}"), (style.LINE, token), (style.NUMBER, chance(row)),
        (style.NUMBER, bits(row)), (style.NUMBER, rank_text(row)), (style.LINE, others or "—"),
    )  # fmt: skip
    return f'<tr style="{style.ROW}">' + "".join(f'<td style="{style}">{text}</td>' for style, text in cells) + "</tr>"


def _context(table: LogprobTable, row: Token, width: int = 16) -> tuple[str, str]:
    """A few words before and after a token, as they stand in the answer. Needs the whole answer's table."""
    index = row.position - (int(table.position[0]) if len(table) else 0)
    if not (0 <= index < len(table) and table.position[index] == row.position):
        return "", ""
    before = "".join(table.text[max(0, index - 12) : index])[-width:]
    after = "".join(table.text[index + 1 : index + 12])[:width]
    before = re.sub(r"^\S*\s", "", before) if len(before) == width else before
    after = re.sub(r"\s\S*$", "", after) if len(after) == width else after
    return _on_one_line(before), _on_one_line(after)


def _on_one_line(text: str) -> str:
    return visible(re.sub(r"\s+", " ", text)).replace("·", " ")


def _token(row: Token) -> str:
    return f'<b style="background-color:{tint(0.3)};border-radius:3px;padding:0 2px">{style.code(row.label)}</b>'


def _card(row: Token) -> str:
    lines = bars(row)
    charts = "".join(_bar_row(line) for line in lines)
    if not lines:
        why = {
            "missing": "No probability came.",
            "degenerate": "What came is no probability distribution.",
        }.get(row.status, f"Probability {chance(row)}; no alternatives came.")
        charts = f'<tr style="{style.ROW}"><td style="{style.CELL};{style.DIM}">{why}</td></tr>'
    surprise = "" if math.isnan(row.surprisal) else f" &nbsp; {bits(row)} bits"
    forced = " &nbsp; part of the prefix" if row.forced else ""
    if row.status == "constrained":
        forced += " &nbsp; forced by a grammar; shares from before it"
    return (
        '<div style="display:inline-block;vertical-align:top;margin:0 28px 12px 0">'
        f'<div style="font-size:13px;margin:0 0 2px 0"><span style="{style.DIM}">{row.position:,}</span> &nbsp; '
        f'{_token(row)}<span style="{style.DIM}">{surprise}{forced}</span></div>'
        f'<table style="{style.TABLE}"><tbody>{charts}</tbody></table></div>'
    )


def _bar_row(line: Bar) -> str:
    chosen, rest = line.kind == "chosen", line.kind == "rest"
    fill = f"border:1px solid {tint(1)}" if rest else f"background-color:{tint(1 if chosen else 0.6)}"
    width = 0.0 if math.isnan(line.prob) else 100 * min(1.0, line.prob)
    # A number above zero always leaves a hair of a bar, so that it is not taken for nothing.
    bar = (
        f'<div style="box-sizing:border-box;height:11px;min-width:2px;width:{width:.1f}%;border-radius:2px;{fill}">'
        "</div>"
        if width > 0
        else ""
    )
    name = f'<i style="{style.DIM}">{line.label}</i>' if rest else style.code(line.label)
    if chosen:
        name = f"<b>{name}</b>"
    weight = ";font-weight:bold" if chosen else ""
    cell = "padding:1px 6px 1px 0;border:none;vertical-align:middle;max-width:none;white-space:nowrap"
    return (
        f'<tr style="{style.ROW}"><td style="{cell};text-align:left">{"▸" if chosen else "&nbsp;"}</td>'
        f'<td style="{cell};text-align:left">{name}</td>'
        f'<td style="{cell};text-align:left"><div style="width:120px">{bar}</div></td>'
        f'<td style="{cell};text-align:right{weight}">{line.text}</td></tr>'
    )
