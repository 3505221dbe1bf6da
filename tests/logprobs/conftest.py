"""The embedded model's own view of a token: its whole distribution, of which the API gives the top."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from ds_magic.local import weights
from ds_magic.local.engine.llama import Llama

VOCABULARY = 49_152
PLACES = {
    "What year did World War II end?":
        "We undertook the entry of 900 Pacific islands under US terms, ending the war on December 7, 1",
    "When did World War II end?": "World War II ended in",
    "Tell a story.": "Once upon a time, there was a little",
    "What is the capital of France?": "The capital of France is",
    "Name a colour.": "A",
    "How many legs has a dog?": "A dog has",
    "Count.": "1, 2, 3,",
}
"""A question, and how its answer begins: what comes next is sure, open, or between the two."""


class Whole(NamedTuple):
    """All tokens that may stand at one place, likeliest first, with the engine's log-probabilities in nats."""

    tokens: list[str]
    logprobs: np.ndarray

    def entry(self, k: int = 20, chosen: int = 0) -> dict:
        """The place as the API has it: the token of rank `chosen` + 1, and the `k` likeliest."""
        top = [{"token": token, "logprob": float(logprob), "bytes": None} for token, logprob in zip(
            self.tokens[:k], self.logprobs[:k], strict=True)]
        return {
            "token": self.tokens[chosen], "logprob": float(self.logprobs[chosen]), "bytes": None, "top_logprobs": top,
        }


class Model:
    """The engine itself, asked for everything that may stand at a place."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._engine = Llama(weights.model_path(), threads=1, parallel=1, context=1024)
        self._engine.start()

    def whole(self, question: str, begun: str, *tokens: str) -> Whole:
        """The place in an answer to `question` after the text `begun`, and after `tokens`, each a token of its own."""
        return self._loop.run_until_complete(self._whole(question, begun, tokens))

    def close(self) -> None:
        self._loop.run_until_complete(self._engine.close())
        self._loop.close()

    async def _whole(self, question: str, begun: str, tokens: tuple[str, ...]) -> Whole:
        prompt = await self._engine.apply_template({"messages": [{"role": "user", "content": question}]}) + begun
        ids = [number for token in tokens for number in await self._engine.tokenize([token])]
        assert len(ids) == len(tokens), f"{tokens} are not a token each"
        body = {"prompt": [prompt, *ids], "n_predict": 1, "n_probs": VOCABULARY, "temperature": 0}
        rivals = (await self._engine.sample(body))["completion_probabilities"][0]["top_logprobs"]
        logprobs = np.array([-np.inf if one["logprob"] is None else one["logprob"] for one in rivals])
        return Whole([one["token"] for one in rivals], logprobs)


@pytest.fixture(scope="session")
def model() -> Iterator[Model]:
    model = Model()
    yield model
    model.close()


@pytest.fixture(scope="session")
def whole(model) -> list[Whole]:
    """The whole distribution at each of PLACES."""
    return [model.whole(question, begun) for question, begun in PLACES.items()]
