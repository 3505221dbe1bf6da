"""The data of an event to a Chunk: by a strict and fast parser, and what that refuses by a lenient one."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.json import Decoder

from ..logprobs.entries import Entry
from .clean_text import on_one_line
from .error_messages import error_in_stream
from .errors import StreamInterruptedError
from .loose_json import SurrogateJoiner, index_of, parse_json

_PATIENCE = 8
"""After so many refusals in a row the server does not speak the strict dialect: it is not tried again."""


class DeltaFields(Struct, gc=False, forbid_unknown_fields=True):
    """What one chunk adds to one message."""

    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[Any] | None = None


class EntryLists(Struct, gc=False, forbid_unknown_fields=True):
    """The lists of token log-probabilities in a chunk."""

    content: list[Entry] | None = None
    reasoning_content: list[Entry] | None = None


class ChunkChoice(Struct, gc=False, forbid_unknown_fields=True):
    """What one chunk says of one choice."""

    index: int = 0
    delta: DeltaFields | None = None
    logprobs: EntryLists | None = None
    finish_reason: str | None = None


class Chunk(Struct, gc=False, forbid_unknown_fields=True):
    """One event of a stream, its fields by their wire names. A choice that is null is passed over."""

    id: str | None = None
    object: str | None = None
    created: int | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    choices: list[ChunkChoice | None] | None = None
    usage: dict[str, Any] | None = None


class LenientChunk(Chunk, kw_only=True, gc=False):
    """A chunk with fields that we do not know or of other types than ours; `parsed` is the whole of it."""

    parsed: dict[str, Any]


_strict = Decoder(Chunk)


class ChunkDecoder:
    """Takes the data of each event and gives its Chunk; `rest` gives what half characters are left at the end.

    Both parsers say the same of whatever both take; `lenient`: never try the strict one.
    """

    def __init__(self, *, lenient: bool = False) -> None:
        self._joiner = SurrogateJoiner()
        self._refusals = _PATIENCE if lenient else 0

    def decode(self, payload: bytes) -> Chunk | None:
        """The chunk in `payload`, or None where it is empty or no object.

        Raises StreamInterruptedError where it is no JSON, or an error of the server.
        """
        if self._refusals < _PATIENCE and not self._joiner.holds:
            try:
                chunk = _strict.decode(payload)
            except (ValueError, RecursionError):
                self._refusals += 1
            else:
                self._refusals = 0
                return chunk
        return self._decode_leniently(payload)

    def rest(self) -> Chunk | None:
        """At the end: a chunk with the halves of characters that nothing can complete now."""
        return leniently({"choices": self._joiner.rest()}) if self._joiner.holds else None

    def _decode_leniently(self, payload: bytes) -> Chunk | None:
        parsed, may_hold_surrogates = _parsed(payload)
        if not isinstance(parsed, dict):
            return None
        if parsed.get("error"):
            raise error_in_stream(parsed["error"])
        if may_hold_surrogates or self._joiner.holds:
            self._joiner.heal(parsed)
        return leniently(parsed)


def leniently(parsed: dict[str, Any]) -> LenientChunk:
    """The chunk in a parsed object. Values keep whatever type they have, but for lists and objects."""
    choices = parsed.get("choices")
    return LenientChunk(
        id=parsed.get("id"),
        created=parsed.get("created"),
        model=parsed.get("model"),
        system_fingerprint=parsed.get("system_fingerprint"),
        choices=[_choice(each) for each in choices] if isinstance(choices, list) else None,
        usage=parsed.get("usage"),
        parsed=parsed,
    )


def _choice(choice: Any) -> ChunkChoice | None:
    if not isinstance(choice, dict):
        return None
    delta, lists = choice.get("delta"), choice.get("logprobs")
    return ChunkChoice(
        index=index_of(choice),
        delta=_delta(delta) if isinstance(delta, dict) else None,
        logprobs=_lists(lists) if isinstance(lists, dict) else None,
        finish_reason=choice.get("finish_reason"),
    )


def _delta(fields: dict[str, Any]) -> DeltaFields:
    get = fields.get
    return DeltaFields(get("role"), get("content"), get("reasoning_content"), get("tool_calls"))


def _lists(lists: dict[str, Any]) -> EntryLists:
    content, reasoning = lists.get("content"), lists.get("reasoning_content")
    return EntryLists(
        content if isinstance(content, list) else None, reasoning if isinstance(reasoning, list) else None
    )


def _parsed(payload: bytes) -> tuple[Any, bool]:
    if not payload.strip():
        return None, False
    try:
        return parse_json(payload)
    except ValueError:
        shown = on_one_line(payload.decode("utf-8", "replace"), 200)
    raise StreamInterruptedError(f"An event of the stream is not JSON: {shown}")
