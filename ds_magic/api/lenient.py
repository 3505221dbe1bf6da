"""Types for what comes in: where a server sends something else, there is None or an empty value, no error."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WrapValidator

from .clean_text import for_terminal, heal_surrogates
from .loose_json import written

Value = TypeVar("Value")


def _or_none(value: Any, handler: Any) -> Any:
    try:
        return handler(value)
    except ValidationError:
        return None


def _count_or_none(value: Any, handler: Any) -> Any:
    count = _or_none(value, handler)
    return count if count is not None and 0 <= count < 2**53 else None


def _list_or_empty(value: Any) -> Any:
    return [each for each in value if isinstance(each, dict | BaseModel)] if isinstance(value, list) else []


def _dict_or_empty(value: Any) -> Any:
    return value if isinstance(value, dict | BaseModel) else {}


def _text_or_empty(value: Any) -> Any:
    if isinstance(value, str):
        return heal_surrogates(value)
    return "" if value is None else written(value)


def _joined_parts(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return "".join(part["text"] for part in value if isinstance(part, dict) and isinstance(part.get("text"), str))


Lenient = Annotated[Value | None, WrapValidator(_or_none)]
"""A value of the type, or None where the server sent null or something else."""

Count = Annotated[int | None, WrapValidator(_count_or_none)]
"""A number of things; None where it cannot be true: below 0, or from 2^53 on."""

Content = Annotated[str | None, WrapValidator(_or_none), BeforeValidator(_joined_parts)]
"""A message's content; some servers send it as a list of parts, whose texts are joined."""

Text = Annotated[str, BeforeValidator(_text_or_empty)]
Index = Annotated[int, WrapValidator(lambda value, handler: _or_none(value, handler) or 0)]
Objects = Annotated[list[Value], BeforeValidator(_list_or_empty)]
ObjectsOrNone = Annotated[list[Value] | None, WrapValidator(_or_none)]
Object = Annotated[Value, BeforeValidator(_dict_or_empty)]


class Incoming(BaseModel):
    """What comes in: every field optional, unknown ones kept as attributes."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    def __repr__(self) -> str:
        return for_terminal(super().__repr__())  # the names of unknown fields are the server's

    __str__ = __repr__
