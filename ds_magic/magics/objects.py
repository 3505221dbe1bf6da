"""Python objects that options name."""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping
from typing import Any

from ..api.errors import InvalidRequestError
from ..api.nearest import nearest


def named(name: str, namespace: Mapping[str, Any], option: str) -> Any:
    """The variable that an option names. Raises InvalidRequestError with the nearest name."""
    if name in namespace:
        return namespace[name]
    near = nearest(name, [each for each in namespace if not each.startswith("_")])
    raise InvalidRequestError(
        f"`{option} {name}`: there is no variable `{name}`.",
        remedy=f"Did you mean `{near}`?" if near else f"Define `{name}` in a cell before this one.",
    )


def named_dictionary(name: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The dictionary that `--extra` names."""
    value = named(name, namespace, "--extra")
    if not isinstance(value, Mapping):
        raise InvalidRequestError(
            f"`--extra {name}`: `{name}` is of type {type(value).__name__}.", remedy="It must be a dictionary."
        )
    return dict(value)


def named_tools(names: list[str], namespace: Mapping[str, Any]) -> list[Any]:
    """The functions, Tool objects and definitions that `--tools` names; a list of such counts as its items."""
    tools: list[Any] = []
    for name in names:
        owner, *attributes = name.split(".")
        value = named(owner, namespace, "--tools")
        for attribute in attributes:
            if not hasattr(value, attribute):
                raise InvalidRequestError(
                    f"`--tools {name}`: `{owner}` has no `{attribute}`.", remedy=f"Look at `{owner}`."
                )
            value = getattr(value, attribute)
        tools += value if isinstance(value, list | tuple) else [value]
    return tools


def named_type(expression: str, namespace: Mapping[str, Any]) -> Any:
    """The type that `--schema` names: a variable, or an annotation such as `list[Invoice]` or `int | None`.

    Only names, attributes, brackets, `|` and None are read; nothing is called.
    """
    try:
        tree = ast.parse(expression, mode="eval").body
    except SyntaxError:
        tree = None
    if tree is None:
        raise InvalidRequestError(
            f"`--schema {expression}` is not the name of a type.",
            remedy="Name a variable, or quote an annotation: `--schema 'list[int] | None'`.",
        )
    return _type_of(tree, namespace)


def _type_of(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    import builtins

    match node:
        case ast.Name(id=name):
            if name not in namespace and isinstance(getattr(builtins, name, None), type):
                return getattr(builtins, name)
            return named(name, namespace, "--schema")
        case ast.Constant(value=value):
            return value
        case ast.Attribute(value=owner, attr=attribute) if not attribute.startswith("_"):
            return getattr(_type_of(owner, namespace), attribute)
        case ast.Subscript(value=owner, slice=ast.Tuple(elts=items)):
            return _type_of(owner, namespace)[tuple(_type_of(item, namespace) for item in items)]
        case ast.Subscript(value=owner, slice=item):
            return _type_of(owner, namespace)[_type_of(item, namespace)]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return operator.or_(_type_of(left, namespace), _type_of(right, namespace))
    raise InvalidRequestError(
        f"`--schema {ast.unparse(node)}` is more than the name of a type.",
        remedy="Give the type a name in a cell before this one.",
    )
