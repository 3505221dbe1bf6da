"""What an explorer can show: an answer, its thinking and its branches as the nodes of one tree."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ds_magic.logprobs.glyphs import encodable, inline, visible
from ds_magic.logprobs.table import LogprobTable

from ....api.clean_text import on_one_line
from ....api.errors import InvalidRequestError
from ...answer import facts
from ..tree import parts, replaced
from .payload import pack

if TYPE_CHECKING:
    from ds_magic.api.response import ChatCompletion

_MOST_GIVEN = 4_000
"""Characters of a prefix that are shown, its last ones."""
_LONGEST_CELL = 20_000
"""Characters of a cell that a page is told."""


@dataclass
class Node:
    """One text of the tree. `parent` is the node that it left at the token `at`, −1 for a text of its own.

    `label` stands there, `replaced` stood there. `text` is what came, where there is no `table` of it.
    """

    name: str
    table: LogprobTable | None = None
    answer: ChatCompletion | None = None
    parent: int = -1
    at: int = 0
    label: str = ""
    replaced: str = ""
    state: str = "done"
    text: str = ""
    error: str = ""

    def told(self, id_: int) -> dict[str, Any]:
        """What the page is told of it."""
        why_not = "Only an answer can be continued, not the thinking before it." if self.name == "thinking" else ""
        return {
            "id": id_,
            "name": self.name,
            "parent": self.parent,
            "at": self.at,
            "label": self.label,
            "replaced": self.replaced,
            "state": self.state,
            "text": self.text,
            "error": self.error,
            "explorable": self.table is not None,
            "whyNot": why_not,
            **self.said(),
        }

    def said(self) -> dict[str, Any]:
        """What stands under the answer elsewhere: why it is not whole, what to know of it, and its small print."""
        answer = self.answer
        if answer is None:
            return {}
        remarks = [on_one_line(note, 400) for note in answer.notes]
        return {
            "ending": facts.ending(answer) or "",
            "remarks": remarks,
            "line": " · ".join(facts.small_print(answer)),
            "cell": self._cell,
        }

    @cached_property
    def _cell(self) -> str:
        """The cell that asks for it again; empty where no cell can, and where it is long."""
        try:
            cell = self.answer.as_cell() if self.answer is not None else ""
        except InvalidRequestError:
            return ""
        return cell if len(cell) <= _LONGEST_CELL else ""

    def packed(self) -> bytes:
        """Its table as bytes, with what was given before it."""
        if self.table is None:
            return b""
        branch = self.answer.branch if self.answer is not None else None
        shared = (branch.position or 0) if branch is not None else 0
        return pack(self.table, shared=shared, given=given(self.answer, self.table))


def given(answer: ChatCompletion | None, table: LogprobTable) -> str:
    """The prefix before an answer, fit to be read on; empty where the table begins with it."""
    if answer is None:
        return ""
    prefix = answer.branch.base if answer.branch else (answer.request and answer.request.prefix) or ""
    if not prefix or table.text_content.startswith(prefix):
        return ""
    return ("…" if len(prefix) > _MOST_GIVEN else "") + running(prefix[-_MOST_GIVEN:])


def running(text: str) -> str:
    """Text of a model to be read on: what is invisible or reorders is named, blanks and line breaks stay."""
    return encodable(inline(text).replace("·", " ").replace("↵", "\n"))


def nodes_of(source: ChatCompletion | LogprobTable) -> list[Node]:
    """The nodes of an answer and all that branched off it, or the one of a table alone; parents come first."""
    if isinstance(source, LogprobTable):
        return [Node("tokens", source)]
    found = [Node("answer", source.logprobs, source)] if source.logprobs else []
    waiting = deque([(source, 0 if found else -1)])
    if source.reasoning_logprobs:
        found.append(Node("thinking", source.reasoning_logprobs))
    while waiting:
        above, parent = waiting.popleft()
        for child in above.branches:
            waiting.append((child, len(found)))
            node = branch_node(child, parent)
            if parent >= 0 and child.branch and child.branch.position is None:  # no tokens to count in its parent
                node.at = found[parent].at
            found.append(node)
    return found


def branch_node(child: ChatCompletion, parent: int, error: str = "") -> Node:
    """The node of a branch that has ended."""
    branch = child.branch
    assert branch is not None
    return Node(
        name=f"branch with {branch.instead.strip()}",
        table=child.logprobs or None,
        answer=child,
        parent=parent,
        at=branch.position or 0,
        label=visible(branch.instead),
        replaced=replaced(child),
        text=running(parts(child)[2]),
        error=on_one_line(error),
    )
