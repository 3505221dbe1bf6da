"""A request waits with signs of life while the model loads and while others are answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from ds_magic.local.engine.engine import Engine
from ds_magic.local.model_failures import EngineError, WeightsError
from ds_magic.local.service.server import LocalService

KEY = "local-test"
BODY = {"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2, "temperature": 0}
TEXT = {"model": "deepseek-chat", "prompt": "Hi", "suffix": "!", "max_tokens": 2, "temperature": 0}
both = pytest.mark.parametrize(
    ("path", "body"), [("/chat/completions", BODY), ("/beta/completions", TEXT)], ids=["chat", "text"]
)


@asynccontextmanager
async def serving(engine: Engine, keep_alive: float) -> AsyncIterator[aiohttp.ClientSession]:
    service = LocalService(engine, key=KEY, model="smollm2-135m-instruct", keep_alive=keep_alive)
    runner = web.AppRunner(service.app(), handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with aiohttp.ClientSession(
            f"http://{host}:{port}", headers={"Authorization": f"Bearer {KEY}"}
        ) as session:
            yield session
    finally:
        await runner.cleanup()
        await engine.close()


async def read_until(response: aiohttp.ClientResponse, mark: bytes) -> bytes:
    got = b""
    while mark not in got:
        more = await response.content.readany()
        assert more, f"the response ended: {got!r}"
        got += more
    return got


async def in_line(engine: Engine, count: int) -> None:
    """Until `count` requests wait. A sign of life alone does not say it: the prompt may still be prepared."""
    async with asyncio.timeout(60):
        while engine.slots.queued != count:
            await asyncio.sleep(0.001)


@both
def test_a_stream_has_comments_while_the_model_loads(model_file, path, body):
    async def scenario():
        engine = Engine(threads=1)
        async with serving(engine, keep_alive=0.05) as session:
            response = await session.post(path, json={**body, "stream": True})
            assert response.status == 200
            got = await read_until(response, b": keep-alive loading\n\n: keep-alive loading\n\n")
            assert got.replace(b": keep-alive loading\n\n", b"") == b""
            await engine.load(model_file)
            assert b"data: [DONE]\n\n" in await response.read()

    asyncio.run(scenario())


def test_an_answer_that_is_not_streamed_has_blank_lines_before_its_json(model_file):
    async def scenario():
        engine = Engine(threads=1)
        async with serving(engine, keep_alive=0.05) as session:
            response = await session.post("/chat/completions", json=BODY)
            assert await read_until(response, b"\n\n") == b"\n\n"
            await engine.load(model_file)
            assert (await response.json(content_type=None))["choices"][0]["message"]["content"] == "Hello!"

    asyncio.run(scenario())


def test_who_waits_in_line_is_told_so_and_then_answered(model_file):
    async def scenario():
        engine = Engine(threads=1, parallel=1)
        await engine.load(model_file)
        async with serving(engine, keep_alive=0.05) as session:
            async with engine.slots.take([]):
                response = await session.post("/chat/completions", json={**BODY, "stream": True})
                await in_line(engine, 1)
                await read_until(response, b": keep-alive queued\n\n")
            assert b"Hello" in await response.read()

    asyncio.run(scenario())


@both
def test_beyond_the_line_a_request_is_refused_with_429(model_file, path, body):
    async def scenario():
        engine = Engine(threads=1, parallel=1, waiting=1)
        await engine.load(model_file)
        async with serving(engine, keep_alive=0.05) as session:
            async with engine.slots.take([]):
                waiting = await session.post(path, json={**body, "stream": True})
                await in_line(engine, 1)
                refused = await session.post(path, json=body)
                assert refused.status == 429
                assert refused.headers["Retry-After"] == "1"
                assert (await refused.json())["error"]["type"] == "rate_limit_error"
            assert b"[DONE]" in await waiting.read()

    asyncio.run(scenario())


@both
def test_who_leaves_the_line_does_not_take_a_place(model_file, path, body):
    async def scenario():
        engine = Engine(threads=1, parallel=1)
        await engine.load(model_file)
        async with serving(engine, keep_alive=0.05) as session:
            async with engine.slots.take([]):
                gone = await session.post(path, json={**body, "stream": True})
                await in_line(engine, 1)
                gone.close()
                await in_line(engine, 0)
            answer = await session.post(path, json=body)
            assert answer.status == 200

    asyncio.run(scenario())


@both
def test_an_engine_that_cannot_start_is_a_503_with_the_reason(path, body):
    async def scenario():
        engine = Engine(threads=1)
        engine.fail(WeightsError("There are no weights.", remedy="Put them there."))
        async with serving(engine, keep_alive=5) as session:
            response = await session.post(path, json=body)
            assert response.status == 503
            error = (await response.json())["error"]
            assert (error["message"], error["remedy"]) == ("There are no weights.", "Put them there.")
            assert error["code"] == "model_unavailable"

    asyncio.run(scenario())


@both
def test_a_failure_after_the_first_sign_of_life_is_an_error_in_the_stream(path, body):
    async def scenario():
        engine = Engine(threads=1)
        async with serving(engine, keep_alive=0.05) as session:
            response = await session.post(path, json={**body, "stream": True})
            await read_until(response, b": keep-alive loading\n\n")
            engine.fail(EngineError("It broke."))
            rest = await response.read()
            assert b'data: {"error": {"message": "It broke.' in rest
            assert b"[DONE]" not in rest

    asyncio.run(scenario())
