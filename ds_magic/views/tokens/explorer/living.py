"""What an output holds so that a notebook's page can explore the answer in it, without a kernel.

The data are deterministic where the answer is; what differs from run to run stands in the output's metadata.
`labextension/js/output` reads both, and `restored` does in a kernel that did not give the answer.
"""

from __future__ import annotations

import base64
import json
from dataclasses import fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from ....api import saved
from ....api.clean_text import on_one_line
from ...answer.static import numbered_html
from ...size import explorable
from .assets import look
from .nodes import Node, nodes_of
from .payload import entries

if TYPE_CHECKING:
    from ds_magic.api.response import ChatCompletion

TYPE = "application/vnd.ds-magic.answer+json"
METADATA = "ds_magic"
VERSION = 1

_LONGEST_QUESTION = 50_000
"""Characters of what was asked that are kept, for a kernel that is to go on from the answer."""

_alive: WeakValueDictionary[str, ChatCompletion] = WeakValueDictionary()


def alive(completion: ChatCompletion, bundle: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A static bundle with what makes it explorable, and its metadata; as it is where there is nothing, or too much."""
    if not completion.logprobs:
        return bundle, {}
    nodes = nodes_of(completion)
    data = data_of(nodes)
    if data is None:
        return bundle, {}
    _alive[data["answer"]] = completion
    return {**bundle, TYPE: data}, {METADATA: metadata_of(nodes)}


def data_of(nodes: list[Node]) -> dict[str, Any] | None:
    """The texts with their tables; None where they are longer than an output may hold."""
    tables = {str(id_): packed(node) for id_, node in enumerate(nodes) if node.table is not None}
    if sum(len(each["packed"]) + len(each["html"]) for each in tables.values()) > explorable():
        return None
    places = [placed(node) for node in nodes]
    return {"version": VERSION, "answer": _name_of(places, tables), "look": look(), "nodes": places, "tables": tables}


def _name_of(places: list[dict[str, Any]], tables: dict[str, dict[str, str]]) -> str:
    """What an answer is called between a page and a kernel; equal answers are called alike."""
    return sha256(json.dumps([places, tables]).encode()).hexdigest()[:16]


def packed(node: Node) -> dict[str, str]:
    """A node's table as text, and its text as it is read, the tokens numbered."""
    html = numbered_html(node.answer) if node.answer is not None else ""
    return {"packed": base64.b64encode(node.packed()).decode(), "html": html}


_PLACED = ("name", "parent", "at", "label", "replaced", "state", "text", "error")


def placed(node: Node) -> dict[str, Any]:
    """A node without what a run gives it: where it stands in the tree."""
    return {name: getattr(node, name) for name in _PLACED if getattr(node, name) != _DEFAULTS.get(name)}


_DEFAULTS = {field.name: field.default for field in fields(Node)}


def metadata_of(nodes: list[Node]) -> dict[str, Any]:
    """Of each node its small print, and the answer without its table, from which a kernel can go on."""
    return {"said": [node.said() for node in nodes], "answers": [_state(node.answer) for node in nodes]}


def _state(answer: ChatCompletion | None) -> dict[str, Any] | None:
    if answer is None or answer.request is None:
        return None
    request = answer.request
    texts = [message.content for message in request.messages] or [request.prefix, request.behind]
    asked = sum(len(text or "") for text in texts)
    return saved.without_tables(answer) if asked <= _LONGEST_QUESTION else None


def found(key: str) -> ChatCompletion | None:
    """The answer of an output, where this kernel gave it and has it still."""
    return _alive.get(key)


def restored(data: dict[str, Any], metadata: dict[str, Any]) -> list[Node]:
    """The nodes of an output that this kernel did not give. Raises ValueError where it does not hold them."""
    from ds_magic.api.response import ChatCompletion

    nodes: list[Node] = []
    try:
        for id_, place in enumerate(data["nodes"]):
            node = Node(**{name: value for name, value in place.items() if name in _PLACED})
            state, table = metadata["answers"][id_], data["tables"].get(str(id_))
            if state is not None and table is not None:
                wire = entries(base64.b64decode(table["packed"]))
                answer = saved.with_tables(state, wire, ChatCompletion)
                above = nodes[node.parent].answer if 0 <= node.parent < id_ else None
                if answer.branch is not None and above is not None:
                    answer.adopted_by(above, answer.branch)
                node.answer, node.table = answer, answer.logprobs or None
            elif table is not None:
                node.table = _table(table["packed"])
            nodes.append(node)
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise ValueError(on_one_line(f"{type(error).__name__}: {error}")) from error
    return nodes


def _table(text: str) -> Any:
    from ds_magic.logprobs.table import LogprobTable

    return LogprobTable.from_wire(entries(base64.b64decode(text)))
