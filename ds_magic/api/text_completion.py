"""The older form of an answer, `text_completion`, as a chat completion says it: so a gap is filled in by the same way.

Its choices have `text`, and `logprobs` of parallel lists: `tokens`, `token_logprobs`, and `top_logprobs` of objects
{token: logprob}. They hold no bytes, and two alternatives of the same spelling are one there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Literal

from .loose_json import parse_json

Part = Literal["message", "delta"]


def event_as_chat(payload: bytes, most: int | None) -> bytes:
    """The data of an event, as a stream of chat completions has it; as it is where it is of another form."""
    if not payload.lstrip().startswith(b"{"):
        return payload
    try:
        return json.dumps(as_chat(parse_json(payload)[0], "delta", most)).encode()
    except (ValueError, RecursionError):  # whoever reads it says so
        return payload


def as_chat(body: dict[str, Any], part: Part, most: int | None) -> dict[str, Any]:
    """A parsed body or chunk whose choices have a `part` in place of `text`. `most`: the alternatives asked for."""
    choices = body.get("choices")
    if not isinstance(choices, list):
        return body
    return {**body, "object": "chat.completion", "choices": [_choice(each, part, most) for each in choices]}


def _choice(choice: Any, part: Part, most: int | None) -> Any:
    if not isinstance(choice, dict) or part in choice:
        return choice
    others = {name: value for name, value in choice.items() if name not in ("text", "logprobs")}
    lists = choice.get("logprobs")
    if isinstance(lists, dict) and isinstance(lists.get("tokens"), list):
        lists = {"content": list(_entries(lists, most))}
    return {**others, part: {"role": "assistant", "content": choice.get("text")}, "logprobs": lists}


def _entries(lists: dict[str, Any], most: int | None) -> Iterator[dict[str, Any]]:
    """The entries of the parallel lists, one a token. What a shorter list does not have is not known."""
    tokens, logprobs, tops = (_listed(lists.get(name)) for name in ("tokens", "token_logprobs", "top_logprobs"))
    for place, token in enumerate(tokens):
        yield {
            "token": token,
            "logprob": logprobs[place] if place < len(logprobs) else None,
            "bytes": None,
            "top_logprobs": _alternatives(tops[place] if place < len(tops) else None, token, most),
        }


def _alternatives(top: Any, token: Any, most: int | None) -> list[dict[str, Any]]:
    """The alternatives of an object {token: logprob}.

    The token that was drawn stands there in any case, as one more than was asked for where it is none of the likeliest:
    then it is left out, since what lies below the others is bounded by the last of them. Where halves of characters,
    which all look alike, may have fallen together, it may be the one more among no more than were asked for.
    """
    if not isinstance(top, dict):
        return []
    if most is not None and token in top and (len(top) > most or any("\ufffd" in name for name in top)):
        drawn = _number(top[token])
        if all(drawn <= _number(other) for other in top.values()):
            top = {name: value for name, value in top.items() if name != token}
    return [{"token": name, "logprob": value, "bytes": None} for name, value in top.items()]


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else -math.inf


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
