"""Stream: the deltas of an answer as they come, and the completion they add up to."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

from .accumulator import Accumulator
from .body import Body, as_chunk, parse_body
from .clean_text import on_one_line
from .decoder import Chunk, ChunkDecoder, leniently
from .delta import Delta, deltas_of
from .error_messages import truncated
from .errors import DeepSeekError, bare
from .events import KEEP_ALIVE, Event, waiting
from .notes import without_effect
from .recorded import Recorded, Source
from .request import ChatRequest
from .response import ChatCompletion
from .spent import SPENT
from .sse import EventDecoder
from .usage import Timing, Usage

_DONE = b"[DONE]"


class Stream:
    """An answer that streams: iterate over it for its Deltas, then take `.completion`.

    The request leaves on entering `with`, or with the first delta asked for. Leaving `with`, or `close()`
    from any thread, ends it at once; `.completion` then holds what had arrived. Iterating raises a
    DeepSeekError with `.partial`.
    """

    def __init__(
        self,
        open_exchange: Callable[[Stream], None],
        request: ChatRequest,
        *,
        backend: str,
        notes: list[str],
        on_event: Callable[[Event], None],
        masked: Callable[[str], str],
    ):
        self.request = request
        self._open_exchange = open_exchange
        self._backend = backend
        self._notes = notes
        self._on_event = on_event
        self._masked = masked
        self._accumulator = Accumulator()
        self._exchange: Source | None = None
        self._opened = False
        self._reader: int | None = None
        self._closed = False
        self._interruption: str | None = "stopped"
        self._first_token_at: float | None = None
        self._last_at: float | None = None
        self._told_wait: Event | None = None
        self._deltas: Generator[Delta, None, None] = self._read()

    def __iter__(self) -> Iterator[Delta]:
        return self._deltas

    def __next__(self) -> Delta:
        return next(self._deltas)

    def __enter__(self) -> Stream:
        error = None
        try:
            self._open()
        except DeepSeekError as caught:
            error = caught
        if error is not None:
            raise self._failed(error)
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the stream at once, from any thread. What had arrived stays in `.completion`."""
        self._closed = True
        if self._exchange is None:
            return
        self._exchange.close()
        # Another thread that reads finds the stream closed, and lets go of the connection itself.
        if self._reader == threading.get_ident():
            with contextlib.suppress(ValueError):  # we are called from within the reading
                self._deltas.close()
                self._exchange.finish(whole=False)

    def adopt(self, exchange: Source) -> None:
        """The exchange that this stream now waits for, so that `close` reaches it."""
        self._exchange = exchange
        if self._closed:
            exchange.close()

    @property
    def has_begun(self) -> bool:
        """Whether anything to read has arrived: text, reasoning or a tool call."""
        return not self._accumulator.is_empty

    @property
    def completion(self) -> ChatCompletion:
        """The completion of what has arrived so far; `.interrupted` unless the stream came to its end."""
        body = self._accumulator.wire()
        recorded = self._recorded
        completion = ChatCompletion.from_wire(
            body,
            request=self.request,
            timing=self._timing(body.get("usage")),
            backend=self._backend if recorded is None else recorded.backend,
            recorded=recorded,
            interruption=self._interruption,
            notes=self._notes,
        )
        completion.notes.extend(without_effect(completion))
        return completion

    @property
    def _recorded(self) -> Recorded | None:
        return None if self._exchange is None else self._exchange.recorded

    def _timing(self, usage: Any) -> Timing | None:
        if self._exchange is None or self._last_at is None:
            return None
        return Timing.measured(self._exchange.sent_at, self._first_token_at, self._last_at, usage)

    def _open(self) -> bool:
        self._reader = threading.get_ident()
        if not self._opened:
            self._opened = True
            if not self._closed:
                self._open_exchange(self)
        return self._exchange is not None and not self._exchange.closed

    def _read(self) -> Generator[Delta, None, None]:
        error = None
        try:
            if self._open() and self._exchange is not None:
                yield from self._streamed(self._exchange)
        except DeepSeekError as caught:
            error = caught
        finally:
            if self._exchange is not None:
                self._exchange.finish(whole=self._interruption is None)
            self._count()
        if error is not None:
            raise self._failed(error)

    def _count(self) -> None:
        """Put what has come on the bill, however it ended."""
        usage = Usage.of(self._accumulator.usage)
        if self._recorded is None and (self.has_begun or usage is not None):
            model = self._accumulator.model
            SPENT.add(model if isinstance(model, str) else None, self._backend, usage)

    def _failed(self, error: DeepSeekError) -> DeepSeekError:
        """The error to raise, with what had arrived."""
        error = bare(error, self._masked)
        self._interruption = on_one_line(error.message, 300).removesuffix(".")
        error.partial = self.completion if self.has_begun else None
        return error

    def _streamed(self, exchange: Source) -> Iterator[Delta]:
        events, chunks = EventDecoder(), ChunkDecoder()
        unread: Body | None = Body(exchange.url)
        while data := exchange.read():
            self._last_at = exchange.clock()
            payloads = events.decode(data)
            if unread is not None:
                unread.add(data)
                if payloads:
                    unread = None
            if self._first_token_at is None:
                self._tell_wait(KEEP_ALIVE if not data.strip() else events.comment)
            for payload in self.request.read_events(payloads):
                if payload == _DONE or payload.strip() == _DONE:
                    yield from self._ended(chunks)
                    return
                chunk = chunks.decode(payload)
                if chunk is not None:
                    yield from self._added(chunk, payload)
                if exchange.closed:
                    break
        self._last_at = exchange.clock()
        if events.flush():
            yield from self._ended(chunks)
        elif not exchange.closed:
            yield from self._unstreamed(exchange, None if unread is None else unread.whole())

    def _tell_wait(self, comment: bytes | None) -> None:
        wait = waiting(comment) if comment is not None else None
        if wait is not None and wait != self._told_wait:
            self._told_wait = wait
            self._on_event(wait)

    def _added(self, chunk: Chunk, payload: bytes) -> list[Delta]:
        self._accumulator.add(chunk, payload)
        deltas = deltas_of(chunk, payload)
        if self._first_token_at is None and any(deltas):
            self._first_token_at = self._last_at
        return deltas

    def _ended(self, chunks: ChunkDecoder) -> Iterator[Delta]:
        self._interruption = None
        rest = chunks.rest()
        if rest is not None:
            yield from self._added(rest, b"")

    def _unstreamed(self, exchange: Source, payload: bytes | None) -> Iterator[Delta]:
        """The deltas of a server that does not stream: one for each choice of its one body, if that is what came."""
        is_stream = exchange.media_type == "text/event-stream"
        if payload is None or (is_stream and not payload.lstrip().startswith(b"{")):
            raise truncated(exchange.url)
        [payload] = self.request.read_events([payload])
        body = leniently(as_chunk(parse_body(payload, exchange.url)))
        self._interruption = None
        self._accumulator.add(body, payload)
        yield from deltas_of(body, payload)
