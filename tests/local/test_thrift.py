"""Memory that was freed between other things goes back to the system when nothing is going on."""

import asyncio
import sys
import time

import psutil
import pytest

from ds_magic.local.thrift import Thrift
from tests.local.conftest import Api
from tests.local.test_program import serving

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux keeps what is freed")


def in_mb(pid=None):
    return psutil.Process(pid).memory_info().rss / 1e6


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


@pytest.mark.model
def test_the_server_gives_back_what_a_large_answer_took(row):
    with serving("--api-key", "k", "--threads", "1") as (process, said):
        api = Api(said["base_url"], "k")
        api.chat("Hi", max_tokens=1, logprobs=True, top_logprobs=20)
        usual = in_mb(process.pid)
        api.chat("Hi", max_tokens=10, logprobs=True, top_logprobs=49_152)
        large = in_mb(process.pid)
        deadline = time.monotonic() + 60
        while (later := in_mb(process.pid)) > usual + (large - usual) / 2:
            assert time.monotonic() < deadline, f"{usual:.0f} MB, {large:.0f}, {later:.0f}"
            time.sleep(0.05)
        row("Memory of the embedded server", **{"MB after each": f"{usual:.0f}, {large:.0f}, {later:.0f}"},
            of="a usual answer, 10 tokens with the whole vocabulary, a second later")
    assert large > usual + 60
