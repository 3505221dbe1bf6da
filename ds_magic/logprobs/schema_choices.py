"""Which values a JSON Schema allows at a place of its JSON, where it lists them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .json_spans import Keys

_MOST = 500
_DEEPEST = 50


def allowed_values(schema: Any, keys: Keys) -> list[Any] | None:
    """The scalars that may stand at `keys`; None where the schema does not list them."""
    found: list[Any] = []
    for place in _places(schema, schema, keys, 0):
        values = _listed(place)
        if values is None:
            return None
        found += [value for value in values if not any(_same(value, other) for other in found)]
        if len(found) > _MOST:
            return None
    return found or None


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def _listed(schema: Mapping[str, Any]) -> list[Any] | None:
    if "const" in schema:
        return _scalars([schema["const"]])
    if isinstance(schema.get("enum"), list):
        return _scalars(schema["enum"])
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if not all(kind in ("boolean", "null") for kind in kinds):
        return None
    return [value for kind in kinds for value in ([True, False] if kind == "boolean" else [None])]


def _scalars(values: list[Any]) -> list[Any]:
    return [value for value in values if value is None or isinstance(value, str | int | float)]


def _places(root: Any, schema: Any, keys: Keys, depth: int) -> Iterator[Mapping[str, Any]]:
    """The schemas that apply at `keys`, one for each alternative, references followed."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return
    branches = [one for name in ("anyOf", "oneOf", "allOf") for one in _list(schema.get(name))]
    reference = _referred(root, schema.get("$ref"))
    if reference is not None:
        branches.append(reference)
    for branch in branches:
        yield from _places(root, branch, keys, depth + 1)
    if keys:
        yield from _places(root, _inside(schema, keys[0]), keys[1:], depth + 1)
    elif not branches:
        yield schema


def _inside(schema: Mapping[str, Any], key: str | int) -> Any:
    if isinstance(key, str):
        properties = schema.get("properties")
        if isinstance(properties, Mapping) and key in properties:
            return properties[key]
        return schema.get("additionalProperties")
    first = _list(schema.get("prefixItems"))
    return first[key] if key < len(first) else schema.get("items")


def _referred(root: Any, reference: Any) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    place = root
    for name in reference[2:].split("/"):
        place = place.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(place, Mapping) else None
    return place


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
