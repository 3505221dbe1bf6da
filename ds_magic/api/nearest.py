"""The word that somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 64
"""Characters of a word that may be a mistyped one: comparing takes a quadratic time."""


def nearest(word: str, words: Iterable[str], likeness: float = 0.65) -> str | None:
    """The word nearest to `word`; None where none is as like it as `likeness`, of 1, or it is longer than one types."""
    if len(word) > LONGEST:
        return None
    near = difflib.get_close_matches(word, [each for each in words if len(each) <= LONGEST], n=1, cutoff=likeness)
    return near[0] if near else None
