"""One request ─▶ what is said: thinking, then functions that are called or the answer."""

from __future__ import annotations

import os.path
from collections.abc import AsyncGenerator
from typing import Any

from ..api.messages import AssistantMessage
from ..api.request import ChatRequest
from . import constraint, dialogue, healing, origin
from .calling import Functions
from .engine import Engine
from .envelope import Usage
from .sampling import Piece
from .slots import Slot
from .speech import Part, Speech

LONGEST_THOUGHT = 1024
SHARE_OF_THINKING = {"low": 0.25, "high": 0.5, "max": 0.75}
"""How much of max_tokens a thought may take, by `reasoning_effort`."""


class Answer:
    """The answer to one request, as a contract settled it; `parts` brings it.

    `reason` and `usage` are right when it has ended. `stage` is what it waits for.
    """

    field = "messages"

    def __init__(self, engine: Engine, request: ChatRequest):
        self.engine = engine
        self.request = request
        self.reason = "stop"
        self.stage = "queued"
        self.thinks = request.thinks
        self._speech = Speech(engine, request)
        self._calls = Functions(self._speech)
        last = request.messages[-1]
        self._prefix = last if isinstance(last, AssistantMessage) and last.prefix else None
        self._said = dialogue.opening(request)
        if self.thinks:
            self._said = dialogue.with_instruction(self._said, dialogue.THINK_FIRST)
        self._prompt: list[int] = []
        self._reasoning_tokens = 0

    @property
    def usage(self) -> Usage:
        """Tokens of the first prompt, and of all that was generated after it."""
        return self._speech.usage(self._prompt, self._reasoning_tokens)

    def told(self) -> dict[str, Any]:
        """What its tokens are drawn with."""
        return origin.of_answer(self.request)

    async def prepare(self) -> None:
        """Wait for the model and see whether the messages fit. Raises LocalModelError."""
        await self.engine.ready()
        if self.thinks:
            self._prompt = await self.engine.template.ids(self._said, self._thought_begins())
        elif self._calls.tools:
            self._prompt = await self._calls.prompt(self._said)
        else:
            self._prompt = await self.engine.template.ids(self._said, *self._begins())
        self.engine.check_room(self._prompt)

    async def parts(self) -> AsyncGenerator[Part, None]:
        """The answer as it comes, after `prepare`; waits for a slot first."""
        async with self.engine.slots.take(self._prompt) as slot:
            self.stage = "reading"
            if self.thinks:
                async for part in self._think(slot):
                    yield part
            async for part in self._calls.parts(slot, self._said):
                yield part
            if not self._calls.calls and self._speech.reason == "stop":
                async for part in self._say(slot):
                    yield part
        called = self._calls.calls and self._speech.reason == "stop"
        self.reason = "tool_calls" if called else self._speech.reason

    def _thought_begins(self) -> str:
        return (self._prefix and self._prefix.reasoning_content) or dialogue.THOUGHT_BEGINS

    def _begins(self) -> tuple[str, list[bytes]]:
        return dialogue.beginning(self.request)

    async def _think(self, slot: Slot) -> AsyncGenerator[Part, None]:
        share = SHARE_OF_THINKING[self.request.reasoning_effort or "high"]
        room = self.engine.context - len(self._prompt)
        budget = min(int(self._speech.left * share), int(room * share), LONGEST_THOUGHT)
        thought = self._thought_begins()
        if budget > 0:
            async for part in self._speech.say(slot, self._prompt, "reasoning", max_tokens=budget):
                thought += part.text
                self._reasoning_tokens = self._speech.generated  # right also where nobody asks for the next part
                yield part
            self._reasoning_tokens = self._speech.generated
            if self._speech.reason == "length":  # a thought that was cut short is still followed by an answer
                self._speech.reason = "stop"
        self._said = [*self._said, ("assistant", thought), ("user", dialogue.ANSWER_NOW)]

    async def _say(self, slot: Slot) -> AsyncGenerator[Part, None]:
        prompt = self._prompt
        if self.thinks or self._calls.tools:
            prompt = await self.engine.template.ids(self._said, *self._begins())
        head, word = healing.parted(self.request.prefix or "")
        begins: Piece | None = None
        if word and not self._begins()[1]:
            before = await self.engine.template.ids(self._said, head)
            begins = await self._speech.heal(slot, before, word)
            if begins is not None:
                prompt = [*before, begins.tokens[0].id]
        begun = 0
        if self._prefix:
            question = await self.engine.template.ids(self._said)
            begun = len(prompt) - len(os.path.commonprefix([question, prompt]))
        async for part in self._speech.say(
            slot, prompt, "content", grammar=answer_grammar(self.request), stops=self._speech.stops, begun=begun,
            begins=begins,
        ):
            yield part


def wants_json(request: ChatRequest) -> bool:
    """Whether the answer has to be JSON."""
    return request.response_format is not None and request.response_format.type != "text"


def answer_grammar(request: ChatRequest) -> str | None:
    """What JSON mode, or a schema, lets the answer be; None: anything."""
    wanted = request.response_format
    if wanted is None or wanted.type == "text":
        return None
    if wanted.json_schema is None or wanted.type == "json_object":
        return constraint.object_grammar()
    return constraint.schema_grammar(wanted.json_schema["schema"])


def grammar_problem(request: ChatRequest) -> tuple[str, str] | None:
    """The field whose JSON Schema cannot be followed, and why; None where all can."""
    wanted = answer_grammar(request)
    if wanted and (problem := constraint.problem_with(wanted)):
        return "response_format.json_schema", problem
    for position, tool in enumerate(request.tools or []):
        schema = tool.function.parameters
        if schema and (problem := constraint.problem_with(constraint.schema_grammar(schema))):
            return f"tools[{position}].function.parameters", problem
    return None
