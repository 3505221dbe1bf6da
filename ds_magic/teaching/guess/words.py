"""The words of an answer that a reader can guess, each by the first of its tokens."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ds_magic.logprobs.table import LogprobTable


@dataclass(frozen=True, slots=True)
class Word:
    """The tokens `start` to `end` of an answer, of which `at` is guessed.

    `before` is shown with the blank: marks and white space. `text` is the word, with what follows up to the next one.
    """

    start: int
    at: int
    end: int
    before: str
    text: str


def words(table: LogprobTable) -> list[Word]:
    """The words of an answer: each is the tokens up to the next one that begins with white space.

    Guessed is the first of them that has a letter or a digit and probabilities; where none has, the tokens belong to
    the word after them. A writing without blanks between its words is guessed character by character.
    """
    found: list[Word] = []
    guessable = _guessable(table)
    start, at = 0, -1
    for i, text in enumerate(table.text):
        if at >= 0 and _begins_a_word(text, table.text[i - 1]):
            found.append(_word(table, start, at, i))
            start, at = i, -1
        if at < 0 and guessable[i]:
            at = i
    return [*found, _word(table, start, at, len(table))] if at >= 0 else found


def _word(table: LogprobTable, start: int, at: int, end: int) -> Word:
    first = table.text[at]
    bare = first.lstrip()
    before = "".join(table.text[start:at]) + first[: len(first) - len(bare)]
    return Word(start, at, end, before, bare + "".join(table.text[at + 1 : end]))


def _guessable(table: LogprobTable) -> list[bool]:
    known = ((table.status == "exact") | (table.status == "censored")) & ~table.forced & (table.n_alternatives > 0)
    known &= table.glyph == table.position  # no part of a character
    return [may and any(map(str.isalnum, text)) for may, text in zip(known.tolist(), table.text, strict=True)]


def _begins_a_word(text: str, before: str) -> bool:
    first = text[:1]
    return first.isspace() or _stands_alone(first) or (first.isalnum() and _stands_alone(before[-1:]))


def _stands_alone(character: str) -> bool:
    """Whether a character is of a writing that has no blanks between words."""
    return character.isalpha() and unicodedata.east_asian_width(character) in ("W", "F")


def bare(text: str) -> str:
    """A word as one types it: without the white space and the marks around it; marks alone stay."""
    stripped = text.strip()
    inner = [i for i, character in enumerate(stripped) if character.isalnum()]
    return stripped[inner[0] : inner[-1] + 1] if inner else stripped
