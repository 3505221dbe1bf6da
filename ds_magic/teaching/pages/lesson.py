"""A saved notebook as one page of HTML: its texts, its code, and its outputs as the notebook keeps them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import msgspec

from ...api.clean_text import escaped, for_terminal, heal
from ...api.errors import InvalidRequestError
from ...views.answer.code import code_to_html
from ...views.tokens.explorer.page import WrittenPage
from .clean_html import Cleaned, cleaned
from .document import document, frame, keyless, write
from .prose import Pictures, prose_to_html

_PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
_TERMINAL_COMMAND = re.compile("\x1b(?:\\[[0-?]*+[ -/]*+[@-~]|\\][^\x07\x1b]*+(?:\x07|\x1b\\\\)?)")
_HEADING = re.compile(r"^#[ \t]+(.+)", re.MULTILINE)

Text = str | list[str]


class _Output(msgspec.Struct):
    output_type: str = ""
    data: dict[str, Any] = {}
    text: Text = ""
    name: str = ""
    traceback: list[str] = []


class _Cell(msgspec.Struct):
    cell_type: str = ""
    source: Text = ""
    outputs: list[_Output] = []
    attachments: dict[str, dict[str, Any]] | None = None


class _Notebook(msgspec.Struct):
    nbformat: int
    cells: list[_Cell] = []
    metadata: dict[str, Any] = {}


def write_lesson(notebook: str | Path, path: str | Path | None = None, *, large: bool | None = None) -> WrittenPage:
    """Write the page of a saved notebook, by default beside it, with the same name; returns its path.

    Raises InvalidRequestError where the file is no notebook, and where a file is in the way that is no page of ours.
    """
    source = Path(notebook).expanduser()
    title, html = _page_of(source)
    return write(document(title, html, large=large), title, source.with_suffix(".html") if path is None else path)


def _page_of(path: Path) -> tuple[str, str]:
    """The title of a notebook's page and what stands in it."""
    try:
        read = msgspec.convert(heal(json.loads(path.read_bytes())), _Notebook)
        if read.nbformat < 4:
            raise ValueError("nbformat")
    except OSError as error:
        raise InvalidRequestError(
            f"{path}: {error.strerror}.", remedy="Name a notebook that is there: `lesson.ipynb`."
        ) from None
    except (ValueError, RecursionError):
        raise InvalidRequestError(
            f"{path} is not a notebook, or is one of before 2015.", remedy="Open it in JupyterLab and save it anew."
        ) from None
    language = read.metadata.get("language_info")
    name = str(language.get("name", "")) if isinstance(language, dict) else ""
    parts, title = [], ""
    for cell in read.cells:
        source = keyless(_joined(cell.source))
        if cell.cell_type == "markdown":
            heading = _HEADING.search(source)
            title = title or (heading[1].strip("# \t") if heading is not None else "")
            html = prose_to_html(source, Pictures(path.parent, cell.attachments or {}))
            parts.append(frame(html, "text") if ' style="' in html else html)
        elif cell.cell_type == "code":
            parts.append(f'<div class="cell">{_code(source, name)}{"".join(map(_output, cell.outputs))}</div>\n')
        elif source.strip():
            parts.append(code_to_html(source))
    return title or path.stem, "".join(parts)


def _code(source: str, language: str) -> str:
    """What a cell runs; of a cell that begins with a magic, all but its first line is no code of the notebook's."""
    if not source.strip():
        return ""
    return code_to_html(source, "" if source.lstrip().startswith("%%") else language, wrap=True)


def _output(output: _Output) -> str:
    if output.output_type == "stream":
        return _plain(_joined(output.text))
    if output.output_type == "error":
        return frame(f'<pre class="error">{_as_printed(chr(10).join(output.traceback))}</pre>')
    return shown(output.data)


def shown(data: Mapping[str, Any]) -> str:
    """What a MIME bundle is on a page: its HTML, cleaned; a picture or the text where that needs what is left out."""
    clean = Cleaned("", ["a script"] if "application/javascript" in data else [])
    picture = next((found for kind in _PICTURES if (found := _picture(kind, data.get(kind))) is not None), None)
    if html := _joined(data.get("text/html")):
        clean = cleaned(keyless(html))
        if not clean.is_blank and not (clean.left_out and picture):
            return frame(clean.html + clean.note)
    if picture:
        return frame(f'<img src="{escape(picture)}" alt="{escape(_words(data))}">')
    if markdown := _joined(data.get("text/markdown")):
        return frame(prose_to_html(keyless(markdown), Pictures(None, {})))
    text = _joined(data.get("text/latex")) or _joined(data.get("text/plain"))
    return _plain(text) + clean.note


def _words(data: Mapping[str, Any]) -> str:
    """What a picture is called by who cannot see it."""
    return " ".join(for_terminal(_joined(data.get("text/plain"))).split())[:200] or "picture"


def _plain(text: str) -> str:
    return frame(f"<pre>{_as_printed(text)}</pre>") if text.strip() else ""


def _as_printed(text: str) -> str:
    """What was printed, as it stood in the end: without a terminal's colours, a line as it was last overwritten."""
    text = _TERMINAL_COMMAND.sub("", keyless(text)).replace("\r\n", "\n")
    lines: Iterator[str] = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return escaped("\n".join(lines).rstrip("\n"))


def _picture(kind: str, data: Any) -> str | None:
    """A picture of a bundle as an address that holds it."""
    if not (text := _joined(data)):
        return None
    if kind == "image/svg+xml":
        return f"data:{kind};base64,{base64.b64encode(text.encode('utf-8', 'replace')).decode()}"
    try:
        base64.b64decode(text.translate({10: None, 13: None, 32: None}), validate=True)
    except (binascii.Error, ValueError):
        return None
    return f"data:{kind};base64,{''.join(text.split())}"


def _joined(text: Any) -> str:
    """A text as notebooks keep it: whole, or as a list of lines."""
    if isinstance(text, list):
        return "".join(each for each in text if isinstance(each, str))
    return text if isinstance(text, str) else ""
