"""Memory that was freed between other things goes back to the system when nothing is going on."""

import asyncio
import sys

import psutil
import pytest

from ds_magic.local.engine.engine import Engine
from ds_magic.local.thrift import Thrift
from tests.local.test_keep_alive import serving

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux keeps what is freed")


def in_mb():
    return psutil.Process().memory_info().rss / 1e6


def scattered():
    """What is left when most of 150 MB was freed between it."""
    return [bytes(3000) for _ in range(50_000)][::50]


def given_back(*, busy=False, stopped=False):
    """MB that went back to the system when nothing happened any more."""

    async def wait():
        over = asyncio.Event()
        thrift = Thrift(0.0, is_busy=lambda: busy)
        thrift.happened()
        if stopped:
            thrift.stop()
        asyncio.get_running_loop().call_later(0.0, over.set)
        await over.wait()

    kept = scattered()
    before = in_mb()
    asyncio.run(wait())
    assert kept
    return before - in_mb()


def test_it_goes_back_when_nothing_happened_for_a_while():
    assert given_back() > 50


def test_it_stays_while_something_goes_on_and_after_a_stop():
    assert given_back(busy=True) < 50 and given_back(stopped=True) < 50


def test_without_an_event_loop_nothing_happens():
    Thrift(0.0).happened()


def test_a_server_gives_back_what_was_freed_when_its_last_request_is_over():
    async def scenario():
        async with serving(Engine(threads=1), keep_alive=3) as session:
            kept = scattered()
            before = in_mb()
            assert (await session.get("/models")).status == 200
            async with asyncio.timeout(60):
                while in_mb() > before - 50:
                    await asyncio.sleep(0.01)
            assert kept

    asyncio.run(scenario())
