"""Several answers while they come, drawn as they will be: those that are done, and a few of those that run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..api.response import ChatCompletion
from ..conversation.turn import Seats
from ..views.many.beside import CELL, FEW, LISTED, LONGEST, Drawing, Group, body_html, key_of
from ..views.tokens import style
from .row import Row

if TYPE_CHECKING:
    from ..api.delta import Delta
    from ..api.errors import DeepSeekError
    from ..api.events import Event
    from ..api.request import ChatRequest
    from ..views.many.beside import Row as AnyRow

_Made = TypeVar("_Made")


class Growing:
    """Is shown each answer while it comes, and draws what there is of them by now.

    As in the final picture a few stand side by side, and many (or where `are_many` will be) in a table: of those that
    are done the newest, of those that run the oldest, at most `FEW`. No more is kept of an answer that runs than is
    shown, and what is done is formatted once. `changed` is called whenever there is more to see, from any thread.
    """

    def __init__(self, changed: Callable[[], None], *, are_many: bool = False) -> None:
        self._changed, self._are_many = changed, are_many
        self._lock = threading.Lock()
        self._running: dict[int, _Coming] = {}
        self._groups: dict[tuple[str, ...], Group] = {}
        self._done: list[tuple[int, Group]] = []
        self._drawing = _Drawn()

    def begun(self, number: int, factors: Mapping[str, Any]) -> Seats:
        """The row of this number is asked: gives the audience of its answer."""
        with self._lock:
            is_wide = not self._are_many and len(self._running) < FEW and len(self._groups) <= FEW
            coming = _Coming(Row(factors), LONGEST if is_wide else CELL, self._changed)
            self._running[number] = coming
        self._changed()
        return Seats(coming)

    def ended(self, number: int, row: Row) -> None:
        """It is done."""
        key = key_of(row)
        with self._lock:
            self._running.pop(number, None)
            if key in self._groups:
                self._groups[key].n += 1
            else:
                self._groups[key] = Group(row)
                self._done.append((number, self._groups[key]))

    @property
    def n_running(self) -> int:
        """How many run now."""
        return len(self._running)

    def html(self) -> str:
        """The picture of now. What it takes depends on what is shown, not on how many there are."""
        with self._lock:
            n = len(self._done)
            as_table = self._are_many or n > FEW
            coming = sorted(self._running.items())[: FEW if as_table else max(0, FEW - n)]
            done = self._done[-(LISTED - len(coming)) :]
            pairs = [(number, Group(group.row, group.n)) for number, group in done]
        running = [(number, Group(each.now())) for number, each in coming]
        if any(group.row.arm for _, group in pairs + running):
            pairs = sorted(pairs + running, key=lambda pair: pair[0])
        else:  # samples of one thing: by how many they are, as in the end
            pairs = sorted(pairs, key=lambda pair: (-pair[1].n, pair[0])) + running
        self._drawing.begin([group.row for _, group in running], [coming.state for _, coming in coming])
        return body_html([group for _, group in pairs], self._drawing, as_table=as_table, n=max(n, len(pairs)))


class _Coming:
    """An observer that keeps the beginning of an answer, as much as is shown of it."""

    def __init__(self, row: Row, most: int, changed: Callable[[], None]) -> None:
        self._row, self._most, self._changed = row, most, changed
        self.state = "…"
        self._clear(None)

    def _clear(self, request: ChatRequest | None) -> None:
        self._request = request
        self._deltas: list[Delta] = []
        self._length = 0
        self._drawn: tuple[int, Row] = (0, self._row)

    def start(self, request: ChatRequest, backend: str) -> None:
        """Each request of the turn begins anew: the answer is that of the last."""
        self._clear(request)

    def event(self, event: Event) -> None:
        """Waits are those of all."""

    def delta(self, delta: Delta) -> None:
        """Keep it, where it will be shown."""
        if self._length > self._most or delta.index:
            return
        if content := delta.content:
            self._deltas.append(delta)
            self._length += len(content)
        elif delta.reasoning_content and self.state != "thinking …":
            self.state = "thinking …"
        else:
            return
        self._changed()

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        """The row has it."""

    def now(self) -> Row:
        """The row with what has come; the same where nothing has come since."""
        deltas = self._deltas[:]
        if len(deltas) != self._drawn[0]:
            self._drawn = len(deltas), Row(self._row.factors, _answer(deltas, self._request))
        return self._drawn[1]


def _answer(deltas: Sequence[Delta], request: ChatRequest | None) -> ChatCompletion:
    entries: list[Any] = []
    for delta in deltas:
        tokens = (delta.logprobs or {}).get("content")
        entries += tokens if isinstance(tokens, list) else []
    choice = {
        "index": 0, "message": {"role": "assistant", "content": "".join(delta.content or "" for delta in deltas)},
        "logprobs": {"content": entries} if entries else None,
    }  # fmt: skip
    return ChatCompletion.from_wire({"choices": [choice]}, request=request)


class _Drawn(Drawing):
    """Draws what is done once, and of what runs whatever there is."""

    def __init__(self) -> None:
        self._states: dict[int, str] = {}
        self._last: dict[Any, Any] = {}
        self._shown: dict[Any, Any] = {}

    def begin(self, running: Sequence[AnyRow], states: Sequence[str]) -> None:
        """One more picture; what the last one did not show is forgotten."""
        self._states = {id(row): state for row, state in zip(running, states, strict=True)}
        self._last, self._shown = self._shown, {}

    def whole(self, row: AnyRow) -> str:
        return self._waiting(row, "p") or self._once("whole", row, super().whole)

    def line(self, row: AnyRow) -> str:
        return self._waiting(row, "span") or self._once("line", row, super().line)

    def figures(self, row: AnyRow) -> Sequence[str]:
        nothing: Sequence[str] = ["", "", ""]  # of what runs they would be other ones a moment later
        return nothing if id(row) in self._states else self._once("figures", row, super().figures)

    def _waiting(self, row: AnyRow, tag: str) -> str:
        """What a row does of which nothing can be read yet."""
        state = self._states.get(id(row))
        return f'<{tag} style="{style.DIM}"><i>{state}</i></{tag}>' if state and not row.content else ""

    def _once(self, how: str, row: AnyRow, draw: Callable[[AnyRow], _Made]) -> _Made:
        key = how, id(row)
        kept = self._last.get(key)
        # The row is kept with it, so that no other takes its id.
        self._shown[key] = kept if kept is not None else (row, draw(row))
        made: _Made = self._shown[key][1]
        return made
