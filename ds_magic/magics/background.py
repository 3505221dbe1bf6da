"""An answer that comes while other cells run."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ..api.clean_text import for_report, on_one_line
from ..stop import Stop

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.response import ChatCompletion
    from ..conversation.turn import Turn
    from .shown import Shown


class Background:
    """An answer in a thread of its own: `answer(stop)` is begun at once.

    `result()` waits for the completion, `stop()` ends it at once and keeps what came, `done()` says
    whether it is over. What the thread shows stands in the cell that began it.
    """

    def __init__(self, answer: Callable[[Stop], ChatCompletion]):
        self._answer = answer
        self._stop = Stop()
        self._outcome: Future[ChatCompletion] = Future()

    def begin(self) -> Background:
        """Start."""
        _begun.add(self)
        in_cell = contextvars.copy_context().run
        thread = threading.Thread(
            target=in_cell, args=(self._run, _parent_of_cell()), daemon=True, name="ds_magic-background"
        )
        thread.start()
        return self

    def _run(self, parent: Any) -> None:
        try:
            _belong_to(parent)
            self._outcome.set_result(self._answer(self._stop))
        except BaseException as error:
            self._outcome.set_exception(error.with_traceback(None))

    def stop(self) -> None:
        """End the answer; what had come is the result, marked as interrupted. Nothing where it is over."""
        self._stop.set()

    def done(self) -> bool:
        """Whether the answer is whole, stopped or failed."""
        return self._outcome.done()

    def result(self, timeout: float | None = None) -> ChatCompletion:
        """The completion, once it is over. Raises its DeepSeekError, or TimeoutError after `timeout` seconds."""
        if not wait([self._outcome], timeout).done:
            raise TimeoutError(f"the answer is not finished after {timeout} seconds")
        return self._outcome.result()

    def __repr__(self) -> str:
        if not self.done():
            return "<an answer in the background: it is coming; .result() waits for it, .stop() ends it>"
        if (error := self._outcome.exception()) is not None:
            return f"<an answer in the background: failed: {on_one_line(for_report(str(error)))}>"
        return f"<an answer in the background: {'stopped' if self.result().interrupted else 'done'}>"


def in_background(turn: Turn, client: Client, shown: Shown, values: Mapping[str, Any]) -> Background:
    """The answer to a turn, begun and shown in the cell that runs."""
    handle = Background(lambda stop: turn.answer(client, shown, stop))
    shown.begin_in_background(turn.request, client.name, handle.stop)
    return handle.begin()


_begun: WeakSet[Background] = WeakSet()


def running() -> list[Background]:
    """The answers in the background that are not over."""
    return [each for each in list(_begun) if not each.done()]


def _parent_of_cell() -> Any:
    """What tells a kernel which cell is running; None outside of kernels."""
    from IPython import get_ipython

    return getattr(get_ipython(), "get_parent", lambda: None)()


def _belong_to(parent: Any) -> None:
    """Let what this thread displays and prints stand in that cell, rather than in the one that runs by then."""
    from IPython import get_ipython

    set_parent = getattr(get_ipython(), "set_thread_parent", None)
    if parent and set_parent is not None:
        set_parent(parent)
