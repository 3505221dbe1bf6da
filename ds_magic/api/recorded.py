"""What a recording is to a client: a Tape that answers in a server's place, or takes down what a server answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .request import ChatRequest
    from .secret import Secret

RECORDING = "RECORDING"
"""How the server is called where nobody but a recording answers."""


@dataclass(frozen=True)
class Recorded:
    """Where an answer comes from that no server was asked for: whose it is, and when it was given (ISO 8601, UTC).

    `is_replay`: whether it is shown as a recording, rather than taken because the same was asked before.
    """

    backend: str
    model: str | None
    at: str
    is_replay: bool

    @property
    def names(self) -> list[str]:
        """What stands where an answer has the name of its server."""
        day = self.at[:10]
        return [f"{RECORDING} {day}"] if self.is_replay else [self.backend, f"asked before, {day}"]


class Source(Protocol):
    """The bytes of an answer: an Exchange with a server, or what was recorded of one.

    `clock` gives the time of what was read last, or of now, in the seconds of `sent_at`.
    """

    @property
    def url(self) -> str: ...
    @property
    def closed(self) -> bool: ...
    @property
    def was_closed(self) -> bool: ...
    @property
    def sent_at(self) -> float: ...
    @property
    def media_type(self) -> str: ...
    @property
    def recorded(self) -> Recorded | None: ...

    def clock(self) -> float: ...
    def read(self) -> bytes: ...
    def finish(self, *, whole: bool) -> None: ...
    def close(self) -> None: ...


class Unopened(Source, Protocol):
    """A Source that is asked for by `open`, which is false where it was closed meanwhile, or raises a DeepSeekError."""

    def open(self) -> bool: ...


Begin = Callable[..., Unopened]
"""Makes an exchange, not opened yet, of what `Exchange` is made of."""


@dataclass(frozen=True)
class Question:
    """What a client is about to ask: the request as it leaves, and what tells it from others.

    `is_named`: whether anybody named its model. `server`: how the server is called. `model`: that of the request,
    where the client knows for sure which one answers. `key`: the client's; `masked` takes all of it out of a text.
    `tell`: a note for the answer.
    """

    request: ChatRequest
    is_named: bool
    server: str
    url: str
    model: str | None
    key: Secret | None
    masked: Callable[[str], str]
    tell: Callable[[str], None]

    @cached_property
    def wire(self) -> dict[str, Any]:
        """The body, without a model that nobody named."""
        wire: dict[str, Any] = json.loads(self.request.encode())
        if not self.is_named:
            del wire["model"]
        return wire


class Tape(Protocol):
    """What a client asks through. `server`: whose answers they are where nobody else is asked, else None."""

    @property
    def server(self) -> str | None: ...

    def of_sample(self, number: int) -> Tape:
        """The same tape for the answer that was drawn as the `number`th, from 0, where one is asked several times."""

    def held(self) -> AbstractContextManager[object]:
        """While it lasts, nobody else writes in between."""

    def changed_since(self, questions: Sequence[Question]) -> str | None:
        """How the first question differs from the nearest that is not asked again; None where there is nothing to say,
        also where one of them is known.
        """

    def recalling(self, question: Question) -> RecalledTape | None:
        """The tape that has the answer to a question which is not asked again, and needs nothing else; else None."""

    def open(
        self,
        question: Question,
        ask: Callable[[], tuple[Source, ChatRequest]],
        adopt: Callable[[Source], None],
        notes: list[str],
    ) -> tuple[Source, ChatRequest]:
        """An opened source for the question, and the request that it answers. Raises a DeepSeekError.

        `ask` asks the server. `adopt` is given each source before it is waited for. `notes`: what was said so far.
        """


class RecalledTape(Tape, Protocol):
    """A tape of one question, whose answer it has. `recorded`: when that was given."""

    @property
    def recorded(self) -> Recorded: ...


class Direct:
    """The tape of a client that has none: the server is asked, and nothing is kept."""

    server: str | None = None

    def of_sample(self, number: int) -> Direct:
        """See `Tape`."""
        return self

    def held(self) -> AbstractContextManager[object]:
        """See `Tape`."""
        return nullcontext()

    def changed_since(self, questions: Sequence[Question]) -> str | None:
        """See `Tape`."""
        return None

    def recalling(self, question: Question) -> None:
        """See `Tape`."""
        return None

    def open(
        self,
        question: Question,
        ask: Callable[[], tuple[Source, ChatRequest]],
        adopt: Callable[[Source], None],
        notes: list[str],
    ) -> tuple[Source, ChatRequest]:
        """See `Tape`."""
        return ask()


DIRECT = Direct()
