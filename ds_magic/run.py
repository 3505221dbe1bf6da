"""The one way from a request to its observers: through a client, to a view, a variable, a journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from .stop import Stop, second_interrupt

if TYPE_CHECKING:
    from .api.client import Client
    from .api.delta import Delta
    from .api.errors import DeepSeekError
    from .api.events import Event
    from .api.request import ChatRequest
    from .api.response import ChatCompletion

    Outcome = tuple[ChatCompletion | None, BaseException | None]
    """What there is to keep, and what there is to raise."""


class Observer(Protocol):
    """What an answer is shown to; none depends on another. `finish` is called once, whatever happened."""

    def start(self, request: ChatRequest, backend: str) -> None:
        """The request is about to leave for the server called `backend`."""

    def event(self, event: Event) -> None:
        """A wait, a place in a queue, or a note."""

    def delta(self, delta: Delta) -> None:
        """Something arrived."""

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        """It is over. `completion` is None where nothing arrived; `error` is None where all went well."""


class AtTheEnd:
    """An observer that only wants the result: `finish` is all there is to write."""

    def start(self, request: ChatRequest, backend: str) -> None:
        """Nothing."""

    def event(self, event: Event) -> None:
        """Nothing."""

    def delta(self, delta: Delta) -> None:
        """Nothing."""

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        raise NotImplementedError


def as_sent(request: ChatRequest) -> ChatRequest:
    """The request as `run` sends it: streamed, unless it says otherwise."""
    return request if request.stream is False else request.model_copy(update={"stream": True})


def run(
    client: Client,
    request: ChatRequest,
    observers: Sequence[Observer],
    *,
    stop: Stop | None = None,
    notes: Sequence[str] = (),
) -> ChatCompletion:
    """Send `request` through `client`, show what comes to each observer, and return the completion.

    Where `stop` is set, or the main thread interrupted once, it returns what had arrived, marked
    `interrupted`; interrupted again within a second it raises KeyboardInterrupt. `notes` are said of the
    completion, beside what the server left out. Raises DeepSeekError, its `.partial` holding what had arrived.
    """
    from .api.errors import DeepSeekError
    from .api.notes import left_out

    stop = stop or Stop()
    completion: ChatCompletion | None = None
    error: BaseException | None = None
    try:
        for observer in observers:
            observer.start(request, client.name)
        ask = _whole if request.stream is False else _streamed
        completion, error = ask(client, request, observers, stop, notes)
    except BaseException as caught:
        error = caught
    failed = error if isinstance(error, DeepSeekError) else None
    if failed is not None:
        completion = failed.partial
    if completion is not None:
        completion.notes.extend(left_out(completion))
    for observer in observers:
        try:
            observer.finish(completion, failed)
        except KeyboardInterrupt as caught:
            error = error or second_interrupt(caught)
        except BaseException as caught:
            error = error or caught
    if error is not None:
        raise error
    assert completion is not None, "without an error there is a completion"
    return completion


def _tell(observers: Sequence[Observer]) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        for observer in observers:
            observer.event(event)

    return tell


def _streamed(
    client: Client, request: ChatRequest, observers: Sequence[Observer], stop: Stop, notes: Sequence[str]
) -> Outcome:
    stream = client.stream(request, on_event=_tell(observers), notes=notes)
    stop.hold(stream)
    error: BaseException | None = None
    try:
        try:
            for delta in stream:
                for observer in observers:
                    observer.delta(delta)
        except KeyboardInterrupt as caught:
            error = second_interrupt(caught)
        stream.close()
    except BaseException as caught:  # also an interrupt on the heels of the first
        error = caught
        stream.close()
    nothing = error is not None and not stream.has_begun
    return (None if nothing else stream.completion), error


def _whole(
    client: Client, request: ChatRequest, observers: Sequence[Observer], stop: Stop, notes: Sequence[str]
) -> Outcome:
    from .api.response import ChatCompletion

    error: KeyboardInterrupt | None
    try:
        return client.chat(request, on_event=_tell(observers), notes=notes, hold=stop.hold), None
    except KeyboardInterrupt as caught:
        error = second_interrupt(caught)
    if error is not None:
        return None, error
    return ChatCompletion.from_wire({}, request=request, backend=client.name, interruption="stopped"), None
