"""Answers by two factors: a grid of small answers, each tinted, from where they differ. Script-free."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from os.path import commonprefix
from typing import Any, Protocol

from ...api.clean_text import escaped, on_one_line
from ..tokens import style, style_text
from .beside import Group, Row, below, below_text, groups_of, legend_of, line_html, line_text
from .captions import factor_text

_COLUMNS, _ROWS = 6, 20
_IN_A_CELL = 3
_LENGTH = 180
_SHARED = 60
"""So long a beginning that all have in common is said once."""
_TABLE = style.TABLE.replace("table-layout:auto", "table-layout:fixed;width:100%")
_CELL = (
    "padding:0.35em 1.2em 0.35em 0;border:none;border-top:1px solid rgba(128,128,128,0.3);text-align:left;"
    "vertical-align:top;white-space:normal;overflow-wrap:anywhere;max-width:none"
)
_HEAD = f"{style.CELL};white-space:normal;overflow-wrap:anywhere;vertical-align:bottom"


class Grid(Protocol):
    """See `many.crossed.Grid`."""

    @property
    def columns(self) -> str: ...
    @property
    def rows(self) -> str: ...
    @property
    def across(self) -> Sequence[Any]: ...
    @property
    def down(self) -> Sequence[Any]: ...
    @property
    def answers(self) -> Any: ...
    def __getitem__(self, place: tuple[Any, Any], /) -> Sequence[Row]: ...


def grid_html(grid: Grid) -> str:
    """The answers of each cell, equal ones once."""
    start, groups = _differs_from(grid), groups_of(grid.answers)
    names = "".join(
        f'<th style="{_HEAD}">{_value(grid.columns, value, is_first=not at)}</th>'
        for at, value in enumerate(grid.across[:_COLUMNS])
    )
    head = f'<th style="{_HEAD};width:8em"><span style="{style.HEAD}">{_name(grid.rows)}</span></th>{names}'
    body = "".join(
        f'<tr style="{style.ROW}"><th style="{_CELL};font-weight:bold">{escape(factor_text(row))}</th>'
        + "".join(f'<td style="{_CELL}">{_cell(grid[row, column], start)}</td>' for column in grid.across[:_COLUMNS])
        + "</tr>"
        for row in grid.down[:_ROWS]
    )
    n = min(_COLUMNS, len(grid.across))
    size = f"min-width:{6 + 8 * n}em;max-width:{10 + 24 * n}em"
    head_row = f'<thead><tr style="{style.ROW}">{head}</tr></thead>'
    table = f'<table style="{_TABLE};{size}">{head_row}<tbody>{body}</tbody></table>'
    return style.frame(_begin_html(grid, start) + table + legend_of(groups) + below(grid.answers, groups, _notes(grid)))


def grid_text(grid: Grid) -> str:
    """The same as text, a line a cell: columns of words are wider than a terminal."""
    start, lines = _differs_from(grid), []
    if start:
        lines += [f"All begin: {_shared(grid, start)} …"]
    for row in grid.down[:_ROWS]:
        lines.append(f"── {_name_of(grid.rows)} {factor_text(row)}")
        cells = []
        for column in grid.across[:_COLUMNS]:
            for at, group in enumerate(groups_of(grid[row, column])[:_IN_A_CELL]):
                name = f"{_name_of(grid.columns)} {factor_text(column)}" if not at else ""
                cells.append([name, group.times, line_text(group.row, start)])
        lines += style_text.rows(cells, widest=(24, 0, 0))
    return "\n".join([*lines, *below_text(grid.answers, groups_of(grid.answers), _notes(grid))])


def _cell(rows: Sequence[Row], start: int) -> str:
    groups = groups_of(rows)
    groups.sort(key=lambda group: -group.n)
    lines = [_said(group, start) for group in groups[:_IN_A_CELL]]
    left = sum(group.n for group in groups[_IN_A_CELL:])
    return "".join(lines) + (style.small(f"… and {left:,} more") if left else "")


def _said(group: Group, start: int) -> str:
    times = f' <span style="{style.SMALL};{style.DIM};white-space:nowrap">{group.times}</span>' if group.n > 1 else ""
    return f'<div dir="auto" style="margin:0 0 0.3em 0">{line_html(group.row, start, _LENGTH)}{times}</div>'


def _differs_from(grid: Grid) -> int:
    """Where the answers begin to differ, at the beginning of a word; 0 where what they share is short."""
    contents = [row.content for row in grid.answers if row.content]
    shared = commonprefix(contents) if len(contents) > 1 else ""
    if len(shared) == max(map(len, contents), default=0):
        return 0
    start = max(shared.rfind(" "), shared.rfind("\n"))
    return start if start >= _SHARED else 0


def _shared(grid: Grid, start: int) -> str:
    content = next(row.content for row in grid.answers if row.content)
    return on_one_line(content[max(0, start - 240) : start], 260)


def _begin_html(grid: Grid, start: int) -> str:
    if not start:
        return ""
    said = f'All begin: <bdi>{escaped(_shared(grid, start))}</bdi> …'
    return f'<div style="{style.DIM};margin:0 0 0.4em 0;max-width:60em;overflow-wrap:anywhere">{said}</div>'


def _value(name: str, value: Any, *, is_first: bool) -> str:
    """A value as the head of its column, the first with the factor's name."""
    named = f'<span style="{style.HEAD}">{_name(name)}</span> ' if is_first else ""
    return f"{named}{escape(factor_text(value))}"


def _name(name: str) -> str:
    return escape(_name_of(name))


def _name_of(name: str) -> str:
    return on_one_line(str(name), 40)


def _notes(grid: Grid) -> list[str]:
    more = [
        f"{len(values) - most:,} more values of {name}"
        for name, values, most in ((grid.columns, grid.across, _COLUMNS), (grid.rows, grid.down, _ROWS))
        if len(values) > most
    ]
    return [*grid.answers.notes, *([f"… and {' and '.join(more)}: `.to_pandas()` has all of them."] if more else [])]
