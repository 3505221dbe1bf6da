"""The branches of an explorer, while they grow."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ....stop import Stop
from ..tree import spent
from .branch_stream import Into
from .nodes import Node, branch_node

if TYPE_CHECKING:
    from ds_magic.api.response import ChatCompletion

    Fork = Callable[..., ChatCompletion]


class Listener(Protocol):
    """What is told of a branch."""

    def streamed(self, id_: int, text: str) -> None:
        """More of the text of a branch that runs."""

    def changed(self, id_: int) -> None:
        """A branch has begun, or has ended."""


class Growth:
    """The texts of an explorer, `nodes`, to which branches are added: each streams in from a thread.

    `fork(answer, position, rank=, observers=, stop=)` continues an answer. `notice` says why the last branch failed.
    `lock` is held while `listener.changed` is called.
    """

    def __init__(self, nodes: list[Node], fork: Fork | None, listener: Listener) -> None:
        self.nodes = nodes
        self.fork = fork
        self.notice = ""
        self.lock = threading.RLock()
        self.threads: list[threading.Thread] = []
        self._listener = listener
        self._stops: dict[int, Stop] = {}

    @property
    def completions(self) -> list[ChatCompletion]:
        """The answer and its branches, as they came to be; without those that failed."""
        return [node.answer for node in self.nodes if node.answer is not None]

    def bill(self) -> str:
        """What the branches took beside the answer; empty where there is none."""
        return spent(self.completions) if len(self.completions) > 1 else ""

    def stop(self, id_: int) -> None:
        """End a branch that runs."""
        if id_ in self._stops:
            self._stops[id_].set()

    def stop_all(self) -> None:
        """End every branch that runs."""
        for stop in list(self._stops.values()):
            stop.set()

    def asked(self, id_: int, at: object, rank: object) -> bool:
        """Branch as a page asks it; False where it asks for what there is not."""
        answer = self.nodes[id_].answer if 0 <= id_ < len(self.nodes) else None
        table = answer.logprobs if answer is not None and self.fork is not None else None
        if not answer or not table or type(at) is not int or type(rank) is not int or not 0 <= at < len(table):
            return False
        self.branch(answer, at, rank)
        return True

    def branch(self, answer: ChatCompletion, at: int, rank: int) -> threading.Thread:
        """Continue `answer` from token `at` with its alternative of `rank`; what comes streams in from a thread.

        Raises ValueError where it is not known how, or the answer is none of these or has no logprobs.
        """
        table = answer.logprobs
        parent = next((id_ for id_, node in enumerate(self.nodes) if node.answer is answer), -1)
        if self.fork is None or not table or parent < 0:
            raise ValueError("Only an answer with token probabilities can be branched: use answer.explore().")
        row = table[at]
        label = next((one.label for one in row.alternatives if one.rank == rank), "")
        with self.lock:
            id_ = len(self.nodes)
            self._stops[id_] = Stop()
            name = f"branch with {label.strip('·')}"
            self.nodes.append(
                Node(name, parent=parent, at=row.position, label=label, replaced=row.label, state="running")
            )
            self.notice = ""
            self._listener.changed(id_)
        thread = threading.Thread(target=self._run, args=(self.fork, answer, at, rank, id_), daemon=True)
        self.threads.append(thread)
        thread.start()
        return thread

    def _run(self, fork: Fork, answer: ChatCompletion, at: int, rank: int, id_: int) -> None:
        stream = Into(lambda text: self._listener.streamed(id_, text))
        child: ChatCompletion | None = None
        try:
            child, error = fork(answer, at, rank=rank, observers=[stream], stop=self._stops[id_]), ""
        except Exception as fault:
            child = getattr(fault, "partial", None)
            error = _sentences(str(fault), getattr(fault, "remedy", None))
        stream.flush()
        with self.lock:
            if child is None:
                self.nodes[id_].state, self.nodes[id_].error = "failed", error
            else:
                self.nodes[id_] = branch_node(child, self.nodes[id_].parent, error)
            self.notice = error
            self._listener.changed(id_)


def _sentences(message: str, remedy: str | None) -> str:
    """Both in one line; a server's message may lack its full stop."""
    if not message or not remedy:
        return message or remedy or ""
    return f"{message}{'' if message[-1] in '.!?' else '.'} {remedy}"
