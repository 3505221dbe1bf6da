"""Text in the columns of a terminal: a wide character takes two, an emoji of several parts two, a mark none."""

from __future__ import annotations

from wcwidth import clip, ljust, width


def columns(text: str) -> int:
    """How many columns `text`, on one line and without control characters, takes."""
    return width(text)


def fit(text: str, size: int) -> str:
    """`text` padded with blanks to `size` columns, or cut to it with `…` at the end."""
    return ljust(text if width(text) <= size else clip(text, 0, size - 1, fillchar="") + "…", size)
