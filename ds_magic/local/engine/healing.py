"""A prefix that ends within a word: the tokens that its last word may be the beginning of.

A tokenizer parts "Shake" otherwise than "Shakespeare", so that after the tokens of a cut word its own rest is next to
impossible. The last word is therefore taken back, and the model is asked what may stand there: the word as it is, or a
token that it begins. So it is with a blank at the end, which belongs to the next word, and with the end of a line,
which many tokenizers take together with the indentation of the next one.
"""

from __future__ import annotations

import math
import random
import re
from typing import TYPE_CHECKING, NamedTuple

from .sampling import ALTERNATIVES, Sampling, Token
from .slots import Slot

if TYPE_CHECKING:
    from .engine import Engine

_LAST_WORD = re.compile(r" ?[^\W\d_]{1,30}\Z|[ \n]\Z")
_FORCE = 1000.0
_READ = 2_000
"""Tokens of a distribution that are looked at: to read all 49,152 takes a third of a second, and the others are next to
impossible together."""
_REMEMBERED = 32
"""Words whose readings are kept: that of a prefix that is asked for many times is read once."""


def parted(prefix: str) -> tuple[str, str]:
    """`prefix` before its last word, and the word with its blank, or a blank or line end at its end; else empty."""
    found = _LAST_WORD.search(prefix, max(0, len(prefix) - 31))
    return (prefix[: found.start()], found[0]) if found else (prefix, "")


class Readings(NamedTuple):
    """What may stand for a word, the likeliest first: tokens that it begins, and None for itself, and how likely."""

    among: list[tuple[int | None, float]]
    """Over all of them, their probabilities sum to 1."""
    total: float
    """The log-probability of them all."""

    def top(self, count: int = ALTERNATIVES) -> list[tuple[int, float]]:
        """The `count` likeliest tokens that the word begins."""
        return [(number, logprob) for number, logprob in self.among if number is not None][:count]


async def heal(engine: Engine, slot: Slot, before: list[int], word: str, sampling: Sampling) -> Token | None:
    """The token that stands for `word` and more of it, drawn as `sampling` says; None where the word is whole.

    Its numbers, and those of its rivals, are of what may follow the word: p over that of all tokens that it begins,
    and of the word as it is.
    """
    found = await readings(engine, slot, before, word)
    drawn = _draw(found.among, sampling)
    if drawn is None:
        return None
    return Token.among(drawn, found.top(sampling.alternatives))._replace(cut=len(word.encode()))


async def told(engine: Engine, slot: Slot, before: list[int], word: str, number: int) -> Token:
    """Token `number`, which `word` begins, as if it had been drawn."""
    found = await readings(engine, slot, before, word)
    rivals = await _distribution(engine, slot, before, number)
    logprob = next(logprob for rival, logprob in rivals if rival == number)
    return Token(number, logprob - found.total, found.top(), len(word.encode()))


async def readings(engine: Engine, slot: Slot, before: list[int], word: str) -> Readings:
    """What may stand for `word` after `before`."""
    key = (tuple(before), word)
    if key not in engine.words:
        if len(engine.words) >= _REMEMBERED:
            engine.words.clear()
        engine.words[key] = await _readings(engine, slot, before, word)
    return engine.words[key]


async def _readings(engine: Engine, slot: Slot, before: list[int], word: str) -> Readings:
    raw, model = word.encode(), engine.model
    tokens = await engine.llama.tokenize([word])
    first = await _distribution(engine, slot, before, tokens[0])
    longer = [
        (number, logprob) for number, logprob in first
        if len(model.pieces[number]) > len(raw) and model.pieces[number].startswith(raw)
        and number in model.whole
    ]
    alone, path = 0.0, list(before)
    for number in tokens:
        found = first if len(path) == len(before) else await _distribution(engine, slot, path, number)
        alone += next(logprob for rival, logprob in found if rival == number)
        path.append(number)
    total = math.log(math.fsum(math.exp(logprob) for _, logprob in longer) + math.exp(alone))
    among: list[tuple[int | None, float]] = [(None, alone), *longer]
    return Readings(sorted(((number, logprob - total) for number, logprob in among), key=lambda one: -one[1]), total)


def _draw(among: list[tuple[int | None, float]], sampling: Sampling) -> int | None:
    """One of `among`, by p^(1/temperature), of that the `top_p` mass."""
    if not sampling.temperature:
        return among[0][0]
    weights = [math.exp((logprob - among[0][1]) / sampling.temperature) for _, logprob in among]
    kept, enough = 0.0, sampling.top_p * math.fsum(weights)
    count = 0
    while count < len(weights) and (kept < enough or not count):
        kept += weights[count]
        count += 1
    numbers = [number for number, _ in among[:count]]
    return random.Random(sampling.seed).choices(numbers, weights[:count])[0]


async def _distribution(engine: Engine, slot: Slot, prompt: list[int], wanted: int) -> list[tuple[int, float]]:
    """What may follow `prompt` and how likely, the likeliest first: `_READ` tokens, or all where `wanted` is below."""
    slot.tokens = prompt
    found: list[tuple[int, float]] = []
    for count in (_READ, len(engine.model.pieces)):
        answer = await engine.llama.sample({
            "prompt": prompt, "id_slot": slot.number, "n_predict": 1, "temperature": 0.0,
            "n_probs": count, "logit_bias": [[engine.model.plain, _FORCE]],
        })
        found = [(rival["id"], rival["logprob"]) for rival in answer["completion_probabilities"][0]["top_logprobs"]]
        if any(number == wanted for number, _ in found):
            break
    return found
