"""Characters of a model's text that must not reach a screen as they are."""

from __future__ import annotations

import re
from html import escape

from ...api.text import heal_surrogates, joined_lines

_CONTROLS = {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)}
_CONTROLS[0x7F] = 0x2421
_CONTROLS.update(dict.fromkeys(range(0x80, 0xA0), 0xFFFD))
_NEEDS_WORK = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_BIDI = {code: f"⟨U+{code:04X}⟩" for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def cleaned(text: str) -> str:
    """`text` with line ends made LF, control characters drawn (`␀`), lone surrogates replaced by U+FFFD."""
    text = heal_surrogates(text)
    if _NEEDS_WORK.search(text) is None:
        return text
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)


def escaped(text: str) -> str:
    """`text` cleaned and escaped for HTML, for content and for quoted attributes."""
    return escape(cleaned(text))


def with_visible_order(text: str) -> str:
    """`text` with the characters that reorder others shown by name, so that code reads as it runs."""
    return text if text.isascii() else text.translate(_BIDI)


def on_one_line(text: str, limit: int = 200) -> str:
    """`text` cleaned, on one line, cut to `limit` characters, its order marks shown."""
    line = with_visible_order(joined_lines(cleaned(text[: 4 * limit])))
    return line if len(line) <= limit else line[: limit - 1] + "…"


class Joiner:
    """Puts together what was split between two pieces of a stream: CR and LF, the halves of a surrogate pair."""

    def __init__(self) -> None:
        self._held = ""

    def add(self, text: str) -> str:
        """What is certain after this piece."""
        text, self._held = self._held + text, ""
        if text and (text[-1] == "\r" or "\ud800" <= text[-1] <= "\udbff"):
            text, self._held = text[:-1], text[-1]
        return text

    def flush(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return held
