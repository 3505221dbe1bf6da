"""Who uses a server: each has a connection open to it, which closes with its process, however that ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from .refusal import Refusal

FIRST_LEASE = 30.0
"""Seconds within which the first has to come: it may be that whoever started the server was killed just then."""


class Leases:
    """Calls `unused` once, when nobody has held a lease for `linger` seconds; from then on none is given."""

    def __init__(self, linger: float, unused: Callable[[], None]):
        self._linger = linger
        self._unused = unused
        self._held = 0
        self._ended = False
        self._end: asyncio.TimerHandle | None = None

    def begin(self, seconds: float) -> None:
        """From now on somebody has to come within `seconds`, or it ends."""
        self._end = asyncio.get_running_loop().call_later(seconds, self._over)

    async def hold(self, request: web.Request) -> web.StreamResponse:
        """A response that never ends: who keeps it open uses the server."""
        if self._ended:
            raise Refusal(503, "This server is ending.", kind="server_error")
        self._held += 1
        if self._end is not None:
            self._end.cancel()
        try:
            response = web.StreamResponse()
            await response.prepare(request)
            await asyncio.Event().wait()  # cancelled when the connection closes
            return response
        finally:
            self._held -= 1
            if not self._held:
                self.begin(self._linger)

    def end(self) -> None:
        """End it now, whoever holds one: they find or start another when they need it."""
        self._over()

    def _over(self) -> None:
        self._ended = True
        self._unused()
