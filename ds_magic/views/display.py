"""An answer in a notebook as one display, made when it is finished."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .static import mimebundle

if TYPE_CHECKING:
    from ..api.errors import DeepSeekError
    from ..api.events import Event
    from ..api.request import ChatRequest
    from ..api.response import ChatCompletion, Delta


class ThinkingClock:
    """How long a model thought: from the first piece of reasoning to the first of the answer."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._ended: float | None = None

    def see(self, delta: Delta) -> None:
        """Take note of what kind of text came."""
        if self._began is None:
            if delta.reasoning_content:
                self._began = time.monotonic()
        elif self._ended is None and (delta.content or delta.tool_calls):
            self._ended = time.monotonic()

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

    def __init__(self) -> None:
        self._clock = ThinkingClock()

    def start(self, request: ChatRequest, backend: str) -> None:
        """Nothing is shown yet."""

    def event(self, event: Event) -> None:
        """Waits are not kept."""

    def delta(self, delta: Delta) -> None:
        """Only the time of thinking is kept."""
        self._clock.see(delta)

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        """Show what came, if anything came."""
        if completion is None:
            return
        from IPython.display import display

        display(mimebundle(completion, thinking_seconds=self._clock.seconds), raw=True)
