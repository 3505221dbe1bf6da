"""What the model says for one request: the parts of it, how they are sampled, and what they cost."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Literal, NamedTuple, Protocol

from ...api.request import ChatRequest
from ..engine.constraint import Marker
from ..engine.engine import Engine
from ..engine.generation import generate
from ..engine.healing import heal
from ..engine.sampling import ALTERNATIVES, Outcome, Piece, Sampling, Token
from ..engine.slots import Slot
from ..engine.stop_strings import StopFinder
from ..server_options import DEFAULT_MAX_TOKENS
from ..service.envelope import Usage

Kind = Literal["reasoning", "content", "call"]


class Part(NamedTuple):
    """Some more of the answer: its text, and the tokens it is made of where they were asked for."""

    kind: Kind
    text: str
    tokens: list[Token]
    forced: list[bool]
    """Of each token whether a constraint forced it; empty where nothing was constrained."""
    number: int = 0
    """Of a call: which one it is, from 0."""
    name: str = ""
    """Of a call: the function, with its first part."""
    id: str = ""
    """Of a call: its id, with its first part."""


class Saying(Protocol):
    """What answers a request: `prepare`, then `parts`; `reason` and `usage` are right when these have ended."""

    reason: str
    """The finish_reason."""
    stage: str
    """What it waits for."""
    field: str
    """The field of the request that its text is in."""

    @property
    def usage(self) -> Usage: ...

    async def prepare(self) -> None: ...

    def parts(self) -> AsyncGenerator[Part, None]: ...

    def told(self) -> dict[str, Any]:
        """What is said of how it is made, after `prepare`, beside which model it is."""


class Speech:
    """All that is generated for one request, one prompt after the other.

    `reason` is why the last of it ended: `stop` or `length`.
    """

    def __init__(self, engine: Engine, request: ChatRequest):
        self.engine = engine
        self.request = request
        self.reason = "stop"
        self.outcomes: list[Outcome] = []
        self.found = ""
        """The stop string or mark that ended the last of it."""
        self.longest = request.max_tokens or DEFAULT_MAX_TOKENS
        """Tokens that all of it may have."""

    @property
    def generated(self) -> int:
        """Tokens so far."""
        return sum(outcome.generated for outcome in self.outcomes)

    @property
    def left(self) -> int:
        """Tokens that are still allowed."""
        return self.longest - self.generated

    @property
    def stops(self) -> list[str]:
        """The stop strings that were asked for."""
        stop = self.request.stop
        return [stop] if isinstance(stop, str) else stop or []

    def usage(self, prompt: list[int], reasoning: int = 0) -> Usage:
        """Tokens of the first `prompt`, and of all that was generated after it, of these the `reasoning`."""
        cached = min(self.outcomes[0].cached, len(prompt)) if self.outcomes else 0
        return Usage(len(prompt), cached, self.generated, reasoning)

    async def say(
        self, slot: Slot, prompt: list[int], kind: Kind, *, max_tokens: int | None = None,
        grammar: str | None = None, logprobs: bool | None = None, stops: list[str] | None = None, begun: int = 0,
        begins: Piece | None = None, marks: Sequence[str] = (), beginnings: Sequence[str] = (),
    ) -> AsyncGenerator[Part, None]:
        """What comes after `prompt`, whose last `begun` tokens are the answer's own; `logprobs`: whether they are told
        of, None where the request asked for it. `begins` is what has been drawn already, the last of them. It ends at
        each of `marks`, and where it begins with one of `beginnings`, of which nothing is told: `found` is it then."""
        sampling = self._sampling(self.left if max_tokens is None else max_tokens, grammar, logprobs, begun)
        if seen := tuple(name for name in self.engine.model.marks if any(name in mark for mark in marks)):
            sampling = replace(sampling, marks=seen)
        self.found = ""
        marker = Marker(self.engine.model, grammar) if grammar is not None and sampling.logprobs else None
        finder = StopFinder(stops or [], marks, beginnings)

        def part(text: str, tokens: list[Token]) -> Part:
            return Part(kind, text, tokens, [marker.forced(token) for token in tokens] if marker else [])

        for text, tokens in finder.push(begins) if begins else ():
            yield part(text, tokens)
        if finder.found:
            self.found = finder.found
            return
        if sampling.max_tokens <= 0 or len(prompt) >= self.engine.context:
            for text, tokens in finder.flush():
                yield part(text, tokens)
            self.reason = "length"
            return
        outcome = Outcome()
        self.outcomes.append(outcome)
        async with aclosing(generate(self.engine, slot, prompt, sampling, outcome)) as pieces:
            async for piece in pieces:
                for text, tokens in finder.push(piece):
                    yield part(text, tokens)
                if finder.found:
                    self.found = finder.found
                    return
        for text, tokens in finder.flush():
            yield part(text, tokens)
        self.reason = outcome.reason

    async def heal(self, slot: Slot, before: list[int], word: str) -> Piece | None:
        """What goes on with `word`, the end of a text after `before`, within one token; None where the word is whole,
        or no more fits."""
        if self.left <= 0 or len(before) + 1 >= self.engine.context:
            return None
        token = await heal(self.engine, slot, before, word, self._sampling(1, None, None, 0))
        if token is None:
            return None
        self.outcomes.append(Outcome(generated=1))
        return Piece(self.engine.model.pieces[token.id][token.cut:].decode("utf-8", "replace"), [token])

    def _sampling(self, max_tokens: int, grammar: str | None, logprobs: bool | None, begun: int) -> Sampling:
        asked = self.request
        seed = asked.seed
        # With a seed the tokens are looked at in any case: within a character, drawing goes on anew after each.
        # So are they with a presence penalty: it is for those that were said.
        are_asked = bool(asked.logprobs or seed is not None or asked.presence_penalty)
        return Sampling(
            max_tokens=max_tokens,
            logprobs=are_asked if logprobs is None else logprobs,
            alternatives=max(ALTERNATIVES, (asked.logprobs and asked.top_logprobs) or 0),
            seed=seed + len(self.outcomes) if isinstance(seed, int) else None,
            grammar=grammar,
            temperature=1.0 if asked.temperature is None else asked.temperature,
            top_p=1.0 if asked.top_p is None else asked.top_p,
            frequency_penalty=asked.frequency_penalty or 0.0,
            presence_penalty=asked.presence_penalty or 0.0,
            begun=begun,
        )
