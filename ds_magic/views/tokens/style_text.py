"""What the same pictures are made of as text: bars of blocks, rows in columns of one width."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from ..terminal_width import columns, fit

BAR = 24
WIDEST = 80


def bar(share: float, to: float | None = None, *, width: int = BAR) -> str:
    """A share, 0 … 1, as blocks on `width` columns; light ones up to `to` where it lies between both."""
    if math.isnan(share):
        return ""
    eighths = round(8 * width * max(0.0, min(1.0, share)))
    # A share above zero always leaves a hair of a bar, so that it is not taken for nothing.
    if share > 0:
        eighths = max(1, eighths)
    if to is None or to - share < 0.5 / width:
        return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
    sure = round(eighths / 8)
    return "█" * sure + "░" * max(1, round(width * min(1.0, to)) - sure)


def rows(cells: Sequence[Sequence[str]], *, widest: Sequence[int] = (), indent: str = "  ") -> list[str]:
    """Lines of cells in columns, each as wide as its widest cell, or as `widest` says (0: no limit)."""
    if not cells:
        return []
    limits = [*widest, *([0] * (len(cells[0]) - len(widest)))]
    wanted = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    sizes = [min(size, limit or WIDEST) for size, limit in zip(wanted, limits, strict=True)]
    return [
        (indent + "  ".join(fit(cell, size) for cell, size in zip(row, sizes, strict=True))).rstrip() for row in cells
    ]


def filled(text: str) -> list[str]:
    """A sentence of ours on lines of at most `WIDEST` columns; a number keeps its unit."""
    lines = textwrap.wrap(text.replace(" %", "_%"), WIDEST, break_on_hyphens=False)
    return [line.replace("_%", " %") for line in lines]
