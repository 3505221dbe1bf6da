"""Which way a text runs: pages align a paragraph to the left whatever its language, so it has to be said."""

from __future__ import annotations

import unicodedata

_LOOKED_AT = 1_000


def is_rtl(text: str) -> bool:
    """Whether the first character with a direction of its own, among the first thousand, runs right to left."""
    if text[:_LOOKED_AT].isascii():
        return False
    for character in text[:_LOOKED_AT]:
        kind = unicodedata.bidirectional(character)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return False
