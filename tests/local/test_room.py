"""The room of a request is its own, whatever others take."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from ds_magic.local.engine.engine import Engine
from ds_magic.local.engine.generation import generate
from ds_magic.local.engine.sampling import Outcome, Sampling


async def answer(engine: Engine, prompt: list[int], sampling: Sampling) -> Outcome:
    outcome = Outcome()
    async with engine.slots.take(prompt) as slot, aclosing(generate(engine, slot, prompt, sampling, outcome)) as text:
        async for _ in text:
            pass
    return outcome


def test_full_prompts_are_answered_side_by_side(model_file):
    async def scenario():
        engine = Engine(threads=1, context=128)
        await engine.load(model_file)
        prompts = [[300 + number] * 120 for number in range(4)]
        sampling = Sampling(max_tokens=60, temperature=2.0, seed=1)
        outcomes = await asyncio.gather(*[answer(engine, prompt, sampling) for prompt in prompts])
        await engine.close()
        return outcomes

    assert [(done.reason, done.generated) for done in asyncio.run(scenario())] == [("length", 8)] * 4


def test_an_answer_may_fill_the_whole_context(model_file):
    async def scenario():
        engine = Engine(threads=1, context=256)
        await engine.load(model_file)
        outcome = await answer(engine, [300] * 249, Sampling(max_tokens=60, temperature=2.0, seed=1))
        await engine.close()
        return outcome

    outcome = asyncio.run(scenario())
    assert (outcome.reason, outcome.generated) == ("length", 7)
