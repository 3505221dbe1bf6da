"""Functions as the model itself calls them: in the syntax of its template, the arguments under their schema."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Sequence

from ..api.messages import NamedToolChoice, Tool
from ..api.request import ChatRequest
from . import constraint
from .call_syntax import CallSyntax
from .sampling import Outcome
from .slots import Slot
from .speech import Part, Speech
from .template import Parts, joined, short_id

MOST_CALLS = 16
_PREFER = 100.0


def offered(request: ChatRequest) -> list[Tool]:
    """The functions that the template is told of."""
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
        self.tools = offered(speech.request)
        self.made = 0
        self._written: Parts = []

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
        mark = await self.speech.engine.llama.tokenize(self.speech.engine.template.cut(self.syntax.mark))
        return bool(self.marks) and self.speech.left > 0 and await self._drawn(slot, prompt) == mark[0]

    async def parts(self, slot: Slot, prompt: list[int], begun: str = "") -> AsyncGenerator[Part, None]:
        """The calls as they come, after `prompt`; the first has `begun`, with one of `beginnings`, or by its mark."""
        cut = self.speech.engine.template.cut
        self._written = cut(self.syntax.opening)
        tool = next(
            (tool for tool, own in zip(self.tools, self.beginnings, strict=False) if own == begun), None
        )
        while True:
            tool = tool or await self._choose(slot, prompt)
            if tool is None:
                return
            async for part in self._arguments(slot, prompt, tool):
                yield part
            if self.speech.reason != "stop" or self.made >= self._most() or not await self._goes_on(slot, prompt):
                return
            tool = None

    def _most(self) -> int:
        once = self.speech.request.extra.get("parallel_tool_calls") is False or self.syntax.between is None
        return 1 if once else MOST_CALLS

    async def _ids(self, prompt: list[int], *more: Parts) -> list[int]:
        return prompt + await self.speech.engine.llama.tokenize(joined(self._written, *more))

    async def _choose(self, slot: Slot, prompt: list[int]) -> Tool | None:
        """The function that the model names; None where there was no room to."""
        if len(self.tools) == 1:
            return self.tools[0]
        cut = self.speech.engine.template.cut(self.syntax.middle)
        end = cut[0][:1] if cut and isinstance(cut[0], str) else ""  # one name may begin another
        words = {f"{tool.function.name}{end}": tool for tool in self.tools}
        chosen = ""
        ids = await self._ids(prompt)
        grammar = constraint.choice_grammar(words)
        async for part in self.speech.say(slot, ids, "call", grammar=grammar, logprobs=False):
            chosen += part.text
        return words.get(chosen)

    async def _arguments(self, slot: Slot, prompt: list[int], tool: Tool) -> AsyncGenerator[Part, None]:
        number, self.made = self.made, self.made + 1
        yield Part("call", "", [], [], number, tool.function.name, f"call_{number}_{uuid.uuid4().hex[:24]}")
        before = self.syntax.middle.rstrip(" ")
        blank = self.syntax.middle[len(before):]
        self._written = joined(self._written, [tool.function.name], self.speech.engine.template.cut(before))
        schema = tool.function.parameters
        said = ""
        if not schema or not schema.get("properties"):
            said = blank + "{}"
            yield Part("call", "{}", [], [], number)
        else:
            ids = await self._ids(prompt)
            # The blank is the model's to write: it is a part of the first token of the arguments.
            grammar = constraint.schema_grammar(schema, after=blank)
            async for part in self.speech.say(slot, ids, "call", grammar=grammar, logprobs=False):
                text = part.text[max(0, len(blank) - len(said)):]
                said += part.text
                yield part._replace(text=text, number=number)
        self._written = joined(self._written, [said])

    async def _goes_on(self, slot: Slot, prompt: list[int]) -> bool:
        """Whether the model begins another call, rather than ends: it chooses where the two part, by its own odds."""
        engine, syntax = self.speech.engine, self.syntax
        number = self.made - 1
        between = engine.template.cut((syntax.between or "").replace(short_id(0), short_id(number)))
        closing = engine.template.cut(syntax.closing.replace(short_id(1), short_id(number)))
        on, over = await self._ids(prompt, between), await self._ids(prompt, closing)
        same = next((at for at, pair in enumerate(zip(on, over, strict=False)) if len(set(pair)) > 1), len(over))
        if same >= len(on) or len(on) >= engine.context or self.speech.left <= 0:
            return False
        ends = over[same] if same < len(over) else engine.model.end
        drawn = await self._drawn(slot, on[:same], [on[same], ends])
        self.speech.outcomes.append(Outcome("stop", generated=1))
        if drawn != on[same]:
            return False
        self._written = joined(self._written, between)
        return True

    async def _drawn(self, slot: Slot, prompt: list[int], among: Sequence[int] = ()) -> int | None:
        """The token that the model says after `prompt`: one of `among`, where there are any. None: it ends."""
        asked = self.speech.request
        slot.tokens = prompt
        drawn = await self.speech.engine.llama.sample({
            "prompt": prompt, "id_slot": slot.number, "n_predict": 1, "return_tokens": True,
            "temperature": 1.0 if asked.temperature is None else asked.temperature,
            "seed": -1 if asked.seed is None else (asked.seed + len(prompt)) % 2**32,
            # An equal bias leaves the proportions between them as they were.
            "logit_bias": [[number, _PREFER] for number in among],
        })
        return next(iter(drawn["tokens"]), None)
