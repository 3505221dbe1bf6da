"""One request for a text ─▶ what is said: how it goes on, or what fills its gap."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from . import gap, healing, origin
from .engine import Engine
from .envelope import Usage
from .speech import Part, Speech
from .text_request import TextRequest


class Continuation:
    """What goes on from a text; `parts` brings it, as those of an `Answer`.

    A gap is asked for by the marks of the model where it has such, and else by words.
    """

    field = "prompt"

    def __init__(self, engine: Engine, request: TextRequest):
        self.engine = engine
        self.request = request
        self.reason = "stop"
        self.stage = "queued"
        self._speech = Speech(engine, request.chat)
        self._prompt: list[int] = []

    @property
    def usage(self) -> Usage:
        """Tokens of the prompt, with what stands after the gap and the marks or words around it, and of the rest."""
        return self._speech.usage(self._prompt)

    def told(self) -> dict[str, Any]:
        """What its tokens are drawn with, and how a gap was asked for: by `marks`, or by `words`."""
        asked_by = {"gap": "marks" if self.engine.model.fill else "words"} if self.request.suffix else {}
        return origin.of_answer(self.request.chat) | asked_by

    async def prepare(self) -> None:
        """Wait for the model and see whether the texts fit. Raises LocalModelError."""
        await self.engine.ready()
        # Where there is nothing, a text begins: after the end of another one.
        self._prompt = await self._ids(self.request.prompt) or [self.engine.model.end]
        self.engine.check_room(self._prompt, self.field)

    async def parts(self) -> AsyncGenerator[Part, None]:
        """The text as it comes, after `prepare`; waits for a slot first."""
        by_words = bool(self.request.suffix) and self.engine.model.fill is None
        stops = gap.stops(self.request.prompt, self.request.suffix) if by_words else []
        async with self.engine.slots.take(self._prompt) as slot:
            self.stage = "reading"
            prompt, begins = self._prompt, None
            head, word = healing.parted(self.request.prompt)
            if word and (by_words or not self.request.suffix) and (before := await self._ids(head)):
                begins = await self._speech.heal(slot, before, word)
                if begins is not None:
                    prompt = [*before, begins.tokens[0].id]
            async for part in self._speech.say(
                slot, prompt, "content", stops=[*self._speech.stops, *stops], begun=int(begins is not None),
                begins=begins,
            ):
                yield part
        self.reason = self._speech.reason

    async def _ids(self, text: str) -> list[int]:
        """The prompt, where `text` is what stands before the gap."""
        model, suffix = self.engine.model, self.request.suffix
        if suffix and model.fill is None:
            return await self.engine.template.ids(gap.asked(suffix), text)
        begin = [] if model.begin is None else [model.begin]
        before = await self.engine.llama.tokenize([text]) if text else []
        if suffix and model.fill:
            return begin + model.fill.around(before, await self.engine.llama.tokenize([suffix]))
        return begin + before
