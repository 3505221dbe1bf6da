"""One request ─▶ what is said, part by part: thinking, then functions that are called or the answer."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Literal, NamedTuple

from ..api.messages import AssistantMessage, NamedToolChoice, Tool
from ..api.request import ChatRequest
from . import constraint, dialogue
from .engine import Engine
from .generation import generate
from .sampling import Outcome, Sampling, Token
from .slots import Slot
from .stops import StopFinder
from .wire import Usage

DEFAULT_MAX_TOKENS = 4096
THINKING_TEMPERATURE = 0.6
"""Temperature and its kin are accepted and ignored while thinking, as documented; this one holds then."""
LONGEST_THOUGHT = 1024
SHARE_OF_THINKING = {"low": 0.25, "high": 0.5, "max": 0.75}
MOST_CALLS = 4


class Part(NamedTuple):
    """Some more of the answer: its text, and the tokens it is made of where they were asked for."""

    kind: Literal["reasoning", "content", "call"]
    text: str
    tokens: list[Token]
    forced: list[bool]
    """Of each token whether a constraint forced it; empty where nothing was constrained."""
    index: int = 0
    """Of a call: which one it is."""
    name: str = ""
    """Of a call: the function, with its first part."""
    id: str = ""
    """Of a call: its id, with its first part."""


class Answer:
    """The answer to one request; `parts` brings it, `reason` and `usage` are right when it has ended."""

    def __init__(self, engine: Engine, request: ChatRequest):
        self.engine = engine
        self.request = request
        self.reason = "stop"
        self.thinks = request.thinks and request.reasoning_effort != "none"
        self._outcomes: list[Outcome] = []
        self._prompt: list[int] = []
        self._reasoning_tokens = 0
        last = request.messages[-1]
        self._prefix = last if isinstance(last, AssistantMessage) and last.prefix else None
        said = request.messages[:-1] if self._prefix else request.messages
        self._said = dialogue.turns(said)
        if self.thinks:
            self._said = dialogue.with_instruction(self._said, dialogue.THINK_FIRST)

    @property
    def usage(self) -> Usage:
        """Tokens of the first prompt, and of all that was generated after it."""
        cached = self._outcomes[0].cached if self._outcomes else 0
        generated = sum(outcome.generated for outcome in self._outcomes)
        return Usage(len(self._prompt), min(cached, len(self._prompt)), generated, self._reasoning_tokens)

    @property
    def _left(self) -> int:
        return (self.request.max_tokens or DEFAULT_MAX_TOKENS) - sum(done.generated for done in self._outcomes)

    async def prepare(self) -> None:
        """Wait for the model and see whether the messages fit. Raises LocalModelError."""
        await self.engine.ready()
        self._prompt = await self._first_prompt()
        self.engine.check_room(self._prompt)

    async def parts(self) -> AsyncIterator[Part]:
        """The answer as it comes, after `prepare`; waits for a slot first."""
        async with self.engine.slots.take(self._prompt) as slot:
            if self.thinks:
                async for part in self._think(slot):
                    yield part
            offered = self._offered()
            if offered:
                async for part in self._call(slot, offered):
                    yield part
            if self.reason == "stop":
                async for part in self._say(slot):
                    yield part

    # Thinking

    async def _first_prompt(self) -> list[int]:
        if self.thinks:
            return await self.engine.template.ids(self._said, self._thought_begins())
        if self._offered():
            return await self._choice_prompt(self._offered(), [])
        return await self.engine.template.ids(self._said, self._begins())

    def _thought_begins(self) -> str:
        return (self._prefix and self._prefix.reasoning_content) or dialogue.THOUGHT_BEGINS

    async def _think(self, slot: Slot) -> AsyncIterator[Part]:
        share = SHARE_OF_THINKING[self.request.reasoning_effort or "high"]
        room = self.engine.context - len(self._prompt)
        budget = min(int(self._left * share), int(room * share), LONGEST_THOUGHT)
        thought = self._thought_begins()
        if budget > 0:
            sampling = self._sampling(budget)
            async for part in self._generate(slot, self._prompt, sampling, "reasoning"):
                thought += part.text
                yield part
            self._reasoning_tokens = self._outcomes[-1].generated
        self._said = [*self._said, ("assistant", thought), ("user", dialogue.ANSWER_NOW)]

    # Functions

    def _offered(self) -> list[Tool]:
        """The functions that may be called in this turn."""
        choice = self.request.tool_choice
        if choice == "none" or self._prefix:
            return []
        if isinstance(choice, NamedToolChoice):
            return [tool for tool in self.request.tools or [] if tool.function.name == choice.function.name]
        return list(self.request.tools or [])

    async def _call(self, slot: Slot, offered: list[Tool]) -> AsyncIterator[Part]:
        calls: list[tuple[str, str]] = []
        once = self.request.extra.get("parallel_tool_calls") is False
        named = isinstance(self.request.tool_choice, NamedToolChoice)
        while len(calls) < (1 if once or named else min(MOST_CALLS, len(offered))):
            # Each function once: a model of this size, asked again, would name the same one for ever.
            remaining = [tool for tool in offered if tool.function.name not in [name for name, _ in calls]]
            tool = await self._choose(slot, remaining, calls)
            if tool is None or self.reason != "stop":
                break
            arguments = ""
            async for part in self._arguments(slot, tool, len(calls)):
                arguments += part.text
                yield part
            calls.append((tool.function.name, arguments))
        if calls and self.reason == "stop":
            self.reason = "tool_calls"

    async def _choose(self, slot: Slot, tools: list[Tool], calls: list[tuple[str, str]]) -> Tool | None:
        """The function that the model names, or None where it would rather answer."""
        words = {tool.function.name: tool for tool in tools}
        answer = self._word_for_none(tools) if calls or self._may_answer() else None
        if len(words) == 1 and answer is None:
            return tools[0]
        allowed = [*words, answer] if answer else list(words)
        grammar = constraint.choice_grammar(f" {word}" for word in allowed)
        sampling = self._sampling(self._left, grammar, logprobs=False)
        prompt = await self._choice_prompt(tools, calls) if calls or not self._fresh() else self._prompt
        chosen = ""
        async for part in self._generate(slot, prompt, sampling, "content"):
            chosen += part.text
        return words.get(chosen.strip())

    def _fresh(self) -> bool:
        """Whether the first prompt, which was checked for room, is the one to choose after."""
        return not self.thinks

    async def _choice_prompt(self, tools: list[Tool], calls: list[tuple[str, str]]) -> list[int]:
        answer = self._word_for_none(tools) if calls or self._may_answer() else None
        said = dialogue.choosing(self._said, tools, answer)
        begun = "".join(f"{dialogue.called(name, arguments)}\n" for name, arguments in calls)
        return await self.engine.template.ids(said, begun + dialogue.FUNCTION)

    def _may_answer(self) -> bool:
        return self.request.tool_choice in (None, "auto")

    @staticmethod
    def _word_for_none(tools: list[Tool]) -> str:
        word = "answer"
        while any(tool.function.name == word for tool in tools):
            word += "_yourself"
        return word

    async def _arguments(self, slot: Slot, tool: Tool, index: int) -> AsyncIterator[Part]:
        name, call_id = tool.function.name, f"call_{index}_{uuid.uuid4().hex[:24]}"
        yield Part("call", "", [], [], index, name, call_id)
        schema = tool.function.parameters
        if not (schema and schema.get("properties")):
            yield Part("call", "{}", [], [], index)
            return
        sampling = self._sampling(self._left, grammar=constraint.schema_grammar(schema), logprobs=False)
        prompt = await self.engine.template.ids(dialogue.calling(self._said, tool), dialogue.ARGUMENTS)
        async for part in self._generate(slot, prompt, sampling, "call"):
            yield part._replace(index=index)

    # The answer

    def _begins(self) -> str:
        return (self._prefix and self._prefix.content) or ""

    async def _say(self, slot: Slot) -> AsyncIterator[Part]:
        prompt = self._prompt
        if self.thinks or self._offered():
            prompt = await self.engine.template.ids(self._said, self._begins())
        sampling = self._sampling(self._left, grammar=answer_grammar(self.request))
        async for part in self._generate(slot, prompt, sampling, "content", StopFinder(self._stops())):
            yield part

    # All of them

    async def _generate(
        self, slot: Slot, prompt: list[int], sampling: Sampling, kind: str, stops: StopFinder | None = None
    ) -> AsyncIterator[Part]:
        """What the model says after `prompt`, as parts; `reason` is set when it ends."""
        if sampling.max_tokens <= 0 or len(prompt) >= self.engine.context:
            self.reason = "length"
            return
        outcome = Outcome()
        self._outcomes.append(outcome)
        marker = None
        if sampling.grammar is not None and sampling.logprobs:
            marker = constraint.Marker(self.engine.model, sampling.grammar)
        stops = stops or StopFinder([])
        async with aclosing(generate(self.engine, slot, prompt, sampling, outcome)) as pieces:
            async for piece in pieces:
                for text, tokens in stops.push(piece):
                    yield Part(kind, text, tokens, [marker.forced(token) for token in tokens] if marker else [])
                if stops.found:
                    return
        for text, tokens in stops.flush():
            yield Part(kind, text, tokens, [marker.forced(token) for token in tokens] if marker else [])
        if kind != "reasoning":  # a thought that was cut short is still followed by an answer
            self.reason = outcome.reason

    def _stops(self) -> list[str]:
        stop = self.request.stop
        return [stop] if isinstance(stop, str) else list(stop or [])

    def _sampling(self, max_tokens: int, grammar: str | None = None, logprobs: bool | None = None) -> Sampling:
        asked = self.request
        seed = asked.extra.get("seed")
        common = {
            "max_tokens": max_tokens,
            "logprobs": bool(asked.logprobs) if logprobs is None else logprobs,
            "seed": seed + len(self._outcomes) if isinstance(seed, int) else None,
            "grammar": grammar,
        }
        if self.thinks:
            return Sampling(temperature=THINKING_TEMPERATURE, **common)
        return Sampling(
            temperature=1.0 if asked.temperature is None else asked.temperature,
            top_p=1.0 if asked.top_p is None else asked.top_p,
            frequency_penalty=asked.frequency_penalty or 0.0,
            presence_penalty=asked.presence_penalty or 0.0,
            **common,
        )


def wants_json(request: ChatRequest) -> bool:
    """Whether the answer has to be JSON."""
    return request.response_format is not None and request.response_format.type != "text"


def answer_grammar(request: ChatRequest) -> str | None:
    """What JSON mode, or a schema, lets the answer be; None: anything."""
    if not wants_json(request):
        return None
    if request.response_format.type == "json_object":
        return constraint.object_grammar()
    return constraint.schema_grammar(request.response_format.json_schema["schema"])


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
