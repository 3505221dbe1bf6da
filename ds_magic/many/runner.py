"""The one way from rows to answers: in their order, while they come, as fast as the server lets them."""

from __future__ import annotations

import copy
import heapq
import math
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..api.errors import APIConnectionError, DeepSeekError, RateLimitError, ServerOverloadedError
from ..api.retry import wait_before
from ..stop import Stop, second_interrupt
from .pace import Limits, Pace
from .progress import Listener, Nobody, Progress, Watcher
from .recalled import recalled
from .row import Row
from .task import Asking, Outcome, Task, asked, calls_functions, cost, is_empty, is_everybodys

if TYPE_CHECKING:
    from ..api.client import Client

LONGEST_PAUSE = 600.0
"""Seconds for which a server may ask everybody to wait; where it asks for more, nothing new is begun."""
MOST_REFUSALS = 20
"""How often a row may be refused because the server has too much to do, while others are answered."""
MOST_LOST = 8
"""How many rows in a row may be lost to what passes by itself, and did not, before nothing new is begun."""
_GRACE = 2.0
"""Seconds that what runs has to hand over what had arrived, once it is to stop."""


class RowsInterrupted(KeyboardInterrupt):
    """An interrupt while the next row was being made."""


class Runner:
    """Asks rows of a client in several threads; `run` gives what comes of them in the order of the rows.

    What may pass is tried again here, and no longer by the client, but for turns that call functions: they are asked
    once, as in a cell, since nobody wants a function called twice. A refusal for want of room (429, 503), a server that
    is away, and whoever sends `Retry-After` let everything wait. `kept` is given each row before it counts as done;
    `watcher` is shown what runs. Afterwards `notes` say why not all rows were asked, and `fatal` is the error that
    every other row would have met.
    """

    def __init__(
        self,
        client: Client,
        *,
        limits: Limits | None = None,
        stop: Stop | None = None,
        listener: Listener | None = None,
        kept: Callable[[Row], None] = lambda row: None,
        watcher: Watcher | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._once: dict[Client, Client] = {}
        self._limits = limits or Limits()
        self._pace = Pace(self._limits, clock)
        self._listener, self._kept, self._watcher = listener or Nobody(), kept, watcher
        self._stop, self._their_stop = Stop(), stop
        self._arrived: queue.SimpleQueue[tuple[Task, Future[Outcome]] | None] = queue.SimpleQueue()
        self._again: list[Task] = []
        self._done: dict[int, Row | None] = {}
        self._next = self._begun = 0
        self._refused_in_a_row = self._lost_in_a_row = 0
        self._ended: str | None = None
        self._is_interrupted = self._is_in_rows = False
        self.fatal: DeepSeekError | None = None
        self._progress = Progress(None)
        self._began_at = self._pace.now
        self.notes: list[str] = []

    def close(self) -> None:
        """Begin nothing more, and end what runs, from any thread."""
        self._stop.set()
        self._arrived.put(None)

    def interrupt(self) -> None:
        """The same as `close`, but it may be called between any two steps of `run`, whatever that holds."""
        self._is_interrupted = True
        if self._is_in_rows:  # which may take as long as they like
            raise RowsInterrupted
        self._arrived.put(None)

    def run(self, rows: Iterable[Asking], total: int | None = None) -> Iterator[Row]:
        """What comes of the rows, in their order. Rows are taken as they are begun, and no sooner.

        Stopped, or interrupted once, it ends with what is there: rows that ran are given where something had arrived.
        Raises KeyboardInterrupt for a second interrupt within a second.
        """
        if self._their_stop is not None:
            self._their_stop.hold(self)
        self._progress = replace(self._progress, total=total)
        source, pool = iter(rows), ThreadPoolExecutor(self._limits.most, "ds_magic row")
        try:
            while True:
                try:
                    going_on = self._step(source, pool)
                except KeyboardInterrupt as interrupt:
                    self.close()
                    if (again := second_interrupt(interrupt)) is not None:
                        raise again from None
                    going_on = True
                yield from self._in_order(to_the_end=not going_on)
                if not going_on:
                    break
            self._say_what_was_not_asked()
        finally:
            self._stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            self._listener.close()

    def _step(self, source: Iterator[Asking], pool: ThreadPoolExecutor) -> bool:
        """Begin what may begin, and take what has arrived. Whether anything is left to come."""
        pace = self._pace
        if self._is_interrupted and not self._stop.is_set:
            self.close()
        if self._stop.is_set:
            return pace.in_flight > 0 and self._take(_GRACE)
        if pace.is_used_up:
            self._end(f"The budget of {self._limits.token_budget:,.0f} tokens is used up.")
        wait = pace.wait()
        while wait <= 0 and (task := self._next_task(source)) is not None:
            if self._recall(task):  # one a step: it is given at once, and a stop is heard
                self._take(0.0)
                return True
            self._begin(task, pool)
            wait = pace.wait()
        if self._ended:
            while self._again:  # what waited for another try has none
                task = heapq.heappop(self._again)
                self._finish(task, Outcome(None, task.error))
        if wait <= 0 or self._ended:
            if not (self._again or pace.in_flight):
                return False
            wait = self._again[0].ready_at - pace.now if self._again else math.inf
        self._take(wait)
        return True

    def _next_task(self, source: Iterator[Asking]) -> Task | None:
        """The next row to be asked: one that is to be asked again, else a new one; None where none is ready."""
        if self._ended or self._stop.is_set or self._is_interrupted:
            return None
        if self._again and self._again[0].ready_at <= self._pace.now:
            return heapq.heappop(self._again)
        while (asking := self._from(source)) is not None:
            task = Task(0.0, self._begun, asking)
            self._begun += 1
            if asking.turn is not None:
                return task
            self._finish(task, Outcome(None, asking.error))
        return None

    def _from(self, source: Iterator[Asking]) -> Asking | None:
        try:
            try:
                self._is_in_rows = True
                return next(source, None)
            finally:
                self._is_in_rows = False
        except RowsInterrupted:
            self._is_in_rows = False
        except Exception as error:
            self._end(f"The rows broke off: {type(error).__name__}: {error}")
        return None

    def _recall(self, task: Task) -> bool:
        """Finish a row that was asked before, as far as the client spares such; it takes no place in flight."""
        assert task.asking.turn is not None
        known = recalled(task.asking.turn, self._client_of(task))
        if known is not None:
            self._done_with(task, Row.of_recalled(task.asking.factors, known))
        return known is not None

    def _client_of(self, task: Task) -> Client:
        client = task.asking.client or self._client
        if not calls_functions(task):
            if client not in self._once:
                self._once[client] = copy.copy(client)
                self._once[client].retries = 0
            client = self._once[client]
        return client.of_sample(task.asking.sample - 1)

    def _begin(self, task: Task, pool: ThreadPoolExecutor) -> None:
        assert task.asking.turn is not None
        task.begun_at = self._pace.begin()
        audience = None if self._watcher is None else self._watcher.begun(task.number, task.asking.factors)
        future = pool.submit(asked, task.asking.turn, self._client_of(task), self._stop, audience)
        future.add_done_callback(lambda done: self._arrived.put((task, done)))

    def _take(self, seconds: float) -> bool:
        """Take what arrives within `seconds`; whether anything did."""
        try:
            arrived = self._arrived.get(timeout=None if math.isinf(seconds) else max(0.0, seconds))
        except queue.Empty:
            return False
        if arrived is not None:
            task, future = arrived
            self._settle(task, future.result())
        return True

    def _settle(self, task: Task, outcome: Outcome) -> None:
        """What comes of an answer, or of none: a row, or another try."""
        error = outcome.error
        self._pace.ended(cost(outcome.answer), answered=error is None)
        if self._stop.is_set and (error is not None and error.retryable or is_empty(outcome)):
            self._done[task.number] = None
            return
        if error is None:
            self._refused_in_a_row = self._lost_in_a_row = 0
        elif error.retryable and self._may_pass(task, error):
            heapq.heappush(self._again, task)
            return
        elif is_everybodys(error):
            self._end(f"{error} {error.remedy}", error)
        elif error.retryable or isinstance(error, APIConnectionError):
            self._lost_in_a_row += 1
            if self._lost_in_a_row >= MOST_LOST:
                self._end(f"{error} {self._lost_in_a_row} rows in a row met such an error.", error)
        self._finish(task, outcome)

    def _may_pass(self, task: Task, error: DeepSeekError) -> bool:
        """Whether the row is to be tried again; then the wait for it is begun, by all where it is for all."""
        is_full = isinstance(error, RateLimitError | ServerOverloadedError)
        is_for_all = is_full or isinstance(error, APIConnectionError) or error.retry_after is not None
        if is_for_all and self._pace.refused(task.begun_at, is_full=is_full):
            self._refused_in_a_row += 1
        task.error = error
        task.refusals += is_full
        task.tries += not is_full
        retries, asked_for = self._client.retries, error.retry_after or 0.0
        if asked_for > LONGEST_PAUSE:
            self._end(f"{error} The server asks to wait {asked_for:,.0f} s.", error)
        elif self._refused_in_a_row > retries:
            self._end(f"{error} It was tried {self._refused_in_a_row} times.", error)
        if self._ended or calls_functions(task) or task.tries > retries or task.refusals > MOST_REFUSALS:
            return False
        attempt = self._refused_in_a_row if is_for_all else task.tries
        wait = error.retry_after if error.retry_after is not None else wait_before(max(1, attempt), None) or 0.0
        if is_for_all:
            self._pace.pause(wait)
            self._tell(str(error))
        else:
            task.ready_at = self._pace.now + wait
        return True

    def _finish(self, task: Task, outcome: Outcome) -> None:
        self._done_with(task, Row(task.asking.factors, *outcome))

    def _done_with(self, task: Task, row: Row) -> None:
        self._kept(row)
        if self._watcher is not None:
            self._watcher.ended(task.number, row)
        self._done[task.number] = row
        before = self._progress
        self._tell(done=before.done + 1, failed=before.failed + (row.error is not None))

    def _tell(self, reason: str = "", **counts: Any) -> None:
        pace, paused = self._pace, self._pace.paused
        self._progress = replace(
            self._progress, **counts, in_flight=pace.in_flight, allowed=int(pace.allowed), tokens=pace.spent,
            seconds=pace.now - self._began_at, paused=paused,
            reason=(reason or self._progress.reason) if paused else "",
        )
        self._listener.progress(self._progress)

    def _in_order(self, *, to_the_end: bool) -> Iterator[Row]:
        """Rows that are done and whose turn it is; at the end also those behind one that was dropped."""
        while self._next in self._done:
            row = self._done.pop(self._next)
            self._next += 1
            if row is not None:
                yield row
        if to_the_end:
            yield from (row for _, row in sorted(self._done.items()) if row is not None)

    def _end(self, why: str, fatal: DeepSeekError | None = None) -> None:
        """Begin nothing more; what runs may end. `fatal`: what every other row would have met."""
        if self._ended is None:
            self._ended, self.fatal = why, fatal

    def _say_what_was_not_asked(self) -> None:
        why, total, done = self._ended, self._progress.total, self._progress.done
        if self._stop.is_set or self._is_interrupted:
            why = "It was stopped."
        if why is not None and total != done:
            self.notes.append(why if total is None else f"{why} {total - done:,} of {total:,} rows were not asked.")
