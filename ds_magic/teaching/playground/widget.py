"""The playground in a notebook: what its form holds, and the thread in which it asks."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
from traitlets import Bool, Dict, List, Unicode, observe

from ...api.clean_text import on_one_line
from ...api.errors import DeepSeekError, InvalidRequestError
from ...api.fields import STREAMED
from ...api.notes import idle_beforehand
from ...api.request import ChatRequest
from ...backend import resolve
from ...conversation.turn import Seats, Turn
from ...magics.cell_text import as_said, cell_of, set_for_every_cell
from ...run import AtTheEnd, Observer
from ...stop import Stop
from ...views import default_view, in_kernel, make_view
from ...views.answer import control_channel
from ...views.answer.display import Place
from ...views.scripts import joined
from ...views.size import font_size
from .asked import along, request_of, rows_of, settings_of
from .controls import controls
from .kept import kept
from .runs import MOST, Run

if TYPE_CHECKING:
    from ...api.client import Client
    from ...api.response import ChatCompletion

_HERE = Path(__file__).parent / "js"
_SHARED = "../../../views/tokens/explorer/js"
MOST_MODELS = 200
"""How many names a page is told; any can be typed."""
FAILED = "There is no whole answer: why stands below."
ELSEWHERE = "The playground needs a notebook; `ds_magic.ask(…)` asks from here."


@cache
def script() -> str:
    """The widget's module."""
    shared = (f"{_SHARED}/{name}" for name in ("elements.js", "places.js"))
    return joined(_HERE, *shared, "kernel.js", "rows.js", "controls.js", "cell.js", "form.js", "widget.js")


