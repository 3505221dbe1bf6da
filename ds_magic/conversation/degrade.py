"""Servers that refuse a field of ours that can be done without: asked again without it, and it is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..api.addresses import EMBEDDED
from ..api.errors import InvalidRequestError
from ..api.messages import ResponseFormat
from ..run import Observer, run
from ..stop import Stop

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.model_choice import Offer
    from ..api.request import ChatRequest
    from ..api.response import ChatCompletion

DISPENSABLE = {
    "response_format": (),
    "stream_options": ("stream_options",),
    "top_logprobs": ("top_logprobs",),
    "logprobs": ("logprobs", "top_logprobs"),
    "reasoning_effort": ("reasoning_effort",),
    "reasoning_content": (),
    "thinking": ("thinking",),
}
"""Fields without which a request still asks the same, and what goes with each.

A schema becomes JSON mode, and earlier thoughts are not replayed.
"""

_refused: WeakKeyDictionary[Offer, frozenset[str]] = WeakKeyDictionary()
"""What each server is known to refuse, which its Offer stands for: a client's copies, one a sample, have the same."""


def run_as_supported(
    client: Client,
    request: ChatRequest,
    observers: Callable[[], Sequence[Observer]],
    stop: Stop | None = None,
    notes: Sequence[str] = (),
) -> ChatCompletion:
    """`run`, and again without a dispensable field where another server than DeepSeek, or the embedded one, refuses it.

    `observers` makes those of each try. What was left out is remembered for the server, and noted on every
    completion, behind `notes`. Raises what `run` raises.
    """
    while True:
        left_out = [name for name in _refused.get(client.offer, ()) if _can_go(name, request)]
        sent = _without(request, left_out)
        said = [*notes, *map(_note, left_out)]
        try:
            return run(client, sent, observers(), stop=stop, notes=said)
        except InvalidRequestError as error:
            name = None if client.is_deepseek or client.name == EMBEDDED else _refused_field(error, sent)
            if name is None:
                raise
        _refused[client.offer] = _refused.get(client.offer, frozenset()) | {name}


def _refused_field(error: InvalidRequestError, request: ChatRequest) -> str | None:
    """The dispensable field that a server's refusal names, or None."""
    if error.status not in (400, 422):
        return None
    named = f"{error.field or ''} {error.message}"
    for name in DISPENSABLE:
        if name in named and _can_go(name, request):
            return name
    return None


def _can_go(name: str, request: ChatRequest) -> bool:
    if name == "reasoning_content":
        return request.replays_reasoning
    value = getattr(request, name)
    return value is not None and (name != "response_format" or value.type == "json_schema")


def _note(name: str) -> str:
    if name == "response_format":
        return "This server takes no JSON Schema: the answer was only asked for as JSON."
    return f"This server does not take `{name}`: it was left out."


def _without(request: ChatRequest, names: Sequence[str]) -> ChatRequest:
    gone: dict[str, Any] = {field: None for name in names for field in DISPENSABLE[name]}
    if "response_format" in names:
        gone["response_format"] = ResponseFormat(type="json_object")
    if "reasoning_content" in names:
        request = request.without_replay()
    return request.model_copy(update=gone) if gone else request
