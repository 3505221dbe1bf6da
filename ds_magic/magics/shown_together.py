"""What a cell shows of several answers: how far they are and what has come, then all, in the same place."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..api.clean_text import on_one_line
from ..many.growing import Growing
from ..many.progress import Listener, Nobody, Progress, listening
from ..views.answer.delayed_call import Soon
from ..views.many.beside import FEW, answers_html
from ..views.many.captions import head_html
from ..views.tokens import style

if TYPE_CHECKING:
    from ..many.answers import Answers
    from ..many.plan import Plan

OFTEN = 0.25
"""Seconds between two pictures, at least."""
SHARE = 9
"""How many times as long as drawing one took nothing is drawn: the answers need the time."""
SENT = 400_000
"""Characters a second that pictures may send to the page."""


class ShownTogether:
    """What a cell shows of several answers."""

    def __init__(self, kind: str, plan: Plan) -> None:
        self._kind = kind
        self.listener: Listener = Nobody()
        self.watcher: Growing | None = None
        if kind == "text":
            line = listening(sys.stderr)
            self.listener = _Beforehand(kind) if isinstance(line, Nobody) else line
        elif kind == "static":
            self.listener = _Beforehand(kind)
        elif kind == "live":
            self.listener = _Picture(are_many=plan.groups is None or plan.groups > FEW)
            self.watcher = self.listener.growing

    def clear(self) -> None:
        """Nothing came of it."""
        if isinstance(self.listener, _Picture | _Beforehand):
            self.listener.draw({})

    def show(self, answers: Answers) -> None:
        """All that came, in place of what was shown of it."""
        if self._kind == "text":
            print(answers)
        elif isinstance(self.listener, _Picture):
            html = answers_html(answers, answers.notes, self.listener.head)
            self.listener.draw({"text/html": html, "text/plain": answers.to_text()})
        elif isinstance(self.listener, _Beforehand):
            self.listener.draw({"text/html": answers.to_html(), "text/plain": answers.to_text()})


class _Beforehand:
    """Shows nothing of how far it is, but says before it starts what has to be known by then."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._place: Any = None
        self._has_begun = False

    def progress(self, progress: Progress) -> None:
        """Say it, the first time."""
        if not self._has_begun and progress.changed:
            said = on_one_line(progress.changed, 400)
            if self._kind == "text":
                print(said)
            else:
                self.draw({"text/html": style.frame(style.small(style.prose(said))), "text/plain": said})
        self._has_begun = True

    def draw(self, bundle: dict[str, str]) -> None:
        """Put `bundle` where the last one was."""
        from IPython.display import display

        if self._place is not None:
            self._place.update(bundle, raw=True)
        elif bundle and self._kind == "static":
            self._place = display(bundle, raw=True, display_id=True)

    def close(self) -> None:
        """Nothing."""


class _Picture:
    """A picture in the cell of how far it is, and of what has come, a few times a second."""

    def __init__(self, *, are_many: bool) -> None:
        from IPython.display import display

        self.growing = Growing(self._changed, are_many=are_many)
        self._place: Any = display({}, raw=True, display_id=True)
        self._next = float("-inf")
        self._sent = ""
        self._latest: Progress | None = None
        self._told = 0.0
        self._soon = Soon(self._draw_latest)
        self._lock = threading.Lock()
        self._is_over = False

    @property
    def head(self) -> str:
        """What stands above all that came."""
        return "" if self._latest is None else head_html(self._latest, is_over=True)

    def progress(self, progress: Progress) -> None:
        """Draw it, at once where the last picture is old enough, else soon."""
        self._latest, self._told = progress, time.monotonic()
        self._changed()

    def _changed(self) -> None:
        if not self._soon.is_set:
            self._soon.at(self._next)

    def _draw_latest(self) -> None:
        with self._lock:
            progress = self._latest
            if progress is None or self._is_over:
                return
            began = time.monotonic()
            paused = max(0.0, progress.paused - (began - self._told))
            progress = replace(progress, in_flight=self.growing.n_running, paused=paused)
            ends = style.small("Interrupting the kernel ends it, and keeps what is there.")
            html = style.frame(head_html(progress) + self.growing.html() + ends)
            if html != self._sent:
                self._sent = html
                self.draw({"text/html": html, "text/plain": str(progress)})
            ended = time.monotonic()
            self._next = ended + max(OFTEN, SHARE * (ended - began), len(html) / SENT)
            if paused:
                self._soon.at(max(self._next, ended + 1))

    def draw(self, bundle: dict[str, str]) -> None:
        """Put `bundle` in its place."""
        self._place.update(bundle, raw=True)

    def close(self) -> None:
        """No more of these: what came takes their place."""
        with self._lock:
            self._is_over = True
        self._soon.end()
