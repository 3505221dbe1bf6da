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
    """The executor takes nothing more: one of its workers died, and took the others along, or it was shut down."""

    default_remedy = "Make a new executor, and run it again: with `journal` and `cache` only what is missing is asked."


class Elsewhere:
    """Where a client asks from: the workers of `executor`, which stays its owner's, and is never shut down here.

    A request of which nothing came is given to another worker where this one is lost, or where its time is over: its
    timeout in whole, else ten times the idle one, and `slack` seconds, from when it stood in the queue no longer. What
    comes first counts.
    """

    def __init__(
        self, executor: Any, *, slack: float = SLACK, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not callable(getattr(executor, "submit", None)):
            raise InvalidRequestError(
                f"`executor` is {executor!r:.60}, and must be one of the kind of `concurrent.futures`.",
                field="executor", value=executor,
                remedy="Give a `ProcessPoolExecutor()`, dask's `client.get_executor()` or ipyparallel's "
                "`client.executor()`.",
            )
        self._give, self._slack, self._clock = _giving(executor), slack, clock
        self._numbers = itertools.count()
        self._under_way: set[Try] = set()
        self._submitting, self._lock = threading.Lock(), threading.Lock()

    def begin(
        self, client: Client, method: str, url: str, body: bytes | None, *, timeouts: Timeouts, retries: int,
        on_event: Callable[[Event], None],
    ) -> FarExchange:
        """An exchange of the client's, not opened yet; see `api.recorded.Begin`. Waits and queues are not told of."""
        is_embedded = client.name == EMBEDDED  # the worker's machine has one, too, at an address of its own
        parcel = Parcel(
            "", "" if is_embedded else client.base_url, client.name, None if is_embedded else client.key,
            method, path_of(url) if is_embedded else url, body, timeouts, retries, client.local_model,
        )
        whole, idle = timeouts.total, timeouts.idle
        patience = whole or (IDLE_TIMES * idle if idle is not None else math.inf)
        return FarExchange(self, parcel, url, patience + self._slack, client.masked)

    def give(self, parcel: Parcel, arrived: queue.SimpleQueue[Arrival | None]) -> tuple[Try, Future[Came]]:
        """Give it to a worker; `arrived` is told when that has ended. Raises ExecutorGoneError."""
        with self._submitting:  # an ipyparallel view is one thread's at a time
            started = Try(next(self._numbers), self._clock())
            with self._lock:
                self._under_way.add(started)
            try:
                future = self._give(delivered, parcel.named(uuid.uuid4().hex))
            except Exception as error:
                with self._lock:
                    self._under_way.discard(started)
                raise ExecutorGoneError(f"The executor takes nothing more: {_told(error)}.") from None

        def ended(done: Future[Came]) -> None:  # knows of no future: what holds itself keeps its result on a worker
            self._ended(started)
            arrived.put((started, done))

        future.add_done_callback(ended)
        return started, future

    def left(self, started: Try, patience: float) -> float:
        """Seconds until so many have passed since it began, as far as that is known."""
        return started.since + patience - self._clock()

    def _ended(self, ended: Try) -> None:
        """What was given after one that has ended may only now leave the queue: its time begins anew."""
        now = self._clock()
        with self._lock:
            self._under_way.discard(ended)
            for each in self._under_way:
                if each.number > ended.number:
                    each.since = now


class Try:
    """A parcel that was given to a worker. `since`: when it may have stood in the queue for the last time."""

    def __init__(self, number: int, since: float) -> None:
        self.number, self.since = number, since


Arrival = tuple[Try, Future[Came]]


class FarExchange:
    """A Source: an exchange that a worker makes, here when it is over. Its times are those of the worker.

    `patience`: how many seconds a worker has.
    """

    recorded: Recorded | None = None

    def __init__(
        self, elsewhere: Elsewhere, parcel: Parcel, url: str, patience: float, masked: Callable[[str], str]
    ) -> None:
        self.url = url
        self.closed = self.was_closed = False
        self.sent_at = time.monotonic()
        self.media_type = ""
        self._elsewhere, self._parcel, self._patience, self._masked = elsewhere, parcel, patience, masked
        self._arrived: queue.SimpleQueue[Arrival | None] = queue.SimpleQueue()
        self._came: Came | None = None
        self._ms = 0

    def open(self) -> bool:
        """Have a worker make the exchange, another where it is lost. False if closed meanwhile.

        Raises what it met before an answer began; WorkerLostError, ExecutorGoneError.
        """
        futures: list[Future[Came]] = []
        try:
            while self._came is None and not self.closed:
                started, future = self._elsewhere.give(self._parcel, self._arrived)
                futures.append(future)
                lost = self._wait_for(started)
                if lost and len(futures) == MOST_TRIES:
                    raise WorkerLostError(
                        f"{MOST_TRIES} workers were lost with the request to {place(self.url)}, or made nothing of it: "
                        f"{self._masked(lost)}."
                    )
        finally:
            for future in futures:
                future.cancel()  # nothing where it has ended
        if self._came is None:
            return False
        self.closed = self.was_closed = False  # it had come before that
        self.sent_at = time.monotonic()
        self.media_type = self._came.media_type
        self._pieces = self._came.pieces()
        if self._came.error is not None and not self._came.is_opened:
            raise self._came.error
        return True

    def _wait_for(self, last: Try) -> str:
        """Wait until something has come, or the exchange is closed, or the last try is lost: then how, in words."""
        while True:
            left = self._elsewhere.left(last, self._patience)
            if left <= 0:
                return f"nothing came within {self._patience:,.0f} s"
            try:
                arrived = self._arrived.get(timeout=None if math.isinf(left) else left)
            except queue.Empty:
                continue
            if arrived is None:
                return ""
            try:
                self._came = _result(arrived[1])
                return ""
            except BrokenExecutor as error:
                raise ExecutorGoneError(f"The executor is broken: {_told(error)}.") from None
            except BaseException as error:  # of the worker, also a cancellation or an interrupt
                if arrived[0] is last:
                    return _told(error)

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
        """End it at once, from any thread, unless it is here. A worker that has begun ends by itself."""
        if self._came is None:
            self.closed = self.was_closed = True
        self._arrived.put(None)


def _giving(executor: Any) -> Callable[[Callable[[Parcel], Came], Parcel], Future[Came]]:
    """How a worker of `executor` is given something.

    dask's executor never tells of a future that is cancelled, as all are when the cluster restarts; its client does.
    """
    submit: Callable[[Callable[[Parcel], Came], Parcel], Future[Came]] = executor.submit
    if not all(hasattr(executor, name) for name in ("_client", "_kwargs", "_wrap_future")):
        return submit

    def submit_to_dask(function: Callable[[Parcel], Came], parcel: Parcel) -> Future[Came]:
        future = executor._client.submit(function, parcel, **executor._kwargs)
        told: Future[Came] = executor._wrap_future(future)
        future.add_done_callback(lambda done: done.cancelled() and told.cancel())
        return told

    return submit_to_dask


def _result(future: Future[Came]) -> Came:
    """What a worker sent back. Raises whatever the executor does, also where it gives something else."""
    came = future.result()
    if not isinstance(came, Came):
        raise TypeError(f"the executor gave {type(came).__name__}, and not what its worker gave")
    return came


def _told(error: BaseException) -> str:
    return on_one_line(f"{type(error).__name__}: {error}".rstrip(": "), 300).rstrip(".")
