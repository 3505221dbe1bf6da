"""Factors: what a sweep varies, as the product of the values of each field; what is a field's own value is none."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from ..api.errors import InvalidRequestError

if TYPE_CHECKING:
    from ..api.client import Client

LISTS = ("stop", "tools")
"""Fields whose value is a list itself: a list of lists varies them."""
OBJECTS = ("extra", "response_format", "schema", "stream_options", "thinking", "tool_choice")
"""Fields whose value may be a dict itself: a list of dicts varies them."""


class Arm(NamedTuple):
    """One choice of values: the factors by which it is called, all the fields with it, and who is asked where several
    are."""

    factors: dict[str, Any]
    fields: dict[str, Any]
    client: Client | None = None


def arms_of(fields: Mapping[str, Any]) -> list[Arm]:
    """The product of all values that fields have, in the order in which they are given, the last one's changing first.

    Several values are a list, a tuple, a range, a set or an array; or a dict, whose keys are then what they are called.
    Raises InvalidRequestError where there is no value at all.
    """
    varied = {name: found for name, value in fields.items() if (found := values_of(name, value)) is not None}
    for name, values in varied.items():
        if not values:
            raise InvalidRequestError(
                f"`{name}` has no values to go through.", field=name, value=fields[name],
                remedy=f"Give at least one, or leave `{name}` out.",
            )
    made = []
    for chosen in product(*varied.values()):
        named = dict(zip(varied, chosen, strict=True))
        made.append(Arm(
            {name: label for name, (label, _) in named.items()},
            {**fields, **{name: value for name, (_, value) in named.items()}},
        ))
    return made


def values_of(name: str, value: Any) -> list[tuple[Any, Any]] | None:
    """The values that a field is to have, each with what it is called; None where it is one value."""
    if isinstance(value, Mapping):
        return None if name in OBJECTS else [(label, _plain(each)) for label, each in value.items()]
    several = _listed(value)
    if several is None or (name in LISTS and not all(_listed(each) is not None for each in several)):
        return None
    return [(_label(name, each), each) for each in map(_plain, several)]


def _listed(value: Any) -> list[Any] | None:
    """The elements of what holds several things, None for one thing."""
    if isinstance(value, list | tuple | range | set | frozenset):
        return list(value)
    return list(value.tolist()) if getattr(value, "ndim", 0) == 1 and hasattr(value, "tolist") else None


def _plain(value: Any) -> Any:
    """A number as Python has it: no numpy scalar."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def _label(name: str, value: Any) -> Any:
    """What a value without a name is called: itself, of functions their names."""
    if name == "tools":
        return ", ".join(getattr(each, "__name__", None) or str(each) for each in value) or "none"
    return getattr(value, "__name__", value) if name == "schema" else value
