"""What two models held of the next bytes at one place: a bar for each text that may come, for either."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ...api.clean_text import on_one_line
from . import style, style_text
from .numbers import between

if TYPE_CHECKING:
    from ds_magic.logprobs.next_bytes import Beginning, NextBytes

_SHOWN = 6
_TITLE = "What each held of the text that comes next"
_NOTE = (
    "A text counts whatever follows it, so that one may hold another; between bounds where tokens came that only begin "
    "it, and for what was not returned."
)


def next_bytes_html(found: NextBytes) -> str:
    """A bar for each text, for either, by itself."""
    return style.frame(beginnings_html(found))


def next_bytes_text(found: NextBytes) -> str:
    """The same as text."""
    return "\n".join([f"{_TITLE}:", *beginnings_text(found), *style_text.filled(_NOTE)])


def beginnings_html(found: NextBytes) -> str:
    """The likeliest texts and those that were said, within another picture."""
    shown = _shown(found)
    if not shown:
        return style.small("Of what else could have come nothing was returned.")
    a, b = (on_one_line(name, 24) for name in found.names)
    head: style.Head = [("", False), (a, "18%"), ("", False), (b, "18%"), ("", False)]
    rows = [
        [style.wrapped(style.chip(each.label, strong=each.said_a or each.said_b)), *_bar(each, 0), *_bar(each, 1)]
        for each in shown
    ]
    return style.heading(_TITLE) + style.grid(head, rows) + style.small(_NOTE)


def beginnings_text(found: NextBytes) -> list[str]:
    """The same as lines."""
    cells = [(each.label, *_words(each)) for each in _shown(found)]
    return style_text.rows([("", *(on_one_line(name, 24) for name in found.names)), *cells], widest=(24,))


def _shown(found: NextBytes) -> list[Beginning]:
    """The likeliest, and what was said wherever it stands."""
    return [each for at, each in enumerate(found) if at < _SHOWN or each.said_a or each.said_b]


def _bar(each: Beginning, side: int) -> tuple[str, str]:
    share, was_said = ((each.a, each.said_a), (each.b, each.said_b))[side]
    kind = "chosen" if was_said else "alternative"
    words = escape(_words(each)[side]).replace(" %", "&nbsp;%")
    return style.bar(share.low, kind, to=share.high), style.wrapped(words)


def _words(each: Beginning) -> tuple[str, str]:
    return between(each.a.low, each.a.high), between(each.b.low, each.b.high)
