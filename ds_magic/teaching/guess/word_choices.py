"""What could have stood in a word's place, and what a guess of each of it is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ds_magic.logprobs.distribution import SOFTMAX_ERROR

from .words import bare

if TYPE_CHECKING:
    from ds_magic.logprobs.rows import Token

HELD = 20
"""Alternatives of a place that a guess is looked for among."""
OFFERED = "ABCDE"
"""The choices that a reader may pick from, by their letters."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A token that could begin the word: its label, what one types for it, its probability, or the most it can be."""

    label: str
    word: str
    prob: float
    is_bound: bool = False

    @property
    def name(self) -> str:
        """How it is read: the word; the label where there is none."""
        return self.word or self.label


class Choices(NamedTuple):
    """The choices of a place, the likeliest first; which was `chosen`; how likely anything else is at `most`."""

    all: list[Choice]
    chosen: int
    most: float

    def offered(self) -> list[int]:
        """Which one may pick from, in alphabetical order: the likeliest that read differently, and the chosen."""
        found = {self.all[self.chosen].name.casefold(): self.chosen}
        for number, choice in enumerate(self.all):
            if len(found) < len(OFFERED) and (choice.word or choice.label.startswith("⟨end")):
                found.setdefault(choice.name.casefold(), number)
        return sorted(found.values(), key=lambda number: (self.all[number].name.casefold(), number))


def choices_of(row: Token) -> Choices:
    """The choices of a token's place: its alternatives, as far as they have a number, and the chosen one."""
    known = [one for one in row.alternatives[:HELD] if one.prob > 0]
    shares = [one.prob for one in known]
    chosen = next((at for at, one in enumerate(known) if one.chosen), len(known))
    named = [(one.label, _spelt(one.bytes)) for one in known]
    if chosen == len(known):
        # One that a grammar or a cut has let through may be as good as impossible by its number.
        shares.append(row.prob if row.status == "exact" and row.prob > 0 else math.nan)
        named.append((row.label, _spelt(row.bytes)))
    exact = [share for share in shares if not math.isnan(share)]
    most = min([*exact, max(SOFTMAX_ERROR, 1 + SOFTMAX_ERROR - sum(exact))])
    bound = math.exp(row.logprob_upper) if row.status == "censored" else most
    found = []
    for (label, word), share in zip(named, shares, strict=True):
        is_bound = math.isnan(share)
        found.append(Choice(label, word, bound if is_bound else share, is_bound))
    return Choices(found, chosen, most)


def _spelt(token_bytes: bytes) -> str:
    try:
        return bare(token_bytes.decode())
    except UnicodeDecodeError:  # a part of a character
        return ""
