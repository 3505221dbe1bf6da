"""`typing.TypedDict` for pydantic, which before Python 3.12 takes only that of typing_extensions."""

from __future__ import annotations

import functools
import operator
import sys
import types
import typing
from typing import Any

import typing_extensions


def describable(annotation: Any) -> Any:
    """The annotation with each of typing's TypedDicts in it replaced by one that pydantic can describe."""
    if sys.version_info >= (3, 12):
        return annotation
    if typing.is_typeddict(annotation) and type(annotation).__module__ == "typing":
        return _rebuilt(annotation)
    arguments = typing.get_args(annotation)
    if not arguments or typing.get_origin(annotation) is typing.Literal:
        return annotation
    replaced = tuple(map(describable, arguments))
    if all(new is old for new, old in zip(replaced, arguments, strict=True)):
        return annotation
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return functools.reduce(operator.or_, replaced)
    return typing.get_origin(annotation)[replaced]


def _rebuilt(kind: Any) -> Any:
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {}
    for name, annotation in hints.items():
        if typing.get_origin(annotation) in (typing.Required, typing.NotRequired):
            annotation = typing.get_args(annotation)[0]
        marker = typing_extensions.Required if name in kind.__required_keys__ else typing_extensions.NotRequired
        fields[name] = marker[describable(annotation)]
    make: Any = typing_extensions.TypedDict  # type checkers take only names that stand in the source
    rebuilt = make(kind.__name__, fields)
    rebuilt.__doc__ = kind.__doc__
    return rebuilt
