"""Long prompts side by side: each is answered, one after the other if need be."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from ds_magic.local.engine import Engine
from ds_magic.local.generation import NO_ROOM, generate
from ds_magic.local.sampling import Outcome, Sampling


async def answer(engine: Engine, prompt: list[int], sampling: Sampling) -> Outcome:
    outcome = Outcome()
    async with engine.slots.take(prompt) as slot, aclosing(generate(engine, slot, prompt, sampling, outcome)) as text:
        async for _ in text:
            pass
    return outcome


def test_prompts_that_do_not_fit_together_are_answered_one_after_the_other(model_file):
    async def scenario():
        engine = Engine(threads=1, context=256)
        await engine.load(model_file)
        prompts = [[300 + number] * 100 for number in range(4)]
        outcomes = await asyncio.gather(*[answer(engine, prompt, Sampling(max_tokens=3)) for prompt in prompts])
        await engine.close()
        return outcomes

    assert [(done.reason, done.generated) for done in asyncio.run(scenario())] == [("length", 3)] * 4


def test_an_answer_that_outgrows_the_room_ends_with_the_documented_reason_and_the_others_go_on(model_file):
    async def scenario():
        engine = Engine(threads=1, context=512)
        await engine.load(model_file)
        # The first takes 100 tokens and a beginning of 256, which leaves the second 6 for its answer.
        first = answer(engine, [300] * 100, Sampling(max_tokens=120, temperature=2.0, seed=1))
        second = answer(engine, [301] * 150, Sampling(max_tokens=60, temperature=2.0, seed=1))
        outcomes = await asyncio.gather(first, second)
        await engine.close()
        return outcomes

    first, second = asyncio.run(scenario())
    assert (second.reason, second.generated) == (NO_ROOM, 6)
    assert first.reason != NO_ROOM


def test_an_answer_may_fill_the_whole_context(model_file):
    async def scenario():
        engine = Engine(threads=1, context=256)
        await engine.load(model_file)
        outcome = await answer(engine, [300] * 249, Sampling(max_tokens=60, temperature=2.0, seed=1))
        await engine.close()
        return outcome

    outcome = asyncio.run(scenario())
    assert (outcome.reason, outcome.generated) == ("length", 7)
