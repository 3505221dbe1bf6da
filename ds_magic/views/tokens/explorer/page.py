"""The explorer as one HTML file that needs no network."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ds_magic.logprobs.glyphs import encodable

from ..tables import to_html
from .assets import css, script
from .payload import pack

if TYPE_CHECKING:
    from ds_magic.logprobs.table import LogprobTable

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 24px auto; max-width: 1100px; padding: 0 16px; font-family: system-ui, sans-serif;
  background: light-dark(#fff, #111); color: light-dark(rgba(0,0,0,.87), #fff); }
h1 { font-size: 18px; font-weight: 600; margin: 0 0 8px; overflow-wrap: anywhere; }
.dsx-map, .dsx-card { max-height: 70vh; }
"""
# Nothing may be fetched, whatever a token holds.
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def page(tables: Mapping[str, LogprobTable], *, title: str) -> str:
    """A whole HTML document with the explorer over these tables; without scripts it shows the static form."""
    sources = "".join(
        f'<script type="text/plain" data-table="{escape(encodable(name))}">'
        f"{base64.b64encode(pack(table)).decode()}</script>\n"
        for name, table in tables.items()
    )
    static = "".join(to_html(table) for table in tables.values())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{escape(encodable(title))}</title>\n<style>{_STYLE}{css()}</style></head>\n<body>\n"
        f'<h1>{escape(encodable(title))}</h1>\n<div id="tabs" class="dsx-tabs" role="tablist"></div>\n'
        f'<div id="explorer"></div>\n<noscript>{static}</noscript>\n{sources}'
        f'<script type="module">\n{script("page.js")}</script>\n</body></html>\n'
    )


def write_page(path: str | Path, tables: Mapping[str, LogprobTable], *, title: str = "Token probabilities") -> Path:
    """Write the explorer over these tables to `path`; returns it."""
    path = Path(path)
    path.write_text(page(tables, title=title), encoding="utf-8")
    return path
