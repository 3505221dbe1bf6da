"""Markdown that still grows: its finished blocks, and the one that is being written, at linear cost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from typing import Any

from markdown_it import MarkdownIt

from .code import OPENINGS
from .markdown import LONGEST, is_too_nested, markdown_to_html, new_parser
from .tex import ENVIRONMENT, MOST_LINES, PROCESS, environments

EFFORT = 2.5
"""How often, at most, each character is formatted while it streams, on average."""

FREE = 4_000
"""Characters that may be formatted beyond that: short answers are formatted at each batch."""

RESERVE = 2
"""The effort is allowed to be this many times as high where a block seems to have ended."""


class Blocks:
    """Text that comes in pieces, split into blocks as they are finished.

    `add` takes text; `format` says which blocks were finished since and what the growing one looks like.
    Formatting is put off where it would cost more than a multiple of the text: `raw` is what stands
    unfinished, and `unformatted` what of it came after it was formatted last.
    """

    def __init__(self) -> None:
        self.raw = ""
        self.unformatted = ""
        self._is_marked = False
        self._total = 0
        self._spent = 0

    def add(self, text: str) -> None:
        """Append cleaned text."""
        self.raw += text
        self.unformatted += text
        self._is_marked = self._is_marked or _MARK.search(text) is not None
        self._total += len(text)

    def format(self, *, is_last: bool = False) -> tuple[list[tuple[str, str]], str | None] | None:
        """`(finished, growing)`: pairs of a finished part's source and HTML, and the HTML of the rest.

        `growing` is None where the rest looks as its text does. None for all where there is nothing new, or
        where it is not worth the effort yet.
        """
        if not (self.raw if is_last else self._is_marked and self._is_affordable()):
            return None
        self._spent += len(self.raw)
        finished = []
        end = len(self.raw) if is_last else _end_of_finished(self.raw)
        if end:
            finished.append((self.raw[:end], markdown_to_html(self.raw[:end])))
            self.raw = self.raw[end:]
        self.unformatted = ""
        self._is_marked = False
        return finished, None if _is_plain(self.raw) else markdown_to_html(self.raw)

    def _is_affordable(self) -> bool:
        if self._total > LONGEST:
            return False
        effort = EFFORT * RESERVE if _may_have_ended(self.raw, self.unformatted) else EFFORT
        return self._spent + len(self.raw) <= effort * self._total + FREE


# Without one of these, text that is appended to a block looks as it will when it is formatted.
_MARK = re.compile(r"[-+*_`~\[\]<>&$\\|#=\n]|\d[.)]")


def _is_plain(raw: str) -> bool:
    text = raw.strip("\n")
    return not text or (not text[0].isspace() and _MARK.search(text) is None)


_FENCE = re.compile(r"^ {0,3}(?:```|~~~)[^\n]*\n", re.MULTILINE)


def _may_have_ended(raw: str, fresh: str) -> bool:
    """Whether the fresh end of the text has a sign of a new block: a fence, or outside of one a blank line."""
    end = raw[-len(fresh) - 4 :]
    return _FENCE.search(end) is not None or ("\n\n" in end and _FENCE.match(raw) is None)


@cache
def _splitter() -> MarkdownIt:
    md = new_parser()
    md.core.ruler.enableOnly(["normalize", "block"])
    return md


def _end_of_finished(raw: str) -> int:
    """Up to where the blocks are finished: all but the last of those that begin on lines that are whole."""
    whole = raw.rfind("\n") + 1
    whole = min(whole, _open_formula(raw[:whole]))
    if not whole or is_too_nested(raw):
        return 0
    tokens = _splitter().parse(raw[:whole])
    blocks = [(token.type, token.map) for token in tokens if token.level == 0 and token.map and token.nesting >= 0]
    if not blocks:
        return 0
    kind, (begin, end) = blocks[-1]
    is_whole = kind in _ENDED_BY_LINE or (kind in _ENDED_BY_BLANK and end < raw.count("\n", 0, whole))
    offset = 0
    for _ in range(end if is_whole else begin):
        offset = raw.index("\n", offset) + 1
    return offset if is_whole or len(blocks) > 1 else 0


# After a list or a quote a line may still belong to it; after these none can.
_ENDED_BY_LINE = ("heading_open", "hr", "tex_block")
_ENDED_BY_BLANK = ("paragraph_open", "table_open", "fence")

_OPENING = re.compile(rf"^ {{0,3}}(\$\$|\\\[|{ENVIRONMENT})", re.MULTILINE)


def _open_formula(text: str) -> int:
    """Where a displayed formula begins whose closing has not come yet: its lines may look like lists."""
    begin = text.rfind("\n\n") + 1
    for _ in range(text.count("\n", begin) - MOST_LINES):
        begin = text.index("\n", begin) + 1
    ended = None
    for match in _OPENING.finditer(text, begin):
        if match[1] in ("$$", "\\["):
            is_open = text.find("$$" if match[1] == "$$" else "\\]", match.end()) < 0
        else:
            ended = environments(text[begin:]) if ended is None else ended
            is_open = match.start(1) - begin not in ended
        if is_open:
            return match.start()
    return len(text)


# What goes to the browser as HTML is for the most part text that it has already. So it is sent as a list
# of: a number n > 0, "copy n characters of the source"; n < 0, "leave out -n of them"; a list [k], "the
# k-th of the common tags"; a string, HTML. Characters are counted as JavaScript does, in UTF-16 units.

MARKUP = [*OPENINGS.values(), "</span>", "</b>", "</i>", '<p dir="auto">', "</p>"]
"""The common tags, which the browser is told once."""

# A formula is one run: whatever stood between its delimiters would keep the page from typesetting it.
_RUN = re.compile(rf'<span class="{PROCESS}">[^<]*</span>|<[^>]*>|[^<]+')
_LINE_END = re.compile(r"(\n)")
_NUMBERS = {tag: number for number, tag in enumerate(MARKUP)}
LOOK_AHEAD = 80


def units(text: str) -> int:
    """The length of `text` in JavaScript."""
    return len(text) if text.isascii() else len(text) + sum(1 for character in text if character > "\uffff")


def located(html: str, source: str) -> Iterator[tuple[str, int, int]]:
    """The runs of `html`: tags, formulas and texts, each with where it stands in the `source` that it was made of.

    A tag stands nowhere (−1, −1), nor does text that is not found a little after the one before it, nor does a line
    end alone: between two blocks it is the formatter's. Text is looked for by lines where it is not found whole: the
    formatter takes away the blanks at their beginnings.
    """
    cursor = 0
    for whole in _RUN.findall(html):
        is_formula = whole.startswith("<span") and whole.endswith("</span>")
        if whole.startswith("<") and not is_formula:
            yield whole, -1, -1
            continue
        text = unescape(whole[whole.index(">") + 3 : -len("\\)</span>")] if is_formula else whole)
        is_found = _find(source, text, cursor) >= 0
        for run in (whole,) if is_found or is_formula else _LINE_END.split(whole):
            text = text if run is whole else unescape(run)
            found = -1 if run == "\n" else _find(source, text, cursor)
            if found >= 0:
                cursor = found + len(text)
            if run:
                yield run, found, found + len(text) if found >= 0 else -1


def _find(source: str, text: str, cursor: int) -> int:
    return source.find(text, cursor, cursor + len(text) + LOOK_AHEAD)


def encode(html: str, source: str) -> list[Any]:
    """`html` as steps that make it from `source`, the text that the browser has."""
    steps: list[Any] = []
    cursor = 0
    for run, begin, end in located(html, source):
        if begin < 0 or run.startswith("<"):
            number = _NUMBERS.get(run)
            _append(steps, run if number is None else [number])
            continue
        if begin > cursor:
            _append(steps, -units(source[cursor:begin]))
        _append(steps, units(source[begin:end]))
        cursor = end
    return steps


def changed(before: list[Any], after: list[Any]) -> list[Any]:
    """`after` as the number of its first steps that are those of `before`, and the others."""
    same = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        same += 1
    return [same, *after[same:]]


def _append(steps: list[Any], step: Any) -> None:
    """Neighbours of a kind become one step."""
    last = steps[-1] if steps else None
    are_texts = isinstance(step, str) and isinstance(last, str)
    are_numbers = isinstance(step, int) and isinstance(last, int) and (step > 0) == (last > 0)
    if are_texts or are_numbers:
        steps[-1] = last + step
    else:
        steps.append(step)
