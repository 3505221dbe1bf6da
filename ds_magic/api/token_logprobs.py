"""The wire's lists of token log-probabilities: kept as they came, turned into objects on demand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from pydantic_core import core_schema

from .lenient import Incoming, Lenient, Objects, Text
from .loose_json import parse_json


class TopLogprob(Incoming):
    """An alternative at a position. `logprob` in nats; −9999.0 means "not among the top 20"."""

    token: Text = ""
    logprob: Lenient[float] = None
    bytes: Lenient[list[int]] = None


class TokenLogprob(TopLogprob):
    """A token of the answer with its alternatives, most likely first where the server sorts them."""

    top_logprobs: Objects[TopLogprob] = []


class StreamedEntries:
    """The entries of one list of one choice, as the chunks of a stream brought them.

    Holds the chunks' bytes rather than what they parse to: 8,000 tokens with 20 alternatives are 13 MB as
    JSON and 100 MB as dictionaries, which Python's garbage collector would visit again and again while
    the answer streams.
    """

    def __init__(self, name: str):
        self._name = name
        self._places: list[tuple[bytes, int]] = []
        self._length = 0

    def append(self, payload: bytes, position: int, count: int) -> None:
        """Take in a chunk whose choice at `position` holds `count` entries of this list."""
        self._places.append((payload, position))
        self._length += count

    def __len__(self) -> int:
        return self._length

    def parsed(self) -> list[Any]:
        """The entries, parsed anew at each call."""
        return [
            entry
            for payload, position in self._places
            for entry in parse_json(payload)[0]["choices"][position]["logprobs"][self._name]
        ]


class TokenLogprobs(Sequence):
    """The tokens of an answer as TokenLogprob objects, made on demand from what the server sent."""

    def __init__(self, entries: list[Any] | StreamedEntries):
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, position):
        if isinstance(position, slice):
            return TokenLogprobs(self._wire[position])
        entry = self._wire[position]
        return TokenLogprob.model_validate(entry if isinstance(entry, dict) else {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenLogprobs) and self.wire() == other.wire()

    __hash__ = None

    def __repr__(self) -> str:
        return f"<{len(self)} tokens with log-probabilities>"

    def wire(self) -> list[Any]:
        """The entries as they came: a list of dictionaries, new at each call where they were streamed."""
        return self._entries.parsed() if isinstance(self._entries, StreamedEntries) else self._entries

    @cached_property
    def _wire(self) -> list[Any]:
        return self.wire()

    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        return core_schema.no_info_plain_validator_function(
            cls._validated,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value and value.wire()),
        )

    @classmethod
    def _validated(cls, value: Any) -> TokenLogprobs | None:
        if isinstance(value, list | StreamedEntries):
            return cls(value)
        return value if isinstance(value, cls) else None
