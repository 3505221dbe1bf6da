"""How the requests of a cell are shown: each as it comes, or in a static view one display of the last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..api.clean_text import on_one_line
from ..run import AtTheEnd, Observer

if TYPE_CHECKING:
    from ..api.request import ChatRequest
    from ..api.response import ChatCompletion
    from ..conversation.tools import Called


class Shown:
    """The audience of a cell: a view of each request, what comes between them, and the observers `beside`.

    `kind` of the views as `make_view`; None for the environment's. `fields`: those of the object that is asked for,
    where one is. `behind`: makes the views, of that kind, that show nothing of an answer while it comes.
    A static view makes one display, at `close()`: that of the last request, with the rounds before it.
    """

    def __init__(
        self,
        kind: str | None,
        *,
        beside: Callable[[], Sequence[Observer]] = list,
        fields: Sequence[str] | None = None,
        behind: Callable[[str], Observer] | None = None,
    ):
        if kind is None:
            from ..views import default_view

            kind = default_view()
        self.kind = kind
        self._beside = beside
        self._fields = None if behind is not None else fields
        self._behind = behind if kind != "none" else None
        self._on_stop: Callable[[], None] | None = None
        self._first: _Started | None = None
        self._kept: list[_Kept] = []
        self._told: set[str] = set()
        self._last: Any = None

    def begin_in_background(self, request: ChatRequest, backend: str, on_stop: Callable[[], None]) -> None:
        """Show the first view here and now, in the cell that runs; a Stop in a view calls `on_stop`."""
        self._on_stop = on_stop
        view = self._view()
        view.start(request, backend)
        self._first = _Started(view)

    def observers(self) -> Sequence[Observer]:
        """Those of the next request."""
        view = self._first or self._view()
        self._first = None
        if self.kind == "static" and self._on_stop is None:
            view = _Kept(view)
            self._kept.append(view)
        return [*self._beside(), view, *self._objects(), *([_LateNotes(self._told)] if self.kind == "text" else [])]

    def _view(self) -> Any:
        from ..views import make_view

        if self._behind is not None:
            return self._behind(self.kind)
        self._last = make_view(self.kind, on_stop=self._on_stop)
        return self._last

    def explore(self, completion: ChatCompletion) -> None:
        """The explorer over an answer that was shown: in its place where that is live, else below it."""
        if self.kind == "live":
            self._last.explore(completion)
            return
        from IPython.display import display

        display(completion.explore())

    def _objects(self) -> list[Observer]:
        """What a live view shows beside an answer in JSON: the object's fields as they come."""
        if self.kind != "live" or self._fields is None:
            return []
        from ..views.answer.json_object import PartialObject

        return [PartialObject(self._fields)]

    def called(self, called: Called) -> None:
        """Show a call with its result; a static view has it in its display."""
        if self.kind in ("live", "text"):
            from ..views.answer.rounds import calls_to_html, calls_to_text

            self._show(calls_to_text([called]), calls_to_html([called]))

    def say(self, text: str) -> None:
        """A line between two rounds."""
        if self.kind in ("live", "text"):
            from ..views.answer.rounds import line_to_html

            self._show(on_one_line(text, 400), line_to_html(text))

    def close(self) -> None:
        """Show what a static view has kept."""
        arrived = [each for each in self._kept if each.completion is not None]
        self._kept.clear()
        if arrived:
            arrived[-1].show()

    def _show(self, text: str, html: str) -> None:
        if self.kind == "text":
            print(text)
            return
        from IPython.display import display

        display({"text/html": html, "text/plain": text}, raw=True)


class _Started:
    """A view that stands on the screen already."""

    def __init__(self, view: Observer):
        self.event, self.delta, self.finish = view.event, view.delta, view.finish

    def start(self, request: ChatRequest, backend: str) -> None:
        """Done before."""


class _LateNotes(AtTheEnd):
    """Prints the notes on a completion that did not come as events, each once: `told` are those of earlier rounds."""

    def __init__(self, told: set[str]) -> None:
        self.told = told

    def event(self, event: Any) -> None:
        self.told.add(str(event))

    def finish(self, completion: Any, error: Any) -> None:
        for note in completion.notes if completion is not None else ():
            if note not in self.told:
                self.told.add(note)
                print(f"Note: {on_one_line(note, 400)}")


class _Kept(AtTheEnd):
    """A view that is finished only when it is known that its round was the last."""

    def __init__(self, view: Any):
        self.view = view
        self.completion: Any = None
        self.error: Any = None

    def start(self, request: Any, backend: str) -> None:
        self.view.start(request, backend)

    def event(self, event: Any) -> None:
        self.view.event(event)

    def delta(self, delta: Any) -> None:
        self.view.delta(delta)

    def finish(self, completion: Any, error: Any) -> None:
        self.completion, self.error = completion, error

    def show(self) -> None:
        self.view.finish(self.completion, self.error)
