"""JSON as servers send it: parsed fast, and where a strict parser balks, leniently."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json

from .clean_text import heal, heal_surrogates

LONGEST = 1 << 27
"""Bytes of one event, or of an answer in one piece. The logprobs of 32,000 tokens, 20 each, are half as many."""

_HEALED = ("content", "reasoning_content")
_DEEPEST_WRITTEN = 100
"""Lists and objects within each other, beyond which not every writer of JSON follows."""


def index_of(item: dict[str, Any]) -> int:
    """The index of a choice: 0 where there is none, or something else."""
    index = item.get("index")
    return index if isinstance(index, int) else 0


def written(value: Any) -> str:
    """A parsed value as JSON text, for places where text belongs; empty where it is nested too deeply."""
    try:
        return heal_surrogates(json.dumps(value, ensure_ascii=False))
    except RecursionError:
        return ""


def fit_to_keep(value: Any) -> Any:
    """A parsed value that every writer of JSON takes: lone surrogates healed, what is nested too deeply as its text."""
    kept = heal(value)
    todo = [(kept, 0)] if isinstance(kept, dict | list) else []
    while todo:
        holder, depth = todo.pop()
        for place in list(holder) if isinstance(holder, dict) else range(len(holder)):
            inner = holder[place]
            if isinstance(inner, dict | list):
                if depth >= _DEEPEST_WRITTEN:
                    holder[place] = written(inner)
                else:
                    todo.append((inner, depth + 1))
    return kept


def whole_number(digits: str) -> int | float:
    """A whole number in JSON, for `parse_int` of Python's own parser."""
    try:
        return int(digits)
    except ValueError:  # Python refuses to read more than 4,300 digits
        return float(digits)


def parse_json(data: bytes) -> tuple[Any, bool]:
    """The value in `data`, and whether its strings may hold lone surrogates.

    pydantic_core's parser takes a fifth of the time, and refuses lone surrogate escapes and deep
    nesting, both of which are legal. Raises ValueError where `data` is not JSON.
    """
    try:
        return from_json(data), False
    except ValueError:
        pass
    try:
        return json.loads(data.decode("utf-8-sig", "replace"), parse_int=whole_number), True
    except RecursionError:
        pass
    raise ValueError("nested too deeply")


class SurrogateJoiner:
    """Joins surrogate pairs that a server split over two chunks, and replaces lone ones by U+FFFD.

    A server that cuts text by UTF-16 units sends half an emoji in one delta and the rest in the next: the
    first half is held back until the next delta of that choice.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[int, str], str] = {}

    @property
    def holds(self) -> bool:
        """Whether half a character waits for the next chunk."""
        return bool(self._held)

    def heal(self, chunk: dict[str, Any]) -> None:
        """Mend the texts of a parsed chunk in place."""
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if not isinstance(delta, dict):
                continue
            for name in _HEALED:
                text = delta.get(name)
                if isinstance(text, str):
                    delta[name] = self._joined((index_of(choice), name), text)

    def rest(self) -> list[dict[str, Any]]:
        """At the end: a choice for each half that still waits, which nothing can complete now."""
        held, self._held = self._held, {}
        return [{"index": index, "delta": {name: heal_surrogates(text)}} for (index, name), text in held.items()]

    def _joined(self, place: tuple[int, str], text: str) -> str:
        text = self._held.pop(place, "") + text
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._held[place] = text[-1]
            text = text[:-1]
        return heal_surrogates(text)
