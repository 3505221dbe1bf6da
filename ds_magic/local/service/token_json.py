"""Tokens with their log-probabilities as the API's JSON.

They are put together from prepared parts: with 20 alternatives a token, building dictionaries for each
would cost more than all else that this server does.
"""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring

from ..engine.sampling import Token

NOT_IN_TOP = -9999.0
"""The documented log-probability of a token that is not among the 20 likeliest."""


class TokenWriter:
    """Tokens as JSON, with what does not change between two of the same id kept."""

    def __init__(self, pieces: list[bytes], marks: Mapping[str, int]):
        self.pieces = pieces
        # A mark of the template spells nothing, so that joined tokens are the answer. Its name, an extension, tells two
        # of them apart: a model may have several that end.
        self.names = {number: name for name, number in marks.items() if not pieces[number]}
        self._begun: dict[int, str] = {}

    def __call__(self, tokens: list[Token], alternatives: int, forced: list[bool]) -> str:
        """A JSON list of `tokens`, each with its first `alternatives` rivals.

        Where a constraint forced a token it says `"constrained": true`, which the API does not know: its
        log-probability is from before the constraint.
        """
        written = [self._token(token, alternatives) for token in tokens]
        for position, is_forced in enumerate(forced):
            if is_forced:
                written[position] = written[position][:-1] + ',"constrained":true}'
        return "[" + ",".join(written) + "]"

    def _token(self, token: Token, alternatives: int) -> str:
        begin = self._begin if not token.cut else lambda number: self._begun_at(number, token.cut)
        logprob = NOT_IN_TOP if token.logprob is None else token.logprob
        rivals = ",".join([begin(number) + repr(value) + "}" for number, value in token.top[:alternatives]])
        return f'{begin(token.id)}{logprob!r},"top_logprobs":[{rivals}]}}'

    def _begin(self, number: int) -> str:
        begun = self._begun.get(number)
        if begun is None:
            begun = self._begun[number] = self._begun_at(number, 0)
        return begun

    def _begun_at(self, number: int, cut: int) -> str:
        piece = self.pieces[number][cut:]
        text = encode_basestring(piece.decode("utf-8", "replace"))
        mark = f'"mark":{encode_basestring(name)},' if (name := self.names.get(number)) else ""
        return f'{{"token":{text},{mark}"bytes":{list(piece)},"logprob":'
