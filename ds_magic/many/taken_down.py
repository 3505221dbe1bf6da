"""TakenDown: an exchange with a server that is written into a journal when it is over."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ..api.errors import DeepSeekError
from ..api.recorded import Question, Recorded, Source
from ..api.response import FAILURES
from ..api.sse import EventDecoder
from .entry import Ended, Entry, Failure, packed, whole_of
from .journal import Journal
from .journal_errors import JournalError
from .played import failure_of


class _Texts(msgspec.Struct):
    """What of a chunk or a body could hold a key, and why it ended."""

    class Choice(msgspec.Struct):
        class Message(msgspec.Struct):
            content: Any = None
            reasoning_content: Any = None
            tool_calls: Any = None

        delta: Message | None = None
        message: Message | None = None
        text: Any = None
        finish_reason: Any = None

    choices: list[Choice | None] | None = None


NOT_RECORDED = "Not recorded: "
"""How the note on an answer begins that is not in the journal."""
SPELT_OUT = Failure("DeepSeekError", "The answer spelt out the API key, and is not kept.")

_texts = msgspec.json.Decoder(_Texts)


class TakenDown:
    """A Source that keeps what is read of `source`, with the times, and has `finish` write it.

    Reading costs what a list takes; what it makes of the bytes waits for the end. The journal is held until then.
    """

    def __init__(self, source: Source, question: Question, blank: Callable[..., Entry], journal: Journal):
        self._source = source
        self._question = question
        self._blank = blank
        self._journal = journal
        self._pieces: list[tuple[float, bytes]] = []
        self._error: DeepSeekError | None = None
        self._is_written = False

    @property
    def url(self) -> str:
        return self._source.url

    @property
    def closed(self) -> bool:
        return self._source.closed

    @property
    def was_closed(self) -> bool:
        return self._source.was_closed

    @property
    def sent_at(self) -> float:
        return self._source.sent_at

    @property
    def media_type(self) -> str:
        return self._source.media_type

    @property
    def recorded(self) -> Recorded | None:
        return None

    def clock(self) -> float:
        """When what was read last had come."""
        return self._pieces[-1][0] if self._pieces else self._source.clock()

    def read(self) -> bytes:
        """What the source gives."""
        try:
            data = self._source.read()
        except DeepSeekError as error:
            self._error = error
            raise
        self._pieces.append((self._source.clock(), data))
        return data

    def close(self) -> None:
        """End it at once, from any thread."""
        self._source.close()

    def finish(self, *, whole: bool) -> None:
        """Let go of the connection, and write what came: on disk before anybody counts it as done."""
        interrupt = isinstance(sys.exception(), KeyboardInterrupt | GeneratorExit)
        self._source.finish(whole=whole)
        if self._is_written:
            return
        self._is_written = True
        ended: Ended = "whole" if whole else "interrupted" if self.was_closed or interrupt else "failed"
        try:
            entry = self._entry(ended)
            self._journal.append(entry)
            self._journal.sync()
        except JournalError as error:
            self._question.tell(NOT_RECORDED + error.message)
        finally:
            with contextlib.suppress(JournalError):  # of a row that it was said of
                self._journal.release()

    def _entry(self, ended: Ended) -> Entry:
        payloads, last = self._payloads()
        came = b"".join(data for _, data in self._pieces).strip()
        body = b"" if payloads or not self._is_body(came) else self._without_key(came)
        error = self._error and failure_of(self._error, self._question.masked)
        text, reasons = _read([payload for _, payload in payloads] or [body])
        if self._question.key is not None and self._question.key.is_in(text):
            return self._blank("failed", last, error=SPELT_OUT)
        if ended == "whole" and any(reason in FAILURES for reason in reasons):
            ended = "failed"
        if body or not self._question.request.stream:
            return self._blank(ended, last, body=whole_of(body), error=error)
        head, deltas = packed(payloads)
        return self._blank(ended, last, head=head, deltas=deltas, error=error)

    def _is_body(self, came: bytes) -> bool:
        """Whether an answer is one body, although it may have been asked to stream."""
        return not self._question.request.stream or self.media_type != "text/event-stream" or came.startswith(b"{")

    def _without_key(self, data: bytes) -> bytes:
        return data if self._question.key is None else self._question.key.taken_out(data)

    def _payloads(self) -> tuple[list[tuple[int, bytes]], int]:
        """The chunks, with milliseconds, and those of the end. Raises nothing: what was no event is not kept."""
        events, found, last = EventDecoder(), [], 0
        for at, data in self._pieces:
            last = max(last, round(1000 * (at - self.sent_at)))
            try:
                payloads = events.decode(data) if data else events.flush()
            except DeepSeekError:
                break
            found += [(last, payload) for payload in payloads]
            if payloads and payloads[-1].strip() == b"[DONE]":
                break
        return [(ms, self._without_key(payload)) for ms, payload in found if payload.strip() != b"[DONE]"], last


def _read(payloads: list[bytes]) -> tuple[str, list[Any]]:
    """The texts of an answer one after another, and its finish reasons."""
    texts: dict[str, list[str]] = {"content": [], "reasoning_content": [], "tool_calls": []}
    reasons: list[Any] = []
    for payload in payloads:
        try:
            read = _texts.decode(payload)
        except (ValueError, RecursionError):
            continue
        for choice in filter(None, read.choices or ()):
            texts["content"].extend(_strings_of(choice.text))
            for said in filter(None, (choice.delta, choice.message)):
                for name, pieces in texts.items():
                    if value := getattr(said, name):
                        pieces.extend(_strings_of(value))
            reasons.append(choice.finish_reason)
    return "\n".join("".join(pieces) for pieces in texts.values()), reasons


def _strings_of(value: Any) -> Iterator[str]:
    """A text, or the arguments of calls."""
    if isinstance(value, str):
        yield value
    for call in value if isinstance(value, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if isinstance(arguments, str):
            yield arguments
