"""The explorer as one HTML file that needs no network."""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ds_magic.api.completion_request import CompletionRequest
from ds_magic.logprobs.glyphs import encodable, inline
from ds_magic.logprobs.table import LogprobTable

from ...answer.facts import answered_by, question_of
from ..tables import table_html
from .assets import css, look, script
from .nodes import nodes_of

if TYPE_CHECKING:
    from ds_magic.api.request import ChatRequest
    from ds_magic.api.response import ChatCompletion

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 2em auto; max-width: 70em; padding: 0 1em; font-family: system-ui, sans-serif; line-height: 1.4;
  background: light-dark(#fff, #111); color: light-dark(rgba(0,0,0,.87), #fff); }
h1 { font-size: 1.3em; font-weight: 600; margin: 0 0 .4em; overflow-wrap: anywhere; }
.asked { display: grid; grid-template-columns: max-content 1fr; gap: 0 1em; margin: 0 0 1.5em; font-size: .86em; }
.asked dt { opacity: .75; }
.asked dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
"""
# Nothing may be fetched, whatever a token holds.
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
_WHY_NOT = "A saved page cannot ask the model: explore the answer in a notebook to go on with another token."
_TITLE_LIMIT = 80
_FACT_LIMIT = 20_000


# A Path by itself makes the kind of its system, which the class has to name.
class WrittenPage(type(Path())):  # type: ignore[misc]
    """The path of a page that was written; in a notebook a link to it."""

    def _repr_html_(self) -> str:
        try:
            inside = os.path.relpath(self) if self.resolve().is_relative_to(Path.cwd()) else ""
        except (OSError, ValueError):
            inside = ""
        shown = escape(encodable(str(self)))
        return f'<a href="{quote(inside)}" target="_blank">{shown}</a>' if inside else f"<code>{shown}</code>"


def page(source: ChatCompletion | LogprobTable) -> str:
    """A whole HTML document with the explorer over an answer and its branches, or over a table alone.

    It says what was asked, of whom and how. Without scripts it shows the static form.
    """
    nodes = nodes_of(source)
    title, facts = about(source)
    tables = "".join(
        f'<script type="text/plain" data-table="{id_}">{base64.b64encode(node.packed()).decode()}</script>\n'
        for id_, node in enumerate(nodes)
        if node.table is not None
    )
    static = "".join(table_html(node.table) for node in nodes if node.table is not None)
    told = {"nodes": [node.told(id_) for id_, node in enumerate(nodes)], "look": look(), "whyNot": _WHY_NOT}
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(shown(value))}</dd>" for name, value in facts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{escape(shown(title))}</title>\n<style>{_STYLE}{css()}</style></head>\n<body>\n"
        f'<main><h1>{escape(shown(title))}</h1>\n<dl class="asked">{listed}</dl>\n'
        f'<div id="explorer"></div>\n<noscript>{static}</noscript></main>\n{tables}'
        f'<script type="application/json" id="nodes">{_script_json(told)}</script>\n'
        f'<script type="module">\n{script("page.js")}</script>\n</body></html>\n'
    )


def _script_json(value: object) -> str:
    """JSON that no text in it can leave."""
    return json.dumps(value).replace("<", "\\u003c")


def shown(text: str) -> str:
    """A fact as it is read; what is very long is cut."""
    cut = text if len(text) <= _FACT_LIMIT else text[:_FACT_LIMIT] + " …"
    return inline(cut).replace("·", " ").replace("↵", "\n")


def about(source: ChatCompletion | LogprobTable) -> tuple[str, list[tuple[str, str]]]:
    """The title of a page, and what it says before the explorer: names and values."""
    if isinstance(source, LogprobTable):
        return "Token probabilities", list(_origin(source))
    question = question_of(source)
    title = " ".join(question.split())[:_TITLE_LIMIT] or " ".join(source.content.split())[:_TITLE_LIMIT]
    facts: list[tuple[str, str]] = []
    if (request := source.request) is not None:
        asked: list[tuple[str, str]] = [(one.role, str(one.content or "")) for one in request.messages]
        if isinstance(request, CompletionRequest):
            asked = [(name, text) for name in ("prompt", "suffix") if (text := getattr(request, name))]
        elif request.prefix:
            asked[-1] = "prefix", request.prefix
        # The title says it already, where it is short.
        facts += [each for each in asked if each != ("user", title)]
    known = source.provenance.to_dict()
    model = source.model or known.get("model", "")
    build = [str(known[name]) for name in ("model_file", "quantisation", "build") if name in known]
    build += [f"sha256 {str(known['sha256'])[:12]}…"] if "sha256" in known else []
    facts.append(("model", " at ".join(filter(None, [str(model), ", ".join(filter(None, answered_by(source)))]))))
    if build:
        facts.append(("build", ", ".join(build)))
    names = ("temperature", "top_p", "seed", "frequency_penalty", "presence_penalty")
    values = {name: known.get(name, getattr(request, name, None)) for name in names}
    settings = [f"{name} {value:g}" for name, value in values.items() if isinstance(value, int | float)]
    settings = [each for each in settings if not each.endswith("penalty 0")]  # nobody asked for one
    settings += _also_set(request) if request is not None else []
    if settings:
        facts.append(("settings", ", ".join(settings)))
    if source.created:
        with suppress(OverflowError, OSError, ValueError):  # whatever the server said
            facts.append(("date", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(source.created))))
    return title or "Token probabilities", facts


_SAID_ELSEWHERE = frozenset((
    "messages", "prompt", "suffix", "model", "stream", "stream_options", "logprobs", "temperature", "top_p", "seed",
    "user_id", "frequency_penalty", "presence_penalty",
))  # fmt: skip


def _also_set(request: ChatRequest) -> Iterator[str]:
    """What else the request sets: a name and a value each."""
    for name, value in request.to_wire().items():
        if name in _SAID_ELSEWHERE or value is None:
            continue
        if name == "tools":
            value = ", ".join(str(tool["function"]["name"]) for tool in value)
        elif isinstance(value, dict) and set(value) == {"type"}:
            value = value["type"]
        yield f"{name} {value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)}"


def _origin(table: LogprobTable) -> Iterator[tuple[str, str]]:
    if table.model:
        yield "model", table.model


def write_page(source: ChatCompletion | LogprobTable, path: str | Path | None = None) -> WrittenPage:
    """Write the explorer over an answer or a table to `path`; returns it.

    Without a path the page is named by its question, in the folder of now, and is never written over another.
    """
    html = page(source)
    if path is not None:
        Path(path).write_text(html, encoding="utf-8")
        return WrittenPage(path)
    name = file_name(about(source)[0])
    for number in range(1, 10_000):
        own = WrittenPage(f"{name}.html" if number == 1 else f"{name}-{number}.html")
        try:
            with own.open("x", encoding="utf-8") as file:
                file.write(html)
        except FileExistsError:
            continue
        return own
    raise FileExistsError(f"{name}.html and as many more as can be counted are there: name a path.")


def file_name(title: str) -> str:
    """A title as the name of a file: its letters and digits, in words of a line."""
    words: Sequence[str] = re.findall(r"\w+", title.lower().replace("_", " "))
    return "-".join(words)[:60].strip("-") or "answer"
