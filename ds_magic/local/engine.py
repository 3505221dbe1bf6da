"""The model as a service: loaded in the background, a few at a time, the others wait their turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from . import glyphs
from .errors import ContextOverflowError, EngineError, LocalModelError
from .gguf import Model
from .gguf import read as read_gguf
from .llama import Llama
from .prompt import Template
from .slots import Slot, Slots

ALTERNATIVES = 20


class Token(NamedTuple):
    """One token that was chosen: its id, its log-probability in nats (before temperature), its rivals."""

    id: int
    logprob: float | None
    """None where it is not among `top`."""
    top: list[tuple[int, float]]
    """The most likely tokens there, likeliest first: id and log-probability."""


class Piece(NamedTuple):
    """What the model said since the last piece: `text`, whole characters, and the tokens it is made of."""

    text: str
    tokens: list[Token]
    """Empty unless log-probabilities were asked for."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen: p^(1/temperature) of the model's p, of that the `top_p` mass."""

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logprobs: bool = False
    seed: int | None = None
    constraint: dict[str, Any] = field(default_factory=dict)
    """`{"grammar": …}` or `{"json_schema": …}`, as llama.cpp takes them; empty: free."""


@dataclass
class Outcome:
    """How a generation ended, filled in when it has."""

    reason: str = ""
    """`stop`, or `length`."""
    cached: int = 0
    """Tokens of the prompt that were in memory already."""
    generated: int = 0


class Engine:
    """A model, its template and its slots.

    `load` must have been started; everything else waits for it. `failure` is the LocalModelError that
    keeps it from answering, or None.
    """

    def __init__(self, *, threads: int, parallel: int = 4, waiting: int = 32, context: int | None = None):
        self.threads = threads
        self.slots = Slots(parallel, waiting)
        self._context = context
        self.model: Model | None = None
        self.failure: LocalModelError | None = None
        self._loaded = asyncio.Event()

    @property
    def is_loaded(self) -> bool:
        return self._loaded.is_set() and self.failure is None

    @property
    def context(self) -> int:
        """Tokens of prompt and answer together that one request may have."""
        return self._context or self.model.context

    def describe(self, path: Path) -> None:
        """Read what the file says of its model: quick, so that the model can be named while it loads."""
        self.model = read_gguf(path)
        if self._context is None:
            self._context = min(self.model.context, 8192)

    async def load(self, path: Path) -> None:
        """Load the model. A failure is kept in `failure` and raised by everything that needs it."""
        try:
            if self.model is None:
                await asyncio.to_thread(self.describe, path)
            self.llama = Llama(path, threads=self.threads, parallel=self.slots.count, context=self.context)
            await asyncio.to_thread(self.llama.start)
            self.template = Template(self.model, self.llama)
        except LocalModelError as error:
            self.failure = error
        finally:
            self._loaded.set()

    def fail(self, error: LocalModelError) -> None:
        """The model cannot be loaded at all."""
        self.failure = error
        self._loaded.set()

    async def ready(self) -> None:
        """Wait until the model is loaded. Raises the LocalModelError that prevented it."""
        await self._loaded.wait()
        if self.failure is not None:
            raise self.failure

    async def close(self) -> None:
        if self.is_loaded:
            await self.llama.close()

    def check_room(self, prompt: list[int]) -> None:
        """Raise ContextOverflowError where `prompt` leaves no room for an answer."""
        if len(prompt) >= self.context:
            raise ContextOverflowError(
                f"This model's maximum context length is {self.context} tokens. However, "
                f"your messages resulted in {len(prompt)} tokens.",
                needed=len(prompt), room=self.context,
            )

    async def generate(
        self, slot: Slot, prompt: list[int], sampling: Sampling, outcome: Outcome
    ) -> AsyncIterator[Piece]:
        """What the model says after `prompt`, as it says it; `outcome` is filled in at the end.

        With log-probabilities each token is accounted for, also those within a character, which
        llama.cpp passes over: the stream is left there, they are looked up, and it goes on after them.
        """
        told: list[int] = []
        limit = min(sampling.max_tokens, self.context - len(prompt))
        resumed = False
        while True:
            gap = None
            counted = 0
            slot.tokens = prompt + told
            async with self.llama.completion(self._body(slot, prompt, told, sampling, limit)) as events:
                async for event in events:
                    if event.get("stop"):
                        break
                    if "prompt_progress" in event:
                        if not resumed:
                            outcome.cached = event["prompt_progress"]["cache"]
                        continue
                    missing, counted = event["tokens_predicted"] - counted - 1, event["tokens_predicted"]
                    if not sampling.logprobs:
                        outcome.generated = counted
                        yield Piece(event["content"], [])
                        continue
                    token = as_token(event["completion_probabilities"][0])
                    if missing:
                        gap = glyphs.Gap(missing, token, event["completion_probabilities"][0]["bytes"])
                        break
                    told.append(token.id)
                    outcome.generated = len(told)
                    yield Piece(event["content"], [token])
                else:
                    raise EngineError("The engine ended in the middle of an answer.")
            if gap is None:
                break
            resumed = True
            found = await glyphs.fill(self, slot, prompt + told, gap)
            told += [token.id for token in found]
            outcome.generated = len(told)
            yield Piece(event["content"], found)
            if len(told) >= limit:
                outcome.reason = "length"
                return
        lost = event["tokens_predicted"] - counted
        outcome.generated += lost
        outcome.reason = "length" if event["stop_type"] == "limit" else "stop"
        if lost > 0:
            redrawn = []
            if sampling.logprobs:
                ended = event["stop_type"] == "eos"
                redrawn = await glyphs.redraw(self, slot, prompt + told, lost, ended, sampling)
            tail = b"".join(self.model.pieces[token.id] for token in redrawn).decode("utf-8", "replace")
            yield Piece(tail or "\ufffd", redrawn)

    def _body(
        self, slot: Slot, prompt: list[int], told: list[int], sampling: Sampling, limit: int
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "prompt": prompt + told,
            "id_slot": slot.number,
            "n_predict": limit - len(told),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "frequency_penalty": sampling.frequency_penalty,
            "presence_penalty": sampling.presence_penalty,
            "repeat_last_n": self.context,
            "n_probs": ALTERNATIVES if sampling.logprobs else 0,
            "return_progress": True,
            "response_fields": ["stop", "stop_type", "tokens_predicted"],
            **sampling.constraint,
        }
        if sampling.seed is not None:
            body["seed"] = (sampling.seed + len(told)) % 2**32
        if bias := self._spared_marks(prompt, sampling):
            body["logit_bias"] = bias
        return body

    def _spared_marks(self, prompt: list[int], sampling: Sampling) -> list[list[float]]:
        """What makes up for the penalties on the template's marks.

        They stand in the prompt once a message, and are not text that anybody repeats: with a penalty
        the longer a conversation, the less an answer could end.
        """
        if not (sampling.frequency_penalty or sampling.presence_penalty):
            return []
        marks = set(self.model.marks.values())
        counts: dict[int, int] = {}
        for token in prompt:
            if token in marks:
                counts[token] = counts.get(token, 0) + 1
        return [
            [token, sampling.frequency_penalty * count + sampling.presence_penalty]
            for token, count in counts.items()
        ]


def as_token(entry: dict[str, Any]) -> Token:
    """A token of llama.cpp's `completion_probabilities`."""
    top = [(rival["id"], rival["logprob"]) for rival in entry["top_logprobs"]]
    chosen = entry["id"]
    return Token(chosen, next((logprob for rival, logprob in top if rival == chosen), None), top)
