"""What may be said shorter than on the wire, on the magic line and in Python alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .errors import InvalidRequestError
from .limit_errors import broken
from .messages import UserMessage, as_message_fields


def as_messages(messages: Any, *, system: str | None = None, prefix: str | None = None) -> list[Any]:
    """`messages` as the list of fields that `ChatRequest` validates; see `ChatRequest.build`."""
    if isinstance(messages, str | Mapping) or hasattr(messages, "role") or hasattr(messages, "as_message"):
        messages = [messages]
    if not isinstance(messages, Iterable):
        raise broken("messages", messages)
    fields = [
        UserMessage(content=each).model_dump(exclude_none=True) if isinstance(each, str) else as_message_fields(each)
        for each in messages
    ]
    if system:
        fields.insert(0, {"role": "system", "content": system})
    if prefix is None:
        return fields
    if fields and isinstance(fields[-1], Mapping) and fields[-1].get("prefix"):
        raise InvalidRequestError(
            "The answer is given two beginnings: the last message is a prefix already.",
            field="prefix", value=prefix, remedy="Leave one of them out.",
        )
    return [*fields, {"role": "assistant", "content": prefix, "prefix": True}]


def on_the_wire(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Request fields as on the wire: what is None is not set, alternatives imply their logprobs, thinking is a word."""
    spelt = {name: value for name, value in fields.items() if value is not None}
    if "top_logprobs" in spelt:
        spelt.setdefault("logprobs", True)
    if isinstance(spelt.get("thinking"), bool):
        spelt["thinking"] = {"type": "enabled" if spelt["thinking"] else "disabled"}
    return spelt
