"""One request for a text ─▶ what is said: how it goes on, or what fills its gap."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from ...api.completion_request import CompletionRequest
from ..engine import healing
from ..engine.engine import Engine
from ..engine.slots import Slot
from ..service import origin
from ..service.envelope import Usage
from . import gap_in_words
from .speech import Part, Speech


class Continuation:
    """What goes on from a text; `parts` brings it, as those of an `Answer`.

    A gap is asked for by the marks of the model where it has such, and else by words.
    """

    field = "prompt"

    def __init__(self, engine: Engine, request: CompletionRequest):
        self.engine = engine
        self.request = request
        self.reason = "stop"
        self.stage = "queued"
        self._speech = Speech(engine, request)
        self._prompt: list[int] = []

    @property
    def usage(self) -> Usage:
        """Tokens of the prompt, with what stands after the gap and the marks or words around it, and of the rest."""
        return self._speech.usage(self._prompt)

    def told(self) -> dict[str, Any]:
        """What its tokens are drawn with, and how a gap was asked for: by `marks`, or by `words`."""
        asked_by = {"gap": "marks" if self.engine.model.fill else "words"} if self.request.behind else {}
        return origin.of_answer(self.request) | asked_by

    async def prepare(self) -> None:
        """Wait for the model and see whether the texts fit. Raises LocalModelError."""
        await self.engine.ready()
        # Where there is nothing, a text begins: after the end of another one.
        self._prompt = await self._ids(self.request.prompt) or [self.engine.model.end]
        self.engine.check_room(self._prompt, self.field)

    async def parts(self) -> AsyncGenerator[Part, None]:
        """The text as it comes, after `prepare`; waits for a slot first."""
        async with self.engine.slots.take(self._prompt) as slot:
            self.stage = "reading"
            suffix, stops = self.request.behind, self._speech.stops
            if not suffix:
                spoken = self._healed(slot, stops)
            elif self.engine.model.fill:
                spoken = self._speech.say(slot, self._prompt, "content", stops=stops)
            else:
                stops = [*stops, *gap_in_words.stops(suffix)]
                spoken = gap_in_words.filled(self._healed(slot, stops, logprobs=True), suffix, self.engine.model.pieces)
            async with aclosing(spoken) as parts:
                async for part in parts:
                    yield part
        self.reason = self._speech.reason

    async def _healed(
        self, slot: Slot, stops: list[str], logprobs: bool | None = None
    ) -> AsyncGenerator[Part, None]:
        """What comes after the prompt, whose last word may be the beginning of a longer one."""
        prompt, begins = self._prompt, None
        head, word = healing.parted(self.request.prompt)
        if word and (before := await self._ids(head)):
            begins = await self._speech.heal(slot, before, word)
            if begins is not None:
                prompt = [*before, begins.tokens[0].id]
        begun = 0 if begins is None else 1
        async with aclosing(self._speech.say(
            slot, prompt, "content", stops=stops, begun=begun, begins=begins, logprobs=logprobs
        )) as parts:
            async for part in parts:
                yield part

    async def _ids(self, text: str) -> list[int]:
        """The prompt, where `text` is what stands before the gap."""
        model, suffix = self.engine.model, self.request.behind
        if suffix and model.fill is None:
            return await self.engine.template.ids(gap_in_words.asked(suffix), text)
        begin = [] if model.begin is None else [model.begin]
        before = await self.engine.llama.tokenize([text]) if text else []
        if suffix and model.fill:
            return begin + model.fill.around(before, await self.engine.llama.tokenize([suffix]))
        return begin + before
