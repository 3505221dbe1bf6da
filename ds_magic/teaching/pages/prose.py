"""The Markdown of a notebook's author: unlike a model's it may hold HTML, pictures, and links to other notebooks."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from ...views.answer.markdown import markdown_to_html, new_parser
from .clean_html import cleaned

_MOST_WORK = 20_000_000
"""Tags times length of a text in which HTML is read: the parser looks for the end of each."""
_LARGEST_PICTURE = 20_000_000
_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp",
}  # fmt: skip
"""A file is a picture by what it begins with, whatever it is called."""
_UNDERLINES = {"=": 1, "-": 2}


class Pictures:
    """The pictures of a cell: those that are attached to it, and those in the folder of its notebook."""

    def __init__(self, folder: Path | None, attachments: Mapping[str, Mapping[str, Any]]) -> None:
        self._folder, self._attachments = folder, attachments

    def __call__(self, address: str) -> str | None:
        """The picture of an address as an address that holds it; None where it has none, or is elsewhere."""
        if address.lower().startswith("attachment:"):
            bundle = self._attachments.get(unquote(address[11:]), {})
            kind, data = next(iter(bundle.items()), ("", ""))
            text = "".join(data) if isinstance(data, list) else str(data)
            return f"data:{kind};base64,{''.join(text.split())}"
        if self._folder is None or "://" in address or not address:
            return None
        try:
            folder = self._folder.resolve()
            path = (folder / unquote(address)).resolve()
            if not path.is_relative_to(folder) or not path.is_file() or path.stat().st_size > _LARGEST_PICTURE:
                return None
            data = path.read_bytes()
        except (OSError, ValueError):
            return None
        known = (kind for beginning, kind in _BEGINNINGS.items() if data.startswith(beginning))
        return next((f"data:image/{kind};base64,{base64.b64encode(data).decode()}" for kind in known), None)


def prose_to_html(text: str, pictures: Pictures) -> str:
    """Markdown as HTML that is clean; formulas stay as they are written."""
    is_light = text.count("<") * len(text) <= _MOST_WORK
    clean = cleaned(markdown_to_html(text, _parser()) if is_light else markdown_to_html(text), pictures)
    return clean.html + clean.note


class _AnyLinks(MarkdownIt):
    """What a link may be is said when the HTML is cleaned."""

    def validateLink(self, url: str) -> bool:
        return True


@cache
def _parser() -> MarkdownIt:
    md = new_parser(_AnyLinks)
    md.options["html"], md.options["breaks"] = True, False
    md.enable(["html_block", "html_inline"])
    md.core.ruler.push("headings", _headings)
    md.add_render_rule("image", _render_image)
    return md


def _headings(state: StateCore) -> None:
    """The notebook's headings are those of the page, and are led to as in a notebook: `#The-words-of-it`."""
    for opening, content in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type == "heading_open":
            opening.tag = f"h{_UNDERLINES.get(opening.markup[0], len(opening.markup))}"
            opening.attrSet("id", content.content.replace(" ", "-"))
    for closing in state.tokens:
        if closing.type == "heading_close":
            closing.tag = f"h{_UNDERLINES.get(closing.markup[0], len(closing.markup))}"


def _render_image(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    return renderer.image(tokens, at, options, env)
