"""Delta: what a chunk of a stream adds, as it is given to whoever iterates over the stream."""

from __future__ import annotations

from typing import Any

from .loose_json import index_of


class Delta:
    """What one chunk of a stream adds to one choice: a light view of the parsed chunk.

    What the chunk does not have, or has of another type, is None. `usage` and `model` are the chunk's.
    """

    __slots__ = ("chunk", "choice", "_fields")

    def __init__(self, chunk: dict[str, Any], choice: dict[str, Any]):
        self.chunk = chunk
        self.choice = choice
        fields = choice.get("delta")
        self._fields = fields if isinstance(fields, dict) else {}

    @property
    def index(self) -> int:
        """Which choice it belongs to, from 0."""
        return index_of(self.choice)

    @property
    def role(self) -> str | None:
        """The role, where this chunk says it."""
        return _of_type(str, self._fields.get("role"))

    @property
    def content(self) -> str | None:
        """Text to append to the answer."""
        text = self._fields.get("content")
        return text if isinstance(text, str) else None

    @property
    def reasoning_content(self) -> str | None:
        """Text to append to the reasoning."""
        text = self._fields.get("reasoning_content")
        return text if isinstance(text, str) else None

    @property
    def tool_calls(self) -> list[dict[str, Any]] | None:
        """Pieces of tool calls, as they came; `index` says of which call."""
        pieces = _of_type(list, self._fields.get("tool_calls"))
        return pieces and [piece for piece in pieces if isinstance(piece, dict)]

    @property
    def logprobs(self) -> dict[str, Any] | None:
        """The log-probabilities of this chunk's tokens, as they came."""
        return _of_type(dict, self.choice.get("logprobs"))

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended, in the chunk that ends it."""
        return _of_type(str, self.choice.get("finish_reason"))

    @property
    def usage(self) -> dict[str, Any] | None:
        """The usage, in the chunk that carries it."""
        return _of_type(dict, self.chunk.get("usage"))

    @property
    def model(self) -> str | None:
        """The model that the chunk names."""
        return _of_type(str, self.chunk.get("model"))

    def __bool__(self) -> bool:
        """Whether it brings anything to read: text, reasoning or a piece of a tool call."""
        fields = self._fields
        return bool(fields.get("content") or fields.get("reasoning_content") or fields.get("tool_calls"))

    def __repr__(self) -> str:
        shown = {name: value for name, value in self._fields.items() if value}
        return f"Delta({self.index}, {shown})"


def _of_type(kind: type, value: Any) -> Any:
    return value if isinstance(value, kind) else None


def deltas_of(chunk: dict[str, Any]) -> list[Delta]:
    """The deltas of a parsed chunk: one a choice, and one without text where it has no choices."""
    choices = chunk.get("choices")
    if not isinstance(choices, list) or not choices:
        return [Delta(chunk, {})]
    if len(choices) == 1 and isinstance(choices[0], dict):
        return [Delta(chunk, choices[0])]
    return [Delta(chunk, choice) for choice in choices if isinstance(choice, dict)]
