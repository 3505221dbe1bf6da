"""How what is said becomes the choices on the wire: of a chat's answers, and what every endpoint's shape has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from ..answers.speech import Part
from ..engine.sampling import Token
from .message_json import delta, message

Written = Callable[[list[Token], int, list[bool]], str]
"""Tokens, how many alternatives of each, and whether each was forced ─▶ their JSON."""


class Shape(ABC):
    """What is said, as the fields of a choice: JSON, without the index and the finish_reason that all choices have.

    `opening` are those of an event before the first part, empty where there is none, and `closing` those of the last.
    `alternatives`: as many of each token as are told; None: nothing is told of tokens.
    """

    object: str
    chunk_object: str
    opening: str
    closing: str

    def __init__(self, alternatives: int | None):
        self.alternatives = alternatives

    def shows(self, part: Part) -> bool:
        """Whether there is anything of `part` to send."""
        return bool(part.text or part.name or (part.tokens and self.alternatives is not None))

    @abstractmethod
    def added(self, part: Part) -> str:
        """What one part adds to a streamed choice."""

    @abstractmethod
    def whole(self, parts: list[Part]) -> str:
        """A choice that is not streamed."""


class ChatShape(Shape):
    """The choices of `/chat/completions`: messages, and the log-probabilities of their tokens with bytes."""

    object = "chat.completion"
    chunk_object = "chat.completion.chunk"
    opening = '"delta":{"role":"assistant","content":""},"logprobs":null'
    closing = '"delta":{"content":"","role":null},"logprobs":null'

    def __init__(self, written: Written, alternatives: int | None, thinks: bool):
        super().__init__(alternatives)
        self._written = written
        self._thinks = thinks

    def added(self, part: Part) -> str:
        return f'"delta":{delta(part)},"logprobs":{self._logprobs([part])}'

    def whole(self, parts: list[Part]) -> str:
        return f'"message":{message(parts, self._thinks)},"logprobs":{self._logprobs(parts)}'

    def _logprobs(self, parts: list[Part]) -> str:
        """The `logprobs` of a choice: a list for the content, and one for the thinking."""
        if self.alternatives is None:
            return "null"
        lists = {}
        for kind in ("content", "reasoning"):
            own = [part for part in parts if part.kind == kind]
            tokens = [token for part in own for token in part.tokens]
            forced = [is_forced for part in own for is_forced in part.forced]
            lists[kind] = self._written(tokens, self.alternatives, forced) if own else "null"
        if not self._thinks:
            return f'{{"content":{lists["content"]}}}' if lists["content"] != "null" else "null"
        return f'{{"content":{lists["content"]},"reasoning_content":{lists["reasoning"]}}}'
