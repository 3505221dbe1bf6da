"""The one way from a request to its sinks: through a client, to a view, a variable, a chat, a journal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .api.client import Client
    from .api.errors import DeepSeekError
    from .api.events import Event
    from .api.request import ChatRequest
    from .api.response import ChatCompletion, Delta

TWICE_SECONDS = 1.0
"""Two interrupts within this many seconds mean "stop everything", also a Run All."""

_last_interrupt = float("-inf")


class Sink(Protocol):
    """What an answer is given to. `finish` is called once, whatever happened."""

    def start(self, request: ChatRequest, backend: str) -> None:
        """The request is about to leave for the server called `backend`."""

    def event(self, event: Event) -> None:
        """A wait, a place in a queue, or a note."""

    def delta(self, delta: Delta) -> None:
        """Something arrived."""

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        """It is over. `completion` is None where nothing arrived; `error` is None where all went well."""


def run(client: Client, request: ChatRequest, sinks: Sequence[Sink]) -> ChatCompletion:
    """Send `request` through `client`, give what comes to each sink, and return the completion.

    Interrupted once, it returns what had arrived, marked `interrupted`; interrupted again within a second
    it raises KeyboardInterrupt. Raises DeepSeekError, its `.partial` holding what had arrived.
    """
    from .api.errors import DeepSeekError

    def tell(event: Event) -> None:
        for sink in sinks:
            sink.event(event)

    for sink in sinks:
        sink.start(request, client.name)
    completion = None
    error: BaseException | None = None
    try:
        answer = _unstreamed if request.stream is False else _streamed
        completion = answer(client, request, sinks, tell)
    except DeepSeekError as caught:
        error, completion = caught, caught.partial
    except BaseException as caught:
        error = caught
    for sink in sinks:
        sink.finish(completion, error if isinstance(error, DeepSeekError) else None)
    if error is not None:
        raise error
    return completion


def _streamed(client: Client, request: ChatRequest, sinks: Sequence[Sink], tell: Any) -> ChatCompletion:
    stream = client.stream(request, on_event=tell)
    try:
        for delta in stream:
            for sink in sinks:
                sink.delta(delta)
    except KeyboardInterrupt:
        _note_interrupt()
    finally:
        stream.close()
    return stream.completion


def _unstreamed(client: Client, request: ChatRequest, sinks: Sequence[Sink], tell: Any) -> ChatCompletion:
    from .api.response import ChatCompletion

    try:
        return client.chat(request, on_event=tell)
    except KeyboardInterrupt:
        _note_interrupt()
    return ChatCompletion.from_wire({}, request=request, backend=client.name, interruption="stopped")


def _note_interrupt() -> None:
    """Swallow a first interrupt; the second within a second goes on to whoever called."""
    global _last_interrupt
    previous, _last_interrupt = _last_interrupt, time.monotonic()
    if _last_interrupt - previous < TWICE_SECONDS:
        raise KeyboardInterrupt
