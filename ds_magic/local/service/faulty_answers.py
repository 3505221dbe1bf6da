"""An answer, and a response, that go wrong as it was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from aiohttp import web

from ..answers.speech import Part, Saying
from .faults import HEADER, Fault
from .outlet import Outlet


async def faulty_parts(answer: Saying, fault: Fault) -> AsyncGenerator[Part, None]:
    """The parts of an answer that fails half-way, as `fault` says, with a finish_reason that says so."""
    told = 0
    async with aclosing(answer.parts()) as parts:
        async for part in parts:
            if fault.ending and told == fault.last:
                answer.reason = fault.ending
                return
            told += bool(part.text or part.name)
            yield part


class FaultyOutlet(Outlet):
    """An outlet that goes wrong as `fault` says."""

    def __init__(
        self, request: web.Request, streaming: bool, keep_alive: float, status: Callable[[], str], fault: Fault
    ):
        super().__init__(request, streaming, keep_alive, status, {HEADER: fault.spec})
        self._fault = fault
        self._sent = 0

    async def send(self, data: bytes) -> None:
        if self._sent == self._fault.stall:
            self._pulse.cancel()
            await asyncio.Event().wait()
        if self._sent == self._fault.cut:
            await self._begin()
            if self._request.transport is not None:  # else the client has gone already
                self._request.transport.abort()
            raise ConnectionResetError("cut because it was asked for")
        self._sent += 1
        await super().send(b'data: {"id": malformed\n\n' if self._sent == self._fault.malformed else data)

    async def end(self, body: bytes = b"") -> web.StreamResponse:
        if not body:
            return await super().end()
        await self.send(body[: len(body) // 2])  # an answer that is not streamed has two parts
        await self.send(body[len(body) // 2 :])
        return await super().end()
