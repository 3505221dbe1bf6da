"""An answer that comes while other cells run."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any

from ..run import Sink, run

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.request import ChatRequest
    from ..api.response import ChatCompletion
    from ..api.stream import Stream


class Background:
    """A request that runs in a thread of its own, from `begin` on.

    `result()` waits for the completion, `stop()` ends it at once and keeps what came, `done()` says
    whether it is over.
    """

    def __init__(self, client: Client, request: ChatRequest):
        self._client = client
        self._request = request
        self._stream: Stream | None = None
        self._stopping = threading.Event()
        self._outcome: Future[ChatCompletion] = Future()

    def begin(self, sinks: Sequence[Sink]) -> Background:
        """Start the sinks here, where a display belongs to the cell, and the request in its thread."""
        for sink in sinks:
            sink.start(self._request, self._client.name)
        started = [_Started(sink) for sink in sinks]
        threading.Thread(target=self._run, args=(started,), daemon=True, name="ds_magic-background").start()
        return self

    def _run(self, sinks: Sequence[Sink]) -> None:
        try:
            self._outcome.set_result(run(self._client, self._request, sinks, on_stream=self._opened))
        except BaseException as error:
            self._outcome.set_exception(error.with_traceback(None))

    def _opened(self, stream: Stream) -> None:
        self._stream = stream
        if self._stopping.is_set():
            stream.close()

    def stop(self) -> None:
        """End the answer; what had come is the result, marked as interrupted. Nothing where it is over."""
        self._stopping.set()
        if self._stream is not None:
            self._stream.close()

    def done(self) -> bool:
        """Whether the answer is whole, stopped or failed."""
        return self._outcome.done()

    def result(self, timeout: float | None = None) -> ChatCompletion:
        """The completion, once it is over. Raises its DeepSeekError, or TimeoutError after `timeout` seconds."""
        if not wait([self._outcome], timeout).done:
            raise TimeoutError(f"the answer is not finished after {timeout} seconds")
        return self._outcome.result()

    def __repr__(self) -> str:
        if not self.done():
            return "<an answer in the background: it is coming; .result() waits for it, .stop() ends it>"
        if (error := self._outcome.exception()) is not None:
            return f"<an answer in the background: failed: {error}>"
        return f"<an answer in the background: {'stopped' if self.result().interrupted else 'done'}>"


class _Started:
    """A sink that has been started already."""

    def __init__(self, sink: Sink):
        self.event, self.delta, self.finish = sink.event, sink.delta, sink.finish

    def start(self, request: Any, backend: str) -> None:
        """Done before."""
