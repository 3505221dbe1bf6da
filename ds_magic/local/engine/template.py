"""Messages ─▶ token ids, by the model's own template, so that no text can pass for a mark of it."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic_core import from_json

from ...api.messages import Tool, ToolCall
from ..model_failures import EngineError, PromptError
from .abilities import abilities
from .gguf import Model
from .llama import Llama

_STAND_IN = secrets.token_hex(8)
"""What stands for a text while the template is applied; not to be guessed by a text."""
_PLACE = re.compile(rf'{_STAND_IN}n([0-9]+)e(\\?)"')
"""It ends with a quotation mark: one that came out with a backslash before it stands in JSON."""
_ARGUMENTS = re.compile(rf'{{\s*"({_STAND_IN}n[0-9]+e)\\""\s*:\s*0\s*}}')
"""What stands for the arguments of a call: an object, which is what templates take them for."""
_SYSTEM = "a message of the role 'system'"
_CHATML = {"<|im_start|>", "<|im_end|>"}
_REMEMBERED = 200

Parts = list[int | str]
"""Text of a prompt, cut at the marks of the template: their ids, and what is only text."""


class Said(NamedTuple):
    """A message with what a template of its own may have a place for."""

    role: str
    text: str
    thought: str = ""
    calls: Sequence[ToolCall] = ()
    answered: ToolCall | None = None
    """Of the result of a function: the call that it answers."""


Turn = tuple[str, str] | Said
"""A role and a text."""


class Thought(NamedTuple):
    """What stands of a thought before the answer. Without one, a model that thinks is kept from it."""

    text: str = ""
    is_over: bool = False
    effort: str | None = None


def short_id(number: int) -> str:
    """A call's id within a prompt: the nine letters and digits that Mistral's templates insist on."""
    return f"call{number:05d}"


class Template:
    """The model's template; each sequence of roles is rendered once and remembered."""

    def __init__(self, model: Model, llama: Llama):
        self.model = model
        self.llama = llama
        self.can = abilities(model.template, model.marks)
        self.has_parameters = False
        """Whether it writes the arguments of calls one by one, rather than as JSON."""
        self._shapes: dict[str, Parts] = {}
        self._marks = re.compile("|".join(map(re.escape, sorted(model.marks, key=len, reverse=True))) or "(?!)")

    async def ids(
        self, messages: Sequence[Turn], prefix: str = "", tokens: Sequence[bytes] = (), *,
        tools: Sequence[Tool] = (), thought: Thought | None = None,
    ) -> list[int]:
        """The prompt for `messages` as token ids.

        `prefix` is how the answer begins, and `tokens` how it goes on: the model goes on after the last of them. Each
        is the token of these bytes, whatever stands beside it; where there is none, it is tokenised by itself.
        `tools` and `thought` are for templates that know of them. Raises PromptError.
        """
        parts = await self._filled(messages, tools, thought)
        if thought is not None:
            parts = joined(parts, [thought.text], self.cut(self._end) if thought.is_over else [])
        parts = joined(parts, [prefix])  # one text: where tokens part is for the tokenizer to say
        parts += [self.model.ids.get(token, token.decode("utf-8", "replace")) for token in tokens]
        return await self.llama.tokenize(parts)

    def cut(self, text: str) -> Parts:
        """A text of the template, or of ours, cut at its marks."""
        parts: Parts = []
        at = 0
        for mark in self._marks.finditer(text):
            parts += [text[at:mark.start()], self.model.marks[mark[0]]]
            at = mark.end()
        return [part for part in [*parts, text[at:]] if part != ""]

    @property
    def _end(self) -> str:
        return self.can.thought.end if self.can.thought else ""

    async def _filled(self, messages: Sequence[Turn], tools: Sequence[Tool], thought: Thought | None) -> Parts:
        """The rendered template with the texts of the messages in their places."""
        hidden = _Hidden()
        wire = [self._message(Said(*turn), hidden) for turn in messages]
        body: dict[str, Any] = {"messages": wire}
        if tools:
            body["tools"] = [self._without_marks(_told(tool), hidden) for tool in tools]
            body["parallel_tool_calls"] = True
        if self.can.thought:
            body["chat_template_kwargs"] = self._switches(thought)
        shape = await self._shape(body, is_thinking=thought is not None)
        places = {int(place) for part in shape if isinstance(part, str) for place, _ in _PLACE.findall(part)}
        if lost := sorted(hidden.needed.keys() - places):
            if (merged := _without_system(messages)) is not None and hidden.needed[lost[0]] == _SYSTEM:
                return await self._filled(merged, tools, thought)
            raise PromptError(f"The model's template has no place for {hidden.needed[lost[0]]}.")
        return [
            _PLACE.sub(hidden.shown, part) if isinstance(part, str) else part
            for part in shape
        ]

    def _message(self, said: Said, hidden: _Hidden) -> dict[str, Any]:
        message: dict[str, Any] = {"role": said.role, "content": ""}
        if said.text:  # templates ask whether there is any
            # Some leave out what is said beside a call.
            message["content"] = hidden.hide(said.text, "" if said.calls else f"a message of the role {said.role!r}")
        if said.thought and self.can.thought:
            message["reasoning_content"] = hidden.hide(said.thought)
        if said.calls:
            message["tool_calls"] = [
                {
                    "id": hidden.id_of(call), "type": "function",
                    "function": {
                        "name": call.function.name,
                        "arguments": self._arguments(call.function.arguments or "{}", hidden),
                    },
                }
                for call in said.calls
            ]
        if said.answered is not None:
            message |= {"tool_call_id": hidden.id_of(said.answered), "name": said.answered.function.name}
        return message

    def _arguments(self, written: str, hidden: _Hidden) -> str:
        """What stands for the arguments of a call: all of them, or each name and value of them."""
        if not self.has_parameters:
            return json.dumps({hidden.hide(written, "a call"): 0})
        try:
            values = from_json(written)
        except ValueError:
            values = None
        named = values if isinstance(values, dict) else {"arguments": written}
        return json.dumps({
            hidden.hide(name): hidden.hide(value if isinstance(value, str) else json.dumps(value), "a call")
            for name, value in named.items()
        })

    def _without_marks(self, value: Any, hidden: _Hidden) -> Any:
        """`value`, of a function, with stand-ins for the strings in it that spell a mark."""
        if isinstance(value, dict):
            return {
                self._without_marks(key, hidden): self._without_marks(each, hidden) for key, each in value.items()
            }
        if isinstance(value, list):
            return [self._without_marks(each, hidden) for each in value]
        if isinstance(value, str) and self._marks.search(value):
            return hidden.hide(value)
        return value

    def _switches(self, thought: Thought | None) -> dict[str, Any]:
        thinks = thought is not None
        switches: dict[str, Any] = {"enable_thinking": thinks, "thinking": thinks}
        if thought and thought.effort and self.can.efforts:
            knows_it = thought.effort != "max" or "max" in (self.model.template or "")
            switches["reasoning_effort"] = thought.effort if knows_it else "high"
        return switches

    async def _shape(self, body: dict[str, Any], *, is_thinking: bool) -> Parts:
        """The rendered template cut at its marks: ids of marks, and text with places for the messages."""
        key = hashlib.sha256(json.dumps(body).encode()).hexdigest()
        if key not in self._shapes:
            rendered = await self._begun(body, is_thinking=is_thinking)
            if len(self._shapes) > _REMEMBERED:
                self._shapes.clear()
            shape = self.cut(_ARGUMENTS.sub(r'\1"', rendered))
            begin = self.model.begin
            self._shapes[key] = shape if begin is None or shape[:1] == [begin] else [begin, *shape]
        return self._shapes[key]

    async def _begun(self, body: dict[str, Any], *, is_thinking: bool) -> str:
        """The rendered template, with the thought begun at its end, or with none."""
        rendered = await self._rendered(body)
        marks = self.can.thought
        if marks is None:
            return rendered
        begins = rendered.rstrip().endswith(marks.begin.strip())
        if is_thinking:
            return rendered if begins else rendered + marks.begin
        if begins:
            return rendered.rstrip() + marks.skipped[len(marks.begin.rstrip()):]
        if rendered.rstrip().endswith(marks.end.strip()) or not self._tells_of(marks.mark, marks.begin):
            return rendered
        thinking = {**body, "chat_template_kwargs": {**body["chat_template_kwargs"], **self._switches(Thought())}}
        has_switch = await self._rendered(thinking) != rendered
        return rendered if has_switch else rendered + marks.skipped

    def _tells_of(self, *marks: str) -> bool:
        return any(mark.strip() in (self.model.template or "") for mark in marks)

    async def _rendered(self, body: dict[str, Any]) -> str:
        if self.model.template is None and not self.model.marks.keys() >= _CHATML:  # which llama.cpp would take
            raise PromptError(
                "This model has no chat template: it goes on with a text (/beta/completions), and knows no messages. "
                "Take one that is made for conversations."
            )
        try:
            return await self.llama.apply_template(body)
        except EngineError as error:
            raise PromptError(f"The model's template cannot take these messages: {error.message}") from None


