"""The request that a cell would send, as JSON with the filled places marked, and as a curl line."""

from __future__ import annotations

import json
import os
import re
import shlex
from html import escape
from typing import TYPE_CHECKING, Any

from ..api.text import mask_keys

if TYPE_CHECKING:
    from ..api.request import ChatRequest

MARKS = ("\x02", "\x03")
"""Characters around a filled place, which no prompt holds."""

_WRITTEN_MARKS = re.compile(r"\\u000([23])")
_MARKED = '<mark style="background:rgba(255,190,0,.3);color:inherit" title="filled in">'
_PRE = "white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0"


class DryRun:
    """What a cell would send: `json` (a dictionary), `curl`, `url` and `notes`. Nothing was sent."""

    def __init__(self, request: ChatRequest, base_url: str | None, is_embedded: bool):
        prepared = request.prepared()
        self._marked = prepared.request.to_wire()
        self.json: dict[str, Any] = json.loads(_without_marks(_written(self._marked)))
        self.notes = list(prepared.notes)
        if is_embedded:
            self.notes.append("Without a key the model on this machine would answer this; the curl line is DeepSeek's.")
        base = (base_url or os.environ.get("DEEPSEEK_BASE_URL") or "https://api.deepseek.com").strip().rstrip("/")
        if request.needs_beta and not base.endswith("/beta"):
            base = base.removesuffix("/v1") + "/beta"
        self.url = f"{base}/chat/completions"

    @property
    def curl(self) -> str:
        """The request as a shell command that takes the key from DEEPSEEK_API_KEY."""
        body = json.dumps(self.json, ensure_ascii=False)
        return (
            f"curl -N {shlex.quote(mask_keys(self.url))} \\\n"
            '  -H "Authorization: Bearer $DEEPSEEK_API_KEY" \\\n'
            "  -H 'Content-Type: application/json' \\\n"
            f"  -d {shlex.quote(body)}"
        )

    def text(self, start: str = "", end: str = "") -> str:
        """All of it as plain text, filled places between `start` and `end`."""
        written = _drawn(_written(self._marked))
        shown = _WRITTEN_MARKS.sub(lambda mark: start if mark[1] == "2" else end, written)
        return "\n".join([shown, "", _drawn(self.curl), "", *self.notes, "Nothing was sent."])

    def __repr__(self) -> str:
        return self.text()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        written = escape(_drawn(_written(self._marked)), quote=False)
        shown = _WRITTEN_MARKS.sub(lambda mark: _MARKED if mark[1] == "2" else "</mark>", written)
        notes = "".join(f"<div>{escape(note)}</div>" for note in [*self.notes, "Nothing was sent."])
        return (
            '<div class="mathjax_ignore tex2jax_ignore">'
            f'<pre style="{_PRE}">{shown}</pre><details><summary style="cursor:pointer">as a curl line</summary>'
            f'<pre style="{_PRE}">{escape(_drawn(self.curl))}</pre></details>'
            f'<div style="font-size:.85em;opacity:.75">{notes}</div></div>'
        )


def show(dry: DryRun) -> None:
    """Show it: in colours in a terminal, else as a display."""
    import sys

    from IPython.display import display

    if getattr(sys.stdout, "isatty", lambda: False)():
        print(dry.text("\x1b[7m", "\x1b[0m"))
    else:
        display(dry)


def _written(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2)


def _without_marks(text: str) -> str:
    return _WRITTEN_MARKS.sub("", text)


def _drawn(text: str) -> str:
    """`text` without what would reorder it or command a terminal; JSON has the C0 characters escaped."""
    return re.sub("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", "\ufffd", text)
