"""What the model nearly said: for each place of a short answer the likeliest tokens as bars on one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ..terminal_width import fit
from . import style
from .numbers import OPEN, SHORT, Bar, bars, bits, chance, context, uncertain_first

if TYPE_CHECKING:
    from ds_magic.logprobs.rows import Token
    from ds_magic.logprobs.table import LogprobTable

# As many columns as there is room for, up to three, all of one width: what is compared begins at one left edge.
_GRID = (
    "display:grid;grid-template-columns:repeat(auto-fill,minmax(min(max(19.5em,31%),100%),1fr));column-gap:2.2em;"
    "row-gap:1.1em;max-width:96em"
)
_CELL = "padding:0.15em 0;border:none;vertical-align:middle;max-width:none;white-space:nowrap;overflow:hidden"
_NAME = f"{_CELL};width:9.8em;text-align:left;text-overflow:ellipsis"
_TRACK = f"{_CELL};text-align:left"
_SHARE = f"{_CELL};width:5.2em;text-align:right"
_TABLE = style.TABLE.replace("table-layout:auto", "table-layout:fixed;width:100%")
_MORE = f"{style.SMALL};cursor:pointer;margin:0.8em 0 0.4em"

_BLOCKS = 28  # columns of a full bar in a text


class Bars:
    """The bars of some places, in their order: the first `OPEN` are seen, others unfolded.

    `given`: the prefix of the answer, for the words before its first tokens.
    """

    def __init__(self, rows: Sequence[Token], table: LogprobTable | None = None, given: str = "") -> None:
        self._rows, self._table, self._given = rows, table, given

    @classmethod
    def of(cls, table: LogprobTable, at: int | None = None, *, given: str = "") -> Bars:
        """Those of a table's first `SHORT` places, the most uncertain first, or of the one `at` a position."""
        if at is None:
            return cls(uncertain_first(table[:SHORT]), table, given)
        found = (table.position == at).nonzero()[0].tolist()
        if not found:
            raise IndexError(f"There is no token at {at}; {_places(table)}.")
        return cls([table[found[0]]], table)

    def to_html(self) -> str:
        """Script-free, as wide as the page: one, two or three columns; one place alone takes a line's width."""
        blocks = [self._block(row) for row in self._rows]
        folded = ""
        if len(blocks) > OPEN:
            count = f"{len(blocks) - OPEN} more place{'s' * (len(blocks) > OPEN + 1)}, all more certain"
            folded = (
                f'<details><summary style="{_MORE};{style.DIM}">{count}</summary>'
                f'<div style="{_GRID}">{"".join(blocks[OPEN:])}</div></details>'
            )
        if not blocks:
            return ""
        grid = _GRID if len(blocks) > 1 else "max-width:42em"
        return (
            f'<div {style.IGNORE} dir="ltr" style="margin:0.8em 0 0.4em">'
            f'<div style="{grid}">{"".join(blocks[:OPEN])}</div>{folded}</div>'
        )

    def _block(self, row: Token) -> str:
        before, after = self._context(row)
        surprise = "" if math.isnan(row.surprisal) else f"surprise {bits(row)} bits"
        facts = [surprise, "part of the prefix" if row.forced else "", *self._remarks(row)]
        said = " · ".join(filter(None, facts))
        head = (
            f'<div style="margin:0 0 0.2em 0;white-space:nowrap;display:flex;align-items:baseline">'
            f'<span style="{style.SMALL};{style.DIM};flex:none">{row.position:,} &nbsp; </span>'
            f'<span style="min-width:0;overflow:hidden;text-overflow:ellipsis">'
            f"{style.in_context(before, row.label, after)}</span>"
            f'<span style="{style.SMALL};{style.DIM};flex:none"> &nbsp; {said}</span></div>'
        )
        lines = "".join(map(_bar_row, bars(row)))
        if not lines:
            why = {
                "missing": "No probability came.",
                "degenerate": "What came is no probability distribution.",
            }.get(row.status, f"Probability {chance(row)}; no alternatives came.")
            return f'<div style="min-width:0">{head}{style.small(escape(why))}</div>'
        return f'<div style="min-width:0">{head}<table style="{_TABLE}"><tbody>{lines}</tbody></table></div>'

    def _context(self, row: Token) -> tuple[str, str]:
        return ("", "") if self._table is None else context(self._table, row, 14, self._given)

    @staticmethod
    def _remarks(row: Token) -> list[str]:
        return ["forced by a grammar, shares from before it"] if row.status == "constrained" else []

    def to_text(self, width: int = 80) -> str:
        """The same for a terminal, no line wider than `width` columns."""
        parts = [self._text(row, width) for row in self._rows[:OPEN]]
        left = len(self._rows) - OPEN
        if left > 0:
            parts.append(f"… and {left} more place{'s' * (left > 1)}, all more certain")
        return "\n\n".join(parts)

    def _text(self, row: Token, width: int) -> str:
        before, after = self._context(row)
        surprise = "" if math.isnan(row.surprisal) else f"   surprise {bits(row)} bits"
        place = f"{before} [{row.label}] {after}".strip()
        lines = [fit(f"{row.position:,}  {place}{surprise}", width).rstrip()]
        for line in bars(row):
            mark = "▸" if line.kind == "chosen" else " "
            lines.append(f"  {mark} {fit(line.label, 18)} {fit(_blocks(line.prob), _BLOCKS)} {line.text:>9}")
        if len(lines) == 1:
            lines.append(f"    {chance(row)}  (no distribution came)")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return style.frame(self.to_html())

    def __repr__(self) -> str:
        return self.to_text()


def _places(table: LogprobTable) -> str:
    """Where there are tokens: places are counted from 0, which who asks for the last may not think of."""
    positions = table.position
    return f"places go from {positions[0]:,} to {positions[-1]:,}" if len(table) else "the table is empty"


def _bar_row(line: Bar) -> str:
    chosen, rest = line.kind == "chosen", line.kind == "rest"
    name = f'<i style="{style.DIM}">{line.label}</i>' if rest else style.chip(line.label, strong=chosen)
    mark = "▸ " if chosen else "&nbsp; "
    weight = ";font-weight:bold" if chosen else ""
    return (
        f'<tr style="{style.ROW}"><td style="{_NAME}"><span style="{style.MONO}">{mark}</span>{name}</td>'
        f'<td style="{_TRACK}">{style.bar(line.prob, line.kind)}</td>'
        f'<td style="{_SHARE}{weight}">{escape(line.text)}</td></tr>'
    )


def _blocks(p: float) -> str:
    eighths = 0 if math.isnan(p) else round(8 * _BLOCKS * min(1.0, p))
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
