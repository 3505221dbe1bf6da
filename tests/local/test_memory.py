"""Idle, the model's memory is given back, and the next request has it again."""

from __future__ import annotations

import asyncio

import psutil

from ds_magic.local.llama import Llama


def test_a_model_that_nobody_asks_is_let_go_and_comes_back_as_it_was(model_file):
    request = {"n_predict": 4, "temperature": 0, "n_probs": 5}

    async def scenario():
        llama = Llama(model_file, threads=1, parallel=2, context=1024, sleep=1)
        await asyncio.to_thread(llama.start)
        prompt = await llama.tokenize(["The capital of France is"])
        before = await llama.sample({**request, "prompt": prompt})
        loaded = psutil.Process().memory_info().rss
        async with asyncio.timeout(60):
            while psutil.Process().memory_info().rss > loaded - 50e6:
                await asyncio.sleep(0.05)
        assert await llama.tokenize(["The capital of France is"]) == prompt
        after = await llama.sample({**request, "prompt": prompt})
        await llama.close()
        return before["completion_probabilities"], after["completion_probabilities"]

    before, after = asyncio.run(scenario())
    assert before == after
