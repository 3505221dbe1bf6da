"""How a model writes calls of functions: its template is asked, by what it makes of a call in an earlier turn.

No list of models is needed for that. A template that writes calls in which the arguments are not JSON is one that
this cannot read; such a model is led by words as one that knows of no functions.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from .abilities import ThoughtMarks, abilities
from .gguf import Model
from .llama import Llama
from .model_failures import EngineError
from .template import short_id

_USER, _ANSWER, _KEY = "dsuserasks", "dsmodelanswers", "dskey"
_NAMES = ("dsfunctionone", "dsfunctiontwo")
_ARGUMENTS = re.compile(rf'{{\s*"{_KEY}"\s*:\s*0\s*}}')
_MARK = re.compile(r"<[^<>\s]+>|\[[A-Z_]+\]")


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

    @property
    def mark(self) -> str:
        """The mark that a call begins with; empty where it begins with none."""
        found = _MARK.match(self.opening)
        return found[0] if found else ""

    def beginnings(self, names: list[str]) -> list[str]:
        """What only a call of one of the functions `names` begins with, where there is no mark for it."""
        end = self.middle[:1]
        return [f"{self.opening}{name}{end}" for name in names]


async def learn(model: Model, llama: Llama) -> CallSyntax | None:
    """How `model` writes calls; None where its template takes no functions, or none that this can read."""
    can = abilities(model.template, model.marks)
    if not can.calls:
        return None
    try:
        asked = await _after_user(llama, [])
        said = await _after_user(llama, [{"role": "assistant", "content": _ANSWER}])
        one = await _after_user(llama, [_calls(1)])
    except EngineError:
        return None
    if not all(name in asked[0] for name in _NAMES) or _ANSWER not in said[1]:
        return None
    head, _, tail = said[1].partition(_ANSWER)
    first = _taken_apart(one[1], head, tail, can.thought)
    if first is None:
        return None
    try:
        two = _taken_apart((await _after_user(llama, [_calls(2)]))[1], head, tail, can.thought)
    except EngineError:
        two = None
    opening, middle, closing, _ = first
    between = two[3] if two and two[:2] == first[:2] and two[2] else None
    return CallSyntax(opening, middle, two[2] if two and between else closing, between)


async def _after_user(llama: Llama, messages: list[dict[str, Any]]) -> tuple[str, str]:
    """What the template makes of `messages` after a question, and what of it stands after the question."""
    parameters = {"type": "object", "properties": {_KEY: {"type": "number"}}}
    tools = [
        {"type": "function", "function": {"name": name, "description": name, "parameters": parameters}}
        for name in _NAMES
    ]
    rendered = await llama.apply_template({
        "messages": [{"role": "user", "content": _USER}, *messages], "tools": tools, "parallel_tool_calls": True,
    })
    return rendered, rendered.rpartition(_USER)[2]


def _calls(count: int) -> dict[str, Any]:
    calls = [
        {"id": short_id(number), "type": "function",
         "function": {"name": name, "arguments": json.dumps({_KEY: 0})}}
        for number, name in enumerate(_NAMES[:count])
    ]
    return {"role": "assistant", "content": "", "tool_calls": calls}


def _taken_apart(
    text: str, head: str, tail: str, thought: ThoughtMarks | None
) -> tuple[str, str, str, str | None] | None:
    """What stands before the name, before the arguments, after them, and between two calls in `text`.

    `head` and `tail` stand around an answer without calls.
    """
    if not text.startswith(head.rstrip()):
        return None
    text = text[len(head.rstrip()):].lstrip()
    if thought and thought.mark in text:
        text = text.rpartition(thought.mark)[2].lstrip()
    found = list(_ARGUMENTS.finditer(text))
    names = [name for name in _NAMES if name in text]
    if not found or len(found) != len(names) or any(text.count(name) != 1 for name in names):
        return None
    starts = [text.index(name) for name in names]
    ends = [start + len(name) for start, name in zip(starts, names, strict=True)]
    if not all(end <= place.start() for end, place in zip(ends, found, strict=True)):
        return None
    closing = text[found[-1].end():]
    if closing.endswith(tail):
        closing = closing.removesuffix(tail)
    else:  # it ends a call otherwise than an answer
        closing = closing[: -len(_common_end(closing, tail)) or None]
    middle = text[ends[0]:found[0].start()]
    between = text[found[0].end():starts[1]] if len(names) == 2 else None
    return text[: starts[0]], middle, closing, between


def _common_end(one: str, other: str) -> str:
    size = 0
    while size < min(len(one), len(other)) and one[-size - 1] == other[-size - 1]:
        size += 1
    return one[len(one) - size:]
