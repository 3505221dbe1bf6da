"""Answers of http.client whose head has a time in whole, and before which interim answers (1xx) are passed over.

A socket's own timeout begins anew with each byte: a server that drips its headers could hold a reader for ever.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import time
from collections.abc import Iterator
from typing import Any

MOST_INTERIM = 100
"""Answers of the kind `103 Early Hints` that may come before the one that counts."""


class TooSlow(TimeoutError):
    """Something came, and its end did not come in time."""


_BUFFER = 64 * 1024
"""Bytes that one read of the socket may bring: a chunk with 20 alternatives has 2,000, and each read costs as much."""


class _PacedSocket(io.RawIOBase):
    """A socket's bytes; until `ends_at`, if that is set, and no longer."""

    def __init__(self, beneath: Any, connected: socket.socket):
        self._beneath = beneath
        self.connected = connected
        self.ends_at: float | None = None
        self.has_come = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count: int | None
        if self.ends_at is None:
            count = self._beneath.readinto(buffer)
            return count
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TooSlow
        self.connected.settimeout(left)
        try:
            count = self._beneath.readinto(buffer)
        except TimeoutError:
            if self.has_come:
                raise TooSlow from None
            raise
        self.has_come = True
        return count

    def close(self) -> None:
        if not self.closed:
            self._beneath.close()
        super().close()


class PacedResponse(http.client.HTTPResponse):
    """An answer whose head has as long as the socket's timeout says, in whole, and its trailers too."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any):
        super().__init__(sock, *args, **kwargs)
        self._paced = _PacedSocket(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._paced, _BUFFER)

    @contextlib.contextmanager
    def within(self, seconds: float | None) -> Iterator[None]:
        """While it lasts, reading ends after `seconds` in all: by TooSlow, or by TimeoutError where nothing came."""
        paced, between_reads = self._paced, self._paced.connected.gettimeout()
        paced.ends_at, paced.has_come = None if seconds is None else time.monotonic() + seconds, False
        try:
            yield
        finally:
            paced.ends_at = None
            with contextlib.suppress(OSError):  # it may be closed by now
                paced.connected.settimeout(between_reads)

    def begin(self) -> None:
        with self.within(self._paced.connected.gettimeout()):
            super().begin()

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MOST_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException(f"it sent {MOST_INTERIM} interim answers and no other")

    def _read_and_discard_trailer(self) -> None:
        with self.within(self._paced.connected.gettimeout()):
            super()._read_and_discard_trailer()  # type: ignore[misc]
