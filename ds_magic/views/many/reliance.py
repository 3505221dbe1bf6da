"""How often answers are right, against how sure the model was: a bar for each, bin by bin. Script-free."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import Protocol

from ..tokens import style, style_text


class Bin(Protocol):
    """See `many.reliability.Bin`."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def n(self) -> int: ...
    @property
    def confidence(self) -> float: ...
    @property
    def share(self) -> float: ...
    @property
    def interval(self) -> tuple[float, float]: ...


class Reliability(Protocol):
    """See `many.reliability.Reliability`."""

    @property
    def n(self) -> int: ...
    @property
    def right(self) -> int: ...
    @property
    def left_out(self) -> int: ...
    @property
    def error(self) -> float: ...
    @property
    def brier(self) -> float: ...
    def __iter__(self) -> Iterator[Bin]: ...


def reliability_html(found: Reliability) -> str:
    """Two bars a bin: how sure the model was on average, and how many were right."""
    head: style.Head = [("how sure", False), ("answers", True), ("", "24%"), ("sure, mean", True)]
    head = [*head, ("", "24%"), ("right", False)]
    rows = [
        [
            _range(each), f"{each.n:,}",
            style.bar(each.confidence) + style.whisker(math.nan, math.nan), f"{100 * each.confidence:.0f} %",
            style.bar(each.share, "chosen") + style.whisker(*each.interval), escape(_share(each)),
        ]
        for each in found
    ]  # fmt: skip
    return style.table(_title(found), head, rows, note=_note(found))


def reliability_text(found: Reliability) -> str:
    """The same as text."""
    cells = [
        [_range(each), f"{each.n:,}", style_text.bar(each.confidence, width=12), f"{100 * each.confidence:.0f} %",
         style_text.bar(each.share, width=12), _share(each)]
        for each in found
    ]  # fmt: skip
    lines = style_text.rows([["how sure", "answers", "", "sure, mean", "", "right"], *cells])
    return "\n".join([_title(found), *lines, *style_text.filled(_note(found))])


def _range(each: Bin) -> str:
    return f"{100 * each.low:.0f} – {100 * each.high:.0f} %"


def _share(each: Bin) -> str:
    low, high = each.interval
    return f"{100 * each.share:.0f} % ({100 * low:.0f} – {100 * high:.0f})"


def _title(found: Reliability) -> str:
    return f"{found.right:,} of {found.n:,} answers are right"


def _note(found: Reliability) -> str:
    said = [f"{found.left_out:,} rows without an answer or a probability left out."] if found.left_out else []
    if found.n:
        said.append(
            f"Mean distance between sure and right {100 * found.error:.0f} %, Brier score {found.brier:.2f}. "
            "In parentheses the interval at 95 %."
        )
    return " ".join(said)
