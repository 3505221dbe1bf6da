"""From a cell to messages: blocks of roles first, then filling, so that filled text is only text."""

from __future__ import annotations

import re
from typing import Any

from ..api.errors import InvalidRequestError
from ..api.nearest import nearest
from ..conversation.filling import EXPRESSION, PLACEHOLDER, STEP, Filler, lookup, only_text
from .typeset import plain_roles

__all__ = ["EXPRESSION", "PLACEHOLDER", "STEP", "Filler", "lookup", "only_text"]

_VALUE = r"""(?:"([^"\n]*)"|'([^'\n]*)'|(\{\{[^{}\n]*\}\}|[^\s"']+))"""
ATTRIBUTE = re.compile(rf"[ \t]+(?:(prefix)(?=\s|$)|(\w+)={_VALUE}(?=\s|$))")
ROLE = re.compile(rf"@(system|user|assistant|tool)((?:[ \t]+(?:prefix|\w+={_VALUE}))*)[ \t]*")

ATTRIBUTES = {
    "system": {"name": "name"},
    "user": {"name": "name"},
    "assistant": {"name": "name", "reasoning": "reasoning_content"},
    "tool": {"call_id": "tool_call_id"},
}
"""The attributes of each role's line, and the message fields that they set."""


def _with_lf(text: str) -> str:
    """`text` with line ends made LF: a notebook saved on Windows may hold CRLF."""
    return text.replace("\r\n", "\n")


def messages_of(
    cell: str, fill: Filler, *, system: str | None = None, prefix: str | None = None
) -> list[dict[str, Any]]:
    """The messages that a cell stands for, as fields of the wire.

    A line `@system`, `@user`, `@assistant` or `@tool call_id=…` alone begins a message of that role;
    text before the first is the user's, and `\\@user` is only text (`\\\\@user` is `\\@user`). Empty
    blocks but the roles' own are left out. `system` comes first and `prefix` last; both are already
    filled. Raises InvalidRequestError for an attribute that a role does not have.
    """
    from ..api.shorthand import as_messages  # here, because completion needs the rest before anything is asked

    blocks = [_message(role, attributes, content, fill) for role, attributes, content in _blocks(_with_lf(cell))]
    return as_messages(blocks, system=system, prefix=prefix)


def is_role(line: str) -> bool:
    """Whether a line begins a message of a role."""
    return ROLE.fullmatch(line.rstrip("\r")) is not None


def begins_message(line: str) -> bool:
    """Whether a line begins a message of a role, be it that its values stand in typographic quotes."""
    return is_role(plain_roles(line, is_role)[0])


def has_system(cell: str) -> bool:
    """Whether the cell has a block of its own for the system."""
    return any(role == "system" for role, _, _ in _blocks(cell))


def _blocks(cell: str) -> list[tuple[str, str, str]]:
    """Role, attributes and raw text of each block."""
    blocks: list[tuple[str, str, list[str]]] = [("user", "", [])]
    for line in cell.split("\n"):
        match = ROLE.fullmatch(line.rstrip("\r"))
        if match is not None:
            blocks.append((match[1], match[2], []))
        elif line.startswith("\\") and begins_message(line.lstrip("\\")):
            blocks[-1][2].append(line[1:])
        else:
            blocks[-1][2].append(line)
    (role, attributes, lines), *others = blocks
    first = [(role, attributes, lines)] if any(line.strip() for line in lines) else []
    return [(role, attributes, trimmed(lines)) for role, attributes, lines in first + others]


def trimmed(lines: list[str]) -> str:
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
