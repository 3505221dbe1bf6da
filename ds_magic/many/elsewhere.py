"""Elsewhere: exchanges that the workers of an executor make; what is asked, and what becomes of it, stays here.

A worker is sent one request and how its server is reached, and sends back the bytes that came, with their times. So
nothing of the user's is pickled, functions run where they were defined, and the journal, the cache, limits and repairs
never learn of it. A worker that dies takes with it what it was waiting for, and no more.
"""

from __future__ import annotations

import itertools
import math
import queue
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from typing import TYPE_CHECKING, Any

from ..api.addresses import EMBEDDED, path_of, place
from ..api.clean_text import on_one_line
from ..api.errors import APIConnectionError, InvalidRequestError
from ..api.events import Event
from ..api.recorded import Recorded
from ..api.timeouts import Timeouts
from .parcel import Came, Parcel, delivered

if TYPE_CHECKING:
    from ..api.client import Client

MOST_TRIES = 3
"""How often a request is given to a worker: one that is lost each time may be what the workers die of."""
SLACK = 60.0
"""Seconds that a worker may take to begin, and its answer to come back."""
IDLE_TIMES = 10
"""How many idle timeouts an answer without a time in whole may take before its worker is given up."""


class WorkerLostError(APIConnectionError):
    """The workers of an executor were lost with a request, or could not make anything of it."""

    default_remedy = "Look into the workers' logs; each needs the ds_magic that is here, and enough memory."


class ExecutorGoneError(APIConnectionError):
    """The executor takes nothing more: a worker of its died, and took the others along, or it was shut down."""

    default_remedy = "Make a new executor, and run it again: with `journal` and `cache` only what is missing is asked."


class Elsewhere:
    """Where a client asks from: the workers of `executor`, which stays its owner's, and is never shut down here.

    A request of which nothing came is given to another worker where this one is lost, or where its time is over: its
    timeout in whole, else ten times the idle one, and `slack` seconds, from when it stood in the queue no longer. What
    comes first counts.
    """

    def __init__(self, executor: Any, *, slack: float = SLACK) -> None:
        if not callable(getattr(executor, "submit", None)):
            raise InvalidRequestError(
                f"`executor` is {executor!r:.60}, and must be one of the kind of `concurrent.futures`.",
                field="executor", value=executor,
                remedy="Give a `ProcessPoolExecutor()`, dask's `client.get_executor()` or ipyparallel's "
                "`client.executor()`.",
            )
        self._executor, self._slack = executor, slack
        self._numbers = itertools.count()
        self._under_way: set[_Try] = set()
        self._submitting, self._lock = threading.Lock(), threading.Lock()

    def begin(
        self, client: Client, method: str, url: str, body: bytes | None, *, timeouts: Timeouts, retries: int,
        on_event: Callable[[Event], None],
    ) -> FarExchange:
        """An exchange of the client's, not opened yet; see `api.recorded.Begin`. Waits and queues are not told of."""
        is_embedded = client.name == EMBEDDED  # the worker's machine has one, too, at an address of its own
        parcel = Parcel(
            "", "" if is_embedded else client.base_url, client.name, None if is_embedded else client.key,
            method, path_of(url) if is_embedded else url, body, timeouts, retries,
        )
        whole, idle = timeouts.total, timeouts.idle
        patience = whole or (IDLE_TIMES * idle if idle is not None else math.inf)
        return FarExchange(url, lambda arrived: self._submit(parcel, arrived), patience + self._slack, client.masked)

    def _submit(self, parcel: Parcel, arrived: queue.SimpleQueue[_Try | None]) -> _Try:
        """Give it to a worker; `arrived` is told when that has ended. Raises ExecutorGoneError."""
        with self._submitting:  # an ipyparallel view is one thread's at a time
            started = _Try(next(self._numbers))
            with self._lock:
                self._under_way.add(started)
            try:
                started.future = self._executor.submit(delivered, parcel.named(f"{uuid.uuid4().hex}"))
            except Exception as error:
                with self._lock:
                    self._under_way.discard(started)
                raise ExecutorGoneError(f"The executor takes nothing more: {_told(error)}.") from None

        def ended(_: Any) -> None:
            self._ended(started)
            arrived.put(started)

        started.future.add_done_callback(ended)
        return started

    def _ended(self, ended: _Try) -> None:
        """What was submitted after one that has ended may only now leave the queue: its time begins anew."""
        now = time.monotonic()
        with self._lock:
            self._under_way.discard(ended)
            for each in self._under_way:
                if each.number > ended.number:
                    each.since = now


