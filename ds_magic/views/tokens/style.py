"""What all pictures of token probabilities are made of: chips, bars, rows of a table. Inline styles, sizes in em.

A picture stands in a page that we do not know: JupyterLab's own table styles are undone, its font size is taken
over, and what has no colour of ours has the page's own, so that light and dark need no style sheet.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape

from ..direction import is_rtl
from ..size import font_size
from .tints import tint

IGNORE = 'class="mathjax_ignore tex2jax_ignore"'
MONO = "font-family:Menlo,Consolas,monospace"
DIM = "opacity:0.75"
SMALL = "font-size:0.86em"
# JupyterLab centres tables, stripes their rows and aligns cells to the right; each of these is undone.
TABLE = "border-collapse:collapse;border:none;table-layout:auto;margin:0;font-size:0.93em;line-height:1.5"
ROW = "background:transparent"
CELL = "padding:0.2em 1em 0.2em 0;border:none;text-align:left;vertical-align:middle;max-width:none"
NUMBER = CELL.replace("text-align:left", "text-align:right") + ";white-space:nowrap"
LINE = CELL + ";white-space:nowrap"
HEAD = f"font-weight:normal;{DIM}"

PRINTED = "-webkit-print-color-adjust:exact;print-color-adjust:exact"
"""Of a frame: its tints are no decoration, which browsers do not print."""

FRAME = f"padding-left:0.4em;overflow-x:auto;margin:0.6em 0;line-height:1.5;{PRINTED}"
TRACK = "background:rgba(128,128,128,0.16)"
RIVAL = tint(0.88)  # 3:1 against the page in both themes
BAR = "box-sizing:border-box;height:0.85em;min-width:2px;border-radius:0.15em"


Kind = bool | str
"""What a column holds: numbers, anything else, or bars, with their share of the width (`25%`)."""
Head = Sequence[tuple[str, Kind]]


def chip(text: str, *, strong: bool = False) -> str:
    """A token as a chip: its label in the monospaced face, apart from what stands around and from its direction."""
    weight = ";font-weight:bold" if strong else ""
    return (
        f'<bdi style="{MONO};font-size:0.93em;padding:0.1em 0.35em;border-radius:0.3em;'
        f'background:rgba(128,128,128,0.16){weight}">{escape(text)}</bdi>'
    )


def in_context(before: str, label: str, after: str) -> str:
    """A token's chip between the words around it, in the direction of the text that it is of."""
    words = [f'<span style="{DIM}"><bdi>{escape(text)}</bdi></span>' if text else "" for text in (before, after)]
    phrase = f"{words[0]} {chip(label, strong=True)} {words[1]}".strip()
    return f'<span dir="rtl" style="unicode-bidi:isolate">{phrase}</span>' if is_rtl(before + label + after) else phrase
def wrapped(cell: str) -> str:
    """A cell that may break its line, in a column of a table that otherwise would not."""
    return f'<div style="white-space:normal;max-width:24em;overflow-wrap:break-word">{cell}</div>'


def code(text: str) -> str:
    """A name or a piece of text as code, without a chip around it."""
    return f'<bdi style="{MONO}">{escape(text)}</bdi>'


def bar(share: float, kind: str = "alternative", *, to: float | None = None) -> str:
    """A share, 0 … 1, as a bar on a faint track from 0 to 100 %; an empty track where it is NaN.

    `kind`: `chosen` in the page's ink, `alternative` in the hue, `rest` hollow. `to`: the share lies between both,
    and the part that is not sure is hollow.
    """
    if math.isnan(share):
        return f'<div style="{TRACK};border-radius:0.15em"><div style="height:0.85em"></div></div>'
    low = 100 * max(0.0, min(1.0, share))
    # Borders have the page's colour of text in every theme, and are printed where a printer leaves out backgrounds.
    fill = {"chosen": "border-top:0.85em solid;opacity:0.85", "rest": f"border:1px solid {RIVAL}"}.get(
        kind, f"border-top:0.85em solid {RIVAL}"
    )
    # A share above zero always leaves a hair of a bar, so that it is not taken for nothing.
    drawn = f'<div style="{BAR};width:{low:.1f}%;{fill}"></div>' if low > 0 else '<div style="height:0.85em"></div>'
    if to is not None and 100 * to - low >= 0.05:
        unsure = 100 * min(1.0, to) - low
        drawn = (
            f'<div style="display:flex;height:0.85em">{drawn if low > 0 else ""}'
            f'<div style="{BAR};width:{unsure:.1f}%;border:1px solid {RIVAL}"></div></div>'
        )
    return f'<div style="{TRACK};border-radius:0.15em">{drawn}</div>'


def whisker(low: float, high: float) -> str:
    """An interval, 0 … 1, as a thin line on the scale of the bar above it; of NaN the room that it would take."""
    line = ""
    if not (math.isnan(low) or math.isnan(high)):
        left, right = (100 * max(0.0, min(1.0, each)) for each in (low, high))
        drawn = f"border-top:2px solid;opacity:0.6;min-width:2px;width:{right - left:.1f}%"
        line = f'<div style="width:{left:.1f}%"></div><div style="{drawn}"></div>'
    return f'<div style="display:flex;height:2px;margin:2px 0 0 0">{line}</div>'


def heading(text: str) -> str:
    """The line above a picture: a name or a sentence."""
    return f'<div style="font-weight:bold;font-size:0.93em;margin:0 0 0.2em 0">{prose(text)}</div>'


def prose(text: str) -> str:
    """A sentence of ours as HTML: what stands in backticks is code."""
    return re.sub("`([^`]+)`", rf'<bdi style="{MONO}">\1</bdi>', escape(text))


def small(text: str) -> str:
    """The dim line below a picture; `text` is HTML already."""
    return f'<div style="{SMALL};margin:0.3em 0 0 0;{DIM}">{text}</div>' if text else ""


def frame(body: str) -> str:
    """What stands around a picture by itself: margins, the size that is set, and no formulas inside."""
    return f'<div {IGNORE} style="{font_size()}{FRAME}">{body}</div>'


def grid(head: Head, rows: list[list[str]]) -> str:
    """Cells in columns. `head`: the name of each, and whether it is of numbers, or the share of the width that its
    bars have, which shrink where the words beside them need it; `rows`: cells that are HTML already."""
    kinds = [NUMBER if kind is True else LINE if kind is False else f"{CELL};width:{kind}" for _, kind in head]
    kinds[-1:] = [kinds[-1].replace("1.2em", "0")] if kinds else []
    names = "".join(
        f'<th style="{HEAD};{kind}">{escape(name)}</th>' if name else f'<td style="{kind}"></td>'
        for (name, _), kind in zip(head, kinds, strict=True)
    )
    body = "".join(
        f'<tr style="{ROW}">'
        + "".join(f'<td style="{kind}">{cell}</td>' for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    )
    head_row = f'<thead><tr style="{ROW}">{names}</tr></thead>' if any(name for name, _ in head) else ""
    width = ";width:100%;max-width:46em" if any(isinstance(kind, str) for _, kind in head) else ""
    return f'<table style="{TABLE}{width}">{head_row}<tbody>{body}</tbody></table>' if rows else ""


def table(title: str, head: Head, rows: list[list[str]], *, note: str = "") -> str:
    """A grid below its heading, and above a dim line."""
    return frame(heading(title) + grid(head, rows) + small(prose(note)))
