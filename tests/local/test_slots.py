"""Places are given in order, and by what they remember."""

from __future__ import annotations

import asyncio

import pytest

from ds_magic.local.engine.slots import Slots
from ds_magic.local.model_failures import QueueFullError


async def taking(slots: Slots, prompt: list[int], taken: list, leave: asyncio.Event) -> None:
    async with slots.take(prompt) as slot:
        taken.append((prompt, slot))
        await leave.wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_the_place_that_begins_like_the_prompt_is_taken():
    async def scenario():
        slots = Slots(3, 4)
        async with slots.take([1]) as first, slots.take([2]) as second:
            first.tokens, second.tokens = [1, 2, 3], [1, 2, 9]
        async with slots.take([1, 2, 9, 4]) as slot:
            assert slot is second

    asyncio.run(scenario())


def test_who_came_first_is_served_first():
    async def scenario():
        slots, taken, leave = Slots(1, 4), [], asyncio.Event()
        async with slots.take([]):
            tasks = [asyncio.create_task(taking(slots, [number], taken, leave)) for number in range(3)]
            await settle()
            assert slots.queued == 3
        leave.set()
        await asyncio.gather(*tasks)
        assert [prompt for prompt, _ in taken] == [[0], [1], [2]]

    asyncio.run(scenario())


def test_beyond_the_line_nobody_waits():
    async def scenario():
        slots = Slots(1, 1)
        async with slots.take([]):
            waiting = asyncio.create_task(taking(slots, [], [], asyncio.Event()))
            await settle()
            with pytest.raises(QueueFullError):
                async with slots.take([]):
                    pass
            waiting.cancel()
            await settle()
            assert slots.queued == 0

    asyncio.run(scenario())


def test_who_gives_up_in_line_is_passed_over():
    async def scenario():
        slots, taken, leave = Slots(1, 4), [], asyncio.Event()
        leave.set()
        async with slots.take([]):
            gone = asyncio.create_task(taking(slots, [1], taken, leave))
            stays = asyncio.create_task(taking(slots, [2], taken, leave))
            await settle()
            gone.cancel()
            await settle()
        await stays
        assert [prompt for prompt, _ in taken] == [[2]]
        assert (slots.busy, slots.queued) == (0, 0)

    asyncio.run(scenario())


def test_who_gives_up_as_its_turn_comes_gives_the_place_back():
    async def scenario():
        slots = Slots(1, 4)
        async with slots.take([]):
            gone = asyncio.create_task(taking(slots, [1], [], asyncio.Event()))
            await settle()
        gone.cancel()  # its turn has come, and it has not run since
        await settle()
        assert (slots.busy, slots.queued) == (0, 0)

    asyncio.run(scenario())
