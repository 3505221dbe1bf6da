"""What a notebook keeps of an explorer: the heat map, bars or the table, the tree of branches. Script-free."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from ..heatmap import heatmap_html
from ..style import frame, small
from ..tables import to_html, to_text
from ..tree import blocks_html, tree_text
from .nodes import Node, given

if TYPE_CHECKING:
    from ds_magic.api.response import ChatCompletion

SIZE_LIMIT = 200_000
"""Characters of HTML; the heat map keeps to less, and a tree that does not fit is left out."""


def kept(nodes: list[Node], mark: str) -> dict[str, str]:
    """The first node and the tree below it as `text/html`, in an element of class `mark`, and as `text/plain`."""
    first = nodes[0]
    html, text = [], []
    if first.table is not None:
        before = given(first.answer, first.table)
        html = [heatmap_html(first.table), to_html(first.table, before)]
        text = [to_text(first.table, given=before)]
    if first.answer is not None and first.answer.branches:
        tree = _Tree(first.answer)
        text.append(tree_text(tree))
        drawn = f'<div style="margin:0.6em 0">{blocks_html(tree)}</div>'
        fits = len(drawn) + sum(map(len, html)) <= SIZE_LIMIT
        html.append(drawn if fits else small(escape(f"{len(tree) - 1} branches are too long to be kept here.")))
    return {
        "text/html": f'<div class="{mark}">{frame("".join(html))}</div>',
        "text/plain": "\n\n".join(filter(None, text)),
    }


class _Tree:
    """An answer and its branches, parents first."""

    def __init__(self, root: ChatCompletion) -> None:
        self._root = root
        self.requests = len(self)

    def __iter__(self) -> Iterator[tuple[int, ChatCompletion]]:
        waiting = [(0, self._root)]
        while waiting:
            depth, answer = waiting.pop()
            yield depth, answer
            waiting += [(depth + 1, child) for child in reversed(answer.branches)]

    def __len__(self) -> int:
        return sum(1 for _ in self)
