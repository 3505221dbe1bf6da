"""Code to coloured HTML whose colours are mixed from the page's own text colour."""

from __future__ import annotations

import time
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

from ...api.clean_text import for_code

# No fixed colour has a contrast of 4.5 on JupyterLab's white and on its #111 both. Mixed with the text
# colour of the page it becomes dark on white and light on black. Where a page drops `color-mix` (an
# untrusted notebook) or all styles (GitHub), the elements leave the weight and the slant. Keywords, the most
# frequent, have the weight alone: the page reads every style of an output several times.
COLOURS = {"string": "#0a4", "number": "#c60", "name": "#83e", "comment": "#888", "removed": "#e00"}
_ELEMENTS = {"keyword": "b", "comment": "i"}
OPENINGS = {"keyword": "<b>"} | {
    kind: f'<{_ELEMENTS.get(kind, "span")} style="color:color-mix(in srgb,{colour},currentColor)">'
    for kind, colour in COLOURS.items()
}

PRE_STYLE = (
    "background:rgba(128,128,128,.1);border-radius:6px;padding:10px 14px;margin:0 0 1em;overflow-x:auto;white-space:pre"
)
# The page breaks the words of an output's `pre` anywhere.
WRAPPED_STYLE = PRE_STYLE.replace("white-space:pre", "white-space:pre-wrap;word-break:normal")

# The page gives code in a line a background, which would stand in patches on that of the block.
CODE_STYLE = "background:transparent;padding:0;white-space:inherit"

MOST_COLOURED = 100_000
LONGEST_LINE = 4_000
SECONDS = 2.0


def code_to_html(code: str, language: str = "", *, wrap: bool = False) -> str:
    """A `<pre><code>` of the code, coloured where pygments knows the language and the code is no burden.

    `wrap`: break long lines rather than scroll them.
    """
    code = for_code(code).removesuffix("\n")
    body = _coloured(code, language.lower()[:40]) if language and _is_light(code) else None
    style = WRAPPED_STYLE if wrap else PRE_STYLE
    body = escape(code) if body is None else body
    return f'<pre dir="ltr" style="{style}"><code style="{CODE_STYLE}">{body}</code></pre>\n'


def _is_light(code: str) -> bool:
    return len(code) <= MOST_COLOURED and max(map(len, code.split("\n"))) <= LONGEST_LINE


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _kind(kind: _TokenType) -> str | None:
    from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String, is_token_subtype

    for family, name in (
        (Comment, "comment"),
        (Keyword, "keyword"),
        (Operator.Word, "keyword"),
        (String, "string"),
        (Generic.Inserted, "string"),
        (Number, "number"),
        (Generic.Deleted, "removed"),
        (Name.Function, "name"),
        (Name.Class, "name"),
        (Name.Decorator, "name"),
        (Name.Tag, "keyword"),
    ):
        if is_token_subtype(kind, family):
            return name
    return None


# The blocks of an answer are finished one by one while it streams, and then stand in its final output.
@lru_cache(maxsize=64)
def _coloured(code: str, language: str) -> str | None:
    """Spans for runs of the same colour; white space joins the run before it, which keeps the HTML small."""
    lexer = _lexer(language)
    if lexer is None:
        return None
    deadline = time.monotonic() + SECONDS
    runs: list[tuple[str | None, list[str]]] = []
    try:
        for kind, value in lexer.get_tokens(code):
            name = _kind(kind)
            if runs and (name == runs[-1][0] or value.isspace()):
                runs[-1][1].append(value)
            else:
                runs.append((name, [value]))
            if time.monotonic() > deadline:
                return None
    except Exception:  # a lexer's own fault on odd text must not cost the answer
        return None
    if "".join(part for _, parts in runs for part in parts) != code:
        return None
    return "".join(_run(name, "".join(parts)) for name, parts in runs)


def _run(name: str | None, text: str) -> str:
    shown = escape(text)
    return f"{OPENINGS[name]}{shown}</{_ELEMENTS.get(name, 'span')}>" if name else shown
