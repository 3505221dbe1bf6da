"""The tints of token probabilities on text that is formatted already: the answer is its own picture."""

from __future__ import annotations

import re
from bisect import bisect_right
from html import escape
from typing import TYPE_CHECKING

from ...api.clean_text import for_page
from .blocks import located

if TYPE_CHECKING:
    from ...logprobs.table import LogprobTable

TITLES_LIMIT = 110_000
"""Characters of titles in one answer; the least certain tokens have theirs first."""


def tinted(html: str, text: str, table: LogprobTable, *, given: int = 0) -> str:
    """`html`, made of `text`, with each token tinted by its class of surprisal, and its alternatives as `title`.

    `table`: the tokens of the text, as a rule behind the first `given` characters, which are a prefix. Where they do
    not spell it, what follows has no tint. A token that markup divides is tinted in each of its parts, a formula as a
    whole.
    """
    return _marked(html, text, table, given, _Marks(table))


def numbered(html: str, text: str, table: LogprobTable, *, given: int = 0) -> str:
    """The same, but that each token stands in an element whose class is the number of its drawn group: `dsx-g17`.

    A page that has the table finds its tokens by it.
    """
    return _marked(html, text, table, given, _Numbers(table))


def _marked(html: str, text: str, table: LogprobTable, given: int, marks: _Marks | _Numbers) -> str:
    """`html` with what `marks` puts around the text of each drawn group."""
    source = for_page(text)
    ends, starts, groups = _places(text, table, given)
    out: list[str] = []
    for run, begin, end in located(html, source):
        first = bisect_right(ends, begin) if begin >= 0 else len(ends)
        if begin < 0 or first == len(ends) or starts[first] >= end:
            out.append(run)
        elif run.startswith("<"):
            last = bisect_right(starts, end - 1)
            worst = max(range(first, max(last, first + 1)), key=lambda at: marks.class_of(groups[at]))
            out.append(marks.marked(groups[worst], run))
        else:
            at = begin
            while at < end:
                inside = first < len(ends) and starts[first] <= at
                following = ends[first] if inside else starts[first] if first < len(ends) else end
                piece = escape(source[at : min(end, following)])
                out.append(marks.marked(groups[first], piece) if inside else piece)
                at = min(end, following)
                first += inside
    return "".join(out)


def _places(text: str, table: LogprobTable, given: int) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """Where in the cleaned `text` each drawn group of tokens ends and starts, and the group; empty ones left out."""
    from ..tokens.heatmap import drawn_groups

    spelt = table.text_content
    # Where a server echoes the prefix, its tokens are there too.
    offset = len(text) - len(spelt) if text.endswith(spelt) else given
    pairs = enumerate(zip(text[offset:], spelt, strict=False))
    agree = next((at for at, (a, b) in pairs if a != b), min(len(text) - offset, len(spelt)))
    # Line ends of two characters become one; all else that is cleaned keeps its place.
    doubled = [found.start() for found in re.finditer("\r\n", text)] if "\r" in text else []
    starts, ends, groups = [], [], []
    zero = int(table.char_start[0]) if len(table) else 0  # of a slice, whose text begins with its first token
    for first, last in drawn_groups(table):
        begin, end = int(table.char_start[first]) - zero, min(agree, int(table.char_end[last - 1]) - zero)
        if begin >= end:
            continue
        begin, end = begin + offset, end + offset
        starts.append(begin - bisect_right(doubled, begin - 1))
        ends.append(end - bisect_right(doubled, end - 2))
        groups.append((first, last))
    return ends, starts, groups


class _Numbers:
    """Puts an element with its number around the text of a group of tokens."""

    def __init__(self, table: LogprobTable) -> None:
        from ..tokens.heatmap import drawn_groups
        from ..tokens.tints import classes

        self._classes = classes(table)
        self._numbers = {group: number for number, group in enumerate(drawn_groups(table))}

    def class_of(self, group: tuple[int, int]) -> int:
        return int(self._classes[slice(*group)].max())

    def marked(self, group: tuple[int, int], html: str) -> str:
        return f'<span class="dsx-g{self._numbers[group]}">{html}</span>'


class _Marks:
    """Puts the style and the title of a group of tokens around its text."""

    def __init__(self, table: LogprobTable) -> None:
        from ..tokens.heatmap import token_styles, token_title
        from ..tokens.tints import METRICS, classes

        self._table, self._title = table, token_title
        self._metric, self._classes = METRICS["surprisal"], classes(table)
        self._styles = token_styles
        self._titles = self._within_limit()

    def class_of(self, group: tuple[int, int]) -> int:
        return int(self._classes[slice(*group)].max())

    def marked(self, group: tuple[int, int], html: str) -> str:
        """`html` in an element with what is known of the group; as it is where that is nothing to see."""
        style = self._styles(self._table, group, self._classes, self._metric)
        attributes = (f' style="{style}"' if style else "") + self._titles.get(group, "")
        return f"<span{attributes}>{html}</span>" if attributes else html

    def _within_limit(self) -> dict[tuple[int, int], str]:
        from ..tokens.heatmap import drawn_groups

        groups = drawn_groups(self._table)
        by_start = {group[0]: group for group in groups}
        ordered = [by_start[at] for at in self._by_surprisal() if at in by_start]
        titles: dict[tuple[int, int], str] = {}
        left = TITLES_LIMIT
        for group in ordered:
            title = f' title="{escape(self._title(self._table, *group))}"'
            left -= len(title)
            if left < 0:
                break
            titles[group] = title
        return titles

    def _by_surprisal(self) -> list[int]:
        import numpy as np

        surprisal = np.nan_to_num(self._table.surprisal, nan=0.0)
        order: list[int] = np.argsort(-surprisal, kind="stable").tolist()
        return order
