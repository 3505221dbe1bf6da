"""Where each value of a JSON text stands, also in fenced and in broken-off JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from json import JSONDecoder
from typing import Any, TypeAlias

_FENCE = re.compile(r"```[\w-]*[ \t]*\r?\n")
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|NaN|-?Infinity")
_CONSTANTS = {"true": True, "false": False, "null": None}
_DEEPEST = 200
_DECODER = JSONDecoder(strict=False)

Keys: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ValueSpan:
    """A value: the keys and indices that lead to it, and where its characters stand.

    A string's span is what stands between its quotes, an empty string's the quotes themselves; its `outer` span
    holds the quotes, too.
    """

    keys: Keys
    value: Any
    start: int
    end: int
    outer_start: int
    outer_end: int

    @property
    def path(self) -> str:
        """The keys as they are written: `items[0].name`; empty for the whole text."""
        path = ""
        for key in self.keys:
            if isinstance(key, str) and re.fullmatch(r"\w+", key):
                path += f".{key}" if path else key
            else:
                path += f"[{key!r}]"
        return path


class _Broken(Exception):
    """The text is no JSON from here on; what was read before stands."""


def value_spans(text: str) -> list[ValueSpan]:
    """The scalars of the JSON in `text`, in order: of its first fenced block, else of the text itself.

    Where text stands around it, the JSON begins at the first brace or bracket. JSON that is broken off yields
    the values that were whole before the break.
    """
    fence = _FENCE.search(text)
    candidates = [fence.end()] if fence else []
    candidates.append(_skip(text, 0))
    opening = re.search(r"[{\[]", text)
    candidates += [opening.start()] if opening else []
    for start in candidates:
        found: list[ValueSpan] = []
        try:
            end = _value(text, start, (), found, 0)
        except _Broken:
            # Prose also begins with what looks like a value; only an object or a list may be broken off.
            if found and text[start] in "{[":
                return found
            continue
        rest = text[end:].strip()
        if text[start] in "{[" or not rest or rest.startswith("```"):
            return found
    return []


def _value(text: str, at: int, keys: Keys, found: list[ValueSpan], depth: int) -> int:
    if depth > _DEEPEST or at >= len(text):
        raise _Broken
    character = text[at]
    if character == "{":
        return _members(text, at + 1, keys, found, depth)
    if character == "[":
        return _items(text, at + 1, keys, found, depth)
    if character == '"':
        string, end = _string(text, at)
        inner = (at + 1, end - 1) if end - 1 > at + 1 else (at, end)
        found.append(ValueSpan(keys, string, *inner, at, end))
        return end
    scalar = _SCALAR.match(text, at)
    if not scalar or (scalar.end() == len(text) and depth and scalar.group() not in _CONSTANTS):
        # A number at the very end of a broken-off text may go on.
        raise _Broken
    word = scalar.group()
    value = _CONSTANTS[word] if word in _CONSTANTS else _number(word)
    found.append(ValueSpan(keys, value, at, scalar.end(), at, scalar.end()))
    return scalar.end()


def _members(text: str, at: int, keys: Keys, found: list[ValueSpan], depth: int) -> int:
    at = _skip(text, at)
    if text[at : at + 1] == "}":
        return at + 1
    while True:
        if text[at : at + 1] != '"':
            raise _Broken
        key, at = _string(text, at)
        at = _skip(text, _expect(text, _skip(text, at), ":"))
        at = _skip(text, _value(text, at, (*keys, key), found, depth + 1))
        if text[at : at + 1] == "}":
            return at + 1
        at = _skip(text, _expect(text, at, ","))


def _items(text: str, at: int, keys: Keys, found: list[ValueSpan], depth: int) -> int:
    at = _skip(text, at)
    if text[at : at + 1] == "]":
        return at + 1
    index = 0
    while True:
        at = _skip(text, _value(text, at, (*keys, index), found, depth + 1))
        if text[at : at + 1] == "]":
            return at + 1
        at, index = _skip(text, _expect(text, at, ",")), index + 1


def _string(text: str, at: int) -> tuple[str, int]:
    """The string whose opening quote stands at `at`, and where it ends."""
    try:
        string, end = _DECODER.raw_decode(text, at)
    except ValueError as error:
        raise _Broken from error
    return string, end


def _number(word: str) -> int | float:
    try:
        return int(word)
    except ValueError:
        return float(word)


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\r", "\n"):
        at += 1
    return at


def _expect(text: str, at: int, character: str) -> int:
    if text[at : at + 1] != character:
        raise _Broken
    return at + 1
