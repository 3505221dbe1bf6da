"""The one way from a request to its sinks: through a client, to a view, a variable, a chat, a journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .api.client import Client
    from .api.errors import DeepSeekError
    from .api.events import Event
    from .api.request import ChatRequest
    from .api.response import ChatCompletion, Delta
    from .api.stream import Stream

    Outcome = tuple[ChatCompletion | None, BaseException | None]
    """What there is to keep, and what there is to raise."""

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


class AtTheEnd:
    """A sink that only wants the result: `finish` is all there is to write."""

    def start(self, request: ChatRequest, backend: str) -> None:
        """Nothing."""

    def event(self, event: Event) -> None:
        """Nothing."""

    def delta(self, delta: Delta) -> None:
        """Nothing."""

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        raise NotImplementedError


def run(
    client: Client,
    request: ChatRequest,
    sinks: Sequence[Sink],
    *,
    on_stream: Callable[[Stream], None] = lambda stream: None,
) -> ChatCompletion:
    """Send `request` through `client`, give what comes to each sink, and return the completion.

    Interrupted once, it returns what had arrived, marked `interrupted`; interrupted again within a second
    it raises KeyboardInterrupt. `on_stream` is given the stream, whose `close()` ends the answer from any
    thread. Raises DeepSeekError, its `.partial` holding what had arrived.
    """
    from .api.errors import DeepSeekError

    def answer() -> Outcome:
        if request.stream is False:
            return _unstreamed(client, request, sinks)
        stream = client.stream(request, on_event=_tell(sinks))
        on_stream(stream)
        return _streamed(stream, sinks)

    completion: ChatCompletion | None = None
    error: BaseException | None = None
    try:
        for sink in sinks:
            sink.start(request, client.name)
        completion, error = answer()
    except BaseException as caught:
        error = caught
    failed = error if isinstance(error, DeepSeekError) else None
    for sink in sinks:
        try:
            sink.finish(completion, failed)
        except KeyboardInterrupt as caught:
            error = error or second_interrupt(caught)
        except BaseException as caught:
            error = error or caught
    if error is not None:
        raise error
    return completion


def _tell(sinks: Sequence[Sink]) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        for sink in sinks:
            sink.event(event)

    return tell


def _streamed(stream: Stream, sinks: Sequence[Sink]) -> Outcome:
    error: BaseException | None = None
    try:
        try:
            for delta in stream:
                for sink in sinks:
                    sink.delta(delta)
        except KeyboardInterrupt as caught:
            error = second_interrupt(caught)
        stream.close()
    except BaseException as caught:  # also an interrupt on the heels of the first
        error = caught
        stream.close()
    nothing = error is not None and not stream.has_begun
    return (None if nothing else stream.completion), error


def _unstreamed(client: Client, request: ChatRequest, sinks: Sequence[Sink]) -> Outcome:
    from .api.response import ChatCompletion

    try:
        return client.chat(request, on_event=_tell(sinks)), None
    except KeyboardInterrupt as caught:
        error = second_interrupt(caught)
    if error is not None:
        return None, error
    return ChatCompletion.from_wire({}, request=request, backend=client.name, interruption="stopped"), None


def second_interrupt(interrupt: KeyboardInterrupt) -> KeyboardInterrupt | None:
    """None for a first interrupt, which ends one answer; the second within a second, to be raised."""
    global _last_interrupt
    previous, _last_interrupt = _last_interrupt, time.monotonic()
    return interrupt if _last_interrupt - previous < TWICE_SECONDS else None
