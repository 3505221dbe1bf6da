"""Parts of an answer as the API's deltas and messages: what is said, in JSON."""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import Any

from ..answers.speech import Part


def delta(part: Part) -> str:
    """What one part adds to the message."""
    text = encode_basestring(part.text)
    if part.kind == "content":
        return f'{{"content":{text}}}'
    if part.kind == "reasoning":
        return f'{{"content":null,"reasoning_content":{text}}}'
    if part.name:
        call = {
            "index": part.number, "id": part.id, "type": "function",
            "function": {"name": part.name, "arguments": part.text},
        }
        return json.dumps({"tool_calls": [call]})
    return f'{{"tool_calls":[{{"index":{part.number},"function":{{"arguments":{text}}}}}]}}'


def message(parts: list[Part], thinks: bool) -> str:
    """The whole message."""
    fields: dict[str, Any] = {
        "role": "assistant", "content": "".join(part.text for part in parts if part.kind == "content")
    }
    if thinks:
        fields["reasoning_content"] = "".join(part.text for part in parts if part.kind == "reasoning")
    calls: dict[int, dict[str, Any]] = {}
    for part in parts:
        if part.kind == "call" and part.name:
            function = {"name": part.name, "arguments": ""}
            calls[part.number] = {"id": part.id, "type": "function", "function": function}
        if part.kind == "call":
            calls[part.number]["function"]["arguments"] += part.text
    if calls:
        fields["tool_calls"] = list(calls.values())
    return json.dumps(fields, ensure_ascii=False)
