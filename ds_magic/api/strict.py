"""Strict functions: what a schema must be for the service to hold a model to it, and schemas that are made so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .errors import InvalidRequestError
from .messages import Tool

LENGTHS = ("minLength", "maxLength", "minItems", "maxItems")
"""What cannot be said of strings and lists."""
_OF_NAMES = ("properties", "$defs", "definitions")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")

Place = tuple[Any, ...]
"""Where something stands in a schema: its name, behind the place of what it is in."""


class Problem(NamedTuple):
    """Why functions cannot be strict: the field of the request, the name of the function, and what is wrong."""

    field: str
    name: str
    why: str


def problem_with(tools: Sequence[Tool]) -> Problem | None:
    """What the service would refuse of functions of which some are strict, or None."""
    if not any(tool.function.strict for tool in tools):
        return None
    for position, tool in enumerate(tools):
        function, field = tool.function, f"tools[{position}].function"
        if not function.strict:
            return Problem(f"{field}.strict", function.name, "it is not strict, and others are: all must be, or none")
        if found := unfit(function.parameters or {}):
            where, why = found
            return Problem(".".join([field, "parameters", *where]), function.name, why)
    return None


def check(tools: Sequence[Tool]) -> None:
    """Raise InvalidRequestError where strict functions would be refused."""
    if problem := problem_with(tools):
        raise refused(problem.name, problem.why, field=problem.field)


def refused(name: str, why: str, field: str = "tools") -> InvalidRequestError:
    """The error for a function that cannot be strict."""
    return InvalidRequestError(
        f"`{name}` cannot be a strict function: {why}.", field=field,
        remedy="Change its parameters, or leave out `--strict`, in a definition `strict`: then it need not be.",
    )


def unfit(schema: Mapping[str, Any]) -> tuple[list[str], str] | None:
    """The first place in a schema that strict functions do not allow, as names, and why; None where all is allowed."""
    for place, each in _parts(schema):
        if why := _problem_of(each):
            where = _names(place)
            named = [name for name, before in zip(where[1:], where, strict=False) if before in _OF_NAMES]
            return where, f"in `{'.'.join(named)}` {why}" if named else why
    return None


def made_strict(schema: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A schema in which all that has a name is required, and nothing else allowed; and what was not required before."""
    # Every dictionary and list in it is a copy, which is changed in place.
    copied: dict[str, Any] = _copied(schema)
    optional: list[str] = []
    for _, each in _parts(copied):
        names = each.get("properties")
        if not isinstance(names, dict):
            continue
        required = set(_required(each))
        optional += [str(name) for name in names if name not in required]
        each["required"] = list(names)
        each.setdefault("additionalProperties", False)
    return copied, list(dict.fromkeys(optional))


def _problem_of(schema: Mapping[str, Any]) -> str | None:
    for name in LENGTHS:
        if name in schema:
            return f"there is {name}, and lengths cannot be asked for"
    kind = schema.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in schema:
        required, names = set(_required(schema)), schema.get("properties")
        for name in names if isinstance(names, Mapping) else ():
            if name not in required:
                return f"`{name}` is not required"
        if schema.get("additionalProperties") is not False:
            return "other properties than those named are allowed (additionalProperties must be false)"
    return None


def _required(schema: Mapping[str, Any]) -> list[str]:
    required = schema.get("required")
    return [each for each in required if isinstance(each, str)] if isinstance(required, list) else []


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[Place, Any]]:
    """A schema and all schemas in it, each with its place; without recursion, however deep they are."""
    ahead: list[tuple[Place, Any]] = [((), schema)]
    while ahead:
        place, each = ahead.pop()
        if isinstance(each, Mapping):
            yield place, each
            ahead.extend(reversed(list(_within(place, each))))


def _within(place: Place, schema: Mapping[str, Any]) -> Iterator[tuple[Place, Any]]:
    for kind, value in schema.items():
        inner = (place, kind)
        if kind in _OF_NAMES and isinstance(value, Mapping):
            yield from (((inner, str(name)), each) for name, each in value.items())
        elif kind in _LISTS and isinstance(value, list):
            yield from (((inner, str(number)), each) for number, each in enumerate(value))
        elif kind in ("items", "additionalProperties"):
            yield inner, value


def _names(place: Place) -> list[str]:
    names: list[str] = []
    while place:
        place, name = place
        names.append(name)
    return names[::-1]


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
