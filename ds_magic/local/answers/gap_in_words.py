"""A gap in a text, put into words for a model that has no marks for one.

It is shown how the text ends and asked to write all of it; its answer is begun with what stands before the gap, and
ends where what stands after it follows. Of 42 little gaps in prose and code SmolLM2-135M filled 31 so, 18 where it was
only let go on, 23 where it was shown both sides of the gap, and 26 where it was stopped at the very words of the suffix
alone.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from ..engine.sampling import ALTERNATIVES, Token
from ..engine.template import Turn
from .speech import Part

_LIKELY = 0.15
"""How probable it has to be that the text goes on with what follows the gap: found by trying."""
_ENOUGH = 24
"""Characters of the line after a gap that it is known by, and of the blanks before it."""


def asked(suffix: str) -> list[Turn]:
    """What a model is asked whose answer begins with what stands before the gap."""
    return [("user", f"This is the end of a text:\n{suffix}\n\nWrite the whole text.")]


def stops(suffix: str) -> list[str]:
    """How the text goes on after the gap, with the blanks before it or without."""
    body = suffix.lstrip()
    blanks = suffix[: len(suffix) - len(body)][-_ENOUGH:]
    line = body[:_ENOUGH].partition("\n")[0].rstrip()
    return [blanks[at:] + line for at in range(len(blanks) + 1)] if line else [blanks]


async def filled(
    coming: AsyncGenerator[Part, None], suffix: str, pieces: Sequence[bytes]
) -> AsyncGenerator[Part, None]:
    """The parts, up to where the text might as well go on with `suffix`: a model of this size seldom comes to it by
    itself. The first word is never left out."""
    follows, has_begun = suffix.encode(), False
    async with aclosing(coming) as parts:
        async for part in parts:
            if has_begun and part.tokens and _chance(part.tokens[0], follows, pieces) >= _LIKELY:
                return
            has_begun = has_begun or bool(part.text.strip())
            yield part


def _chance(token: Token, follows: bytes, pieces: Sequence[bytes]) -> float:
    """How probable it was, in place of `token`, that the text goes on with `follows`; a blank alone begins anything."""
    rivals = [(pieces[number], logprob) for number, logprob in token.top[:ALTERNATIVES]]
    return math.fsum(
        math.exp(logprob) for piece, logprob in rivals
        if piece.strip(b" ") and (follows.startswith(piece) or piece.startswith(follows))
    )
