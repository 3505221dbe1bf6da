"""One place at several temperatures and cuts: a column for each, all on one scale, pruned tokens greyed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from ds_magic.logprobs.rows import others
from ds_magic.logprobs.tempered_place import PRUNED

from . import style, style_text
from .numbers import between

if TYPE_CHECKING:
    from ds_magic.logprobs.rows import Alternative
    from ds_magic.logprobs.tempered_place import Setting, Tempered, TemperedPlace

SHOWN = 8
ORDER = "First the temperature, then top-k, then top-p, as the model on this machine draws."
TAKEN = "Taken as from before temperature, as DeepSeek and llama.cpp send them."


class Cell(NamedTuple):
    """A share at one setting, between its bounds; of a pruned token, the one that it had before the cut."""

    low: float
    high: float
    text: str
    is_pruned: bool = False


class Line(NamedTuple):
    """A token, or all that are not drawn, at each setting."""

    label: str
    kind: str
    cells: list[Cell]


def lines(place: TemperedPlace, shown: int = SHOWN) -> list[Line]:
    """The first tokens, the chosen one with them, and all others together."""
    drawn, chosen = drawn_of(place, shown), place.chosen
    ranks = [one.rank - 1 for one in drawn]
    found = [
        Line(one.label, _kind(one), [_cell(each, one.rank - 1) for each in place.columns])
        for one in drawn
    ]
    if chosen is None:
        unknown = [Cell(float("nan"), float("nan"), "not returned") for _ in place.columns]
        found.append(Line(place.row.label, "chosen", unknown))
    if place.row.vocabulary_size != len(drawn):
        label = others(len(drawn), place.row.vocabulary_size)
        found.append(Line(label, "rest", [_others(each, ranks) for each in place.columns]))
    return found


def drawn_of(place: TemperedPlace, shown: int) -> list[Alternative]:
    """The first `shown` tokens, and the chosen one where it is none of them."""
    drawn, chosen = list(place.row.alternatives.top(shown)), place.chosen
    return drawn if chosen is None or chosen.rank <= shown else [*drawn, chosen]


def _kind(one: Alternative) -> str:
    return "chosen" if one.chosen else "alternative"


def _cell(column: Tempered, at: int) -> Cell:
    if column.kept[at] == PRUNED and column.setting.temperature > 0:
        low, high = float(column.uncut_low[at]), float(column.uncut_high[at])
        return Cell(low, high, between(low, high), True)
    low, high = float(column.low[at]), float(column.high[at])
    return Cell(low, high, _share(low, high))


def _others(column: Tempered, drawn: list[int]) -> Cell:
    """What all but the drawn tokens have together."""
    is_pruned = column.rest[1] == 0 and (column.kept != PRUNED).sum() == (column.kept[drawn] != PRUNED).sum()
    is_cut = bool(is_pruned and column.setting.cut and column.setting.temperature > 0)
    lows, highs = (column.uncut_low, column.uncut_high) if is_cut else (column.low, column.high)
    rest = column.uncut_rest if is_cut else column.rest
    low = max(0.0, float(lows.sum() - lows[drawn].sum()) + rest[0], 1 - float(highs[drawn].sum()))
    high = max(low, min(1.0, 1 - float(lows[drawn].sum())))
    return Cell(low, high, between(low, high) if is_cut else _share(low, high), is_cut)


def _share(low: float, high: float) -> str:
    return f"{low:.0%}".replace("%", " %") if low == high and low in (0, 1) else between(low, high)


def _heads(place: TemperedPlace) -> tuple[str, list[str]]:
    """The heading, and the head of each column; a cut that all have in common is said once."""
    cuts = {each.cut for each in place.settings}
    temperatures = {each.temperature for each in place.settings}
    common = f", {cuts.copy().pop()}" if len(cuts) == 1 and cuts != {""} else ""
    if len(place.settings) == 1:
        return f"At temperature {place.settings[0].temperature:g}{common}", [""]
    if len(temperatures) == 1:
        return f"At temperature {temperatures.pop():g}", [each.cut or "uncut" for each in place.settings]
    heads = [_head(each, with_cut=len(cuts) > 1) for each in place.settings]
    return f"One place at several temperatures{common}", heads


def _head(setting: Setting, *, with_cut: bool) -> str:
    return f"at {setting.temperature:g}" + (f", {setting.cut}" if with_cut and setting.cut else "")


def _left(column: Tempered) -> str:
    """How many tokens a cut leaves."""
    least, most = column.count
    if least == most:
        return f"{least:,} token{'s' * (least != 1)}"
    return f"at least {least:,}"


def _note(place: TemperedPlace, found: list[Line]) -> str:
    is_pruned = any(cell.is_pruned for line in found for cell in line.cells)
    is_bounded = any(line.cells and cell.low != cell.high for line in found for cell in line.cells)
    return " ".join(filter(None, [
        "What is pruned is greyed, with the share that it had." if is_pruned else "",
        ORDER if any(each.cut for each in place.settings) else "",
        "What was not returned is only bounded." if is_bounded and place.others else "",
        "Shares are from before the grammar that forced this token." if place.row.status == "constrained" else "",
        TAKEN,
    ]))  # fmt: skip


def tempered_place_html(place: TemperedPlace) -> str:
    """A column of bars a setting, script-free. Shares that are intervals, which are long, stand below their bars."""
    found = lines(place)
    title, names = _heads(place)
    is_stacked = len(names) > 1 and any(
        len(cell.text) > _SHORT for line in found for cell in line.cells if cell.low == cell.low
    )
    rows = "".join(_row(line, is_stacked) for line in found)
    if any(each.cut for each in place.settings):
        left = "".join(f'<td style="{_CELL};{style.DIM}">{_left(each)}</td>' for each in place.columns)
        rows += f'<tr style="{style.ROW}"><td style="{_NAME};{style.DIM}">may be drawn</td>{left}</tr>'
    head = "".join(f'<th style="{style.HEAD};{_CELL}">{escape(name)}</th>' for name in names)
    width = f"width:100%;min-width:{7 + 6 * len(names)}em;max-width:{max(36, 12 + 12 * len(names))}em"
    return style.frame(
        f'{style.heading(title)}<table style="{_TABLE};{width}"><thead><tr style="{style.ROW}">'
        f'<td style="{_NAME}"></td>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f"{style.small(style.prose(_note(place, found)))}"
    )


_SHORT = 10
"""Characters of a share that fits beside its bar."""
_TABLE = style.TABLE.replace("table-layout:auto", "table-layout:fixed")
_CELL = f"{style.CELL};padding-right:1.4em"
_NAME = f"{style.LINE};width:9.5em;overflow:hidden;text-overflow:ellipsis"


def _row(line: Line, is_stacked: bool) -> str:
    is_chosen = line.kind == "chosen"
    name = (
        f'<i style="{style.DIM}">{escape(line.label)}</i>'
        if line.kind == "rest"
        else style.chip(line.label, strong=is_chosen)
    )
    mark = f'<span style="{style.MONO}">{"▸ " if is_chosen else "&nbsp; "}</span>'
    cells = "".join(f'<td style="{_CELL}">{_drawn(cell, line.kind, is_stacked)}</td>' for cell in line.cells)
    return f'<tr style="{style.ROW}"><td style="{_NAME}">{mark}{name}</td>{cells}</tr>'


def _drawn(cell: Cell, kind: str, is_stacked: bool) -> str:
    """A bar and its share; of a pruned token the share that it had, hollow and struck through."""
    text = escape(cell.text).replace(" %", "&nbsp;%")
    drawn = style.bar(cell.low, "rest" if cell.is_pruned else kind, to=cell.high)
    if cell.is_pruned:
        text, drawn = f'<s title="pruned" style="opacity:0.6">{text}</s>', f'<div style="opacity:0.45">{drawn}</div>'
    if is_stacked:
        return f'<div style="min-height:2.6em">{drawn}<div style="{style.SMALL}">{text}</div></div>'
    return (
        f'<div style="display:flex;flex-wrap:wrap;align-items:center"><div style="flex:1;min-width:2.5em">{drawn}</div>'
        f'<div style="flex:none;min-width:5.4em;text-align:right;white-space:nowrap">{text}</div></div>'
    )


def tempered_place_text(place: TemperedPlace) -> str:
    """The same as text: a setting below the other, since columns of bars are wider than a terminal."""
    found = lines(place)
    title, names = _heads(place)
    parts = [title]
    for at, (name, column) in enumerate(zip(names, place.columns, strict=True)):
        rows = [
            (
                ("▸ " if line.kind == "chosen" else "  ") + line.label,
                "" if line.cells[at].is_pruned else style_text.bar(line.cells[at].low, line.cells[at].high, width=24),
                ("pruned " if line.cells[at].is_pruned else "") + line.cells[at].text,
            )
            for line in found
        ]
        left = f"{_left(column)} may be drawn" if column.setting.cut else ""
        head = ": ".join(filter(None, [name, left]))
        parts.append("\n".join([*filter(None, [head]), *style_text.rows(rows, widest=(20,))]))
    return "\n".join([*parts, *style_text.filled(_note(place, found))])