class _Try:
    """A parcel that was given to a worker. `since`: when it may have stood in the queue for the last time."""

    future: Future[Came]

    def __init__(self, number: int) -> None:
        self.number = number
        self.since = time.monotonic()

    def result(self) -> Came:
        """What came of it. Raises whatever the executor does, an error of ours where it is nothing of ours."""
        came = self.future.result()
        if not isinstance(came, Came):
            raise TypeError(f"the executor gave {type(came).__name__}, and not what its worker gave")
        return came


class FarExchange:
    """A Source: an exchange that a worker makes, here when it is over. Its times are those of the worker.

    `submit` gives it to a worker, `patience` is how many seconds it then has.
    """

    recorded: Recorded | None = None

    def __init__(
        self,
        url: str,
        submit: Callable[[queue.SimpleQueue[_Try | None]], _Try],
        patience: float,
        masked: Callable[[str], str],
    ) -> None:
        self.url = url
        self.closed = self.was_closed = False
        self.sent_at = time.monotonic()
        self.media_type = ""
        self._submit, self._patience, self._masked = submit, patience, masked
        self._arrived: queue.SimpleQueue[_Try | None] = queue.SimpleQueue()
        self._came: Came | None = None
        self._ms = 0

    def open(self) -> bool:
        """Have a worker make the exchange, another where it is lost. False if closed meanwhile.

        Raises what it met before an answer began; WorkerLostError, ExecutorGoneError.
        """
        tries: list[_Try] = []
        try:
            while self._came is None and not self.closed:
                tries.append(self._submit(self._arrived))
                lost = self._wait_for(tries[-1])
                if lost and len(tries) == MOST_TRIES:
                    raise WorkerLostError(
                        f"{MOST_TRIES} workers were lost with the request to {place(self.url)}, or made nothing of it: "
                        f"{self._masked(lost)}."
                    )
        finally:
            for each in tries:
                each.future.cancel()  # nothing where it has ended
        if self._came is None or self.closed:
            return False
        self.sent_at = time.monotonic()
        self.media_type = self._came.media_type
        self._pieces = self._came.pieces()
        if self._came.error is not None and not self._came.is_opened:
            raise self._came.error
        return True

    def _wait_for(self, last: _Try) -> str:
        """Wait until something has come, or the exchange is closed, or the last try is lost: then how, in words."""
        while not self.closed:
            left = last.since + self._patience - time.monotonic()
            if left <= 0:
                return f"nothing came within {self._patience:,.0f} s"
            try:
                arrived = self._arrived.get(timeout=None if math.isinf(left) else left)
            except queue.Empty:
                continue
            if arrived is None:
                break
            try:
                self._came = arrived.result()
                break
            except BrokenExecutor as error:
                raise ExecutorGoneError(f"The executor is broken: {_told(error)}.") from None
            except BaseException as error:  # of the worker, also a cancellation or an interrupt
                if arrived is last:
                    return _told(error)
        return ""

    def clock(self) -> float:
        """When what was read last had come."""
        return self.sent_at + self._ms / 1000

    def read(self) -> bytes:
        """The next piece; b"" at the end. Raises the error that the worker met there."""
        if self.closed or self._came is None:
            return b""
        self._ms, piece = next(self._pieces, (self._ms, b""))
        if not piece and self._came.error is not None:
            raise self._came.error
        return piece

    def finish(self, *, whole: bool) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """End it at once, from any thread. A worker that has begun ends by itself, and nobody asks what came of it."""
        self.closed = self.was_closed = True
        self._arrived.put(None)


def _told(error: BaseException) -> str:
    return on_one_line(f"{type(error).__name__}: {error}".rstrip(": "), 300).rstrip(".")
