"""The object that an answer in JSON will be, field by field, while it streams."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from ...api.clean_text import on_one_line
from .tex import IGNORE

if TYPE_CHECKING:
    from ...api.delta import Delta
    from ...api.errors import DeepSeekError
    from ...api.events import Event
    from ...api.request import ChatRequest
    from ...api.response import ChatCompletion

SHORTEST = 0.15
"""Seconds between two updates."""

GROWTH = 0.1
"""By how much of itself the text grows before it is parsed again, so that the sum stays linear."""

LONGEST_VALUE = 200
_TABLE = "border-collapse:collapse;font-size:.9em;margin:4px 0 4px 12px"
_NAME = "padding:1px 12px 1px 0;text-align:left;vertical-align:top;font-weight:600"
_VALUE = "padding:1px 0;text-align:left;vertical-align:top"


class PartialObject:
    """A display of its own beside the streaming answer; it goes when the answer is whole.

    `fields`: the names that the object will have, as far as they are known; those that are still to come
    show as "…".
    """

    def __init__(self, fields: Sequence[str] = ()):
        self._fields = fields
        self._text: list[str] = []
        self._length = self._shown_length = 0
        self._last = float("-inf")
        self._handle: Any = None

    def start(self, request: ChatRequest, backend: str) -> None:
        """Nothing is there yet."""
        if request.prefix:
            self._text.append(request.prefix)

    def event(self, event: Event) -> None:
        """Nothing: waits are the answer's."""

    def delta(self, delta: Delta) -> None:
        """Show the fields that have come, now and then."""
        if delta.index != 0 or not delta.content:
            return
        self._text.append(delta.content)
        self._length += len(delta.content)
        now = time.monotonic()
        if now < self._last + SHORTEST or self._length - self._shown_length < GROWTH * self._length:
            return
        self._last, self._shown_length = now, self._length
        self._show(partial_object("".join(self._text)))

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        """The answer's own output has the object: this display becomes empty."""
        if self._handle is not None:
            self._handle.update({"text/plain": ""}, raw=True)

    def _show(self, value: dict[str, Any] | None) -> None:
        if value is None:
            return
        from IPython.display import display

        bundle = {"text/html": to_html(value, self._fields), "text/plain": ""}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def partial_object(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` begins, with what has come of it; None where it begins none."""
    try:
        value = from_json(text, allow_partial="trailing-strings")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def to_html(value: Mapping[str, Any], fields: Sequence[str] = ()) -> str:
    """A small table of an object's fields, without script; those of `fields` that are missing as "…"."""
    rows = "".join(
        f'<tr><th style="{_NAME}">{escape(on_one_line(name, 60))}</th>'
        f'<td style="{_VALUE}">{escape(_shown(value[name])) if name in value else "…"}</td></tr>'
        for name in dict.fromkeys([*fields, *value])
    )
    return f'<div class="{IGNORE}"><table style="{_TABLE}">{rows}</table></div>'


def _shown(value: Any) -> str:
    return on_one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), LONGEST_VALUE)
