"""The wire's lists of token log-probabilities: kept as they came, turned into objects or columns on demand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from msgspec import Raw, Struct
from msgspec.json import Decoder as JsonDecoder
from pydantic import ValidationError
from pydantic_core import CoreSchema, core_schema

from ..logprobs.entries import Entry
from ..logprobs.streamed import StreamColumns
from .lenient import Incoming, Lenient, Objects, Text
from .loose_json import fit_to_keep, parse_json

if TYPE_CHECKING:
    from ..logprobs.from_wire import WireColumns


class _ChoicePlace(Struct):
    logprobs: dict[str, Raw] | None = None


class _ChunkPlace(Struct):
    choices: list[_ChoicePlace]


_PLACES = JsonDecoder(_ChunkPlace)
"""Finds the lists in a chunk without reading them."""


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

    Holds columns for the table, filled as the chunks come, and the chunks' bytes for whoever wants the entries
    themselves: 8,000 tokens with 20 alternatives are 13 MB as JSON and 100 MB as dictionaries, which
    Python's garbage collector would visit again and again while the answer streams.
    """

    def __init__(self, name: str):
        self._name = name
        self._places: list[tuple[bytes, int]] = []
        self._columns = StreamColumns()
        self._length = 0

    def append(self, entries: list[Entry] | list[Any], payload: bytes, position: int) -> None:
        """Take in the entries of this list that the choice at `position` of a chunk holds, typed or parsed."""
        self._places.append((payload, position))
        self._length += len(entries)
        if isinstance(entries[0], Entry):
            self._columns.add(entries)
        else:
            self._columns.add_parsed(entries)

    def __len__(self) -> int:
        return self._length

    def parsed(self) -> list[Any]:
        """The entries, parsed anew at each call."""
        entries: list[Any] = []
        for payload, position in self._places:
            chunk, may_hold_surrogates = parse_json(payload)
            added = chunk["choices"][position]["logprobs"][self._name]
            entries += fit_to_keep(added) if may_hold_surrogates else added
        return entries

    def json(self) -> str:
        """The entries as a JSON list, as they came where that can be: no object is made of them."""
        try:
            return f"[{','.join(filter(None, map(self._written, self._places)))}]"
        except (ValueError, LookupError):  # JSON that a strict reader does not take, or half a character
            return json.dumps(self.parsed(), separators=(",", ":"))

    def _written(self, place: tuple[bytes, int]) -> str:
        payload, position = place
        lists = _PLACES.decode(payload).choices[position].logprobs or {}
        entries = bytes(lists[self._name])
        return entries.strip()[1:-1].decode().strip()

    def columns(self) -> WireColumns:
        """The entries in columns."""
        return self._columns.columns()


class TokenLogprobs(Sequence[TokenLogprob]):
    """The tokens of an answer as TokenLogprob objects, made on demand from what the server sent."""

    def __init__(self, entries: list[Any] | StreamedEntries):
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, position: int) -> TokenLogprob: ...
    @overload
    def __getitem__(self, position: slice) -> TokenLogprobs: ...
    def __getitem__(self, position: int | slice) -> TokenLogprob | TokenLogprobs:
        if isinstance(position, slice):
            return TokenLogprobs(self._wire[position])
        entry = self._wire[position]
        try:
            return TokenLogprob.model_validate(entry if isinstance(entry, dict) else {})
        except ValidationError:  # a lone surrogate in the name of an unknown field
            return TokenLogprob.model_validate(fit_to_keep(entry))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenLogprobs) and self.wire() == other.wire()

    __hash__ = None  # type: ignore[assignment]  # as of every list

    def __repr__(self) -> str:
        return f"<{len(self)} tokens with log-probabilities>"

    def wire(self) -> list[Any]:
        """The entries as they came: a list of dictionaries, new at each call where they were streamed."""
        return self._entries.parsed() if isinstance(self._entries, StreamedEntries) else self._entries

    def columns(self) -> WireColumns:
        """The entries in columns, as a table is made from."""
        from ..logprobs.from_wire import read_entries

        return self._entries.columns() if isinstance(self._entries, StreamedEntries) else read_entries(self._entries)

    @cached_property
    def _wire(self) -> list[Any]:
        return self.wire()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validated,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: None if value is None else value.wire()  # an empty list is one, too
            ),
        )

    @classmethod
    def _validated(cls, value: Any) -> TokenLogprobs | None:
        if isinstance(value, list | StreamedEntries):
            return cls(value)
        return value if isinstance(value, cls) else None
