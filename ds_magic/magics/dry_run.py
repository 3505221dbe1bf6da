"""The request that a cell would send, as JSON with the filled places marked, and as a curl line."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ..api.addresses import address, base_url_of
from ..api.clean_text import for_json, for_report
from ..backend import default_model

if TYPE_CHECKING:
    from ..api.request import ChatRequest

MARKS = ("\x02", "\x03")
"""Characters around a filled place, which no prompt holds."""

_WRITTEN_MARKS = re.compile(r"\\u000([23])")
_MARKED = '<mark style="background:rgba(255,190,0,.3);color:inherit" title="filled in">'
_QUIET = "font-size:.85em;line-height:1.5;opacity:.75"
_WIDTH = 88
"""Characters up to which an object or a list stays on one line."""


class DryRun:
    """What a cell would send: `json` (a dictionary), `curl`, `url` and `notes`. Nothing was sent."""

    def __init__(
        self, request: ChatRequest, base_url: str | None, is_embedded: bool, said: Sequence[str] = (),
        local_model: str | None = None,
    ):
        if "model" not in request.model_fields_set:
            request = request.model_copy(update={"model": default_model(base_url)})
        request, notes = request.prepared()
        request, more = request.suited_to_model()
        self._marked = request.to_wire()
        self.json: dict[str, Any] = json.loads(_without_marks(_written(self._marked)))
        self.notes = [*said, *notes, *more]
        if is_embedded:
            who = f"{local_model}, on this machine," if local_model else "Without a key the model on this machine"
            self.notes.append(f"{who} would answer this; the curl line is DeepSeek's.")
        self.url = address(base_url_of(base_url), request.path, beta=request.needs_beta)

    @property
    def curl(self) -> str:
        """The request as a shell command that takes the key from DEEPSEEK_API_KEY."""
        body = for_json(json.dumps(self.json, ensure_ascii=False))
        return (
            f"curl -N {shlex.quote(for_report(self.url))} \\\n"
            '  -H "Authorization: Bearer $DEEPSEEK_API_KEY" \\\n'
            "  -H 'Content-Type: application/json' \\\n"
            f"  -d {shlex.quote(body)}"
        )

    def text(self, start: str = "", end: str = "") -> str:
        """All of it as plain text, filled places between `start` and `end`."""
        written = for_json(_written(self._marked))
        shown = _WRITTEN_MARKS.sub(lambda mark: start if mark[1] == "2" else end, written)
        return "\n".join([shown, "", self.curl, "", *self.notes, "Nothing was sent."])

    def __repr__(self) -> str:
        return self.text()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        from ..views.answer.code import CODE_STYLE, WRAPPED_STYLE

        def block(html: str) -> str:
            return f'<pre dir="ltr" style="{WRAPPED_STYLE}"><code style="{CODE_STYLE}">{html}</code></pre>'

        written = escape(for_json(_written(self._marked)), quote=False)
        shown = _WRITTEN_MARKS.sub(lambda mark: _MARKED if mark[1] == "2" else "</mark>", written)
        notes = "".join(f"<div>{escape(note)}</div>" for note in [*self.notes, "Nothing was sent."])
        return (
            f'<div class="mathjax_ignore tex2jax_ignore" dir="ltr" style="max-width:60em">{block(shown)}'
            f'<details><summary style="{_QUIET};cursor:pointer">as a curl line</summary>'
            f'{block(escape(self.curl))}</details><div style="{_QUIET}">{notes}</div></div>'
        )


def show(dry: DryRun) -> None:
    """Show it: in colours in a terminal, else as a display."""
    from IPython.display import display

    from ..views.colours import for_terminal

    if for_terminal():
        print(dry.text("\x1b[7m", "\x1b[0m"))
    else:
        display(dry)


def _written(value: Any, indent: int = 0) -> str:
    """`value` as JSON, what is short on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= _WIDTH or not isinstance(value, dict | list) or not value:
        return line
    inside = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {_written(each, indent + 2)}" for key, each in value.items()]
    else:
        parts = [_written(each, indent + 2) for each in value]
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    return f"{opened}\n" + ",\n".join(inside + part for part in parts) + f"\n{' ' * indent}{closed}"


def _without_marks(text: str) -> str:
    return _WRITTEN_MARKS.sub("", text)
