"""The explorer: a live widget over an answer's token probabilities, with branching."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
from traitlets import Bool, Bytes, Dict, Instance, Int, List, Unicode, observe, validate

from ds_magic.logprobs.table import LogprobTable

from ....api.nearest import nearest
from ... import default_view, in_kernel
from . import assets
from .growth import Growth
from .kept import kept
from .nodes import nodes_of

if TYPE_CHECKING:
    from ds_magic.api.response import ChatCompletion

    from .growth import Fork

ELSEWHERE = 'The explorer needs a notebook. `answer.to_html("answer.html")` writes it as a page, to open in a browser.'


class Explorer(anywidget.AnyWidget):
    """The text of an answer with a card for each token, an overview and its branches; or a table alone.

    - `selected`: a LogprobTable, the tokens that are pinned in the page, else the one where the reader is; of the
      branch that is shown. A trait: `explorer.observe(handler, "selected")`
    - `select(…)`: the same from here, by number, slice or text
    - `shown`: the number of the text that is shown, of `completions` and what else there is (its trait can be observed)
    - `completions`: the answers that can be explored, the first one and its branches

    Choosing an alternative calls `fork(answer, position, rank=, observers=, stop=)` in a thread and streams what it
    gives into a branch, which stands in place of the rest, until that ends or its Stop is pressed.
    """

    _esm = assets.script("widget.js")
    _css = assets.css()

    payload = Bytes(b"").tag(sync=True)
    packed = Int(0, help="the node whose table `payload` is").tag(sync=True)
    nodes = List(Dict(), help="the texts, and where each left its parent").tag(sync=True)
    shown = Int(0, help="the node that is shown").tag(sync=True)
    selection = List(Int(), help="the selected tokens of the text that is shown, by number").tag(sync=True)
    can_fork = Bool(False).tag(sync=True)
    notice = Unicode("", help="why a branch failed").tag(sync=True)
    spent = Unicode("").tag(sync=True)
    look = Unicode("", help="an inline style").tag(sync=True)
    mark = Unicode("", help="the class of the outputs that keep this explorer").tag(sync=True)
    selected = Instance(LogprobTable, help="the selected tokens")

    def __init__(self, source: ChatCompletion | LogprobTable, *, fork: Fork | None = None) -> None:
        self._growth = Growth(nodes_of(source), fork, self)
        self._nodes = self._growth.nodes
        self.threads = self._growth.threads
        self._keep: Callable[[], None] | None = None
        number = secrets.token_hex(6)
        super().__init__(
            mark=f"ds-explorer-{number}",
            look=assets.look(),
            can_fork=fork is not None,
            payload=self._nodes[0].packed() if self._nodes else b"",
            nodes=[node.told(id_) for id_, node in enumerate(self._nodes)],
            selected=self._table().take([]),
            spent=self._growth.bill(),
        )
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        sizes = (f"{node.name}: {len(node.table):,} tokens" for node in self._nodes if node.table is not None)
        said = f"Explorer({', '.join(sizes)})"
        return said if in_kernel() else f"{said}\n{ELSEWHERE}"

    @property
    def completions(self) -> list[ChatCompletion]:
        """The answer and its branches, as they came to be; without those that failed."""
        return self._growth.completions

    def select(self, *places: int | slice | str | Iterable[int]) -> LogprobTable:
        """Select tokens of the text that is shown: by number, slice, text to find, or a list of numbers; or none.

        The page pins them, several beside each other, and `selected` has them, which is returned. Raises IndexError
        where there is no such token, ValueError where the text does not occur.
        """
        table = self._table()
        chosen: dict[int, None] = {}
        for place in places:
            chosen |= dict.fromkeys(_found(table, place))
        self.selection = list(chosen)
        return self.selected

    def _table(self) -> LogprobTable:
        """The table that is shown; that of its parent while a branch has none."""
        id_ = self.shown
        while (table := self._nodes[id_].table) is None and self._nodes[id_].parent >= 0:
            id_ = self._nodes[id_].parent
        return LogprobTable.from_wire([]) if table is None else table

    @validate("selection")
    def _in_table(self, proposal: Any) -> list[int]:
        length = len(self._table())  # the page may still speak of the text that it showed before
        return [index for index in proposal.value if 0 <= index < length]

    @observe("selection")
    def _select(self, change: Any) -> None:
        self.selected = self._table().take(change.new)

    def show(self, id_: int) -> None:
        """Show one of the texts in place of the one that is shown; nothing is selected then."""
        if not 0 <= id_ < len(self._nodes):
            raise IndexError(f"There is no text {id_} here: there are {len(self._nodes)}, from 0.")
        with self._growth.lock, self.hold_sync():
            node = self._nodes[id_]
            if node.table is not None:
                self.packed, self.payload = id_, node.packed()
            if id_ != self.shown:
                self.selection = []
            self.shown = id_
            self.nodes = [each.told(number) for number, each in enumerate(self._nodes)]
            self.selected = self._table().take(self.selection)

    def _on_message(self, _: Any, message: dict[str, Any], __: Any) -> None:
        kind = message.get("type") if isinstance(message, dict) else None
        id_ = message.get("node") if kind else None
        if type(id_) is not int or not 0 <= id_ < len(self._nodes):
            return
        if kind == "show":
            self.show(id_)
        elif kind == "stop":
            self._growth.stop(id_)
        elif kind == "fork":
            self._growth.asked(id_, message.get("at"), message.get("rank"))

    def branch(self, answer: ChatCompletion, at: int, rank: int) -> threading.Thread:
        """Continue `answer` from token `at` with its alternative of `rank`; it streams in from a thread, and is shown.

        Raises ValueError where the explorer was not given how, or the answer is none of its own or has no logprobs.
        """
        return self._growth.branch(answer, at, rank)

    def streamed(self, id_: int, text: str) -> None:
        """More of the text of a branch that runs."""
        self.send({"type": "text", "id": id_, "text": text})

    def changed(self, id_: int) -> None:
        """A branch has begun, or has ended: it is shown from then on, and kept."""
        node = self._nodes[id_]
        self.notice = self._growth.notice
        self.spent = self._growth.bill()
        if node.state == "running":
            self.show(id_)
            return
        self.show(node.parent if node.state == "failed" and self.shown == id_ else self.shown)
        if node.answer is not None and self._keep is not None:
            self._keep()

    def close(self) -> None:
        """End its branches that run, and close it."""
        self._growth.stop_all()
        super().close()

    def _ipython_display_(self) -> None:
        """Show it, and have the notebook keep its heat map and its tree.

        JupyterLab and Notebook draw it beside what is kept, as they would a live answer: a view that a
        notebook has saved is an error message for ever where its kernel has gone. Elsewhere it is a view.
        """
        from IPython.display import display

        if default_view() == "live":
            self._keep = lambda: self._display(update=True)
            self._display()
            return
        view = self._repr_mimebundle_()
        data, metadata = view if isinstance(view, tuple) else (view or {}, {})
        display({**data, **kept(self._nodes, self.mark)}, raw=True, metadata=metadata)

    def stand_for(self, keep: Callable[[], None]) -> None:
        """Be drawn in the place of an output of the class `mark`, which `keep` writes anew when a branch has ended."""
        self._keep = keep
        keep()

    def _display(self, *, update: bool = False) -> None:
        """Have the notebook keep what there is now, in all places where it is shown."""
        from IPython.display import publish_display_data

        publish_display_data(kept(self._nodes, self.mark), transient={"display_id": self.mark}, update=update)


def _found(table: LogprobTable, place: int | slice | str | Iterable[int]) -> list[int]:
    """The numbers of the tokens that are meant."""
    if isinstance(place, str):
        spelt = table.find(place)
        if not len(spelt):
            near = nearest(place.strip(), dict.fromkeys(token.strip() for token in table.token))
            raise ValueError(f"{place!r} does not occur in the text." + (f" Did you mean {near!r}?" if near else ""))
        return np.flatnonzero(np.isin(table.position, spelt.position)).tolist()
    if isinstance(place, slice):
        return list(range(len(table))[place])
    return [range(len(table))[index] for index in ([place] if isinstance(place, int) else place)]
