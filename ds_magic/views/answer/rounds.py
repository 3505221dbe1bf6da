"""The rounds of an answer that called functions: each call with its arguments and its result or error."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

from ...api.clean_text import escaped, for_terminal, on_one_line
from .code import CODE_STYLE

if TYPE_CHECKING:
    from ...api.response import ChatCompletion

LONGEST = 2_000
"""Characters of a result that are shown; the model is given all of it."""

_QUIET = "font-size:.85em;line-height:1.5;opacity:.75"
_CALL = "margin:0 0 8px;padding:0 0 0 12px;border-left:2px solid rgba(128,128,128,.4)"
_RESULT = "margin:2px 0 0;white-space:pre-wrap;overflow-wrap:anywhere;background:none;padding:0"
_IGNORE = "mathjax_ignore tex2jax_ignore"


def calls_to_html(calls: Iterable[Any]) -> str:
    """Calls as HTML without script: name, arguments, and what came back."""
    return "".join(_call_html(call) for call in calls)


def calls_to_text(calls: Iterable[Any]) -> str:
    """Calls as plain text."""
    return "\n".join(_call_text(call) for call in calls)


def line_to_html(text: str) -> str:
    """A quiet line of ours between two rounds."""
    return f'<div class="{_IGNORE}" style="{_QUIET}">{escape(on_one_line(text, 400))}</div>'


def earlier_to_html(completion: ChatCompletion) -> str:
    """The rounds before the one that answered: what the model said on the way, and its calls."""
    parts = []
    for each in _earlier(completion):
        if each.completion.content:
            parts.append(f'<div dir="auto" style="white-space:pre-wrap">{escaped(each.completion.content)}</div>')
        parts.append(calls_to_html(each.calls))
    return "".join(parts)


def earlier_to_text(completion: ChatCompletion) -> list[str]:
    """The same as paragraphs of plain text."""
    parts = []
    for each in _earlier(completion):
        if each.completion.content:
            parts.append(for_terminal(each.completion.content))
        parts.append(calls_to_text(each.calls))
    return [part for part in parts if part]


def _earlier(completion: ChatCompletion) -> list[Any]:
    return completion.rounds[:-1]


def _call_html(call: Any) -> str:
    mark, what = ("✗", "error") if call.error is not None else ("→", "result")
    result = escape(_result(call))
    return (
        f'<div class="{_IGNORE}" style="{_CALL}"><code style="overflow-wrap:anywhere">{escape(_head(call))}</code>'
        f'<pre title="{what}" style="{_RESULT}"><code style="{CODE_STYLE}">{mark} {result}</code></pre></div>'
    )


def _call_text(call: Any) -> str:
    mark = "✗" if call.error is not None else "→"
    return f"{_head(call)}\n  {mark} " + _result(call).replace("\n", "\n    ")


def _head(call: Any) -> str:
    return f"{on_one_line(call.name, 80)}({on_one_line(call.arguments, 400)})"


def _result(call: Any) -> str:
    text = call.error if call.error is not None else call.result
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters in all)"
    return for_terminal(shown)
