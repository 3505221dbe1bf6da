"""What a live view has told so far, as the one message that brings a page up to date that comes late."""

from __future__ import annotations

import time
from typing import Any

from .blocks import units

LATEST = ("state", "model", "progress", "thought", "note")
"""What each message says anew."""

CAME = ("reasoning", "content", "calls")
"""What ends the waiting, and with it the note that explains it."""


class Told:
    """Takes each message of a live view as a page takes it, and says all of them in one."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {"reasoning": [], "content": []}
        self._latest: dict[str, Any] = {}
        self._tints: list[int] = []
        self._calls: dict[int, tuple[str, list[str]]] = {}
        self._finished: list[Any] = []
        self._growing: list[Any] | None = None
        self._steps: list[Any] = []
        self._length = self._formatted = self._pieces = 0
        self._began = time.monotonic()
        self._first = self._counted = self._began

    def take(self, message: dict[str, Any]) -> None:
        """Note what `message` says."""
        for part, texts in self._texts.items():
            if text := message.get(part):
                texts.append(text)
        self._length += units(message.get("content", ""))
        if any(part in message for part in CAME):
            self._latest.pop("note", None)
        self._latest.update({name: message[name] for name in LATEST if name in message})
        self._tints += message.get("tints", ())
        for index, name, arguments in message.get("calls", ()):
            before, parts = self._calls.get(index, ("", []))
            parts.append(arguments)
            self._calls[index] = (name or before, parts)
        self._take_html(message)
        if pieces := message.get("pieces"):
            self._counted = time.monotonic()
            self._first = self._first if self._pieces else self._counted
            self._pieces += pieces

    def _take_html(self, message: dict[str, Any]) -> None:
        for length, changed in message.get("finished", ()):
            self._finished.append([length, [0, *self._whole(changed)]])
            self._growing, self._steps = None, []
        if growing := message.get("growing"):
            self._steps = self._growing = self._whole(growing)
            self._formatted = message.get("formatted", self._length)

    def _whole(self, changed: list[Any]) -> list[Any]:
        """The steps of which `changed` says how they differ from those before; see blocks.py."""
        same, *rest = changed
        return self._steps[:same] + rest

    def text(self, part: str) -> str:
        """All that came of `reasoning` or `content`."""
        return "".join(self._texts[part])

    def message(self) -> dict[str, Any]:
        """All of it: what a page has that was there from the beginning.

        `ago`: the seconds since the beginning, since the first tokens and since the last that were counted.
        """
        now = time.monotonic()
        whole: dict[str, Any] = {
            **self._latest,
            "reasoning": self.text("reasoning"),
            "content": self.text("content"),
            "tints": self._tints,
            "calls": [[index, name, "".join(parts)] for index, (name, parts) in self._calls.items()],
            "finished": self._finished,
            "ago": [now - self._began],
        }
        if self._pieces:
            whole["pieces"] = self._pieces
            whole["ago"] += now - self._first, now - self._counted
        if self._growing is not None:
            whole |= {"growing": [0, *self._growing], "formatted": self._formatted}
        return whole
