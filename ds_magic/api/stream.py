"""Stream: the deltas of an answer as they come, and the completion they add up to."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from pydantic_core import from_json

from .accumulator import Accumulator
from .delta import Delta, deltas_of
from .errors import DeepSeekError, StreamInterruptedError, bare, class_for_status, described
from .events import Event, Queued
from .exchange import Exchange, not_an_answer, truncated
from .loose_json import SurrogateJoiner, parse_json
from .notes import without_effect
from .request import ChatRequest
from .response import ChatCompletion
from .sse import EventDecoder
from .text import heal, on_one_line
from .usage import Timing

_DONE = b"[DONE]"


class Stream:
    """An answer that streams: iterate over it for its Deltas, then take `.completion`.

    The request leaves on entering `with`, or with the first delta asked for. Leaving `with`, or `close()`
    from any thread, ends it at once; `.completion` then holds what had arrived. Iterating raises a
    DeepSeekError with `.partial`.
    """

    def __init__(
        self,
        open_exchange: Callable[[Stream], Exchange | None],
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
        self._exchange: Exchange | None = None
        self._opened = False
        self._reader: int | None = None
        self._closed = False
        self._interruption: str | None = "stopped"
        self._first_token_at: float | None = None
        self._last_at: float | None = None
        self._deltas = self._read()

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

    def adopt(self, exchange: Exchange) -> None:
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
        completion = ChatCompletion.from_wire(
            body,
            request=self.request,
            timing=self._timing(body.get("usage")),
            backend=self._backend,
            interruption=self._interruption,
            notes=self._notes,
        )
        completion.notes.extend(without_effect(completion))
        return completion

    def _timing(self, usage: Any) -> Timing | None:
        if self._last_at is None:
            return None
        start, first, last = self._exchange.sent_at, self._first_token_at, self._last_at
        tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
        rate = None
        if isinstance(tokens, int) and tokens > 1 and first is not None and last > first:
            rate = (tokens - 1) / (last - first)
        return Timing(first_token=None if first is None else first - start, total=last - start, tokens_per_second=rate)

    def _open(self) -> bool:
        self._reader = threading.get_ident()
        if not self._opened:
            self._opened = True
            if not self._closed:
                self._open_exchange(self)
        return self._exchange is not None and not self._exchange.closed

    def _read(self) -> Iterator[Delta]:
        error = None
        try:
            if self._open():
                yield from self._streamed()
        except DeepSeekError as caught:
            error = caught
        finally:
            if self._exchange is not None:
                self._exchange.finish(whole=self._interruption is None)
        if error is not None:
            raise self._failed(error)

    def _failed(self, error: DeepSeekError) -> DeepSeekError:
        """The error to raise, with what had arrived."""
        error = bare(error, self._masked)
        self._interruption = on_one_line(error.message, 300).removesuffix(".")
        error.partial = self.completion if self.has_begun else None
        if error.partial is None and isinstance(error, StreamInterruptedError):
            error.remedy = "Nothing had arrived. Run it again."
        return error

    def _streamed(self) -> Iterator[Delta]:
        exchange, decoder, joiner = self._exchange, EventDecoder(), SurrogateJoiner()
        add, now, queued, begun = self._accumulator.add, time.monotonic, False, False
        unread: list[bytes] | None = []
        while True:
            data = exchange.read()
            if data:
                events = decoder.decode(data)
                if unread is not None:
                    unread.append(data)
                    if events:
                        unread = None
                if not begun and not queued and (decoder.comments or not data.strip()):
                    queued = True
                    self._on_event(Queued())
            else:
                events = decoder.flush()
            self._last_at = now()
            for payload in events:
                if payload == _DONE or payload.strip() == _DONE:
                    self._interruption = None
                    yield from self._rest_of_text(joiner)
                    return
                try:
                    chunk, halves = from_json(payload), joiner.holds
                except ValueError:
                    chunk, halves = _parsed_leniently(payload), True
                if not isinstance(chunk, dict):
                    continue
                if chunk.get("error"):
                    raise _error_in_stream(chunk["error"])
                if halves:
                    joiner.heal(chunk)
                add(chunk, payload)
                for delta in deltas_of(chunk):
                    if not begun and delta:
                        begun, self._first_token_at = True, self._last_at
                    yield delta
                if exchange.closed:
                    break
            if not data:
                if exchange.closed:
                    return
                body = b"".join(unread or ())
                is_stream = exchange.media_type == "text/event-stream" and not body.lstrip().startswith(b"{")
                if unread is None or is_stream:
                    raise truncated(exchange.url)
                yield from self._unstreamed(body)
                return

    def _rest_of_text(self, joiner: SurrogateJoiner) -> Iterator[Delta]:
        if joiner.holds:
            chunk = {"choices": joiner.rest()}
            self._accumulator.add(chunk, b"")
            yield from deltas_of(chunk)

    def _unstreamed(self, payload: bytes) -> Iterator[Delta]:
        """The deltas of a server that does not stream: one for each choice of its one body."""
        self._last_at = time.monotonic()
        if self._exchange.closed:
            return
        body = parse_body(payload, self._exchange.url)
        choices = body.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and "message" in choice:
                choice["delta"] = choice.pop("message")
        self._accumulator.add(body, payload)
        self._interruption = None
        yield from deltas_of(body)


def _parsed_leniently(payload: bytes) -> Any:
    """What the fast parser refused: lone surrogates, deep nesting, or no JSON at all, which raises."""
    if not payload.strip():
        return None
    try:
        return parse_json(payload)[0]
    except ValueError:
        shown = on_one_line(payload.decode("utf-8", "replace"), 200)
    raise StreamInterruptedError(f"An event of the stream is not JSON: {shown}")


def _error_in_stream(error: Any) -> StreamInterruptedError:
    known = described(error)
    known["message"] = f"The server reported an error in the stream: {known['message']}"
    return StreamInterruptedError(**known)


def read_payload(exchange: Exchange, on_event: Callable[[Event], None]) -> bytes:
    """The whole body of an answer that is not streamed. Blank lines before it are keep-alives."""
    pieces: list[bytes] = []
    waits = False
    while data := exchange.read():
        if data.strip():
            pieces.append(data)
        elif not pieces and not waits:
            waits = True
            on_event(Queued())
    return b"".join(pieces)


def parse_body(payload: bytes, url: str) -> dict[str, Any]:
    """The JSON object that an unstreamed answer holds. Raises where it is none, or holds an error."""
    try:
        body, may_hold_surrogates = parse_json(payload)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise not_an_answer(url, payload)
    if body.get("error"):
        known = described(body["error"])
        code = known.get("code")
        status = code if isinstance(code, int) and 400 <= code < 600 else None
        raise class_for_status(status or 500)(status=status, **known)
    return heal(body) if may_hold_surrogates else body
