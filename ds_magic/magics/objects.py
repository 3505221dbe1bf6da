"""Python objects that options name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..api.errors import InvalidRequestError
from .options import nearest


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
    """The tool definitions that `--tools` names: dictionaries of the wire, or lists of such."""
    tools: list[Any] = []
    for name in names:
        value = named(name, namespace, "--tools")
        tools += value if isinstance(value, list | tuple) else [value]
    for tool in tools:
        if not isinstance(tool, Mapping):
            raise InvalidRequestError(
                f"`--tools`: {type(tool).__name__} is not a tool definition.",
                remedy='A tool is {"type": "function", "function": {"name": …, "parameters": …}}.',
            )
    return tools
