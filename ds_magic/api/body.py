"""The body of an answer that is not streamed: its bytes, the JSON object in them, and that object as a chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .addresses import place
from .error_messages import error_in_body, not_an_answer, too_long
from .events import Event, Queued
from .loose_json import LONGEST, fit_to_keep, parse_json
from .recorded import Source
from .usage import Timing


class Body:
    """The pieces of an answer in one piece, as they come. Raises StreamInterruptedError where they grow too many."""

    def __init__(self, url: str):
        self._url = url
        self._pieces: list[bytes] = []
        self._length = 0

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, data: bytes) -> None:
        self._length += len(data)
        if self._length > LONGEST:
            self._pieces.clear()
            raise too_long(f"The answer of {place(self._url)}")
        self._pieces.append(data)

    def whole(self) -> bytes:
        return b"".join(self._pieces)


def read_body(exchange: Source, on_event: Callable[[Event], None]) -> dict[str, Any]:
    """The JSON object of an answer that is not streamed. Blank lines before it are keep-alives."""
    body = Body(exchange.url)
    waits = False
    while data := exchange.read():
        if data.strip():
            body.add(data)
        elif not body and not waits:
            waits = True
            on_event(Queued())
    return parse_body(body.whole(), exchange.url)


def collected(exchange: Source, on_event: Callable[[Event], None]) -> tuple[dict[str, Any], Timing]:
    """The same with how long it took; then the exchange is over."""
    whole = False
    try:
        body = read_body(exchange, on_event)
        whole = True
    finally:
        exchange.finish(whole=whole)
    return body, Timing.of_whole(exchange.clock() - exchange.sent_at, body.get("usage"))


def parse_body(payload: bytes, url: str) -> dict[str, Any]:
    """The JSON object that an unstreamed answer holds. Raises where it is none, or holds an error."""
    try:
        body, may_hold_surrogates = parse_json(payload)
    except ValueError:
        body, may_hold_surrogates = None, False
    if not isinstance(body, dict):
        raise not_an_answer(url, payload)
    if body.get("error"):
        raise error_in_body(body["error"])
    whole: dict[str, Any] = fit_to_keep(body) if may_hold_surrogates else body
    return whole


def as_chunk(body: dict[str, Any]) -> dict[str, Any]:
    """The body as one chunk of a stream would say it: the messages of its choices as deltas."""
    choices = body.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and "message" in choice:
            choice["delta"] = choice.pop("message")
    return body
