"""Inline styles that the static pieces on token probabilities share: JupyterLab's own table styles undone."""

from __future__ import annotations

from html import escape

IGNORE = 'class="mathjax_ignore tex2jax_ignore"'
MONO = "font-family:Menlo,Consolas,monospace"
DIM = "opacity:0.75"
# JupyterLab centres tables, stripes their rows and aligns cells to the right; each of these is undone.
TABLE = "border-collapse:collapse;border:none;table-layout:auto;margin:0;font-size:13px;line-height:1.4"
ROW = "background:transparent"
CELL = "padding:2px 14px 2px 0;border:none;text-align:left;vertical-align:middle;max-width:none"
NUMBER = CELL.replace("text-align:left", "text-align:right") + ";white-space:nowrap"
LINE = CELL + ";white-space:nowrap"
HEAD = f"white-space:nowrap;font-weight:normal;{DIM}"


def code(text: str) -> str:
    """A token's label, escaped, in the monospaced face and isolated from the direction of what stands around."""
    return f'<bdi style="{MONO}">{escape(text)}</bdi>'


def heading(text: str) -> str:
    """The line above a table."""
    return f'<div style="font-weight:bold;font-size:13px;margin:0 0 2px 0">{escape(text)}</div>'


def table(title: str, head: list[tuple[str, bool]], rows: list[list[str]], *, note: str = "") -> str:
    """A small table. `head`: names and whether the column is of numbers; `rows`: cells that are HTML already."""
    columns = [(name, NUMBER if numbers else LINE) for name, numbers in head]
    names = "".join(f'<th style="{kind};{HEAD}">{escape(name)}</th>' for name, kind in columns)
    body = "".join(
        f'<tr style="{ROW}">'
        + "".join(f'<td style="{kind}">{cell}</td>' for (_, kind), cell in zip(columns, row, strict=True))
        + "</tr>"
        for row in rows
    )
    below = f'<div style="font-size:12px;margin:4px 0 0 0;{DIM}">{escape(note)}</div>' if note else ""
    return (
        f'<div {IGNORE} style="overflow-x:auto;margin:8px 0">{heading(title)}<table style="{TABLE}">'
        f'<thead><tr style="{ROW}">{names}</tr></thead><tbody>{body}</tbody></table>{below}</div>'
    )
