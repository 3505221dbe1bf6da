"""One request and the bytes of its answer: opened with retries, read as they come, closed from any thread."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .addresses import EMBEDDED, place
from .error_messages import refusal
from .errors import APIConnectionError, APITimeoutError, DeepSeekError, bare
from .events import Event, Retrying
from .paced import PacedResponse
from .recorded import Recorded
from .retry import parse_retry_after, wait_before
from .timeouts import Timeouts
from .transport import opening_error, reading_error, watching

if TYPE_CHECKING:
    import requests

    from .client import Client

_READ_SIZE = 65536
_LONGEST_REFUSAL = 1 << 16
_ENDED = "The model's server ended. In a terminal `ds-magic serve --model`, with the model's name, says why."
_DRAIN_SECONDS = 0.05
"""How long the end of the body may lag behind `[DONE]` before its connection is given up."""


class Exchange:
    """A request on its way. `open`, then `read` until it gives b"", then `finish`; or `close` at any time.

    `closed`: whether `close` was called, or the total time is over. `sent_at`: when the last try was sent.
    """

    def __init__(
        self,
        client: Client,
        method: str,
        url: str,
        body: bytes | None = None,
        *,
        timeouts: Timeouts,
        retries: int,
        on_event: Callable[[Event], None],
    ):
        self._client = client
        self._method = method
        self.url = url
        self._body = body
        self._timeouts = timeouts
        self._retries = retries
        self._on_event = on_event
        self._response: requests.Response | None = None
        self._read1: Callable[[int], bytes]
        self._read_with_urllib3: Callable[[int], bytes]
        self._socket: socket.socket | None = None
        self._socket_lock = threading.Lock()
        self._gone = threading.Event()
        self.closed = False
        self._expired = False
        self._last_failure: DeepSeekError | None = None
        self._deadline: threading.Timer | None = None
        self._expires_at: float | None = None
        self.sent_at = 0.0
        self.recorded: Recorded | None = None
        self.clock = time.monotonic

    @property
    def was_closed(self) -> bool:
        """Whether somebody ended it, rather than the total time."""
        return self.closed and not self._expired

    @property
    def media_type(self) -> str:
        """The Content-Type of the answer, without parameters, in lower case."""
        sent = self._response.headers.get("Content-Type", "") if self._response is not None else ""
        return sent.split(";")[0].strip().lower()

    def open(self) -> bool:
        """Send the request, again after failures that may pass, until a 200 begins. False if closed meanwhile.

        Raises a DeepSeekError for a refusal or where no connection can be had.
        """
        if self._timeouts.total is not None:
            self._expires_at = time.monotonic() + self._timeouts.total
            self._deadline = threading.Timer(self._timeouts.total, self._expire)
            self._deadline.daemon = True
            self._deadline.start()
        try:
            self._open_with_retries()
        except BaseException:
            self._end()
            raise
        self._raise_if_expired()
        return not self.closed

    def _open_with_retries(self) -> None:
        attempt = 0
        while not self.closed:
            error = self._try_to_open()
            if error is None:
                self._last_failure = None
            if error is None or self.closed:
                return
            attempt += 1
            wait = wait_before(attempt, error.retry_after)
            if not error.retryable or attempt > self._retries or wait is None:
                raise error
            self._last_failure = error = bare(error, self._client.masked)
            self._on_event(Retrying(error, wait, attempt, self._retries))
            self._gone.wait(wait)

    def read(self) -> bytes:
        """What has arrived, as soon as anything has; b"" at the end of the answer or once closed.

        Raises StreamInterruptedError or APITimeoutError.
        """
        if self.closed:
            self._raise_if_expired()
            return b""
        error = None
        try:
            return self._read1(_READ_SIZE) or self._read_with_urllib3(_READ_SIZE) or self._at_end()
        except Exception as caught:
            error = reading_error(caught, self.url, self._timeouts.idle or 0)
        self._end()
        self._raise_if_expired()
        if self.closed:
            return b""
        raise error

    def _explained(self, error: DeepSeekError) -> DeepSeekError:
        """An error with the remedy where the model on this machine is what could not be reached."""
        if type(error) is APIConnectionError and self._client.server == EMBEDDED:
            error.remedy = _ENDED
        return error

    def _at_end(self) -> bytes:
        self._raise_if_expired()
        return b""

    def finish(self, *, whole: bool) -> None:
        """Let go of the connection, from the thread that reads.

        Where the answer is `whole`, what may follow its last event is read first, so that the connection
        can be used again.
        """
        if whole and self._response is not None and not self.closed and self._let_go() is not None:
            self._drain(self._response)
        self._end()

    def _drain(self, response: requests.Response) -> None:
        with contextlib.suppress(Exception), _within(response, _DRAIN_SECONDS):
            for _ in range(8):
                if not self._read_with_urllib3(_READ_SIZE):
                    break

    def close(self) -> None:
        """End the exchange at once, from any thread; a thread that waits in `open` or `read` goes on."""
        self.closed = True
        self._gone.set()
        if self._deadline is not None:
            self._deadline.cancel()
        self._wake()

    def _wake(self) -> None:
        # Closing a response from another thread blocks; shutting its socket down wakes the reader.
        with self._socket_lock, contextlib.suppress(OSError, ValueError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def _expire(self) -> None:
        self._expired = True
        self.close()

    def _raise_if_expired(self) -> None:
        if self._expired:
            self._end()
            last_try = f" The last try: {self._last_failure}" if self._last_failure else ""
            raise APITimeoutError(f"The answer was not complete within {self._timeouts.total:g} s.{last_try}")

    def _end(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._let_go()
        if self._response is not None:
            self._response.close()

    def _let_go(self) -> socket.socket | None:
        """The socket, which `close` no longer reaches: from here on it may serve another request."""
        with self._socket_lock:
            connected, self._socket = self._socket, None
        return connected

    def _watch(self, connected: socket.socket) -> None:
        self._socket = connected
        if self.closed:
            self._wake()

    def _try_to_open(self) -> DeepSeekError | None:
        self.sent_at = time.monotonic()
        connect, idle = self._seconds_to_connect(), self._timeouts.idle
        stopped: BaseException | None = None
        try:
            with watching(self._watch):
                response = self._response = self._client.send(self._method, self.url, self._body, (connect, idle))
        except Exception as caught:
            return self._explained(opening_error(caught, self.url, connect or 0, idle or 0))
        except BaseException as caught:
            stopped = caught
        if stopped is not None:
            # A traceback through the transport's frames would show their headers, and with them the key.
            stopped.__context__ = stopped.__cause__ = None
            raise stopped.with_traceback(None)
        if response.status_code != 200:
            return self._refusal(response)
        self._read_with_urllib3 = partial(response.raw.read1, decode_content=True)
        self._read1 = _chunk_reader(response.raw) or self._read_with_urllib3
        return None

    def _seconds_to_connect(self) -> float | None:
        """The connect timeout, cut to what is left of the total: nothing can wake a thread that connects."""
        if self._expires_at is None:
            return self._timeouts.connect
        left = max(self._expires_at - self.sent_at, 0.001)
        return left if self._timeouts.connect is None else min(self._timeouts.connect, left)

    def _refusal(self, response: requests.Response) -> DeepSeekError:
        body = b""
        with contextlib.suppress(Exception), _within(response, self._timeouts.refusal):
            while len(body) < _LONGEST_REFUSAL:
                piece = response.raw.read1(_READ_SIZE, decode_content=True)
                if not piece:
                    break
                body += piece
        response.close()
        return refusal(
            self.url,
            response.status_code,
            body,
            retry_after=parse_retry_after(response.headers.get("Retry-After")),
            redirected_from=place(response.history[0].url) if response.history else None,
        )


def _within(response: requests.Response, seconds: float) -> contextlib.AbstractContextManager[None]:
    """While it lasts, all reading of the body together ends after `seconds`."""
    beneath = getattr(response.raw, "_original_response", None)
    return beneath.within(seconds) if isinstance(beneath, PacedResponse) else contextlib.nullcontext()


def _chunk_reader(raw: Any) -> Callable[[int], bytes] | None:
    """A faster `read1` where the framing is chunked and nothing has to be decompressed, else None.

    urllib3's costs three times that of the http.client response beneath it. At the end the caller goes
    back to urllib3, which checks the end and lets go of the connection.
    """
    beneath = getattr(raw, "_original_response", None)
    if beneath is not None and getattr(raw, "chunked", False) and not raw.headers.get("Content-Encoding"):
        read1: Callable[[int], bytes] = beneath.read1
        return read1
    return None
