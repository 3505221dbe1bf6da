"""Twenty clients at once, half of which hang up half-way: nothing is lost and nothing grows."""

from __future__ import annotations

import asyncio
import os
import time

import aiohttp
import psutil

SECONDS = float(os.environ.get("DS_MAGIC_CROWD_SECONDS", "12"))
"""How long it goes on; the issue asks for a minute."""
CLIENTS = 20


async def one_client(session: aiohttp.ClientSession, number: int, until: float, tally: dict[str, int]) -> None:
    hangs_up = number % 2 == 0
    turn = 0
    while time.monotonic() < until:
        turn += 1
        body = {
            "model": "deepseek-chat", "stream": True, "max_tokens": 200 if hangs_up else 6,
            "messages": [{"role": "user", "content": f"Client {number}, turn {turn}: tell me about {turn * 37}."}],
        }
        async with session.post("/chat/completions", json=body) as response:
            assert response.status == 200, await response.text()
            got = b""
            async for data in response.content.iter_any():
                got += data
                if hangs_up and got.count(b'"content"') > 3:
                    response.close()
                    break
            if not hangs_up:
                assert got.endswith(b"data: [DONE]\n\n"), got[-200:]
            tally["hung up" if hangs_up else "answered"] += 1


async def all_slots_at_once(session: aiohttp.ClientSession, slots: int) -> None:
    """Every slot is had at the same time: none is lost."""
    body = {"model": "deepseek-chat", "stream": True, "messages": [{"role": "user", "content": "Write a long story."}]}
    responses = [await session.post("/chat/completions", json=body) for _ in range(slots)]
    for response in responses:
        got = b""
        while b'"content":"' not in got.replace(b'"content":""', b""):
            got += await response.content.readany()
    for response in responses:
        response.close()


def test_twenty_clients_half_of_which_hang_up_lose_no_slot_and_no_memory(local_server):
    server = psutil.Process(local_server.pid)
    tally = {"answered": 0, "hung up": 0}

    async def crowd(seconds: float) -> None:
        until = time.monotonic() + seconds
        async with aiohttp.ClientSession(
            local_server.base_url, headers={"Authorization": f"Bearer {local_server.api_key}"},
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=600),
        ) as session:
            await asyncio.gather(*[one_client(session, number, until, tally) for number in range(CLIENTS)])
            await all_slots_at_once(session, 4)

    asyncio.run(crowd(min(5, SECONDS)))
    before = server.memory_info().rss
    asyncio.run(crowd(SECONDS))
    grown = (server.memory_info().rss - before) / 1e6
    assert min(tally.values()) >= CLIENTS / 2, tally
    assert grown < 25, f"it grew by {grown:.0f} MB"
