"""What was said how often, beside what was computed: a bar for each. Script-free."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Protocol

from ds_magic.logprobs.glyphs import END, visible

from ..tokens import style, style_text
from ..tokens.numbers import between, percent

if TYPE_CHECKING:
    from ds_magic.logprobs.bounded import Bounded

_SHOWN = 12
_LONGEST = 60


class Count(Protocol):
    """See `many.counts.Count`."""

    @property
    def text(self) -> str: ...
    @property
    def n(self) -> int: ...
    @property
    def share(self) -> float: ...
    @property
    def interval(self) -> tuple[float, float]: ...
    @property
    def computed(self) -> Bounded | None: ...


class Counts(Protocol):
    """See `many.counts.Counts`."""

    @property
    def total(self) -> int: ...
    @property
    def left_out(self) -> int: ...
    @property
    def notes(self) -> Sequence[str]: ...
    def __iter__(self) -> Iterator[Count]: ...


def counts_html(counts: Counts) -> str:
    """A bar for what was drawn, with its interval, and one for what was computed."""
    shown = _shown(counts)
    is_computed = any(each.computed is not None for each in counts)
    head: list[tuple[str, style.Kind]] = [("said", False), ("times", True), ("", "24%"), ("drawn", False)]
    head += [("", "24%"), ("computed", False)] if is_computed else []
    rows = []
    for each in shown:
        row = [
            style.wrapped(style.chip(_named(each.text), strong=each.n > 0)), f"{each.n:,}",
            style.bar(each.share, "chosen") + style.whisker(*each.interval), escape(_interval(each)),
        ]  # fmt: skip
        if is_computed:
            low, high = _bounds(each)
            row += [style.bar(low, to=high) + style.whisker(math.nan, math.nan), escape(_computed(each))]
        rows.append(row)
    return style.table(_title(counts), head, rows, note=_note(counts))


def counts_text(counts: Counts) -> str:
    """The same as text: the drawn share and its interval, then the computed one."""
    cells = [
        [_named(each.text), f"{each.n:,}", style_text.bar(each.share, width=16), _interval(each), _computed(each)]
        for each in _shown(counts)
    ]
    is_computed = any(each.computed is not None for each in counts)
    head = ["said", "times", "", "drawn", "computed" if is_computed else ""]
    lines = style_text.rows([head, *cells], widest=(24, 0, 16))
    return "\n".join([_title(counts), *lines, *style_text.filled(_note(counts))])


def _shown(counts: Counts) -> list[Count]:
    """What was said, and what was likely enough to be: one in two hundred at least."""
    worth = [each for each in counts if each.n or (each.computed is not None and each.computed.high >= 0.005)]
    return worth[:_SHOWN]


def _title(counts: Counts) -> str:
    different = sum(each.n > 0 for each in counts)
    answers = f"{counts.total:,} answer{'s' * (counts.total != 1)}"
    if different > 1:
        return f"{answers}, {different:,} different"
    return f"{answers}, all the same" if counts.total > 1 else answers


def _note(counts: Counts) -> str:
    more = sum(each.n > 0 for each in counts) - sum(each.n > 0 for each in _shown(counts))
    said = [f"… and {more:,} more that were said: `.to_pandas()` has all of them."] if more > 0 else []
    if counts.left_out:
        said.append(f"{counts.left_out:,} row{'s' * (counts.left_out > 1)} without a whole answer left out.")
    if counts.total:
        said.append("In parentheses Wilson's interval at 95 %.")
    return " ".join([*said, *counts.notes])


def _interval(each: Count) -> str:
    low, high = each.interval
    return "—" if math.isnan(low) else f"{100 * each.share:.0f} % ({100 * low:.0f} – {100 * high:.0f})"


def _bounds(each: Count) -> tuple[float, float]:
    return (math.nan, math.nan) if each.computed is None else (each.computed.low, each.computed.high)


def _computed(each: Count) -> str:
    low, high = _bounds(each)
    if math.isnan(low):
        return ""
    is_known = high - low < 0.002 and high - low <= 0.1 * high  # a range of nothing to little is a bound
    return percent(low) if is_known else between(low, high)


def _named(text: str) -> str:
    """A text, its blanks drawn at both ends only."""
    if not text:
        return END
    shown = visible(text[:_LONGEST])
    inner = shown.strip("·")
    start = len(shown) - len(shown.lstrip("·"))
    shown = shown[:start] + inner.replace("·", " ") + shown[start + len(inner) :]
    return f"{shown}…" if len(text) > _LONGEST else shown
