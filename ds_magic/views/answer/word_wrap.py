"""Text as it streams into a terminal, its lines broken between words."""

from __future__ import annotations

import os
import re
from typing import TextIO

from ..terminal_width import columns

PLAIN = "\x1b[0m"
_USUAL = 80
_TAB = 8
# Scripts without blanks break between any two letters: Chinese and Japanese, Korean with them.
_WIDE = (
    "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6"
    "\U00020000-\U0003fffd"
)
_UNITS = re.compile(rf"\n|[^\S\n]+|[{_WIDE}]|[^\s{_WIDE}]+")
_WIDE_LETTER = re.compile(f"[{_WIDE}]")


class WordWrap:
    """Holds back the word that is not over yet, nothing else: it goes on the next line where this one has no room.

    A word wider than a line is written as it comes, and the terminal breaks it, so that an address can be copied.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._column = 0
        self._gap = 0
        self._word: list[tuple[str, str]] = []
        self._size = 0  # of the word so far, in columns, at most too large
        self._is_too_long = False

    @property
    def is_amid(self) -> bool:
        """Whether the line has text, written or held."""
        return bool(self._column or self._word or self._gap)

    def add(self, text: str, style: str = "") -> str:
        """What can be written after `text`, which has neither control characters nor styles; `style` is an escape."""
        written: list[str] = []
        for unit in _UNITS.findall(text):
            if unit == "\n":
                written += [self.flush(), "\n"]
                self._column = self._gap = 0
            elif unit.isspace():
                written.append(self.flush())
                for blank in unit:
                    here = self._column + self._gap
                    self._gap += _TAB - here % _TAB if blank == "\t" else max(1, columns(blank))
            else:
                if _WIDE_LETTER.match(unit) or (self._word and _WIDE_LETTER.match(self._word[-1][0])):
                    written.append(self.flush())
                written.append(self._grow(unit, style))
        return "".join(written)

    def flush(self) -> str:
        """The word that was held back, on this line or on the next."""
        word = self._word
        if not word:
            self._is_too_long = False
            return ""
        size = columns("".join(text for text, _ in word))
        start = self._start(size)
        self._column += size
        self._word, self._size, self._is_too_long = [], 0, False
        return start + "".join(_styled(text, style) for text, style in word)

    def end_line(self) -> str:
        """What is held, when a line of something else follows."""
        written = self.flush()
        self._column = self._gap = 0
        return written

    def _grow(self, text: str, style: str) -> str:
        if not self._is_too_long:
            self._word.append((text, style))
            self._size += columns(text)
            if self._size < self._width:
                return ""
            written = self.flush()
            self._is_too_long = True
        else:
            written = _styled(text, style)
            self._column += columns(text)
        self._column %= self._width
        return written

    def _start(self, size: int) -> str:
        """The blanks before a word of this size, or the end of the line where it has no room for both."""
        gap, self._gap = self._gap, 0
        if self._column and self._column + gap + size >= self._width:
            self._column = 0
            return "\n"
        self._column += gap
        return " " * gap

    @property
    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._out.fileno()).columns or _USUAL
        except (OSError, ValueError, AttributeError):
            return _USUAL


def _styled(text: str, style: str) -> str:
    return f"{style}{text}{PLAIN}" if style else text
