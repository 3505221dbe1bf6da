"""Markdown to HTML that runs nothing, loads nothing and stays in its frame, in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from ...api.clean_text import escaped, for_code, for_page, for_terminal
from ..direction import is_rtl
from .code import code_to_html
from .tex import IGNORE, tex_plugin

LONGEST = 200_000
"""Characters that are formatted; a longer text is shown as it is."""

MOST_MARKS = 4_000
"""Special characters in one paragraph that are formatted: the parser takes a quadratic time in them."""

MOST_PREFIXES = 400
"""Marks of lists and quotes at the start of a line before the text is taken for an attack."""

REL = "noopener noreferrer nofollow"

_MARK = re.compile(r"[*_~`\[\]()<>!&$\\|]")
_LINK = re.compile(r"(?:https?://|mailto:)[^\s]+\Z", re.IGNORECASE)
_NESTED = re.compile(rf"^(?:[ \t]*(?:[>*+-]|\d{{1,9}}[.)])){{{MOST_PREFIXES}}}", re.MULTILINE)
_DIRECTED = {"paragraph_open", "heading_open", "list_item_open", "table_open", "blockquote_open"}


def markdown_to_html(text: str, parser: MarkdownIt | None = None) -> str:
    """`text` as safe HTML blocks, without the element around them (`answer_to_html` adds it).

    No markup of the text's own: HTML in it is shown as it is typed, links lead to http, https and
    mailto only, images are links. Text beyond what can be formatted in linear time is shown plain.
    """
    text = for_page(text)
    if len(text) > LONGEST or is_too_nested(text):
        return plain_to_html(text)
    parser = parser or _parser()
    try:
        html: str = parser.renderer.render(parser.parse(text), parser.options, {})
    except (RecursionError, IndexError, ValueError):
        return plain_to_html(text)
    return html


def answer_to_html(text: str) -> str:
    """`markdown_to_html` in an element in which the page typesets nothing but the formulas."""
    return f'<div class="{IGNORE}">{markdown_to_html(text)}</div>'


def plain_to_html(text: str) -> str:
    """`text` as it is, with its line breaks."""
    return f'<p dir="auto" class="{IGNORE}" style="white-space:pre-wrap;overflow-wrap:anywhere">{escaped(text)}</p>\n'


def parse(text: str) -> list[Token]:
    """The tokens of cleaned Markdown, for who needs to know where its blocks are."""
    return _parser().parse(text)


def safe_markdown(text: str) -> str:
    """`text` as Markdown in which HTML stays text also where a page would take it: `<` escaped outside code.

    Markdown is read as it stands too, where no block confines a mark of direction: each is named, as in plain
    text, and in code as in code. A fence that was left open is closed.
    """
    text = for_terminal(text)
    if not any(mark in text for mark in ("<", "![", "```", "~~~")) and for_code(text) == text:
        return text
    if len(text) > LONGEST or is_too_nested(text):
        return "".join(f"    {line}\n" for line in text.split("\n"))
    lines = text.split("\n")
    tokens = parse(text)
    in_code = {
        line for token in tokens if token.map and token.type in ("fence", "code_block") for line in range(*token.map)
    }
    spans = _code_spans(lines, tokens)
    last = tokens[-1] if tokens else None
    if last is not None and last.map and last.type == "fence" and lines[last.map[1] - 1].strip() != last.markup:
        lines.append(last.markup)
        in_code.add(len(lines) - 1)
    return "\n".join(
        for_code(line) if number in in_code else _escape_markup(line, spans.get(number, ()))
        for number, line in enumerate(lines)
    )


_MARKUP = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)")


def _escape_markup(line: str, spans: tuple[str, ...]) -> str:
    """Backslashes before what a page could take for HTML or an image, except inside these code spans."""
    if not spans:
        return _MARKUP.sub(lambda match: "\\" + match.group(), line)
    parts = re.split("(" + "|".join(map(re.escape, sorted(spans, key=len, reverse=True))) + ")", line)
    return "".join(part if part in spans else _MARKUP.sub(lambda match: "\\" + match.group(), part) for part in parts)


def _code_spans(lines: list[str], tokens: list[Token]) -> dict[int, tuple[str, ...]]:
    """The code spans of each line, as far as it is certain that every place where they stand is one."""
    found: dict[int, tuple[str, ...]] = {}
    for token in tokens:
        if token.type != "inline" or not token.map:
            continue
        codes = [child for child in token.children or () if child.type == "code_inline" and "<" in child.content]
        spans = [code.markup + code.content + code.markup for code in codes]
        source = "\n".join(lines[slice(*token.map)])
        certain = tuple(span for span in set(spans) if source.count(span) == spans.count(span) and len(span) < 500)
        for line in range(*token.map) if certain and len(certain) < 50 else ():
            found[line] = certain
    return found


def is_too_nested(text: str) -> bool:
    """Whether a line opens more quotes and lists than any answer does."""
    return _NESTED.search(text) is not None


@cache
def _parser() -> MarkdownIt:
    return new_parser()


class _SafeLinks(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        return _LINK.match(url) is not None


def new_parser(kind: type[MarkdownIt] = _SafeLinks) -> MarkdownIt:
    """A parser with the rules of this module; parsers are costly to make. `kind` says which links are any."""
    md = kind("commonmark", {"html": False, "linkify": False, "breaks": True, "maxNesting": 40})
    md.enable(["table", "strikethrough"])
    md.disable("html_block")
    md.disable("html_inline")
    md.use(tex_plugin)
    md.core.ruler.at("inline", _inline_within_budget)
    md.core.ruler.push("dress", _dress)
    for block in ("fence", "code_block"):
        md.add_render_rule(block, _render_code)
    md.add_render_rule("code_inline", _render_code_span)
    md.add_render_rule("image", _render_image)
    return md


def _inline_within_budget(state: StateCore) -> None:
    for token in state.tokens:
        if token.type != "inline":
            continue
        token.children = [] if token.children is None else token.children
        if len(token.content) > MOST_MARKS and _has_too_many_marks(token.content):
            child = Token("text", "", 0)
            child.content = token.content
            token.children.append(child)
        else:
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _has_too_many_marks(text: str) -> bool:
    return sum(1 for _ in _MARK.finditer(text)) > MOST_MARKS


def _dress(state: StateCore) -> None:
    """Attributes that the page's own styles do not give: direction, alignment, modest headings, safe links."""
    for opening, content in pairwise(state.tokens):
        if opening.type in ("paragraph_open", "heading_open") and is_rtl(content.content):
            # JupyterLab aligns every paragraph to the left, and takes "start" out of an untrusted notebook.
            opening.attrSet("style", "text-align:right")
        elif opening.type in ("th_open", "td_open") and not opening.attrGet("style"):
            opening.attrSet("style", f"text-align:{'right' if is_rtl(content.content) else 'left'}")
    first = ""
    for token in reversed(state.tokens):
        if token.type == "inline":
            first = token.content
        elif token.type in ("bullet_list_open", "ordered_list_open") and is_rtl(first):
            token.attrSet("style", "padding:0 2em 0 0")  # room for its marks, which the page leaves at the left
    for token in _all(state.tokens):
        if token.type in _DIRECTED:
            token.attrSet("dir", "auto")
        if token.type == "table_open":
            token.attrSet("style", "margin:0 0 1em")
        elif token.type in ("heading_open", "heading_close"):
            # The page's own h1 and h2 are the notebook's.
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
        elif token.type == "link_open":
            token.attrSet("rel", REL)
            token.attrSet("target", "_blank")


def _all(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


def _render_code(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    words = tokens[at].info.split(maxsplit=1)
    return code_to_html(tokens[at].content, words[0] if words else "")


def _render_code_span(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    return f"<code>{escape(for_code(tokens[at].content))}</code>"


def _render_image(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """A picture that a model names would be fetched from the network, and tell who reads: a link instead."""
    token = tokens[at]
    words = renderer.renderInlineAsText(token.children, options, env).strip()
    address = str(token.attrGet("src"))
    return f'<a href="{escaped(address)}" rel="{REL}" target="_blank">[image: {escaped(words or address)}]</a>'
