"""One request ─▶ what is said, part by part: which messages, how sampled, where it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from ..api.request import ChatRequest
from .engine import Engine, Outcome, Sampling, Token
from .stops import StopFinder
from .wire import Usage

DEFAULT_MAX_TOKENS = 4096


class Part(NamedTuple):
    """Some more of the answer: its text, and the tokens it is made of where they were asked for."""

    text: str
    tokens: list[Token]


class Answer:
    """The answer to one request; `parts` brings it, `reason` and `usage` are right when it has ended."""

    def __init__(self, engine: Engine, request: ChatRequest):
        self.engine = engine
        self.request = request
        self.reason = "stop"
        self._outcome = Outcome()
        self._prompt: list[int] = []

    @property
    def usage(self) -> Usage:
        return Usage(len(self._prompt), self._outcome.cached, self._outcome.generated)

    async def prepare(self) -> None:
        """Wait for the model and see whether the messages fit. Raises LocalModelError."""
        await self.engine.ready()
        messages = self.request.messages
        prefix = self.request.prefix
        if prefix is not None:
            messages = messages[:-1]
        texts = [(message.role, message.content or "") for message in messages]
        self._prompt = await self.engine.template.ids(texts, prefix or "")
        self.engine.check_room(self._prompt)

    async def parts(self) -> AsyncIterator[Part]:
        """The answer as it comes, after `prepare`; waits for a slot first."""
        finder = StopFinder(self._stops())
        async with self.engine.slots.take(self._prompt) as slot:
            pieces = self.engine.generate(slot, self._prompt, self._sampling(), self._outcome)
            try:
                async for piece in pieces:
                    for text, tokens in finder.push(piece):
                        yield Part(text, tokens)
                    if finder.found:
                        return
            finally:
                await pieces.aclose()
        for text, tokens in finder.flush():
            yield Part(text, tokens)
        self.reason = self._outcome.reason

    def _stops(self) -> list[str]:
        stop = self.request.stop
        return [stop] if isinstance(stop, str) else list(stop or [])

    def _sampling(self) -> Sampling:
        asked = self.request
        seed = asked.extra.get("seed")
        return Sampling(
            max_tokens=asked.max_tokens or DEFAULT_MAX_TOKENS,
            temperature=1.0 if asked.temperature is None else asked.temperature,
            top_p=1.0 if asked.top_p is None else asked.top_p,
            frequency_penalty=asked.frequency_penalty or 0.0,
            presence_penalty=asked.presence_penalty or 0.0,
            logprobs=bool(asked.logprobs),
            seed=seed if isinstance(seed, int) else None,
        )
