"""From a cell to messages: blocks of roles first, then filling, so that filled text is only text."""

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

_VALUE = r"""(?:"([^"\n]*)"|'([^'\n]*)'|(\{\{[^{}\n]*\}\}|[^\s"']+))"""
ATTRIBUTE = re.compile(rf"[ \t]+(?:(prefix)(?=\s|$)|(\w+)={_VALUE}(?=\s|$))")
ROLE = re.compile(rf"(\\)?@(system|user|assistant|tool)((?:[ \t]+(?:prefix|\w+={_VALUE}))*)[ \t]*")

ATTRIBUTES = {
    "system": {"name": "name"},
    "user": {"name": "name"},
    "assistant": {"name": "name", "reasoning": "reasoning_content"},
    "tool": {"call_id": "tool_call_id"},
}
"""The attributes of each role's line, and the message fields that they set."""


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


def _with_lf(text: str) -> str:
    """`text` with line ends made LF: a notebook saved on Windows may hold CRLF."""
    return text.replace("\r\n", "\n")


def messages_of(
    cell: str, fill: Filler, *, system: str | None = None, prefix: str | None = None
) -> list[dict[str, Any]]:
    """The messages that a cell stands for, as fields of the wire.

    A line `@system`, `@user`, `@assistant` or `@tool call_id=…` alone begins a message of that role;
    text before the first is the user's, and `\\@user` is only text. Empty blocks but the roles'
    own are left out. `system` comes first and `prefix` last; both are already filled. Raises
    InvalidRequestError for an attribute that a role does not have.
    """
    from ..api.shorthand import as_messages  # heavy, and completion needs what a prompt consists of alone

    blocks = [_message(role, attributes, content, fill) for role, attributes, content in _blocks(_with_lf(cell))]
    return as_messages(blocks, system=system, prefix=prefix)


def is_role(line: str) -> bool:
    """Whether a line begins a message of a role."""
    match = ROLE.fullmatch(line.rstrip("\r"))
    return match is not None and not match[1]


def has_system(cell: str) -> bool:
    """Whether the cell has a block of its own for the system."""
    return any(role == "system" for role, _, _ in _blocks(cell))


def _blocks(cell: str) -> list[tuple[str, str, str]]:
    """Role, attributes and raw text of each block."""
    blocks: list[tuple[str, str, list[str]]] = [("user", "", [])]
    for line in cell.split("\n"):
        match = ROLE.fullmatch(line.rstrip("\r"))
        if match is None:
            blocks[-1][2].append(line)
            continue
        escaped, role, attributes = match.group(1, 2, 3)
        if escaped:
            blocks[-1][2].append(line[1:])
        else:
            blocks.append((role, attributes, []))
    (role, attributes, lines), *others = blocks
    first = [(role, attributes, lines)] if any(line.strip() for line in lines) else []
    return [(role, attributes, _trimmed(lines)) for role, attributes, lines in first + others]


def _trimmed(lines: list[str]) -> str:
    """The lines without the blank ones at both ends; blanks inside a line stay, a prefix may end in one."""
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return "\n".join(lines[start:end])


def _message(role: str, attributes: str, content: str, fill: Filler) -> dict[str, Any]:
    message: dict[str, Any] = {"role": role, "content": fill(content)}
    for match in ATTRIBUTE.finditer(attributes):
        flag, name, *values = match.groups()
        if flag:
            if role != "assistant":
                raise _no_attribute(role, "prefix")
            message["prefix"] = True
            continue
        if name not in ATTRIBUTES[role]:
            raise _no_attribute(role, name)
        message[ATTRIBUTES[role][name]] = fill(next(value for value in values if value is not None))
    return message


def _no_attribute(role: str, name: str) -> InvalidRequestError:
    known = [*ATTRIBUTES[role], *(["prefix"] if role == "assistant" else [])]
    near = nearest(name, known)
    return InvalidRequestError(
        f"`@{role}` has no attribute `{name}`; it has {', '.join(f'`{each}`' for each in known)}.",
        remedy=(f"Did you mean `{near}`? " if near else "") + f"Write `\\@{role}` where the line is only text.",
    )
