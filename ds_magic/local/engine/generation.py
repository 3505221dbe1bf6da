"""One prompt ─▶ pieces of text with every token accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ..model_failures import EngineError
from . import lost_tokens
from .sampling import Outcome, Piece, Sampling, Token
from .slots import Slot

if TYPE_CHECKING:
    from .engine import Engine


async def generate(
    engine: Engine, slot: Slot, prompt: list[int], sampling: Sampling, outcome: Outcome
) -> AsyncGenerator[Piece, None]:
    """What the model says after `prompt`, as it says it; `outcome` is kept up to date.

    With log-probabilities each token is accounted for, also those within a character, which llama.cpp
    passes over: they are looked up. A free text is left there and goes on after them. One under a
    grammar cannot be taken up again, so what follows is held back until it has ended.
    """
    run = _Run(engine, slot, prompt, sampling, outcome)
    while True:
        gap, is_left = None, False
        async with aclosing(run.events()) as events:
            async for found in events:
                if isinstance(found, Piece):
                    yield found
                    is_left = run.spares_too_much and sampling.grammar is None
                elif sampling.grammar is None:
                    gap, is_left = found, True
                else:
                    run.held.append(found)
                if is_left:
                    break
        if gap is not None:
            yield await run.fill(gap)
        if not is_left:
            break
        if run.is_full:
            outcome.reason = "length"
            return
    async for piece in run.ending():
        yield piece


class _Run:
    """One generation: what was told so far, and what the engine's last event said."""

    def __init__(self, engine: Engine, slot: Slot, prompt: list[int], sampling: Sampling, outcome: Outcome):
        self.engine = engine
        self.slot = slot
        self.prompt = prompt
        self.sampling = sampling
        self.outcome = outcome
        self.limit = min(sampling.max_tokens, engine.context - len(prompt))
        self.told: list[int] = []
        self.held: list[Piece | lost_tokens.Gap] = []
        self.spares_too_much = False
        """Whether a token was told that the engine's request still spares the presence penalty."""
        self._asked = Counter(prompt[: len(prompt) - sampling.begun])
        self._unsaid = self._asked.keys() - prompt[len(prompt) - sampling.begun :]
        self._stopped: dict[str, Any] = {}
        self._lost = 0

    @property
    def is_full(self) -> bool:
        return len(self.told) >= self.limit

    async def events(self) -> AsyncGenerator[Piece | lost_tokens.Gap, None]:
        """Pieces and gaps, from where the text stands until it ends or is left."""
        self.slot.tokens = self.prompt + self.told
        counted = 0
        first = not self.told
        async with self.engine.llama.completion(self._body()) as events:
            async for event in events:
                if event.get("stop"):
                    self._stopped = event
                    self._lost = event["tokens_predicted"] - counted
                    return
                if "prompt_progress" in event:
                    if first:
                        self.outcome.cached = event["prompt_progress"]["cache"]
                    continue
                missing, counted = event["tokens_predicted"] - counted - 1, event["tokens_predicted"]
                if not self.sampling.logprobs:
                    self.outcome.generated = counted
                    yield Piece(event["content"], [])
                    continue
                entry = event["completion_probabilities"][0]
                token = Token.from_engine(entry)
                if missing:
                    yield lost_tokens.Gap(missing, token, entry["bytes"], event["content"])
                elif self.held:
                    self.held.append(Piece(event["content"], [token]))
                else:
                    yield self._tell(Piece(event["content"], [token]))
        raise EngineError("The engine ended in the middle of an answer.")

    async def fill(self, gap: lost_tokens.Gap) -> Piece:
        """The piece that `gap` stands for."""
        alternatives = self.sampling.alternatives
        found = await lost_tokens.fill(self.engine, self.slot, self.prompt + self.told, gap, alternatives)
        return self._tell(Piece(gap.text, found))

    async def ending(self) -> AsyncGenerator[Piece, None]:
        """What was held back, and what was lost where the text ended within a character."""
        for held in self.held:
            yield await self.fill(held) if isinstance(held, lost_tokens.Gap) else self._tell(held)
        if not self._stopped:
            return
        self.outcome.generated += self._lost
        self.outcome.reason = "length" if self._stopped["stop_type"] == "limit" else "stop"
        if self._lost > 0:
            redrawn: list[Token] = []
            if self.sampling.logprobs:
                ended = self._stopped["stop_type"] == "eos"
                redrawn = await lost_tokens.redraw(
                    self.engine, self.slot, self.prompt + self.told, self._lost, ended, self.sampling
                )
            tail = b"".join(self.engine.model.pieces[token.id] for token in redrawn)
            yield Piece(tail.decode("utf-8", "replace") or "\ufffd", redrawn)

    def _tell(self, piece: Piece) -> Piece:
        said = [token.id for token in piece.tokens]
        self.told += said
        self.outcome.generated = len(self.told)
        if self.sampling.presence_penalty:
            self.spares_too_much = self.spares_too_much or not self._unsaid.isdisjoint(said)
            self._unsaid = self._unsaid.difference(said)
        return piece

    def _body(self) -> dict[str, Any]:
        sampling = self.sampling
        body: dict[str, Any] = {
            "prompt": self.prompt + self.told,
            "id_slot": self.slot.number,
            "n_predict": self.limit - len(self.told),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "frequency_penalty": sampling.frequency_penalty,
            "presence_penalty": sampling.presence_penalty,
            "repeat_last_n": self.engine.context,
            "n_probs": sampling.alternatives if sampling.logprobs else 0,
            "return_progress": True,
            "response_fields": ["stop", "stop_type", "tokens_predicted"],
        }
        if sampling.marks:
            body["preserved_tokens"] = sampling.marks
        if sampling.grammar is not None:
            body["grammar"] = sampling.grammar
        if sampling.seed is not None:
            body["seed"] = (sampling.seed + len(self.told)) % 2**32
        if bias := self._spared():
            body["logit_bias"] = bias
        return body

    def _spared(self) -> list[list[float]]:
        """What makes up for the penalties on the prompt, which llama.cpp counts: they are for what the answer says.

        So they are documented; else the longer a conversation, the less an answer could end. A bias stays as it is
        while the engine writes, so that a free text is taken up anew where it first says a token of the prompt.
        """
        self.spares_too_much = False
        frequency, presence = self.sampling.frequency_penalty, self.sampling.presence_penalty
        if not (frequency or presence):
            return []
        return [
            [token, frequency * count + (presence if token in self._unsaid else 0.0)]
            for token, count in self._asked.items()
        ]
