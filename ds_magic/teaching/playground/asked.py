"""Between a request and what the page shows of it: rows of messages, settings of fields, and what goes along unseen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...api.errors import InvalidRequestError
from ...api.request import ChatRequest
from .controls import CONTROLLED

_SHOWN = ("role", "content", "prefix", "name", "reasoning_content")
"""What a row keeps of a message; the page shows the first three, and lets the others be."""


def rows_of(request: ChatRequest) -> list[dict[str, Any]]:
    """Its messages as rows. Raises InvalidRequestError where functions were called: no row says that."""
    rows = []
    for message in request.messages:
        known = message.model_dump(exclude_none=True)
        if known["role"] == "tool" or known.get("tool_calls"):
            raise InvalidRequestError(
                "The playground has no rows for the calls of functions, and this conversation has some.",
                remedy="Open it on a question of its own, without `--chat`.",
            )
        rows.append({name: known[name] for name in _SHOWN if name in known})
    return rows


def settings_of(request: ChatRequest) -> dict[str, Any]:
    """The fields that are set and can be played with, as the page has them."""
    settings: dict[str, Any] = {}
    for name in CONTROLLED:
        value = getattr(request, name)
        if value is None or (name == "model" and name not in request.model_fields_set):
            continue
        if name == "thinking":
            value = value.type == "enabled"
        if name == "stop" and isinstance(value, str):
            value = [value]
        if value is not False or name == "thinking":
            settings[name] = value
    if "top_logprobs" in settings:  # which brings it along
        settings.pop("logprobs", None)
    return settings


def along(request: ChatRequest) -> dict[str, Any]:
    """The fields that are set and cannot be played with."""
    names = request.model_fields_set - {"messages"} - CONTROLLED.keys()
    return {name: getattr(request, name) for name in names}


def request_of(
    rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any], more: Mapping[str, Any]
) -> ChatRequest:
    """The request that the page asks for, with `more` fields. Raises InvalidRequestError."""
    said = [row for row in rows if (row.get("content") or "") and (row.get("prefix") or row["content"].strip())]
    if all(row.get("role") == "system" for row in said):  # instructions alone are no question
        raise InvalidRequestError("There is nothing to ask yet.", remedy="Write a question.")
    fields = {name: value for name, value in settings.items() if name in CONTROLLED and value not in (None, "", [])}
    if isinstance(stops := fields.get("stop"), list) and len(stops) == 1:
        fields["stop"] = stops[0]
    return ChatRequest.build([dict(row) for row in said], **{**more, **fields})
