"""How what is said becomes the choices of `/completions`: text, and its tokens as they were told of before chats."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from json.encoder import encode_basestring

from ..answers.speech import Part
from ..engine.engine import Engine
from ..engine.sampling import Token
from .shape import Shape
from .token_json import NOT_IN_TOP


class TextShape(Shape):
    """The choices of `/completions`; `prompt` comes first where `echo` asks for it.

    There are no bytes on this wire: what a token of half a character shows comes with the one that ends it, so that
    `tokens` joined are the text. `text_offset` counts characters from the beginning of the prompt.
    """

    object = chunk_object = "text_completion"
    closing = '"text":"","logprobs":null'

    def __init__(self, engine: Engine, prompt: str, echo: bool, alternatives: int | None):
        super().__init__(alternatives)
        self._engine = engine
        self._echoed = prompt if echo else ""
        self._at = len(prompt)
        self.opening = f'"text":{encode_basestring(prompt)},"logprobs":null' if self._echoed else ""

    def added(self, part: Part) -> str:
        return self._choice(part.text, [part])

    def whole(self, parts: list[Part]) -> str:
        return self._choice(self._echoed + "".join(part.text for part in parts), parts)

    def _choice(self, text: str, parts: list[Part]) -> str:
        logprobs = "null" if self.alternatives is None else self._logprobs(parts)
        return f'"text":{encode_basestring(text)},"logprobs":{logprobs}'

    def _logprobs(self, parts: list[Part]) -> str:
        lists: dict[str, list[object]] = {
            name: [] for name in ("tokens", "token_logprobs", "text_offset", "top_logprobs")
        }
        for part in parts:
            at = self._at
            for token, begun, text in _spelt(part.tokens, self._engine.model.pieces):
                lists["tokens"].append(text)
                lists["token_logprobs"].append(NOT_IN_TOP if token.logprob is None else token.logprob)
                lists["text_offset"].append(at)
                lists["top_logprobs"].append(self._rivals(token, begun, text))
                at += len(text)
            self._at += len(part.text)
        return json.dumps(lists, ensure_ascii=False)

    def _rivals(self, token: Token, begun: bytes, text: str) -> dict[str, float]:
        """The likeliest tokens, by what each would show after the bytes of a character that is `begun`, and the drawn
        one by its `text`; of two that show the same the likelier stands for both, but for the drawn one's number."""
        found: dict[str, float] = {}
        for number, logprob in token.top[: self.alternatives]:
            if number == token.id:
                found[text] = logprob
            elif (shown := self._shown(number, begun, token.cut)) != text:
                found.setdefault(shown, logprob)
        if token.logprob is not None:
            found.setdefault(text, token.logprob)
        return found

    def _shown(self, number: int, begun: bytes, cut: int) -> str:
        """What a token would show; a mark, which shows nothing, goes by its name."""
        piece = self._engine.model.pieces[number]
        return (begun + piece[cut:]).decode("utf-8", "replace") if piece else self._names[number]

    @cached_property
    def _names(self) -> dict[int, str]:
        return {number: name for name, number in self._engine.model.marks.items()}


def _spelt(tokens: Sequence[Token], pieces: Sequence[bytes]) -> Iterator[tuple[Token, bytes, str]]:
    """The tokens of one part, each with the bytes of a character that is begun before it, and what it completes."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for place, token in enumerate(tokens, 1):
        begun = decoder.getstate()[0]
        yield token, begun, decoder.decode(pieces[token.id][token.cut:], place == len(tokens))
