"""What goes over the wire: chunks, whole answers, usage and errors in DeepSeek's shapes.

Chunks are put together from prepared parts: with 20 alternatives a token, building dictionaries for
each would cost more than all else that this server does.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

from .sampling import Token

NOT_IN_TOP = -9999.0
"""The documented log-probability of a token that is not among the 20 likeliest."""


class TokenWriter:
    """Tokens as JSON, with what does not change between two of the same id kept."""

    def __init__(self, pieces: list[bytes]):
        self.pieces = pieces
        self._begun: dict[int, str] = {}

    def __call__(self, tokens: list[Token], alternatives: int, forced: list[bool]) -> str:
        """A JSON list of `tokens`, each with its first `alternatives` rivals (0 to 20).

        Where a constraint forced a token it says `"constrained": true`, which the API does not know: its
        log-probability is from before the constraint.
        """
        written = [self._token(token, alternatives) for token in tokens]
        for position, is_forced in enumerate(forced):
            if is_forced:
                written[position] = written[position][:-1] + ',"constrained":true}'
        return "[" + ",".join(written) + "]"

    def _token(self, token: Token, alternatives: int) -> str:
        begin = self._begin
        logprob = NOT_IN_TOP if token.logprob is None else token.logprob
        rivals = ",".join([begin(number) + repr(value) + "}" for number, value in token.top[:alternatives]])
        return f'{begin(token.id)}{logprob!r},"top_logprobs":[{rivals}]}}'

    def _begin(self, number: int) -> str:
        begun = self._begun.get(number)
        if begun is None:
            piece = self.pieces[number]
            text = encode_basestring(piece.decode("utf-8", "replace"))
            begun = self._begun[number] = f'{{"token":{text},"bytes":{list(piece)},"logprob":'
        return begun


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
    """What is the same in everything that one answer sends: id, time, model, fingerprint."""

    def __init__(self, model: str, fingerprint: str, include_usage: bool = False):
        self.fields = {
            "id": str(uuid.uuid4()),
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": fingerprint,
        }
        self.include_usage = include_usage
        self._head = "data: " + json.dumps({**self.fields, "object": "chat.completion.chunk"})[:-1]
        self._tail = ',"usage":null}\n\n' if include_usage else "}\n\n"

    def chunk(self, delta: str, logprobs: str = "null", finish: str = "null", usage: Usage | None = None) -> bytes:
        """One event of the stream; `delta`, `logprobs` and `finish` are JSON."""
        tail = f',"usage":{json.dumps(usage.to_wire())}}}\n\n' if usage else self._tail
        return (
            f'{self._head},"choices":[{{"index":0,"delta":{delta},"logprobs":{logprobs},'
            f'"finish_reason":{finish}}}]{tail}'
        ).encode()

    def end(self, reason: str, usage: Usage) -> bytes:
        """The last events: why it ended, the usage where it is due, and `[DONE]`.

        With `stream_options.include_usage` the usage comes in a chunk of its own, else on the last one.
        """
        delta = '{"content":"","role":null}'
        finish = f'"{reason}"'
        if not self.include_usage:
            return self.chunk(delta, finish=finish, usage=usage) + b"data: [DONE]\n\n"
        own = f'{self._head},"choices":[],"usage":{json.dumps(usage.to_wire())}}}\n\n'.encode()
        return self.chunk(delta, finish=finish) + own + b"data: [DONE]\n\n"

    def whole(self, message: str, logprobs: str, reason: str, usage: Usage) -> bytes:
        """The answer that is not streamed; `message` and `logprobs` are JSON."""
        head = json.dumps({**self.fields, "object": "chat.completion"})[:-1]
        return (
            f'{head},"choices":[{{"index":0,"message":{message},"logprobs":{logprobs},'
            f'"finish_reason":"{reason}"}}],"usage":{json.dumps(usage.to_wire())}}}'
        ).encode()


def error_body(
    message: str, kind: str, param: str | None = None, code: str = "invalid_request_error", **more: str
) -> bytes:
    """An error in DeepSeek's shape; `more` stands beside its fields."""
    error = {"message": message, "type": kind, "param": param, "code": code, **more}
    return json.dumps({"error": error}).encode()
