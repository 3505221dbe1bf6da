"""An answer in a notebook, streamed through a throttled display that ends as the static output."""

from __future__ import annotations

import threading
import time
from html import escape
from typing import TYPE_CHECKING

from . import static
from .clean import escaped, on_one_line
from .display import ThinkingClock
from .words import thought

if TYPE_CHECKING:
    from ..api.errors import DeepSeekError
    from ..api.events import Event
    from ..api.request import ChatRequest
    from ..api.response import ChatCompletion, Delta

SHORTEST = 0.1
"""Seconds between two updates of a short text."""

GROWTH = 0.12
"""By how much of itself a text grows before it is sent again: this keeps the sum of all updates linear."""

SMALL = 2_000
"""Characters below which only the time counts."""


class LiveView:
    """Shows what has come some ten times a second, less often as the text grows, and all of it at the end."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._clock = ThinkingClock()
        self._reasoning: list[str] = []
        self._content: list[str] = []
        self._length = self._sent_length = 0
        self._status = ""
        self._handle = None
        self._timer: threading.Timer | None = None
        self._last_sent = float("-inf")
        self._is_over = False

    def start(self, request: ChatRequest, backend: str) -> None:
        """Show where the request goes."""
        from IPython.display import display

        self._backend, self._model = backend, request.model
        if request.prefix:
            self._content.append(request.prefix)
        self._handle = display({"text/html": self._html(), "text/plain": ""}, raw=True, display_id=True)

    def event(self, event: Event) -> None:
        """Show why it takes long, until something comes."""
        with self._lock:
            self._status = on_one_line(str(event), 400)
            self._send()

    def delta(self, delta: Delta) -> None:
        """Keep what came, and show it now or soon."""
        if delta.index != 0:
            return
        with self._lock:
            self._clock.see(delta)
            if delta.model:
                self._model = delta.model
            for text, parts in ((delta.reasoning_content, self._reasoning), (delta.content, self._content)):
                if text:
                    parts.append(text)
                    self._length += len(text)
                    self._status = ""
            self._send_when_due()

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        """The display becomes the static output; an empty one where nothing came."""
        with self._lock:
            self._is_over = True
            if self._timer is not None:
                self._timer.cancel()
        if completion is None:
            self._handle.update({"text/plain": ""}, raw=True)
            return
        self._handle.update(static.mimebundle(completion, thinking_seconds=self._clock.seconds), raw=True)

    def _send_when_due(self) -> None:
        if self._timer is not None:
            return
        grown = self._length - self._sent_length
        due = self._last_sent + SHORTEST
        if time.monotonic() >= due and (self._length < SMALL or grown >= GROWTH * self._length):
            self._send()
            return
        # The main thread is blocked in a read while nothing comes, so a thread of its own shows the rest. A
        # long text waits for longer: were it sent as often as a short one, the sum would grow with its square.
        wait = SHORTEST * max(1.0, self._length / SMALL)
        self._timer = threading.Timer(max(0.0, self._last_sent + wait - time.monotonic()), self._send_from_timer)
        self._timer.daemon = True
        self._timer.start()

    def _send_from_timer(self) -> None:
        with self._lock:
            self._timer = None
            if not self._is_over and self._length > self._sent_length:
                self._send()

    def _send(self) -> None:
        self._last_sent, self._sent_length = time.monotonic(), self._length
        self._handle.update({"text/html": self._html(), "text/plain": ""}, raw=True)

    def _html(self) -> str:
        parts = [static.header_html(self._backend, self._model)]
        if self._status:
            parts.append(f'<div style="{static.QUIET}">{escape(self._status)}</div>')
        if self._reasoning:
            title = "Thinking…" if self._clock.is_thinking else thought(None, self._clock.seconds)
            folded = static.reasoning_html("".join(self._reasoning), title)
            parts.append(folded.replace("<details", "<details open", 1) if self._clock.is_thinking else folded)
        if self._content:
            style = "white-space:pre-wrap;overflow-wrap:anywhere"
            parts.append(f'<div dir="auto" style="{style}">{escaped("".join(self._content))}</div>')
        return static.root_html("".join(parts))
