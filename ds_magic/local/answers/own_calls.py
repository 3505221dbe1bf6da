"""Functions as the model itself calls them: in the syntax of its template, the arguments under their schema."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator

from ...api.messages import NamedToolChoice, Tool
from ...api.request import ChatRequest
from ..engine import constraint
from ..engine.call_syntax import CallSyntax
from ..engine.slots import Slot
from ..engine.template import short_id
from .own_parameters import parameters
from .speech import Part, Speech
from .writing import Writing

MOST_CALLS = 16


def allowed(request: ChatRequest) -> list[Tool]:
    """The functions that `tool_choice` lets be called: those that the template is told of."""
    choice = request.tool_choice
    if choice == "none" or request.prefix is not None:
        return []
    if isinstance(choice, NamedToolChoice):
        return [tool for tool in request.tools or [] if tool.function.name == choice.function.name]
    return list(request.tools or [])


class OwnCalls:
    """The calls of one turn. `made` is how many there were.

    That a call begins is for the model to say, by the mark of its template; what stands around name and arguments is
    then written as the template has it, and the model chooses a name that there is, and arguments that fit.
    """

    def __init__(self, speech: Speech, syntax: CallSyntax):
        self.speech = speech
        self.syntax = syntax
        self.tools = allowed(speech.request)
        self.made = 0

    @property
    def is_due(self) -> bool:
        """Whether a call must be made."""
        return bool(self.tools) and self.speech.request.tool_choice not in (None, "auto")

    @property
    def marks(self) -> list[str]:
        """What a call begins with anywhere in an answer."""
        return [self.syntax.mark] if self.tools and self.syntax.mark else []

    @property
    def beginnings(self) -> list[str]:
        """What an answer begins with that is a call."""
        if not self.tools or self.syntax.mark:
            return []
        return self.syntax.beginnings([tool.function.name for tool in self.tools])

    async def begin(self, slot: Slot, prompt: list[int]) -> bool:
        """Whether the model would call a function after `prompt`, rather than give an answer that has to be JSON.

        The grammar of such an answer has no place for the mark of a call, so the model is asked without it.
        """
        if not self.marks or self.speech.left <= 0:
            return False
        mark = await self.speech.engine.llama.tokenize(self.speech.engine.template.cut(self.syntax.mark))
        return await Writing(self.speech, slot, prompt).drawn(prompt) == mark[0]

    async def parts(self, slot: Slot, prompt: list[int], begun: str = "") -> AsyncGenerator[Part, None]:
        """The calls as they come, after `prompt`; the first has `begun`, with one of `beginnings`, or by its mark."""
        writing = Writing(self.speech, slot, prompt)
        tools = {tool.function.name: tool for tool in self.tools}
        named = dict(zip(self.beginnings, tools, strict=False)).get(begun)
        opening = self.syntax.opening
        while True:
            writing.add(opening)
            name = named or await writing.choose(tools, after=self.syntax.after_name)
            if name is None:
                return
            async for part in self._call(writing, tools[name]):
                yield part
            if self.speech.reason != "stop" or self.made >= self._most():
                return
            number = self.made - 1
            opening = (self.syntax.between or "").replace(short_id(0), short_id(number))
            if not await writing.prefers(opening, self.syntax.closing.replace(short_id(1), short_id(number))):
                return
            named = None

    def _most(self) -> int:
        once = self.speech.request.extra.get("parallel_tool_calls") is False or self.syntax.between is None
        return 1 if once else MOST_CALLS

    async def _call(self, writing: Writing, tool: Tool) -> AsyncGenerator[Part, None]:
        number, self.made = self.made, self.made + 1
        name = tool.function.name
        yield Part("call", "", [], [], number, name, f"call_{number}_{uuid.uuid4().hex[:24]}")
        writing.add_plain(name)
        schema = tool.function.parameters
        if self.syntax.parameters:
            arguments = parameters(writing, self.syntax.parameters, schema or {})
        else:
            arguments = self._json(writing, schema)
        async for text in arguments:
            yield Part("call", text, [], [], number)

    async def _json(self, writing: Writing, schema: dict[str, object] | None) -> AsyncGenerator[str, None]:
        """Arguments that are JSON."""
        before = self.syntax.middle.rstrip(" ")
        blank = self.syntax.middle[len(before):]
        writing.add(before)
        said = ""
        if not schema or not schema.get("properties"):
            said = blank + "{}"
            yield "{}"
        else:
            # The blank is the model's to write: it is a part of the first token of the arguments.
            async for part in writing.say(grammar=constraint.schema_grammar(schema, after=blank)):
                yield part.text[max(0, len(blank) - len(said)):]
                said += part.text
        writing.add_plain(said)
