"""What two texts have in common that say the same: their words, but for case, blanks and punctuation around them."""

from __future__ import annotations

from unicodedata import category

FOLDED = "case, blanks and punctuation around words"
"""What `folded` takes no notice of, in words."""


def folded(text: str) -> str:
    """A text without case, without more than a blank between its words, and without punctuation around each.

    What stands inside a word stays (3.5, ice-cream), and so does the sign of a number. A text of punctuation alone is
    left as it is.
    """
    words = [bare for word in text.casefold().split() if (bare := _bare(word))]
    return " ".join(words) or text.strip()


def holds(text: str, part: str) -> bool:
    """Whether the words of `part` stand in a text, whole and in this order, but for what is folded."""
    wanted = folded(part)
    return bool(wanted) and f" {wanted} " in f" {folded(text)} "


def _bare(word: str) -> str:
    start, end = 0, len(word)
    while start < end and _is_mark(word[start]):
        start += 1
    while end > start and _is_mark(word[end - 1]):
        end -= 1
    is_signed = 0 < start < end and word[start - 1] in "-\N{MINUS SIGN}" and word[start].isdigit()
    return ("-" if is_signed else "") + word[start:end]


def _is_mark(char: str) -> bool:
    return char == "`" or char == "\N{MINUS SIGN}" or category(char)[0] == "P"
