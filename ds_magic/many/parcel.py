"""Parcel and Came: what a worker is sent, and what it sends back; `delivered` is what it does."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from ..api.addresses import EMBEDDED, place
from ..api.errors import DeepSeekError, bare
from ..api.events import unheard
from ..api.secret import Secret
from ..api.sse import EventDecoder
from ..api.timeouts import Timeouts
from ..backend import reached, resolve


@dataclass(frozen=True, repr=False)
class Parcel:
    """A request, and how its server is reached. The embedded server is that of the worker's machine.

    `name` tells it from all others, also from the same request sent again. Its pickle, and nothing else, holds the key.
    """

    name: str
    base_url: str
    server: str
    key: Secret | None
    method: str
    url: str
    body: bytes | None
    timeouts: Timeouts
    retries: int
    local_model: str | None = None

    def named(self, name: str) -> Parcel:
        """The same, as one of its own."""
        return replace(self, name=name)

    def __repr__(self) -> str:
        return f"<{self.method} {place(self.base_url) or self.server}>"

    def __reduce__(self) -> tuple[Any, ...]:
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        return _unpickled, ({**known, "key": self.key and self.key.reveal()},)

    def __dask_tokenize__(self) -> str:
        """What dask makes a task's name of."""
        return self.name


def _unpickled(known: dict[str, Any]) -> Parcel:
    return Parcel(**{**known, "key": Secret.of(known["key"])})


@dataclass(frozen=True, repr=False)
class Came:
    """What came of a parcel: the answer's bytes, packed, each piece with its milliseconds and its length.

    `error`: what was met then, and where `is_opened` is false before an answer began.
    """

    media_type: str
    times: list[tuple[int, int]]
    data: bytes
    is_opened: bool
    error: DeepSeekError | None

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """The pieces as they came."""
        data, begin = zlib.decompress(self.data), 0
        for ms, length in self.times:
            yield ms, data[begin : begin + length]
            begin += length


def delivered(parcel: Parcel) -> Came:
    """Ask, on a worker, and wait for the end. Never raises: a worker's log may show what it was given with an error.

    All requests of one process to one server share their connections.
    """
    times: list[tuple[int, int]] = []
    pieces: list[bytes] = []
    media_type, is_opened = "", False
    error: DeepSeekError | None = None
    try:
        if parcel.server == EMBEDDED:
            client = resolve(local=True, local_model=parcel.local_model)
            url = client.base_url + parcel.url
        else:
            client, url = reached(parcel.base_url, parcel.key, parcel.server), parcel.url
        exchange = client.exchange(parcel.method, url, parcel.body, parcel.timeouts, unheard, parcel.retries)
        try:
            is_opened = exchange.open()
            media_type, ending = exchange.media_type, _Ending()
            while data := exchange.read():
                pieces.append(data)
                times.append((round(1000 * (exchange.clock() - exchange.sent_at)), len(data)))
                if ending.is_in(data):
                    break
        except DeepSeekError as caught:
            error = bare(caught, client.masked)
        exchange.finish(whole=error is None)
    except Exception as caught:
        error = caught if isinstance(caught, DeepSeekError) else DeepSeekError(f"{type(caught).__name__}: {caught}")
    return Came(media_type, times, zlib.compress(b"".join(pieces), 1), is_opened, error and error.with_traceback(None))


class _Ending:
    """Looks out for the `[DONE]` of a stream, behind which a server may keep the answer open."""

    def __init__(self) -> None:
        self._events: EventDecoder | None = EventDecoder()

    def is_in(self, data: bytes) -> bool:
        """Whether what came so far ends with it."""
        with contextlib.suppress(DeepSeekError):
            payloads = self._events.decode(data) if self._events is not None else []
            return bool(payloads) and payloads[-1].strip() == b"[DONE]"
        self._events = None  # no stream of events
        return False
