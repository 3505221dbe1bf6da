"""Completion in the text of a prompt: names to fill in, roles and their attributes. Nothing else is code there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .gap_in_cell import GAP
from .prompt import ATTRIBUTES, EXPRESSION, STEP, is_role

SHELLS_OWN = frozenset(("get_ipython", "exit", "quit", "open", "In", "Out"))

_INSIDE = re.compile(rf"[ \t]+(?:({EXPRESSION})\.)?((?:[^\W\d]\w*)?)")
_ROLE_NAME = re.compile(r"@\w*")


def names_to_fill(namespace: Mapping[str, Any], before: str) -> tuple[str, list[str]] | None:
    """The name at the cursor and what may stand in its place, behind `{{ `; None where the cursor is elsewhere."""
    _, braces, inside = before.rpartition("{{")
    match = _INSIDE.fullmatch(inside) if braces else None
    if match is None:
        return None
    owner, word = match.groups()
    if owner is None:
        return word, starting(word, (name for name, value in namespace.items() if _is_text(name, value, word)))
    return word, starting(word, _attributes(_looked_up(owner, namespace), word))


def in_prompt(namespace: Mapping[str, Any], before: str, *, has_gap: bool = False) -> tuple[str, list[str]]:
    """The word at the cursor in a line of a prompt, and what may stand in its place: often nothing.

    `has_gap`: whether it is a text with a gap, which has no roles.
    """
    found = names_to_fill(namespace, before)
    if found is not None:
        return found
    if _ROLE_NAME.fullmatch(before):
        return before, starting(before, (GAP,) if has_gap else (f"@{role}" for role in ATTRIBUTES))
    word = re.split(r"\s", before)[-1]
    given = before[: len(before) - len(word)]
    if given.startswith("@") and is_role(given) and not has_gap:
        role = re.split(r"\s", given[1:], maxsplit=1)[0]
        attributes = [*(f"{name}=" for name in ATTRIBUTES[role]), *(["prefix"] if role == "assistant" else [])]
        return word, [each for each in starting(word, attributes) if f" {each}" not in given]
    return word, []


def starting(word: str, texts: Iterable[str]) -> list[str]:
    """Those of the texts that begin with a word, each once."""
    return [text for text in dict.fromkeys(texts) if text.startswith(word)]


def _is_text(name: str, value: Any, word: str) -> bool:
    """Whether a variable may be meant: what has no text worth reading is not, nor what is hidden or the shell's."""
    if (name.startswith("_") and not word) or name in SHELLS_OWN:
        return False
    return not (inspect.ismodule(value) or inspect.isroutine(value) or inspect.isclass(value))


def _attributes(value: Any, word: str) -> Iterable[str]:
    """The attributes of a value but for its methods; nothing of it is run."""
    if value is None:
        return
    for name in dir(value):
        if name.startswith("_") and not word:
            continue
        kept = inspect.getattr_static(value, name, None)
        if not (inspect.isroutine(kept) or isinstance(kept, (staticmethod, classmethod))):
            yield name


def _looked_up(expression: str, namespace: Mapping[str, Any]) -> Any:
    """What an expression stands for; None where that is not known without running something."""
    value: Any = None
    for step in STEP.finditer(expression):
        attribute, index, *keys, name = step.groups()
        try:
            if name is not None:
                value = namespace[name]
            elif attribute is not None:
                value = inspect.getattr_static(value, attribute)
                if hasattr(type(value), "__get__"):
                    return None
            elif type(value) in (list, tuple, dict):
                value = value[int(index) if index is not None else next(key for key in keys if key is not None)]
            else:
                return None
        except (AttributeError, KeyError, IndexError, TypeError):
            return None
    return value
