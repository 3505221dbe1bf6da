"""How the rounds of a cell are shown: each as it comes, or in a static view one display of the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..run import AtTheEnd

if TYPE_CHECKING:
    from ..conversation.tools import Called


class Shown:
    """The views of a cell. `sink()` is the view of the next round; `called` and `say` show what comes between.

    A static view makes one display, at `close()`: that of the last round, with the rounds before it.
    """

    def __init__(self, kind: str | None):
        if kind is None:
            from ..views import default_view

            kind = default_view()
        self.kind = kind
        self._kept: list[_Kept] = []

    def view(self, **options: Any) -> Any:
        """A view of this kind; `options` go to it."""
        from ..views import make_view

        return make_view(self.kind, **options)

    def sink(self) -> Any:
        """The view of the next round."""
        view = self.view()
        if self.kind != "static":
            return view
        self._kept.append(_Kept(view))
        return self._kept[-1]

    def also(self, fields: Sequence[str]) -> list[Any]:
        """What a live view shows beside an answer in JSON: the object's fields as they come."""
        if self.kind != "live":
            return []
        from ..views.partial import PartialObject

        return [PartialObject(fields)]

    def notes(self) -> list[Any]:
        """What writes a terminal's notes that no event has told; other views have them in their output."""
        return [_LateNotes()] if self.kind == "text" else []

    def called(self, called: Called) -> None:
        """Show a call with its result; a static view has it in its display."""
        if self.kind in ("live", "text"):
            from ..views.rounds import calls_to_html, calls_to_text

            self._show(calls_to_text([called]), calls_to_html([called]))

    def say(self, text: str) -> None:
        """A line between two rounds."""
        if self.kind in ("live", "text"):
            from ..views.rounds import line_to_html

            self._show(text, line_to_html(text))

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


class _LateNotes(AtTheEnd):
    """Prints the notes on a completion that did not come as events."""

    def __init__(self) -> None:
        self.told: set[str] = set()

    def event(self, event: Any) -> None:
        self.told.add(str(event))

    def finish(self, completion: Any, error: Any) -> None:
        for note in completion.notes if completion is not None else ():
            if note not in self.told:
                print(f"Note: {note}")


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
