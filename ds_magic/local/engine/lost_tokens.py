"""Tokens within a character, which llama.cpp's server passes over: which they are, and how likely.

It sends nothing while the text ends within a character, and then one event for all its tokens. Their
bytes are known from that event, and few tokens spell these and end within a character each, so which
they were is found by fitting; each one's log-probabilities are asked for anew, at its place.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from .sampling import Sampling, Token
from .slots import Slot

if TYPE_CHECKING:
    from .engine import Engine
    from .gguf import Model

_FORCE = 1000.0
_PREFER = 100.0


class Gap(NamedTuple):
    """`missing` tokens were passed over before `last`; `raw` has the bytes of them all, `text` what they show."""

    missing: int
    last: Token
    raw: list[int]
    text: str


async def fill(engine: Engine, slot: Slot, before: list[int], gap: Gap, alternatives: int) -> list[Token]:
    """All tokens of the gap, the last one too, in order, each with so many `alternatives`."""
    model = engine.model
    raw = bytes(gap.raw)
    last = model.pieces[gap.last.id] or model.names.get(gap.last.id, b"")  # a mark may be seen in the text
    raw = raw.removesuffix(last)
    places = _places(model, raw, gap.missing)
    found: list[Token] = []
    at = 0
    for after in places[1:]:
        fits = [number for end in sorted(after) if end >= at for number in model.spelt.get(raw[at:end], ())]
        top = await _rivals(engine, slot, before + [token.id for token in found], alternatives)
        found.append(_choose(fits, top))
        at += len(model.pieces[found[-1].id])
    return [*found, gap.last]


async def redraw(
    engine: Engine, slot: Slot, before: list[int], lost: int, ended: bool, sampling: Sampling
) -> list[Token]:
    """Tokens in place of the `lost` ones of an answer that ended within a character.

    llama.cpp tells how many they were and not which. They are drawn again, from the same distribution
    under the same condition: an equal bias on all tokens that end within a character leaves the
    proportions between them as they were.
    """
    pieces = engine.model.pieces
    found: list[Token] = []
    partial = lost - ended
    for _ in range(partial):
        prompt = before + [token.id for token in found]
        tail = b"".join(pieces[token.id] for token in found)
        fits = [number for number, piece in enumerate(pieces) if piece and ends_within_character(tail + piece)]
        drawn = await engine.llama.sample({
            "prompt": prompt, "id_slot": slot.number, "n_predict": 1, "return_tokens": True,
            "temperature": sampling.temperature,
            "seed": -1 if sampling.seed is None else (sampling.seed + len(prompt)) % 2**32,
            "logit_bias": [[number, _PREFER] for number in fits],
        })
        found.append(Token.among(drawn["tokens"][0], await _rivals(engine, slot, prompt, sampling.alternatives)))
    if ended:
        top = await _rivals(engine, slot, before + [token.id for token in found], sampling.alternatives)
        ends = [number for number, _ in top if not pieces[number]] or list(engine.model.marks.values())[:1]
        found.append(Token.among(ends[0], top))
    return found


def ends_within_character(text: bytes) -> bool:
    """Whether `text` ends with the beginning of a character, as llama.cpp judges it.

    It looks for a first byte with too few bytes after it, whatever these are: a model that says bytes that are no
    UTF-8 makes it wait for some more of them.
    """
    for back in range(1, min(3, len(text)) + 1):
        byte = text[-back]
        length = 2 if byte & 0xE0 == 0xC0 else 3 if byte & 0xF0 == 0xE0 else 4 if byte & 0xF8 == 0xF0 else 1
        if back < length:
            return True
    return False


def _places(model: Model, raw: bytes, count: int) -> list[set[int]]:
    """Where each of `count` tokens that spell `raw` can end, and where the first begins: nothing is told there."""
    within = {end for end in range(1, len(raw) + 1) if ends_within_character(raw[max(0, end - 3):end])}

    @cache
    def after(start: int) -> set[int]:
        """Where a token can end that begins at `start`."""
        furthest = min(len(raw), start + model.longest)
        return {end for end in range(start, furthest + 1) if end in within and raw[start:end] in model.spelt}

    ends = [{0}]
    for _ in range(count):
        ends.append(set().union(*map(after, ends[-1])))
    ends[-1] &= {len(raw)}
    for place in range(count - 1, -1, -1):  # and go on to the end
        ends[place] = {start for start in ends[place] if after(start) & ends[place + 1]}
    return ends


def _choose(fits: list[int], top: list[tuple[int, float]]) -> Token:
    """The likeliest of the tokens that fit; nearly always only one does."""
    likeliest = next((number for number, _ in top if number in fits), fits[0])
    return Token.among(likeliest, top)


async def _rivals(engine: Engine, slot: Slot, prompt: list[int], count: int) -> list[tuple[int, float]]:
    """The `count` likeliest tokens after `prompt`.

    A plain token is forced, since an event is sent only for what ends with a whole character; the
    numbers are from before any bias.
    """
    answer = await engine.llama.sample({
        "prompt": prompt, "id_slot": slot.number, "n_predict": 1, "temperature": 0.0,
        "n_probs": count, "logit_bias": [[engine.model.plain, _FORCE]],
    })
    return Token.from_engine(answer["completion_probabilities"][0]).top
