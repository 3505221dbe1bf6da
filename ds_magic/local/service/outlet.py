"""One response on its way out, which says that it is alive while there is nothing else to say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web

FETCHING = "fetching"
"""How a status begins that says how far the model has been fetched."""
_STEP = 0.5
"""Seconds between two looks at how far it is."""


class Outlet:
    """Sends a stream of events, or one JSON body.

    After `keep_alive` seconds of silence it begins the response, if it has not, and sends what DeepSeek does: a
    comment in a stream, a blank line before JSON. Until then an error can have a status. The comment goes on with
    `status()`, what is waited for in a word or two; while the model is fetched it comes with all progress.
    """

    _pulse: asyncio.Task[None]
    """What says that it is alive, within `async with`."""

    def __init__(
        self, request: web.Request, streaming: bool, keep_alive: float, status: Callable[[], str],
        headers: dict[str, str] | None = None,
    ):
        self._request = request
        self._headers = headers or {}
        self._streaming = streaming
        self._keep_alive = keep_alive
        self._status = status
        self._response: web.StreamResponse | None = None
        self._beginning = asyncio.Lock()
        self._silent = True

    async def __aenter__(self) -> Outlet:
        self._pulse = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pulse.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await self._pulse

    @property
    def begun(self) -> bool:
        """Whether the status is out."""
        return self._response is not None

    async def send(self, data: bytes) -> None:
        response = await self._begin() if self._response is None else self._response
        self._silent = False
        await response.write(data)

    async def end(self, body: bytes = b"") -> web.StreamResponse:
        """Close the response; `body` is all of it where nothing has been sent yet."""
        self._pulse.cancel()
        if self._response is None and not self._beginning.locked():
            return web.Response(body=body, content_type="application/json", headers=self._headers)
        if body:
            await self.send(body)
        response = await self._begin()
        await response.write_eof()
        return response

    async def _begin(self) -> web.StreamResponse:
        """The response, begun now if it was not."""
        async with self._beginning:
            if self._response is None:
                kind = "text/event-stream" if self._streaming else "application/json"
                headers = {"Content-Type": f"{kind}; charset=utf-8", "Cache-Control": "no-cache", **self._headers}
                response = web.StreamResponse(headers=headers)
                await response.prepare(self._request)
                self._response = response
            return self._response

    async def _beat(self) -> None:
        silence, said = 0.0, ""
        step = min(self._keep_alive, _STEP)
        while True:
            await asyncio.sleep(step)
            silence = silence + step if self._silent else 0.0
            self._silent = True
            status = self._status()
            progressed = self._streaming and status.startswith(FETCHING) and status != said
            if progressed or silence >= self._keep_alive:
                response = await self._begin()
                await response.write(f": keep-alive {status}\n\n".encode() if self._streaming else b"\n")
                silence, said = 0.0, status
