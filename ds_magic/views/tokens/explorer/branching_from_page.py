"""Branches that are asked for in a notebook's page: by an output that holds its answer, over a comm.

The page says what the output holds; the branch is made of the answer itself where this kernel has it still, else of
what the output holds. What comes of it goes to the page, which puts it into the output.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....api.clean_text import on_one_line
from ...answer.static import tree_html
from .growth import Growth
from .living import METADATA, data_of, found, metadata_of, packed, placed, restored
from .nodes import Node, nodes_of

if TYPE_CHECKING:
    from .growth import Fork

class Correspondence:
    """With one output of one page."""

    def __init__(self, comm: Any, message: Mapping[str, Any], fork: Fork) -> None:
        self._comm = comm
        opening = message["content"]["data"]
        try:
            nodes = _nodes(opening["data"], opening["metadata"].get(METADATA) or {})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            why = f"This output cannot be gone on from: it does not hold what was asked. ({type(error).__name__})"
            self._tell({"type": "refused", "why": on_one_line(why)})
            return
        self._growth = Growth(nodes, fork, self)
        comm.on_msg(self._heard)
        self._tell({"type": "ready"})

    def _heard(self, message: Mapping[str, Any]) -> None:
        asked = message["content"]["data"]
        kind, id_ = (asked.get("type"), asked.get("node")) if isinstance(asked, dict) else (None, None)
        if kind == "stop" and type(id_) is int:
            self._growth.stop(id_)
        elif kind == "fork" and type(id_) is int and not self._growth.asked(id_, asked.get("at"), asked.get("rank")):
            self._tell({"type": "notice", "notice": "This text cannot be gone on from here."})

    def streamed(self, id_: int, text: str) -> None:
        """More of the text of a branch that runs."""
        self._tell({"type": "text", "node": id_, "text": text})

    def changed(self, id_: int) -> None:
        """A branch has begun, or has ended; then with all that an output holds of it."""
        nodes = self._growth.nodes
        node = nodes[id_]
        news: dict[str, Any] = {"type": "node", "node": id_, "place": placed(node), "notice": self._growth.notice}
        if node.state != "running":
            news |= {"spent": self._growth.bill(), "said": node.said(), "answer": metadata_of([node])["answers"][0]}
            if node.table is not None:
                news["table"] = packed(node)
            first = nodes[0].answer
            news["tree"] = tree_html(first) if first is not None and first.branches else ""
            news["fits"] = data_of(nodes) is not None
        self._tell(news)

    def _tell(self, data: dict[str, Any]) -> None:
        self._comm.send(data=data)


def _nodes(data: Mapping[str, Any], metadata: Mapping[str, Any]) -> list[Node]:
    """The texts of an output in its own order: of this kernel's answer where it grew no other way than the output."""
    answer = found(str(data["answer"]))
    if answer is not None:
        nodes = nodes_of(answer)
        if [placed(node) for node in nodes] == data["nodes"]:
            return nodes
    return restored(dict(data), dict(metadata))
