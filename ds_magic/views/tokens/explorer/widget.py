"""The explorer: a live widget over an answer's token probabilities, with branching."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import anywidget
from traitlets import Bool, Bytes, Dict, Int, List, Unicode

from ds_magic.logprobs.glyphs import encodable, inline
from ds_magic.logprobs.table import LogprobTable

from ....stop import Stop
from ... import in_kernel
from ..tree import heading, parts, spent
from .assets import css, script
from .payload import pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from ds_magic.api.response import ChatCompletion

    Fork = Callable[..., ChatCompletion]

ELSEWHERE = 'The explorer needs a notebook. `answer.to_html("answer.html")` writes it as a page, to open in a browser.'
FLUSH_SECONDS = 1 / 20


class Explorer(anywidget.AnyWidget):
    """Heat map, card, overview and branches of an answer or of a table alone.

    Choosing an alternative calls `fork(answer, position, rank=, observers=, stop=)` in a thread and streams what it
    gives into a branch, until that ends or its Stop is pressed. `completions` are the answers that can be explored:
    the first one and its branches.
    """

    _esm = script("widget.js")
    _css = css()

    payload = Bytes(b"").tag(sync=True)
    can_fork = Bool(False).tag(sync=True)
    tabs = List(Unicode()).tag(sync=True)
    tab = Int(0).tag(sync=True)
    branches = List(Dict()).tag(sync=True)
    spent = Unicode("").tag(sync=True)

    def __init__(
        self,
        source: ChatCompletion | LogprobTable,
        *,
        fork: Fork | None = None,
    ) -> None:
        super().__init__()
        self._fork = fork
        self.completions: list[ChatCompletion] = []
        self._tables: list[tuple[str, LogprobTable, ChatCompletion | None]] = []
        self._stops: dict[str, Stop] = {}
        self._lock = threading.Lock()
        self.threads: list[threading.Thread] = []
        if isinstance(source, LogprobTable):
            self._add("tokens", source, None)
        else:
            self._take(source, "answer")
            self._adopt_all(source)
        self._show(0)
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        said = f"Explorer({', '.join(f'{name}: {len(table):,} tokens' for name, table, _ in self._tables)})"
        return said if in_kernel() else f"{said}\n{ELSEWHERE}"

    def _add(self, name: str, table: LogprobTable, answer: ChatCompletion | None) -> None:
        self._tables.append((name, table, answer))
        self.tabs = [name for name, _, _ in self._tables]

    def _take(self, answer: ChatCompletion, name: str) -> int:
        """Make an answer explorable; returns its tab, −1 where it has no logprobs."""
        self.completions.append(answer)
        if answer.reasoning_logprobs and answer.branch is None:
            self._add("reasoning", answer.reasoning_logprobs, None)
        if not answer.logprobs:
            return -1
        self._add(name, answer.logprobs, answer)
        return len(self._tables) - 1

    def _adopt_all(self, answer: ChatCompletion) -> None:
        """Show what branched off an answer before, and off that."""
        for child in answer.branches:
            self._adopt(child, str(len(self.branches)))
            self._adopt_all(child)

    def _show(self, tab: int) -> None:
        if not 0 <= tab < len(self._tables):
            return
        _, table, answer = self._tables[tab]
        shared = answer.branch.position if answer is not None and answer.branch and answer.branch.position else 0
        self.can_fork = self._fork is not None and answer is not None
        self.tab = tab
        self.payload = pack(table, shared=shared)

    def _on_message(self, _: Any, message: dict[str, Any], __: Any) -> None:
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "show" and isinstance(message.get("tab"), int):
            self._show(message["tab"])
        elif kind == "stop":
            if (stop := self._stops.get(str(message.get("id")))) is not None:
                stop.set()
        elif kind == "fork" and self._fork is not None:
            self._branch_from_shown(message.get("at"), message.get("rank"))

    def _branch_from_shown(self, at: object, rank: object) -> None:
        _, table, answer = self._tables[self.tab]
        if answer is not None and isinstance(at, int) and isinstance(rank, int) and 0 <= at < len(table):
            self.branch(answer, at, rank)

    def branch(self, answer: ChatCompletion, at: int, rank: int) -> threading.Thread:
        """Continue `answer` from token `at` with its alternative of `rank`; it streams in from a thread.

        Raises ValueError where the explorer was not given how, or the answer has no logprobs.
        """
        fork, table = self._fork, answer.logprobs
        if fork is None or not table:
            raise ValueError("Only an answer with token probabilities can be branched: use answer.explore().")
        with self._lock:
            id_ = str(len(self.branches))
            self._stops[id_] = Stop()
            row = table[at]
            forced = next((one.label for one in row.alternatives if one.rank == rank), "")
            self.branches = [
                *self.branches,
                {
                    "id": id_,
                    "heading": f"at {row.position}: {forced} instead of {row.label}",
                    "shared": _running(answer.content[: row.char_start])[-300:],
                    "forced": forced.replace("·", " "),
                    "text": "",
                    "state": "running",
                    "tab": -1,
                    "error": "",
                },
            ]
        thread = threading.Thread(target=self._run, args=(fork, answer, at, rank, id_), daemon=True)
        self.threads.append(thread)
        thread.start()
        return thread

    def _run(self, fork: Fork, answer: ChatCompletion, at: int, rank: int, id_: str) -> None:
        stream = _Into(self, id_)
        try:
            child = fork(answer, at, rank=rank, observers=[stream], stop=self._stops[id_])
        except Exception as error:
            partial = getattr(error, "partial", None)
            stream.flush()
            if partial is None:
                remedy = getattr(error, "remedy", None)
                self._update(id_, state="failed", error=" ".join(filter(None, [str(error), remedy])))
                return
            self._adopt(partial, id_, error=str(error))
            return
        stream.flush()
        self._adopt(child, id_)

    def _adopt(self, child: ChatCompletion, id_: str, *, error: str = "") -> None:
        """Show a finished branch, whole; the last message of its stream completes the text."""
        shared, forced, own = map(_running, parts(child))
        known = {
            "id": id_,
            "heading": heading(child),
            "shared": ("…" + shared[-300:]) if len(shared) > 300 else shared,
            "forced": forced,
            "text": own,
            "state": "done",
            "error": error,
        }
        with self._lock:
            tab = self._take(child, f"branch {int(id_) + 1}: {inline(forced).strip('·')}")
            if any(branch["id"] == id_ for branch in self.branches):
                self._replace(id_, **known, tab=tab)
            else:
                self.branches = [*self.branches, {**known, "tab": tab}]
            self.spent = spent(self.completions)

    def _update(self, id_: str, **changes: Any) -> None:
        with self._lock:
            self._replace(id_, **changes)

    def _replace(self, id_: str, **changes: Any) -> None:
        self.branches = [branch | changes if branch["id"] == id_ else branch for branch in self.branches]


def _running(text: str) -> str:
    """Text of a model to be read on: what is invisible or reorders is named, blanks and line breaks stay."""
    return encodable(inline(text).replace("·", " ").replace("↵", "\n"))


class _Into:
    """The observer that streams an answer into a branch: the first text at once, then a message each 50 ms."""

    def __init__(self, explorer: Explorer, id_: str) -> None:
        self._explorer, self._id = explorer, id_
        self._waiting: list[str] = []
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def start(self, request: Any, backend: str) -> None:
        pass

    def event(self, event: Any) -> None:
        pass

    def delta(self, delta: Any) -> None:
        if not delta.content:
            return
        with self._lock:
            self._waiting.append(delta.content)
            if self._timer is not None:
                return
            self._timer = threading.Timer(FLUSH_SECONDS, self._tick)
            self._timer.daemon = True
            self._timer.start()
        if len(self._waiting) == 1:
            self.flush()

    def _tick(self) -> None:
        with self._lock:
            self._timer = None
        self.flush()

    def flush(self) -> None:
        """Send what waits."""
        with self._lock:
            text, self._waiting = "".join(self._waiting), []
        if text:
            self._explorer.send({"type": "text", "id": self._id, "text": _running(text)})

    def finish(self, completion: Any, error: Any) -> None:
        self.flush()
