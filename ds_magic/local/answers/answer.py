"""One request ─▶ what is said: thinking, then functions that are called or the answer."""

from __future__ import annotations

import os.path
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from ...api.messages import AssistantMessage
from ...api.request import ChatRequest
from ..engine import constraint, healing
from ..engine.engine import Engine
from ..engine.sampling import ALTERNATIVES, Piece
from ..engine.slots import Slot
from ..engine.template import Thought, Turn
from ..service import origin
from ..service.envelope import Usage
from . import dialogue
from .calling import Functions
from .own_calls import OwnCalls
from .speech import Part, Speech

LONGEST_THOUGHT = 1024
SHARE_OF_THINKING = {"low": 0.25, "high": 0.5, "max": 0.75}
"""How much of max_tokens a thought may take, by `reasoning_effort`."""


class Answer:
    """The answer to one request, as a contract settled it; `parts` brings it.

    What the model knows of itself, a thought within marks or calls of functions, it does as its template has it; to
    the rest it is led by the words of `dialogue`. `reason` and `usage` are right when it has ended. `stage` is what
    it waits for.
    """

    field = "messages"

    def __init__(self, engine: Engine, request: ChatRequest):
        self.engine = engine
        self.request = request
        self.reason = "stop"
        self.stage = "queued"
        self.thinks = request.thinks
        self._speech = Speech(engine, request)
        last = request.messages[-1]
        self._prefix = last if isinstance(last, AssistantMessage) and last.prefix else None
        self._functions: OwnCalls | Functions = Functions(self._speech)
        self._said: list[Turn] = []
        self._thought: Thought | None = None
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
        if self.engine.calls:
            self._functions = OwnCalls(self._speech, self.engine.calls)
        self._said = dialogue.opening(self.request, self.engine.calls)
        if self.thinks and self.engine.template.can.thinks:
            self._thought = Thought(self._thought_begins(), effort=self.request.reasoning_effort)
            if self.request.max_tokens is None and (self.request.top_logprobs or 0) <= ALTERNATIVES:
                self._speech.longest = self.engine.context  # such a thought is long
        elif self.thinks:
            self._said = dialogue.with_instruction(self._said, dialogue.THINK_FIRST)
        if self._thought:
            self._prompt = await self._ids()
        elif self.thinks:
            self._prompt = await self._ids(self._thought_begins() or dialogue.THOUGHT_BEGINS)
        elif isinstance(self._functions, Functions) and self._functions.tools:
            self._prompt = await self._functions.prompt(self._said)
        else:
            self._prompt = await self._ids(*self._begins())
        self.engine.check_room(self._prompt)

    async def parts(self) -> AsyncGenerator[Part, None]:
        """The answer as it comes, after `prepare`; waits for a slot first."""
        functions = self._functions
        async with self.engine.slots.take(self._prompt) as slot:
            self.stage = "reading"
            if self.thinks:
                async for part in self._think(slot):
                    yield part
            if isinstance(functions, Functions):
                async for part in functions.parts(slot, self._said_and_thought()):
                    yield part
            elif functions.is_due:
                async for part in functions.parts(slot, await self._ids()):
                    yield part
            if not functions.made and self._speech.reason == "stop":
                async for part in self._say(slot):
                    yield part
        called = functions.made and self._speech.reason == "stop"
        self.reason = "tool_calls" if called else self._speech.reason

    async def _ids(self, prefix: str = "", tokens: Sequence[bytes] = ()) -> list[int]:
        """The prompt, as far as it is written, and how the answer begins."""
        tools = self._functions.tools if isinstance(self._functions, OwnCalls) else ()
        return await self.engine.template.ids(self._said, prefix, tokens, tools=tools, thought=self._thought)

    def _thought_begins(self) -> str:
        return (self._prefix and self._prefix.reasoning_content) or ""

    def _begins(self) -> tuple[str, list[bytes]]:
        return dialogue.beginning(self.request)

    def _said_and_thought(self) -> list[Turn]:
        """What is said, with a thought within marks as a turn of its own, for the words that come after it."""
        if not self._thought:
            return self._said
        return [*self._said, ("assistant", self._thought.text), ("user", dialogue.ANSWER_NOW)]

    async def _think(self, slot: Slot) -> AsyncGenerator[Part, None]:
        share = SHARE_OF_THINKING[self.request.reasoning_effort or "high"]
        room = self.engine.context - len(self._prompt)
        budget = min(int(self._speech.left * share), int(room * share))
        marks = self.engine.template.can.thought if self._thought else None
        if not marks:
            budget = min(budget, LONGEST_THOUGHT)
        thought = self._thought_begins() or ("" if marks else dialogue.THOUGHT_BEGINS)
        if budget > 0:
            ends = [marks.mark] if marks else []
            parts = self._speech.say(slot, self._prompt, "reasoning", max_tokens=budget, marks=ends)
            async for part in _without_blanks(parts, lambda: True) if marks else parts:
                thought += part.text
                self._reasoning_tokens = self._speech.generated  # right also where nobody asks for the next part
                yield part
            self._reasoning_tokens = self._speech.generated
            if self._speech.reason == "length":  # a thought that was cut short is still followed by an answer
                self._speech.reason = "stop"
        if self._thought:
            self._thought = self._thought._replace(text=thought, is_over=True)
        else:
            self._said = [*self._said, ("assistant", thought), ("user", dialogue.ANSWER_NOW)]

    async def _say(self, slot: Slot) -> AsyncGenerator[Part, None]:
        own = self._functions if isinstance(self._functions, OwnCalls) else None
        prompt = self._prompt
        if self.thinks or self._functions.tools:
            prompt = await self._ids(*self._begins())
        head, word = healing.parted(self.request.prefix or "")
        begins: Piece | None = None
        if word and not self._begins()[1]:
            before = await self._ids(head)
            begins = await self._speech.heal(slot, before, word)
            if begins is not None:
                prompt = [*before, begins.tokens[0].id]
        grammar = answer_grammar(self.request)
        if own and grammar and await own.begin(slot, prompt):
            async for part in own.parts(slot, prompt):
                yield part
            return
        begun = 0
        if self._prefix:
            question = await self._ids()
            begun = len(prompt) - len(os.path.commonprefix([question, prompt]))
        said = ""

        async def parts() -> AsyncGenerator[Part, None]:
            nonlocal said
            async for part in self._speech.say(
                slot, prompt, "content", grammar=grammar, stops=self._speech.stops, begun=begun,
                begins=begins, marks=own.marks if own else (), beginnings=own.beginnings if own else (),
            ):
                said += part.text
                yield part

        if own is None and self._thought is None:
            async for part in parts():
                yield part
            return
        async for part in _without_blanks(parts(), lambda: self._calls(own), at_start=self._thought is not None):
            yield part
        if own and self._calls(own):
            before = prompt + await self.engine.llama.tokenize([said] if said else [])
            async for part in own.parts(slot, before, self._speech.found):
                yield part

    def _calls(self, own: OwnCalls | None) -> bool:
        """Whether what was said last ended where a call begins."""
        return own is not None and self._speech.found in (*own.marks, *own.beginnings)


async def _without_blanks(
    parts: AsyncGenerator[Part, None], goes_on: Callable[[], bool], at_start: bool = True
) -> AsyncGenerator[Part, None]:
    """`parts` without those of blanks alone at the start, and at the end where it `goes_on`: they belong to marks."""
    held: list[Part] = []
    is_start = at_start
    async with aclosing(parts):
        async for part in parts:
            if part.text.isspace():
                held.append(part)
                continue
            for each in [] if is_start else held:
                yield each
            held, is_start = [], is_start and not part.text
            yield part
    for each in [] if goes_on() else held:
        yield each


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
