"""How the model is asked for tokens, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

ALTERNATIVES = 20
"""As many of a token's rivals as the API can ask for, and as are looked at where fewer are asked for, or none."""
MOST_IN_ALL = 500_000
"""Alternatives of all tokens of one answer: ten tokens with the whole vocabulary of the model that is fetched."""


class Token(NamedTuple):
    """One token that was chosen: its id, its log-probability in nats (before temperature), its rivals."""

    id: int
    logprob: float | None
    """None where it is not among `top`."""
    top: list[tuple[int, float]]
    """The most likely tokens there, likeliest first: id and log-probability."""
    cut: int = 0
    """Bytes at its beginning, and at that of its rivals, that are the end of a prefix and no part of the answer."""

    @classmethod
    def among(cls, number: int, top: list[tuple[int, float]]) -> Token:
        """Token `number` where `top` could have been chosen."""
        return cls(number, next((logprob for rival, logprob in top if rival == number), None), top)

    @classmethod
    def from_engine(cls, entry: dict[str, Any]) -> Token:
        """A token of llama.cpp's `completion_probabilities`."""
        return cls.among(entry["id"], [(rival["id"], rival["logprob"]) for rival in entry["top_logprobs"]])


class Piece(NamedTuple):
    """What the model said since the last piece: `text`, whole characters, and the tokens it is made of."""

    text: str
    tokens: list[Token]
    """Empty unless log-probabilities were asked for."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen: p^(1/temperature) of the model's p, of that the `top_p` mass."""

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    begun: int = 0
    """How many of the last tokens of the prompt are the answer's own beginning: only these of it do penalties count."""
    logprobs: bool = False
    alternatives: int = ALTERNATIVES
    """How many of a token's rivals are told with its log-probability; as many as there are where there are fewer."""
    seed: int | None = None
    grammar: str | None = None
    """What may be written, as `constraint` makes it; None: anything."""
    marks: tuple[str, ...] = ()
    """Marks of the template that are to be seen in the text."""


@dataclass
class Outcome:
    """How a generation went so far, and when it has ended, why."""

    reason: str = ""
    """`stop` or `length`."""
    cached: int = 0
    """Tokens of the prompt that were in memory already."""
    generated: int = 0
