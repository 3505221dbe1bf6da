"""What breaks a documented limit, in words: the field, the value, and the limit."""

from __future__ import annotations

import math
from typing import Any

from pydantic import ValidationError

from .clean_text import mask_keys
from .errors import InvalidRequestError
from .fields import LIMITS, MOST_ALTERNATIVES


def broken(field: str, value: Any) -> InvalidRequestError:
    limit = LIMITS.get(field, "an object")
    return InvalidRequestError(
        f"`{field}` is {shown(value)}, and must be {limit}.",
        field=field, value=value, limit=limit, remedy=f"Change `{field}`.",
    )


def check_alternatives(asked: int | None) -> None:
    """Raise InvalidRequestError for more alternatives than any server gives but the embedded one."""
    if (asked or 0) <= MOST_ALTERNATIVES:
        return
    limit = f"a whole number from 0 to {MOST_ALTERNATIVES}"
    raise InvalidRequestError(
        f"`top_logprobs` is {shown(asked)}, and must be {limit}: only the model on this machine gives more.",
        field="top_logprobs", value=asked, limit=limit,
        remedy="Change `top_logprobs`, or ask that model with `--local`.",
    )


def first_broken(error: ValidationError) -> InvalidRequestError:
    """Our error for the first thing that pydantic found wrong."""
    problem = error.errors(include_url=False)[0]
    location = [part for part in problem["loc"] if part not in _NOT_FIELDS and "[" not in str(part)]
    field, value = str(location[0]), problem["input"]
    path = _path(location)
    if problem["type"].startswith("union_tag"):  # the role, by which messages are told apart
        path, value = f"{path}.role", value.get("role") if isinstance(value, dict) else None
    if len(location) == 1:
        return broken(field, value)
    if problem["type"] == "union_tag_invalid":
        what = f"is {shown(value)}"
    elif problem["type"] in ("missing", "union_tag_not_found"):
        what = "is missing"
    elif problem["type"] == "extra_forbidden":
        what = "is not a field of this kind of message" if field == "messages" else "is not a field there"
    else:
        reason = problem["msg"].removeprefix("Value error, ")
        what = f"is {shown(value)}: {reason[0].lower()}{reason[1:]}"
    limit = LIMITS.get(field, "an object")
    return InvalidRequestError(
        f"`{path}` {what}. `{field}` is {limit}.",
        field=path, value=value, limit=limit, remedy=f"Change `{path}`.",
    )


_NOT_FIELDS = ("system", "user", "assistant", "tool", "str")
"""Parts of a location in pydantic's errors that name a kind of message or of value."""


def _path(location: list[Any]) -> str:
    path = str(location[0])
    for part in location[1:]:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.isidentifier() and not part[0].isupper():
            path += f".{part}"
    return path


def shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = mask_keys(repr(value))
    return text if len(text) <= 60 else text[:59] + "…"
