"""An answer in a notebook, streamed into a widget that gives way to the static output."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...api.clean_text import Joiner, for_page, on_one_line
from ...api.events import Preparing, Queued
from ..tokens.tints import runs
from . import static
from .blocks import Blocks, changed, encode, units
from .delayed_call import Soon
from .display import Place, ThinkingClock
from .facts import thought
from .gap import live_gap
from .given import mark_prefix, prefix_length, text_length
from .live_widget import LiveWidget, kernel_id, run_of_cell
from .told import Told

if TYPE_CHECKING:
    from ...api.delta import Delta
    from ...api.errors import DeepSeekError
    from ...api.events import Event
    from ...api.request import ChatRequest
    from ...api.response import ChatCompletion

INTERVAL = 0.085
"""Seconds between two messages: a token is on the screen within 100 ms, and no message is dropped."""

SHORT_INTERVAL = 0.04
"""The same after a message of much text, which takes longer to read, to send and to draw."""

MUCH = 4_000
"""Characters that are sent ahead of their HTML: formatting them takes longer than a reader should wait."""

KEPT = 3.0
"""Seconds between two times at which what has come is put into the notebook, in case it is saved or its page closed."""

GROWN = 2.0
"""How many times as long it is then at least: all of them together are twice the text."""

COUNTED = 0.5
"""Seconds between two counts of the tokens, once they are many: figures that change more often cannot be read."""

PAUSE = 0.01
"""Seconds in which a message gets away."""

MANY = 2_000
"""Deltas that are sent at once, as text: fewer messages than a server drops, however fast a recording is."""


class LiveView:
    """Sends what has come some twelve times a second, and ends as the output that a notebook keeps.

    `on_stop`, where given, is called when the reader presses Stop; without it the button interrupts the
    kernel, because no callback runs while its cell does. `place`: where it is shown, if not in the cell that runs.
    """

    def __init__(self, on_stop: Callable[[], None] | None = None, place: Place | None = None) -> None:
        self._on_stop = on_stop
        self._lock = threading.RLock()
        self._arrived: deque[tuple[float, Delta]] = deque()
        self._clock = ThinkingClock()
        self._blocks = Blocks()
        self._steps: list[Any] = []
        self._fresh: dict[str, list[str]] = {"reasoning": [], "content": []}
        self._joiners = {"reasoning": Joiner(), "content": Joiner()}
        self._kept: dict[str, list[str]] = {"reasoning": [], "content": []}
        self._told = Told()
        self._message: dict[str, Any] = {}
        self._pieces = self._told_pieces = 0
        self._state = self._told_state = "waiting"
        self._soon = Soon(self._send_waiting)
        self._last_sent = float("-inf")
        self._interval = INTERVAL
        self._last_counted = float("-inf")
        self._is_over = False
        self._widget: LiveWidget | None = None
        self._unmarked = 0
        self._place = place or Place()
        self._last_kept, self._kept_length = time.monotonic(), 0
        self._length = 0

    def start(self, request: ChatRequest, backend: str) -> None:
        """Display what is kept of the answer, beside which the widget draws."""
        self._request, self._backend = request, backend
        # Which model answers where nobody named one is known when it does.
        self._model = request.model if "model" in request.model_fields_set else ""
        self._formats = not static.is_code(request)
        gap = live_gap(request)
        self._before = "" if gap else request.prefix or ""
        about = {
            "backend": on_one_line(backend, 80),
            "model": on_one_line(self._model, 80),
            "kernel": kernel_id(),
            "in_background": self._on_stop is not None,
            **run_of_cell(self._on_stop is None),
            "is_code": not self._formats,
            "gap": gap,
            "prefix_units": units(for_page(self._before)),
        }
        self._widget = LiveWidget(about=about, on_asked=self._asked)
        if self._on_stop is not None:
            self._widget.on_msg(self._heard)
        self._place.reserve(self._bundle_so_far(), self._widget.mark, self._widget.metadata)
        if self._before:
            self._unmarked = prefix_length(self._before)
            self._fresh["content"].append(self._before)

    def _heard(self, widget: Any, content: Any, buffers: Any) -> None:
        if self._on_stop is not None and isinstance(content, dict) and content.get("stop"):
            self._on_stop()

    def _asked(self, what: str, is_named: bool) -> None:
        """By a page, in another thread: to stop, or for the whole of all that comes because it came late."""
        if what == "stop" and is_named and self._on_stop is not None:
            self._on_stop()
        elif what == "whole" and self._widget is not None:
            with self._lock:
                if not self._is_over:
                    self._send()
                    self._place.keep(self._bundle_so_far(), self._widget.metadata)
                    self._widget.tell_whole(self._told.message())

    def event(self, event: Event) -> None:
        """Show why it takes long, until something comes."""
        with self._lock:
            if isinstance(event, Queued):
                self._state = "queued"
            elif isinstance(event, Preparing):
                self._state = "preparing"
                self._message["progress"] = event.share
            self._message["note"] = on_one_line(str(event), 400)
            self._send()

    def delta(self, delta: Delta) -> None:
        """Keep what came, and send it now or soon."""
        # Between two tokens other code has had the processor's caches: every line that runs for each token
        # costs ten times what it does in a loop. So they are only kept here, and read together.
        self._arrived.append((time.monotonic(), delta))
        are_many = len(self._arrived) >= MANY
        if self._soon.is_set and not are_many:
            return
        with self._lock:
            if are_many:
                self._send(formats=False)
            due = self._last_sent + self._interval
            if time.monotonic() >= due:
                self._send()
            else:
                self._soon.at(due)

    def _take_arrived(self) -> None:
        while self._arrived:
            at, delta = self._arrived.popleft()
            if delta.index == 0:
                self._clock.see(delta, at)
                self._take(delta)

    def _take(self, delta: Delta) -> None:
        if delta.model and delta.model != self._model:
            self._model = delta.model
            self._message["model"] = on_one_line(delta.model, 80)
        if delta.reasoning_content:
            self._state = "thinking"
            self._add("reasoning", delta.reasoning_content)
        if delta.content:
            self._begin_answer("answering")
            self._add("content", delta.content)
            if delta.logprobs:
                self._add_tints(delta.content, delta.logprobs)
        for call in delta.tool_calls or ():
            self._begin_answer("calling")
            self._add_call(call)

    def _begin_answer(self, state: str) -> None:
        if self._state == "thinking":
            self._message["thought"] = thought(None, self._clock.seconds)
        self._state = state

    def _add(self, part: str, text: str) -> None:
        self._fresh[part].append(text)
        self._pieces += 1

    def _add_tints(self, text: str, logprobs: Any) -> None:
        """Runs of the text and the class of their surprisal: `[units, class, …]`."""
        for run, class_ in runs(text, logprobs):
            self._message.setdefault("tints", []).extend((units(run), class_))

    def _add_call(self, piece: dict[str, Any]) -> None:
        function = piece.get("function")
        function = function if isinstance(function, dict) else {}
        index = piece.get("index")
        name, arguments = function.get("name"), function.get("arguments")
        call = [
            index if isinstance(index, int) else 0,
            on_one_line(name, 80) if isinstance(name, str) else "",
            for_page(arguments) if isinstance(arguments, str) else "",
        ]
        self._pieces += 1
        self._message.setdefault("calls", []).append(call)

    def _send_waiting(self) -> None:
        with self._lock:
            if not self._is_over:
                self._send()

    def _send(self, *, formats: bool = True, is_last: bool = False) -> None:
        """One message with all that is new: the text, and the HTML that is made of it."""
        self._take_arrived()
        message = self._news(is_last=is_last)
        much = len(self._blocks.unformatted) > MUCH
        if message and (much or not formats):
            self._tell(message)
            message = {}
            # The thread that sends needs the interpreter, which formatting would keep.
            time.sleep(PAUSE)
        if formats:
            self._add_html(message, is_last=is_last)
        if message:
            self._tell(message)
        if not is_last:
            self._keep()
        self._interval = SHORT_INTERVAL if much else INTERVAL

    def _tell(self, message: dict[str, Any]) -> None:
        self._told.take(message)
        if self._widget is not None:
            self._widget.tell(message)
        self._last_sent = time.monotonic()

    def _keep(self) -> None:
        """Now and then, put what has come into the notebook."""
        if self._length > GROWN * self._kept_length and time.monotonic() >= self._last_kept + KEPT:
            self._place.keep(self._bundle_so_far(), self._widget.metadata if self._widget is not None else None)
            self._last_kept, self._kept_length = time.monotonic(), self._length

    def _bundle_so_far(self) -> dict[str, str]:
        reasoning, content = ("".join(self._kept[part]) for part in ("reasoning", "content"))
        mark = self._widget.mark if self._widget is not None else ""
        return static.unfinished_bundle(self._backend, self._model, reasoning, content, mark, self._request)

    def _news(self, *, is_last: bool) -> dict[str, Any]:
        message, self._message = self._message, {}
        for part in self._fresh:
            text = self._fresh_text(part, is_last=is_last)
            if text:
                message[part] = text
        now = time.monotonic()
        is_due = is_last or now >= self._last_counted + COUNTED or 10 * self._pieces > self._told_pieces
        if self._pieces and is_due:
            message["pieces"] = self._pieces
            self._told_pieces += self._pieces
            self._pieces, self._last_counted = 0, now
        if self._state != self._told_state:
            message["state"] = self._told_state = self._state
        return message

    def _add_html(self, message: dict[str, Any], *, is_last: bool) -> None:
        formatted = self._blocks.format(is_last=is_last) if self._formats else None
        if formatted is None:
            return
        finished, growing = formatted
        for source, html in finished:
            message.setdefault("finished", []).append([units(source), self._changed(html, source)])
            self._steps = []
        if growing is not None:
            message["growing"] = self._changed(growing, self._blocks.raw, may_mark=False)

    def _fresh_text(self, part: str, *, is_last: bool) -> str:
        """What came of a part since the last message, cleaned, and noted where it is needed later."""
        text = self._joiners[part].add("".join(self._fresh[part]))
        self._fresh[part].clear()
        if is_last:
            text += self._joiners[part].flush()
        text = for_page(text)
        self._kept[part].append(text)
        self._length += len(text)
        if part == "content" and self._formats:
            self._blocks.add(text)
        return text

    def _changed(self, html: str, source: str, *, may_mark: bool = True) -> list[Any]:
        if self._unmarked:
            html = mark_prefix(html, self._unmarked)
            if may_mark:
                self._unmarked = max(0, self._unmarked - text_length(html))
        steps = encode(html, source)
        before, self._steps = self._steps, steps
        return changed(before, steps)

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        """Send the rest, then put the static output in the place of what was kept; nothing where nothing came."""
        if self._widget is None:
            return
        with self._lock:
            self._is_over = True
            self._soon.end()
            self._take_arrived()
            completion = completion or self._what_came()
            self._state = "done" if completion is None or not completion.interrupted else "stopped"
            if error is not None:
                self._state = "failed"
            self._message["over"] = True
            self._send(is_last=True)
        final = self._place.show(completion, error if self._on_stop is not None else None, self._clock.seconds)
        self._widget.retire(final.get("text/html", ""), self._place.show_again)

    def explore(self, completion: ChatCompletion) -> None:
        """Have the explorer over the answer in its place; a notebook keeps the static output, and the branches."""
        explorer, seconds = completion.explore(), self._clock.seconds

        def keep() -> None:
            bundle = static.mimebundle(completion, thinking_seconds=seconds, mark=explorer.mark)
            self._place.keep(*static.alive(completion, bundle))

        explorer.stand_for(keep)

    def _what_came(self) -> ChatCompletion | None:
        """The text that had come where a second interrupt left no completion."""
        from ...api.response import ChatCompletion

        content, reasoning = (
            for_page("".join(self._kept[part] + self._fresh[part])) for part in ("content", "reasoning")
        )
        content = content.removeprefix(for_page(self._before))
        if not content and not reasoning:
            return None
        message = {"content": content, "reasoning_content": reasoning or None}
        body = {"model": self._model, "choices": [{"index": 0, "message": message}]}
        return ChatCompletion.from_wire(body, request=self._request, backend=self._backend, interruption="stopped")