class Playground(anywidget.AnyWidget):
    """A question with its settings in a form: Run asks it, as often as one likes, and the answer stands below.

    - `answer`: the last one, also bound to `_ds`; None before the first. `answers`: the last few
    - `request`, `cell`: what Run sends, and the text of the cell that sends the same
    - `run()`, `stop()`: what the buttons do; `run` gives the thread in which it asks

    Calls of functions are shown, and not made. A saved notebook keeps the last answer and the cell that asks for it.
    """

    _esm = script()
    _css = (_HERE / "style.css").read_text(encoding="utf-8")

    question = Dict(help="what the form holds: `rows`, `settings`, and the `number` of changes to it").tag(sync=True)
    said = Dict(help="what there is to say of it: its `number`, `cell` or `trouble`, what is `idle`").tag(sync=True)
    state = Dict(help="`running`, and `words`").tag(sync=True)
    history = List(Unicode(), help="the last runs, each in a line").tag(sync=True)
    controls = List(Dict(), help="the fields that can be set").tag(sync=True)
    models = List(Unicode(), help="those that the server is known to have").tag(sync=True)
    mark = Unicode("", help="the class of the output that keeps it").tag(sync=True)
    is_asked = Bool(False, help="whether a kernel that is busy hears what a page asks").tag(sync=True)
    look = Unicode("", help="an inline style").tag(sync=True)

    def __init__(
        self,
        turn: Turn,
        meant: Callable[[], Client],
        *,
        view: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """`meant`: who is asked, by what is set when it is. `options`: what else the cell has on its line, by
        `Option.key`; its `output` is a variable that answers are bound to."""
        self._turn, self._meant, self._kind, self._options = turn, meant, view, options or {}
        self._client = meant()
        self._more = along(turn.request)
        number = secrets.token_hex(6)
        self._place = Place(f"ds-live-place-{number}")
        self._lock = threading.Lock()
        self._running: Stop | None = None
        self.threads: list[threading.Thread] = []
        self._runs: list[Run] = []
        self._is_shown = False
        self._asked_last = ""
        self.answer: ChatCompletion | None = None
        mark = f"ds-playground-{number}"
        is_asked = control_channel.listen(mark, self._asked_by_a_page)
        super().__init__(
            mark=mark,
            is_asked=is_asked,
            look=font_size(),
            controls=self._controls(),
            models=self._models(),
            state={"running": False, "words": ""},
            question={"rows": rows_of(turn.request), "settings": settings_of(turn.request), "number": 0},
        )
        self.on_msg(self._heard)

    def __repr__(self) -> str:
        said = f"Playground({len(self._runs)} answers)"
        return said if in_kernel() else f"{said}\n{ELSEWHERE}"

    @property
    def answers(self) -> list[ChatCompletion]:
        """The answers of the last few runs."""
        return [run.answer for run in self._runs]

    @property
    def request(self) -> ChatRequest:
        """What Run sends now. Raises InvalidRequestError where nothing can be sent."""
        return as_said(request_of(self._rows(), self.question["settings"], self._fields()))

    @property
    def cell(self) -> str:
        """The text of a cell that sends the same. Raises InvalidRequestError as `request`, and where none can."""
        return cell_of(self.request, self._client.server, self._options, self._client.local_model)

    def run(self) -> threading.Thread:
        """Ask, in a thread of its own. Raises InvalidRequestError where nothing can be asked, or while it answers; and
        what `resolve` raises."""
        self._client = self._meant()
        self._tell()  # what is set for every cell may have changed
        request, cell = self.request, self.cell
        with self._lock:
            if self._running is not None:
                raise InvalidRequestError("It still answers.", remedy="Stop that first.")
            stop = self._running = Stop()
        self._asked_last = cell
        self.state = {"running": True, "words": "Answering"}
        turn = replace(self._turn, request=request, asked=[], chat=None, run_tools=False, repair=0)
        held = self.question["rows"], self.question["settings"]
        thread = threading.Thread(target=self._answer, args=(turn, stop, held), daemon=True, name="ds_magic-playground")
        self.threads = [thread]
        thread.start()
        return thread

    def stop(self) -> None:
        """End the answer that comes, from any thread, and keep what came."""
        with self._lock:
            running = self._running
        if running is not None:
            running.set()

    def back(self, number: int) -> None:
        """Have the form as it was at one of the runs in `answers`, and the answer that came of it."""
        with self._lock:
            if self._running is not None or not 0 <= number < len(self._runs):
                return
        run = self._runs[number]
        self.question = {"rows": run.rows, "settings": run.settings, "number": self.question["number"] + 1}
        self.answer = run.answer
        self._asked_last = self.said["cell"]
        self._keep()
        if self._is_shown and self._kind != "none":
            self._place.show(run.answer, None, None)

    def close(self) -> None:
        """End the answer that comes, and close it; what it kept stays."""
        self.stop()
        control_channel.forget(self.mark)
        super().close()

    @property
    def _usual(self) -> dict[str, Any]:
        """What is set for every cell by now."""
        return set_for_every_cell()

    def _controls(self) -> list[dict[str, Any]]:
        return controls(self._usual, self._client.model, self._client.server)

    def _rows(self) -> list[dict[str, Any]]:
        """The messages; instructions that every cell has are in each question that has none of its own."""
        rows: list[dict[str, Any]] = self.question["rows"]
        system = self._usual.get("system")
        if system and not any(row.get("role") == "system" for row in rows):
            return [{"role": "system", "content": system}, *rows]
        return rows

    def _fields(self) -> dict[str, Any]:
        """What is sent beside the settings, and where there are none."""
        return {name: value for name, value in self._usual.items() if name != "system"} | self._more

    def _models(self) -> list[str]:
        return list(dict.fromkeys([self._client.model, *(self._client.offer.names or ())[:MOST_MODELS]]))

    @observe("question")
    def _tell(self, change: Any = None) -> None:
        """Say of the question what there is to say."""
        said: dict[str, Any] = {
            "number": self.question["number"], "cell": self.said.get("cell", ""), "trouble": "",
            "idle": self.said.get("idle", {}),
        }
        try:
            said["idle"] = self._idle()
            said["cell"] = self.cell
            self.controls = self._controls()
        except InvalidRequestError as error:
            said["trouble"] = on_one_line(f"{error.message} {error.remedy or ''}", 400)
        self.said = said

    def _idle(self) -> dict[str, str]:
        """Why a field has no effect, by its name."""
        settings = self.question["settings"]
        request = request_of([{"role": "user", "content": "Hi"}], settings, self._fields())
        found = idle_beforehand(request, self._client)
        implied = {"logprobs": "top_logprobs brings it along"} if request.top_logprobs is not None else {}
        return {name: reason.why for name, reason in found.items()} | implied

    def _answer(self, turn: Turn, stop: Stop, held: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
        words = ""
        came = _Came()
        try:
            turn.answer(self._client, _Audience(lambda: [came, *self._bindings(), self._view(stop)]), stop)
        except DeepSeekError as error:
            words = FAILED if self._view_kind in ("live", "static") else on_one_line(error.message, 300)
        except Exception as error:
            words = on_one_line(f"{type(error).__name__}: {error}", 300)
        if came.completion is not None:
            self.answer = came.completion
            self._runs = [*self._runs, Run(*held, came.completion)][-MOST:]
        self.history = [run.label for run in self._runs]
        self.models = self._models()
        self._keep()
        with self._lock:
            self._running = None
        self.state = {"running": False, "words": words}

    def _view(self, stop: Stop) -> Any:
        return make_view(self._view_kind, on_stop=stop.set, place=self._place)

    @property
    def _view_kind(self) -> str:
        return (self._kind or default_view()) if self._is_shown else "none"

    def _bindings(self) -> list[Observer]:
        from IPython import get_ipython

        from ...magics.observers import Binding

        shell = get_ipython()
        return [Binding(shell, self._options.get("output"))] if shell is not None else []

    def _heard(self, _: Any, message: Any, __: Any) -> None:
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "stop":
            self.stop()
        elif kind == "back" and type(message.get("run")) is int:
            self.back(message["run"])
        elif kind == "run":
            try:
                self.run()
            except DeepSeekError as error:
                self.state = {**self.state, "words": on_one_line(f"{error.message} {error.remedy}", 400)}
            self.send({"type": "heard"})

    def _asked_by_a_page(self, what: str, is_named: bool) -> None:
        """In another thread, also while the kernel is busy."""
        if what == "stop" and is_named:
            self.stop()

    def _ipython_display_(self) -> None:
        """Show it, and have the notebook keep the cell; JupyterLab and Notebook draw it beside what is kept."""
        from IPython.display import display

        self._asked_last = self._asked_last or self.said["cell"]
        self._is_shown = in_kernel()
        if default_view() == "live":
            self._keep(update=False)
        else:
            view: Any = self._repr_mimebundle_()
            data, metadata = view if isinstance(view, tuple) else (view or {}, {})
            form = kept(self._asked_last, self.mark, "" if in_kernel() else ELSEWHERE)
            display({**data, **form}, raw=True, metadata=metadata)
        if in_kernel():
            self._place.here()

    def _keep(self, *, update: bool = True) -> None:
        """Have the notebook keep the cell of the last question, wherever it is shown."""
        from IPython.display import publish_display_data

        if self._is_shown and default_view() == "live":
            form = kept(self._asked_last, self.mark)
            publish_display_data(form, transient={"display_id": self.mark}, update=update)


class _Came(AtTheEnd):
    """Keeps what came."""

    completion: ChatCompletion | None = None

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        self.completion = completion


class _Audience(Seats):
    """Observers of each request, which are made anew."""

    def __init__(self, make: Callable[[], Sequence[Observer]]) -> None:
        super().__init__()
        self._make = make

    def observers(self) -> Sequence[Observer]:
        return self._make()


def playground(
    messages: Any = "",
    *,
    system: str | None = None,
    prefix: str | None = None,
    client: Client | None = None,
    **fields: Any,
) -> Playground:
    """A form to play with a question in a notebook: its messages, its settings, its answer, and the cell that asks it.

    What it begins with is given as to `chat`; nothing is sent until Run. `client`: who answers, if not whom the
    environment means. Raises a DeepSeekError.
    """
    usual = set_for_every_cell()
    system = system if system is not None or _has_system(messages) else usual.get("system")
    request = ChatRequest.build(messages, system=system, prefix=prefix, **{**STREAMED, **fields})
    return Playground(Turn(request), resolve if client is None else lambda: client)


def _has_system(messages: Any) -> bool:
    said = [messages] if isinstance(messages, str | Mapping) else messages
    return any("system" in (getattr(each, "role", ""), isinstance(each, Mapping) and each.get("role")) for each in said)