def _told(tool: Tool) -> dict[str, Any]:
    """A function as templates are told of it: some look into its parameters, also where it has none."""
    told = tool.model_dump(exclude_none=True)
    told["function"].setdefault("parameters", {"type": "object", "properties": {}})
    return told


def _without_system(messages: Sequence[Turn]) -> list[Turn] | None:
    """The messages with the system's in the user's after it; None where there is none.

    Mistral's templates show it only where the user spoke last, so that the result of a function would end it.
    """
    if [turn[0] for turn in messages[:2]] != ["system", "user"]:
        return None
    return [("user", f"{messages[0][1]}\n\n{messages[1][1]}"), *messages[2:]]


def joined(*texts: Parts) -> Parts:
    """Texts of a prompt, one after the other, with what is only text in one piece."""
    parts: Parts = []
    for part in (part for text in texts for part in text if part != ""):
        if parts and isinstance(parts[-1], str) and isinstance(part, str):
            parts[-1] += part
        else:
            parts.append(part)
    return parts


class _Hidden:
    """The texts that have stand-ins in a prompt."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.needed: dict[int, str] = {}
        """What must have a place in the prompt, and what it is."""
        self._ids: dict[str, str] = {}

    def hide(self, text: str, what: str = "") -> str:
        """What stands for `text`."""
        if what:
            self.needed[len(self.texts)] = what
        self.texts.append(text)
        return f'{_STAND_IN}n{len(self.texts) - 1}e"'

    def shown(self, place: re.Match[str]) -> str:
        """The text that a stand-in stands for, as it is written there."""
        text = self.texts[int(place[1])]
        return json.dumps(text, ensure_ascii=False)[1:-1] if place[2] else text

    def id_of(self, call: ToolCall) -> str:
        return self._ids.setdefault(call.id, short_id(len(self._ids)))
