"""Arguments that a template writes one by one, as Qwen3-Coder's and GLM's do, rather than as JSON: they become JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

from ..engine import constraint
from ..engine.call_syntax import ParameterSyntax
from .writing import Writing


async def parameters(
    writing: Writing, syntax: ParameterSyntax, schema: dict[str, Any]
) -> AsyncGenerator[str, None]:
    """The arguments of a call, as pieces of a JSON object.

    The model chooses which of the parameters come, once those are there that are required; a string ends where the
    template ends it, and all else is held to its schema.
    """
    properties = schema.get("properties") or {}
    left, required = list(properties), set(schema.get("required") or ())
    before, end = syntax.first, syntax.none
    yield "{"
    while left and (not required.isdisjoint(left) or await writing.prefers(before, end)):
        writing.add(before)
        name = await writing.choose(left, after=syntax.middle)
        if name is None:
            return
        yield ("" if before == syntax.first else ", ") + json.dumps(name, ensure_ascii=False) + ": "
        left.remove(name)
        writing.add_plain(name)
        writing.add(syntax.middle)
        async for text in _value(writing, syntax, _whole(properties[name], schema)):
            yield text
        if writing.speech.reason != "stop":
            return
        before, end = syntax.between, syntax.last
    writing.add(end)
    yield "}"


def _whole(schema: Any, of: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter with the definitions that it may refer to."""
    definitions = {name: of[name] for name in ("$defs", "definitions") if name in of}
    return {**(schema if isinstance(schema, dict) else {}), **definitions}


async def _value(writing: Writing, syntax: ParameterSyntax, schema: dict[str, Any]) -> AsyncGenerator[str, None]:
    words = schema.get("enum")
    if words and all(isinstance(word, str) for word in words):
        word = await writing.choose(words, after=syntax.value_end)
        if word is not None:
            writing.add_plain(word)
            yield json.dumps(word, ensure_ascii=False)
        return
    is_text = schema.get("type") == "string"
    said = ""
    if is_text:
        yield '"'
    grammar = None if is_text else constraint.schema_grammar(schema)
    async for part in writing.say(grammar=grammar, marks=[syntax.value_end] if is_text else ()):
        said += part.text
        yield json.dumps(part.text, ensure_ascii=False)[1:-1] if is_text else part.text
    writing.add_plain(said)
    if is_text and writing.speech.reason == "stop":
        yield '"'
