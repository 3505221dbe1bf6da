"""Code to coloured HTML whose colours are mixed from the page's own text colour."""

from __future__ import annotations

import time
from functools import lru_cache
from html import escape

from .clean import cleaned, with_visible_order

# No fixed colour has a contrast of 4.5 on JupyterLab's white and on its #111 both. Mixed with the text
# colour of the page it becomes dark on white and light on black; where a page drops `color-mix` (an
# untrusted notebook), the weight and the slant are left.
TEXT_SHARE = 55
COLOURS = {
    "keyword": "#2060ff",
    "string": "#00a040",
    "number": "#c06000",
    "name": "#8030e0",
    "comment": "#808080",
    "removed": "#e00000",
}
STYLES = {kind: f"color:color-mix(in srgb,currentColor {TEXT_SHARE}%,{colour})" for kind, colour in COLOURS.items()}
STYLES["keyword"] += ";font-weight:600"
STYLES["comment"] += ";font-style:italic"

PRE_STYLE = (
    "background:rgba(128,128,128,.1);border-radius:6px;padding:10px 14px;margin:0 0 1em;overflow-x:auto;white-space:pre"
)

MOST_COLOURED = 100_000
LONGEST_LINE = 4_000
SECONDS = 2.0


def code_to_html(code: str, language: str = "", *, wrap: bool = False) -> str:
    """A `<pre><code>` of the code, coloured where pygments knows the language and the code is no burden.

    `wrap`: break long lines rather than scroll them.
    """
    code = with_visible_order(cleaned(code).removesuffix("\n"))
    body = _coloured(code, language) if language and _is_light(code) else None
    style = PRE_STYLE.replace("white-space:pre", "white-space:pre-wrap") if wrap else PRE_STYLE
    return f'<pre dir="ltr" style="{style}"><code>{escape(code) if body is None else body}</code></pre>\n'


def _is_light(code: str) -> bool:
    return len(code) <= MOST_COLOURED and max(map(len, code.split("\n"))) <= LONGEST_LINE


@lru_cache(maxsize=64)
def _lexer(language: str):
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _style(kind) -> str | None:
    from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String

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
        if kind in family:
            return STYLES[name]
    return None


def _coloured(code: str, language: str) -> str | None:
    """Spans for runs of the same colour; white space joins the run before it, which keeps the HTML small."""
    lexer = _lexer(language.lower()[:40])
    if lexer is None:
        return None
    deadline = time.monotonic() + SECONDS
    runs: list[tuple[str | None, list[str]]] = []
    try:
        for kind, value in lexer.get_tokens(code):
            style = _style(kind)
            if runs and (style == runs[-1][0] or value.isspace()):
                runs[-1][1].append(value)
            else:
                runs.append((style, [value]))
            if time.monotonic() > deadline:
                return None
    except Exception:  # a lexer's own fault on odd text must not cost the answer
        return None
    if "".join(part for _, parts in runs for part in parts) != code:
        return None
    return "".join(_span(style, "".join(parts)) for style, parts in runs)


def _span(style: str | None, text: str) -> str:
    shown = escape(text)
    return f'<span style="{style}">{shown}</span>' if style else shown
