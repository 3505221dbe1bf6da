"""What stands around an answer on the wire, in DeepSeek's shapes: chunks, whole answers and usage."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .shape import Shape


@dataclass(frozen=True)
class Usage:
    """Tokens of one answer."""

    prompt: int
    cached: int
    completion: int
    reasoning: int = 0

    def to_wire(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_cache_hit_tokens": self.cached,
            "prompt_cache_miss_tokens": self.prompt - self.cached,
            "prompt_tokens_details": {"cached_tokens": self.cached},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning},
        }


class Envelope:
    """What is the same in everything that one answer sends: id, time, model, fingerprint.

    Choices go in as JSON fields, as their `shape` writes them.
    """

    def __init__(self, model: str, fingerprint: str, shape: Shape, include_usage: bool = False):
        self.fields = {
            "id": str(uuid.uuid4()),
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": fingerprint,
        }
        self.include_usage = include_usage
        self._provenance = ""
        self._object = shape.object
        self._head = "data: " + json.dumps({**self.fields, "object": shape.chunk_object})[:-1]
        self._tail = ',"usage":null}\n\n' if include_usage else "}\n\n"

    def tell(self, provenance: dict[str, Any]) -> None:
        """Say once, in a field that DeepSeek does not have, how the answer is made."""
        self._provenance = f',"provenance":{json.dumps(provenance)}'

    def chunk(self, choice: str, finish: str = "null", usage: Usage | None = None) -> bytes:
        """One event of the stream; `choice` and `finish` are JSON."""
        head, self._provenance = self._head + self._provenance, ""
        tail = f',"usage":{json.dumps(usage.to_wire())}}}\n\n' if usage else self._tail
        return f'{head},"choices":[{{"index":0,{choice},"finish_reason":{finish}}}]{tail}'.encode()

    def end(self, choice: str, reason: str, usage: Usage) -> bytes:
        """The last events: why it ended, the usage where it is due, and `[DONE]`.

        With `stream_options.include_usage` the usage comes in a chunk of its own, else on the last one.
        """
        finish = f'"{reason}"'
        if not self.include_usage:
            return self.chunk(choice, finish, usage) + b"data: [DONE]\n\n"
        own = f'{self._head},"choices":[],"usage":{json.dumps(usage.to_wire())}}}\n\n'.encode()
        return self.chunk(choice, finish) + own + b"data: [DONE]\n\n"

    def whole(self, choices: list[str], reason: str, usage: Usage) -> bytes:
        """The answer that is not streamed."""
        head = json.dumps({**self.fields, "object": self._object})[:-1] + self._provenance
        written = ",".join(
            f'{{"index":{index},{choice},"finish_reason":"{reason}"}}' for index, choice in enumerate(choices)
        )
        return f'{head},"choices":[{written}],"usage":{json.dumps(usage.to_wire())}}}'.encode()
