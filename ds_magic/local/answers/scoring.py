"""One request ─▶ how likely each of some given texts is as its answer: the field `score`, an extension of ours.

`"score": ["yes", "no"]` beside the documented fields asks for no answer, but for the log-probability of every token of
these texts where each of them is the answer, or goes on after a prefix. There is a choice for each text, in their
order: the text is its content, and its logprobs are as of an answer that the model gave itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...api.request import ChatRequest
from ..engine import healing
from ..engine.engine import Engine
from ..engine.sampling import ALTERNATIVES, Outcome, Token
from ..engine.slots import Slot
from ..model_failures import ContextOverflowError
from ..service import origin
from ..service.envelope import Usage
from ..service.refusal import Refusal
from . import dialogue
from .speech import Part

MOST_TEXTS = 64
_FORCE = 1000.0
_NOTHING = -9998.0
"""llama.cpp writes a probability that is too small for a float as the least of all numbers."""


class _Parted(NamedTuple):
    """The tokens of a text, and what stands before them: the prompt, or it without a last word that the first one
    completes."""

    prompt: list[int]
    ids: list[int]
    completes: bool


def texts_of(request: ChatRequest) -> list[str]:
    """The texts that are to be scored; none where an answer is asked for. Raises Refusal."""
    if "score" not in request.extra:
        return []
    texts: Any = request.extra["score"]
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise Refusal(400, "score must be a list of texts, none of them empty.", "score")
    if not 1 <= len(texts) <= MOST_TEXTS:
        raise Refusal(400, f"score has {len(texts)} texts, and takes from 1 to {MOST_TEXTS}.", "score")
    if (request.top_logprobs or 0) > ALTERNATIVES:
        raise Refusal(400, f"With score, top_logprobs is at most {ALTERNATIVES}.", "top_logprobs")
    for name, is_there in (
        ("thinking", request.thinks), ("stream", request.stream), ("tools", request.tools),
        ("response_format", request.response_format and request.response_format.type != "text"),
    ):
        if is_there:
            raise Refusal(400, f"score and {name} do not go together.", name)
    return texts


class Scoring:
    """The scores of `texts` as answers to `request`; `scored` gives them, after `prepare`."""

    reason = "stop"
    field = "messages"

    def __init__(self, engine: Engine, request: ChatRequest, texts: list[str]):
        self.engine = engine
        self.request = request
        self.texts = texts
        self.stage = "queued"
        self._said = dialogue.opening(request)
        self._begins = dialogue.beginning(request)
        self._prompt: list[int] = []
        self._word = ""
        self._parted: list[_Parted] = []
        self._read = Outcome()

    @property
    def usage(self) -> Usage:
        """Tokens of the prompt, and of all texts after it."""
        return Usage(len(self._prompt), min(self._read.cached, len(self._prompt)), self._read.generated)

    async def prepare(self) -> None:
        """Wait for the model and see whether everything fits. Raises LocalModelError."""
        await self.engine.ready()
        self._prompt = await self.engine.template.ids(self._said, *self._begins)
        self.engine.check_room(self._prompt)
        room = self.engine.context - len(self._prompt)
        begins, tokens = self._begins
        head, self._word = healing.parted(begins) if not tokens else (begins, "")
        before = await self.engine.template.ids(self._said, head)
        for text in self.texts:
            whole = await self.engine.llama.tokenize([self._word + text])
            if self._completes(whole[0]):
                self._parted.append(_Parted(before, whole, True))
            else:  # it is parted into tokens by itself, as the model would begin it: at the end of a token
                self._parted.append(_Parted(self._prompt, await self.engine.llama.tokenize([text]), False))
        needed = sum(len(each.ids) for each in self._parted)
        if needed > room:
            raise ContextOverflowError(
                f"This model's maximum context length is {self.engine.context} tokens. However, your messages resulted "
                f"in {len(self._prompt)} tokens, and the texts to score in {needed}.", needed=needed, room=room,
            )

    def _completes(self, number: int) -> bool:
        """Whether a token is the word that the prefix ends with, and more."""
        piece, word = self.engine.model.pieces[number], self._word.encode()
        return bool(word) and len(piece) > len(word) and piece.startswith(word) and number in self.engine.model.whole

    def told(self) -> dict[str, Any]:
        """What a token would be drawn with, though none is."""
        return origin.of_answer(self.request)

    async def scored(self) -> list[Part]:
        """All texts with their tokens, as if the model had chosen them; waits for a slot first."""
        async with self.engine.slots.take(self._prompt) as slot:
            self.stage = "reading"
            return [
                Part("content", text, [await self._token(slot, parted, place) for place in range(len(parted.ids))], [])
                for text, parted in zip(self.texts, self._parted, strict=True)
            ]

    async def _token(self, slot: Slot, parted: _Parted, place: int) -> Token:
        """The token at `place` of a text, with its rivals; numbers are from before any bias."""
        number = parted.ids[place]
        if place == 0 and parted.completes:
            self._read.generated += 1
            return await healing.told(self.engine, slot, parted.prompt, self._word, number)
        slot.tokens = parted.prompt + parted.ids[:place]
        body = {"prompt": slot.tokens, "id_slot": slot.number, "n_predict": 1, "temperature": 0.0}
        # What is forced is told of with its own number, but where the text ends within a character nothing is told:
        # there a plain token is forced, and the numbers of the whole vocabulary are asked for.
        model = self.engine.model
        is_told = number not in model.fragments
        answer = await self.engine.llama.sample({
            **body, "n_probs": ALTERNATIVES if is_told else len(model.pieces),
            "logit_bias": [[number if is_told else model.plain, _FORCE]],
        })
        self._read.generated += 1
        entry = answer["completion_probabilities"][0]
        if self._read.generated == 1:
            self._read.cached = answer["timings"]["cache_n"]
        rivals = entry["top_logprobs"]
        own = entry if is_told else next(rival for rival in rivals if rival["id"] == number)
        top = [(rival["id"], rival["logprob"]) for rival in rivals[:ALTERNATIVES]]
        return Token(number, own["logprob"] if own["logprob"] > _NOTHING else None, top)
