"""Filling: `{{ name }}` in a text from a namespace, in a single pass, so that filled text is only text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..api.errors import InvalidRequestError
from ..api.nearest import nearest

EXPRESSION = r"[^\W\d]\w*(?:\.[^\W\d]\w*|\[[ \t]*(?:-?\d+|\"[^\"\\\n]*\"|'[^'\\\n]*')[ \t]*\])*"
PLACEHOLDER = re.compile(rf"(\\)?\{{\{{[ \t]+({EXPRESSION})[ \t]+\}}\}}")
_UNFILLED = re.compile(rf"(?<!\\)\{{\{{([ \t]*)({EXPRESSION})([ \t]*)\}}\}}")
STEP = re.compile(r"\.([^\W\d]\w*)|\[[ \t]*(?:(-?\d+)|\"([^\"]*)\"|'([^']*)')[ \t]*\]|([^\W\d]\w*)")


class Filler:
    """Fills `{{ name }}`, `{{ name.attr }}` and `{{ name[0] }}` from a namespace, in a single pass.

    Attributes and indexes (whole numbers and quoted strings) are looked up, nothing is called. All else
    stays as it is; a backslash before a place that would be filled goes, and the place is only text.
    `filled` has the text of each place that was filled, by its expression; `unfilled` what names a variable, but
    without the blanks, so that it stays.
    """

    def __init__(self, namespace: Mapping[str, Any], mark: tuple[str, str] = ("", "")):
        self.namespace = namespace
        self.mark = mark
        self.filled: dict[str, str] = {}
        self.unfilled: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """`text` with its places filled. Raises InvalidRequestError for a name that is not there."""
        if "{{" not in text:
            return text
        for before, expression, after in _UNFILLED.findall(text):
            name, *_ = re.split(r"[.\[]", expression, maxsplit=1)
            if not (before and after) and name in self.namespace:
                self.unfilled[f"{{{{{before}{expression}{after}}}}}"] = f"{{{{ {expression} }}}}"
        return PLACEHOLDER.sub(self._replacement, text)

    @property
    def notes(self) -> list[str]:
        """What there is to say about the filling, in sentences."""
        if not self.unfilled:
            return []
        how = ", ".join(f"`{meant}` is filled, and `{stood}` was not" for stood, meant in self.unfilled.items())
        return [f"A variable is filled in only with blanks inside the braces: {how}."]

    def _replacement(self, match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        expression = match[2]
        value = str(lookup(expression, self.namespace))
        self.filled[expression] = value
        return f"{self.mark[0]}{value}{self.mark[1]}"


def only_text(text: str) -> str:
    """`text` as it is written where nothing in it is to be filled."""
    return PLACEHOLDER.sub(lambda match: f"\\{match[0]}", text)


def lookup(expression: str, namespace: Mapping[str, Any]) -> Any:
    """What `name`, `name.attr` or `name[0]` stands for. Raises InvalidRequestError with the nearest name."""
    value: Any = None
    so_far = ""
    for step in STEP.finditer(expression):
        attribute, index, *keys, name = step.groups()
        try:
            if name is not None:
                value = _named(name, namespace)
            elif attribute is not None:
                value = getattr(value, attribute)
            else:
                value = value[int(index) if index is not None else next(key for key in keys if key is not None)]
        except InvalidRequestError:
            raise
        except Exception as error:
            raise _not_there(expression, so_far, value, attribute, error) from None
        so_far += step[0]
    return value


def _named(name: str, namespace: Mapping[str, Any]) -> Any:
    if name in namespace:
        return namespace[name]
    near = nearest(name, [each for each in namespace if not each.startswith("_")])
    raise InvalidRequestError(
        f"`{{{{ {name} }}}}`: there is no variable `{name}`.",
        remedy=(f"Did you mean `{near}`? " if near else "") + r"Write `\{{` where the braces are only text.",
    )


def _not_there(
    expression: str, owner: str, value: Any, attribute: str | None, error: Exception
) -> InvalidRequestError:
    near = nearest(attribute, [each for each in dir(value) if not each.startswith("_")]) if attribute else None
    reason = f"{type(error).__name__}: {error}"
    return InvalidRequestError(
        f"`{{{{ {expression} }}}}` cannot be filled from `{owner}`. {reason}",
        remedy=f"Did you mean `{owner}.{near}`?" if near else f"Look at `{owner}` in a cell of its own.",
    )
