"""Token probabilities under an answer: bars where it is short, else a table of what the model was least sure of.

Everything is a pure function of a LogprobTable. Tokens are hostile text: they pass through `glyphs.label`, which
names control and bidi characters, and are escaped for where they land. Colour only repeats what the text says, so
that the pieces read the same where a page strips CSS.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from . import style
from .bars import Bars
from .heatmap import heatmap_html
from .numbers import SHORT, bits, chance, context, least_certain, other_choices, percent, rank_text
from .tables_text import to_markdown, to_text

if TYPE_CHECKING:
    from ds_magic.logprobs.rows import Token
    from ds_magic.logprobs.table import LogprobTable

# A long token breaks where there is no room for it, rather than push the columns off the page.
_WORDS = f"{style.CELL};overflow-wrap:anywhere;line-height:1.75"

__all__ = ["least_certain_html", "table_html", "to_html", "to_markdown", "to_text"]


def to_html(table: LogprobTable, given: str = "") -> str:
    """What stands under an answer, which has its tints itself: bars or the table, never both. `given`: its prefix."""
    return Bars.of(table, given=given).to_html() if len(table) <= SHORT else least_certain_html(table, given=given)


def table_html(table: LogprobTable) -> str:
    """A table by itself: its tokens as a heat map, what stands under an answer, and what to know of the numbers."""
    notes = style.small(" ".join(map(escape, table.notes)))
    return style.frame(heatmap_html(table) + to_html(table) + notes)


def least_certain_html(table: LogprobTable, *, n: int | None = None, given: str = "") -> str:
    """The `n` (10) tokens of the greatest surprisal as a small table; empty where no token has a probability."""
    title, rows = least_certain(table, n)
    if not rows:
        return ""
    head = "".join(
        f'<th style="{style.NUMBER if right else style.CELL};font-weight:normal;{style.DIM}">{name}</th>'
        for name, right in (
            ("at", True), ("token", False), ("probability", True),
            ("bits", True), ("rank", True), ("what else it nearly said", False),
        )
    )  # fmt: skip
    return (
        f'<div {style.IGNORE} dir="ltr" style="overflow-x:auto;margin:0.8em 0 0.4em">{style.heading(title)}'
        f'<table style="{style.TABLE}"><thead><tr style="{style.ROW}">{head}</tr></thead>'
        f"<tbody>{''.join(_certainty_row(table, row, given) for row in rows)}</tbody></table></div>"
    )


def _certainty_row(table: LogprobTable, row: Token, given: str) -> str:
    before, after = context(table, row, given=given)
    token = style.in_context(before, row.label, after)
    shares = ((style.chip(one.label), percent(one.prob).replace(" ", "&nbsp;")) for one in other_choices(row, 3))
    # The blank that a line is broken at comes last: what goes on begins with its token.
    others = "&nbsp;&nbsp; ".join(f"{chip}&nbsp;{share}" for chip, share in shares)
    cells = (
        (style.NUMBER, f"{row.position:,}"), (_WORDS, token), (style.NUMBER, escape(chance(row))),
        (style.NUMBER, bits(row)), (style.NUMBER, escape(rank_text(row))), (_WORDS, others or "—"),
    )  # fmt: skip
    return f'<tr style="{style.ROW}">' + "".join(f'<td style="{kind}">{text}</td>' for kind, text in cells) + "</tr>"
