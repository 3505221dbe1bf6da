"""Delta: what one chunk of a stream adds to one choice."""

from __future__ import annotations

from typing import Any, TypeVar

from .decoder import Chunk, ChunkChoice, LenientChunk, leniently
from .loose_json import parse_json

_Kind = TypeVar("_Kind")
_NO_CHOICE = ChunkChoice()


class Delta:
    """What one chunk of a stream adds to one choice.

    What the chunk does not have, or has of another type, is None. `usage` and `model` are the chunk's.
    """

    __slots__ = ("_chunk", "_choice", "_payload", "_position", "_parsed")

    def __init__(self, chunk: Chunk, choice: ChunkChoice, payload: bytes = b"", position: int | None = None):
        self._chunk = chunk
        self._choice = choice
        self._payload = payload
        self._position = position
        self._parsed: dict[str, Any] | None = None

    @classmethod
    def of(cls, chunk: dict[str, Any], choice: dict[str, Any]) -> Delta:
        """The delta of a parsed chunk's choice."""
        read = leniently({**chunk, "choices": [choice]})
        return cls(read, (read.choices or [None])[0] or _NO_CHOICE, position=0)

    @property
    def chunk(self) -> dict[str, Any]:
        """The whole chunk, parsed; every field as it came."""
        if isinstance(self._chunk, LenientChunk):
            return self._chunk.parsed
        if self._parsed is None:
            self._parsed, _ = parse_json(self._payload)
        parsed: dict[str, Any] = self._parsed
        return parsed

    @property
    def choice(self) -> dict[str, Any]:
        """The chunk's choice, parsed; empty where the chunk has none."""
        choice: dict[str, Any] = {} if self._position is None else self.chunk["choices"][self._position]
        return choice

    @property
    def index(self) -> int:
        """Which choice it belongs to, from 0."""
        return self._choice.index

    @property
    def role(self) -> str | None:
        """The role, where this chunk says it."""
        fields = self._choice.delta
        return None if fields is None else _of_type(str, fields.role)

    @property
    def content(self) -> str | None:
        """Text to append to the answer."""
        fields = self._choice.delta
        return None if fields is None else _of_type(str, fields.content)

    @property
    def reasoning_content(self) -> str | None:
        """Text to append to the reasoning."""
        fields = self._choice.delta
        return None if fields is None else _of_type(str, fields.reasoning_content)

    @property
    def tool_calls(self) -> list[dict[str, Any]] | None:
        """Pieces of tool calls, as they came; `index` says of which call."""
        fields = self._choice.delta
        pieces = None if fields is None else _of_type(list, fields.tool_calls)
        return pieces and [piece for piece in pieces if isinstance(piece, dict)]

    @property
    def logprobs(self) -> dict[str, Any] | None:
        """The log-probabilities of this chunk's tokens, as they came."""
        return None if self._choice.logprobs is None else _of_type(dict, self.choice.get("logprobs"))

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended, in the chunk that ends it."""
        return _of_type(str, self._choice.finish_reason)

    @property
    def usage(self) -> dict[str, Any] | None:
        """The usage, in the chunk that carries it."""
        return _of_type(dict, self._chunk.usage)

    @property
    def model(self) -> str | None:
        """The model that the chunk names."""
        return _of_type(str, self._chunk.model)

    def __bool__(self) -> bool:
        """Whether it brings anything to read: text, reasoning or a piece of a tool call."""
        fields = self._choice.delta
        return fields is not None and bool(fields.content or fields.reasoning_content or fields.tool_calls)

    def __repr__(self) -> str:
        fields = self.choice.get("delta")
        shown = {name: value for name, value in fields.items() if value} if isinstance(fields, dict) else {}
        return f"Delta({self.index}, {shown})"


def _of_type(kind: type[_Kind], value: Any) -> _Kind | None:
    return value if isinstance(value, kind) else None


def deltas_of(chunk: Chunk, payload: bytes) -> list[Delta]:
    """The deltas of a chunk read from `payload`: one a choice, and one without text where it has no choices."""
    choices = chunk.choices
    if not choices:
        return [Delta(chunk, _NO_CHOICE, payload)]
    if len(choices) == 1 and choices[0] is not None:  # nearly always, and a chunk has little time
        return [Delta(chunk, choices[0], payload, 0)]
    return [
        Delta(chunk, choice, payload, position) for position, choice in enumerate(choices) if choice is not None
    ]
