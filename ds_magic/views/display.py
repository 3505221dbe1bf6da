"""An answer in a notebook as one display, made when it is finished."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .static import error_bundle, mimebundle

if TYPE_CHECKING:
    from ..api.delta import Delta
    from ..api.errors import DeepSeekError
    from ..api.events import Event
    from ..api.request import ChatRequest
    from ..api.response import ChatCompletion


class ThinkingClock:
    """How long a model thought: from the first piece of reasoning to the first of the answer."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._ended: float | None = None

    def see(self, delta: Delta, at: float | None = None) -> None:
        """Take note of what kind of text came `at`, by `time.monotonic`; now where that is None."""
        if self._ended is not None:
            return
        if self._began is None:
            if delta.reasoning_content:
                self._began = at or time.monotonic()
        elif delta.content or delta.tool_calls:
            self._ended = at or time.monotonic()

    @property
    def is_thinking(self) -> bool:
        """Whether reasoning has come and no answer yet."""
        return self._began is not None and self._ended is None

    @property
    def seconds(self) -> float | None:
        """Seconds of thinking so far; None where there was none."""
        if self._began is None:
            return None
        return (self._ended or time.monotonic()) - self._began


class StaticView:
    """One display at the end, and nothing before: what documents and graders compare."""

    def __init__(self, *, in_background: bool = False) -> None:
        self._clock = ThinkingClock()
        self._place = Place(is_reserved=in_background)

    def start(self, request: ChatRequest, backend: str) -> None:
        """Nothing is shown yet."""
        self._place.reserve()

    def event(self, event: Event) -> None:
        """Waits are not kept."""

    def delta(self, delta: Delta) -> None:
        """Only the time of thinking is kept."""
        self._clock.see(delta)

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        """Show what came, if anything came."""
        self._place.show(completion, error, self._clock.seconds)


class Place:
    """Where the final output stands: a display of its own, which nbval and others compare best.

    In the background a new display would go to the cell that runs by then, so a place is reserved
    at the start and filled at the end.
    """

    def __init__(self, *, is_reserved: bool) -> None:
        self._is_reserved = is_reserved
        self._handle = None

    def reserve(self) -> None:
        """Hold a place in the cell that runs now, if it will be needed."""
        from IPython.display import display

        if self._is_reserved:
            self._handle = display({}, raw=True, display_id=True)

    def show(
        self, completion: ChatCompletion | None, error: DeepSeekError | None, thinking_seconds: float | None
    ) -> None:
        """The static output; in the background the error too, which no cell shows."""
        bundle = mimebundle(completion, thinking_seconds=thinking_seconds) if completion is not None else None
        if self._handle is not None:
            self._handle.update(bundle or (error_bundle(error) if error is not None else {}), raw=True)
        elif bundle is not None:
            from IPython.display import display

            display(bundle, raw=True)
