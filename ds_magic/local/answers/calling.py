"""Functions: the model names one, or none, and writes its arguments under their schema."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from typing import Any

from pydantic_core import from_json

from ...api.messages import AssistantMessage, FunctionCall, Tool, ToolMessage, UserMessage
from ...api.request import ChatRequest
from ..engine import constraint
from ..engine.slots import Slot
from ..engine.template import Turn
from . import dialogue
from .own_calls import allowed
from .speech import Part, Speech

MOST_CALLS = 4


def offered(request: ChatRequest) -> list[Tool]:
    """The functions that may be called in answer to `request`."""
    tools = allowed(request)
    if request.tool_choice not in (None, "auto"):
        return tools
    done = answered(request)
    return [tool for tool in tools if _takes_arguments(tool) or tool.function.name not in done]


def answered(request: ChatRequest) -> dict[str, list[Any]]:
    """By function: the arguments of its calls that have their results, since the user last spoke."""
    calls: dict[str, FunctionCall] = {}
    found: dict[str, list[Any]] = {}
    for message in request.messages:
        if isinstance(message, UserMessage):
            found = {}
        elif isinstance(message, AssistantMessage):
            calls.update((call.id, call.function) for call in message.tool_calls or ())
        elif isinstance(message, ToolMessage):
            function = calls[message.tool_call_id]
            found.setdefault(function.name, []).append(_parsed(function.arguments))
    return found


def _parsed(arguments: str) -> Any:
    try:
        return from_json(arguments)
    except ValueError:
        return arguments


def _takes_arguments(tool: Tool) -> bool:
    return bool((tool.function.parameters or {}).get("properties"))


class Functions:
    """The calls of one turn. `calls`: names and arguments of those that were made."""

    def __init__(self, speech: Speech):
        self.speech = speech
        self.tools = offered(speech.request)
        self.calls: list[tuple[str, str]] = []
        self._answered = answered(speech.request)

    @property
    def made(self) -> int:
        """How many calls were made."""
        return len(self.calls)

    async def parts(self, slot: Slot, said: list[Turn]) -> AsyncGenerator[Part, None]:
        """The calls as they come; none where the model would rather answer, or knows the answer to its call.

        A model of this size, asked again after a result, would make the same call for ever.
        """
        while len(self.calls) < self._most():
            tool = await self._choose(slot, said)
            if tool is None or self.speech.reason != "stop":
                return
            known = self._answered.get(tool.function.name) if self._word_for_none() else None
            arguments = ""
            held: list[Part] = []
            async for part in self._arguments(slot, said, tool):
                arguments += part.text
                if known:
                    held.append(part)
                else:
                    yield part
            if known and _parsed(arguments) in known:
                return
            for part in held:
                yield part
            self.calls.append((tool.function.name, arguments))

    async def prompt(self, said: list[Turn]) -> list[int]:
        """The question which function fits, after the calls that were made already."""
        asked = dialogue.choosing(said, self._remaining(), self._word_for_none())
        begun = "".join(f"{dialogue.called(name, arguments)}\n" for name, arguments in self.calls)
        return await self.speech.engine.template.ids(asked, begun + dialogue.FUNCTION)

    def _most(self) -> int:
        once = self.speech.request.extra.get("parallel_tool_calls") is False
        return 1 if once else min(MOST_CALLS, len(self.tools))

    def _remaining(self) -> list[Tool]:
        """Each function once: a model of this size, asked again, would name the same one for ever."""
        called = [name for name, _ in self.calls]
        return [tool for tool in self.tools if tool.function.name not in called]

    def _word_for_none(self) -> str | None:
        """The word by which the model says that it needs no function; None where it must name one."""
        if not self.calls and self.speech.request.tool_choice not in (None, "auto"):
            return None
        word = "answer"
        while any(tool.function.name == word for tool in self.tools):
            word += "_yourself"
        return word

    async def _choose(self, slot: Slot, said: list[Turn]) -> Tool | None:
        tools = {tool.function.name: tool for tool in self._remaining()}
        none = self._word_for_none()
        words = [*tools, none] if none else list(tools)
        if len(words) == 1:
            return tools[words[0]]
        grammar = constraint.choice_grammar(f" {word}" for word in words)
        chosen = ""
        prompt = await self.prompt(said)
        async for part in self.speech.say(slot, prompt, "call", grammar=grammar, logprobs=False):
            chosen += part.text
        return tools.get(chosen.strip())

    async def _arguments(self, slot: Slot, said: list[Turn], tool: Tool) -> AsyncGenerator[Part, None]:
        number = len(self.calls)
        yield Part("call", "", [], [], number, tool.function.name, f"call_{number}_{uuid.uuid4().hex[:24]}")
        schema = tool.function.parameters
        if not schema or not _takes_arguments(tool):
            yield Part("call", "{}", [], [], number)
            return
        prompt = await self.speech.engine.template.ids(dialogue.calling(said, tool), dialogue.ARGUMENTS)
        grammar = constraint.schema_grammar(schema)
        async for part in self.speech.say(slot, prompt, "call", grammar=grammar, logprobs=False):
            yield part._replace(number=number)
