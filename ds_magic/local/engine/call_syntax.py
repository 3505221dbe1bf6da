"""How a model writes calls of functions: its template is asked, by what it makes of a call in an earlier turn.

No list of models is needed for that. Arguments may be JSON, or stand one by one. A model whose template writes them
in yet another way is led by words, as one that knows of no functions.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any, NamedTuple

from ..model_failures import EngineError
from .abilities import ThoughtMarks, abilities
from .gguf import Model
from .llama import Llama
from .template import short_id

_USER, _ANSWER = "dsuserasks", "dsmodelanswers"
_NAMES = ("dsfunctionone", "dsfunctiontwo")
_KEYS = ("dskeyone", "dskeytwo")
_VALUES = (90210, "dsvaluetwo")
_ARGUMENTS = dict(zip(_KEYS, _VALUES, strict=True))
_JSON = re.compile(rf'{{\s*"{_KEYS[0]}"\s*:\s*{_VALUES[0]}\s*,\s*"{_KEYS[1]}"\s*:\s*"{_VALUES[1]}"\s*}}')
_ONE_BY_ONE = re.compile(rf"(.+?){_KEYS[0]}(.+?){_VALUES[0]}(.+?){_KEYS[1]}(.+?){_VALUES[1]}", re.DOTALL)
_MARK = re.compile(r"<[^<>\s]+>|\[[A-Z_]+\]")


class ParameterSyntax(NamedTuple):
    """What stands around arguments that come one by one."""

    first: str
    """From the function's name to that of the first."""
    middle: str
    """From a name to its value."""
    between: str
    """From a value to the next name."""
    last: str
    """After the last value."""
    none: str
    """After the function's name, where there are no arguments."""

    @property
    def value_end(self) -> str:
        """What a value ends with, whatever follows."""
        same = commonprefix([self.between, self.last])
        return same[: same.rfind(">") + 1]


@dataclass(frozen=True)
class CallSyntax:
    """What stands around the name and the arguments of a call."""

    opening: str
    """Before the name of the first."""
    middle: str
    """Between name and arguments."""
    closing: str
    """After the arguments of the last."""
    between: str | None
    """From the arguments of one to the name of the next; None where the template takes one at a time."""
    parameters: ParameterSyntax | None = None
    """How the arguments stand one by one, with all that belongs to the call; None: they are JSON."""

    @property
    def mark(self) -> str:
        """The mark that a call begins with; empty where it begins with none."""
        found = _MARK.match(self.opening)
        return found[0] if found else ""

    @property
    def after_name(self) -> str:
        """What comes after the name of a function."""
        return self.parameters.first if self.parameters else self.middle

    def beginnings(self, names: list[str]) -> list[str]:
        """What only a call of one of the functions `names` begins with, where there is no mark for it."""
        return [f"{self.opening}{name}{self.after_name[:1]}" for name in names]


async def learn(model: Model, llama: Llama) -> CallSyntax | None:
    """How `model` writes calls; None where its template takes no functions, or none that this can read."""
    can = abilities(model.template, model.marks)
    if not can.calls:
        return None
    try:
        asked = await _rendered(llama)
        answered = _after_user(await _rendered(llama, {"role": "assistant", "content": _ANSWER}))
        one = _after_user(await _rendered(llama, _called(1)))
    except EngineError:
        return None
    if not all(name in asked for name in _NAMES) or _ANSWER not in answered:
        return None
    head, _, tail = answered.partition(_ANSWER)
    around = _Around(head, tail, can.thought)
    first = _read(around.call_in(one))
    if first is None:
        return None
    try:
        two = around.call_in(_after_user(await _rendered(llama, _called(2))))
        if isinstance(first, _OneByOne):
            none = around.call_in(_after_user(await _rendered(llama, _called(1, {}))))
            return first.syntax(two, none)
    except EngineError:
        two = ""
    return None if isinstance(first, _OneByOne) else first.syntax(two)


class _Around(NamedTuple):
    """What stands around an answer without calls."""

    head: str
    tail: str
    thought: ThoughtMarks | None

    def call_in(self, text: str) -> str:
        """What stands in its place in `text`; empty where that cannot be told."""
        head = self.head.rstrip()
        if not text.startswith(head):
            return ""
        text = text[len(head):].lstrip()
        if self.thought and self.thought.mark in text:
            text = text.rpartition(self.thought.mark)[2].lstrip()
        # A call may end otherwise than an answer.
        same = len(commonprefix([text[::-1], self.tail[::-1]]))
        return text[: len(text) - same]


class _Json(NamedTuple):
    """A call whose arguments are JSON."""

    opening: str
    middle: str
    closing: str

    def syntax(self, two: str) -> CallSyntax:
        """The whole syntax, by what two calls look like."""
        one = re.escape(self.opening) + _NAMES[0] + re.escape(self.middle) + _JSON.pattern
        found = re.fullmatch(
            f"{one}(.+?){_NAMES[1]}{re.escape(self.middle)}{_JSON.pattern}(.*)", two, re.DOTALL
        )
        return CallSyntax(self.opening, self.middle, found[2] if found else self.closing, found[1] if found else None)


class _OneByOne(NamedTuple):
    """A call whose arguments stand one by one."""

    opening: str
    first: str
    middle: str
    between: str
    last: str

    def syntax(self, two: str, none: str) -> CallSyntax | None:
        """The whole syntax, by what two calls look like, and one without arguments."""
        begun = f"{self.opening}{_NAMES[0]}"
        if not none.startswith(begun):
            return None
        own = ParameterSyntax(*self[1:], none[len(begun):])
        pairs = [f"{key}{own.middle}{value}" for key, value in _ARGUMENTS.items()]
        whole = f"{begun}{own.first}{own.between.join(pairs)}{own.last}"
        between = two[len(whole):].partition(_NAMES[1])[0] if two.startswith(whole) else None
        return CallSyntax(self.opening, "", "", between or None, own) if own.value_end else None


def _read(call: str) -> _Json | _OneByOne | None:
    """`call` taken apart."""
    opening, name, rest = call.partition(_NAMES[0])
    if not name or not opening or _NAMES[0] in rest:
        return None
    if found := _JSON.search(rest):
        return _Json(opening, rest[: found.start()], rest[found.end():]) if found.start() else None
    found = _ONE_BY_ONE.match(rest)
    if found and found[2] == found[4]:
        return _OneByOne(opening, found[1], found[2], found[3], rest[found.end():])
    return None


async def _rendered(llama: Llama, *messages: dict[str, Any]) -> str:
    """What the template makes of `messages` after a question, with two functions."""
    kinds = zip(_KEYS, ("number", "string"), strict=True)
    parameters = {"type": "object", "properties": {key: {"type": kind} for key, kind in kinds}}
    tools = [
        {"type": "function", "function": {"name": name, "description": name, "parameters": parameters}}
        for name in _NAMES
    ]
    return await llama.apply_template({
        "messages": [{"role": "user", "content": _USER}, *messages], "tools": tools, "parallel_tool_calls": True,
    })


def _after_user(rendered: str) -> str:
    return rendered.rpartition(_USER)[2]


def _called(count: int, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
    written = json.dumps(_ARGUMENTS if arguments is None else arguments)
    calls = [
        {"id": short_id(number), "type": "function", "function": {"name": name, "arguments": written}}
        for number, name in enumerate(_NAMES[:count])
    ]
    return {"role": "assistant", "content": "", "tool_calls": calls}
