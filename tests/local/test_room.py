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
        engine = Engine(threads=1, context=512)
        await engine.load(model_file)
        prompts = [[300 + number] * 250 for number in range(4)]
        outcomes = await asyncio.gather(*[answer(engine, prompt, Sampling(max_tokens=3)) for prompt in prompts])
        await engine.close()
        return outcomes

    assert [(done.reason, done.generated) for done in asyncio.run(scenario())] == [("length", 3)] * 4


def test_answers_that_outgrow_the_room_end_with_the_documented_reason(model_file):
    async def scenario():
        engine = Engine(threads=1, context=512)
        await engine.load(model_file)
        never_ends = Sampling(max_tokens=60, temperature=2.0, seed=1)
        outcomes = await asyncio.gather(*[answer(engine, [300 + number] * 236, never_ends) for number in range(2)])
        await engine.close()
        return outcomes

    outcomes = asyncio.run(scenario())
    assert NO_ROOM in [done.reason for done in outcomes]
    assert sum(236 + done.generated for done in outcomes) >= 512 - 2  # all of the room was used
