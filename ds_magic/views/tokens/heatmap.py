"""The static heat map: the answer with each token tinted by how certain the model was. Script-free."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ds_magic.logprobs.glyphs import END, inline, label

from .numbers import chance, percent, rank_text
from .tints import LEAST_CERTAIN, METRICS, UNKNOWN, Metric, classes, tint

if TYPE_CHECKING:
    from ds_magic.logprobs.table import LogprobTable

FULL_LIMIT = 600  # tokens drawn in full; beyond that windows around the least certain
WINDOW = 12  # tokens drawn on either side of an uncertain one
SIZE_LIMIT = 180_000  # characters; tokens full of markup take more than others

_TITLE_LIMIT = 20
_CENSORED = "border-bottom:2px dotted"
_UNKNOWN = "border-bottom:1px dashed"


def heatmap_html(table: LogprobTable, *, metric: str = "surprisal") -> str:
    """The tokens in reading order, tinted by the fixed classes of `metric`, with the legend beside.

    White space is drawn, a character made of several tokens stands once, each token's `title` has its first
    five alternatives. Up to 600 tokens stand in full; of more, the neighbourhoods of the least certain.
    """
    if not len(table):
        return ""
    groups = drawn_groups(table)
    found = classes(table, metric)
    body = ""
    if len(table) <= FULL_LIMIT:
        body = _spans(table, groups, found, METRICS[metric], np.ones(len(groups), bool))
    if not body or len(body) > SIZE_LIMIT:
        near = WINDOW
        while near and (not body or len(body) > SIZE_LIMIT):
            body = _spans(table, groups, found, METRICS[metric], _windows(table, groups, near))
            near //= 2
    return (
        f'<div class="mathjax_ignore tex2jax_ignore" style="margin:0 0 10px 0">{_legend(table, metric)}'
        '<div dir="auto" style="font-size:14px;line-height:1.75;overflow:hidden;overflow-wrap:break-word;'
        f'max-width:900px">{body}</div></div>'
    )


def drawn_groups(table: LogprobTable) -> list[tuple[int, int]]:
    """Ranges of tokens that are drawn as one: the parts of a character, else each alone."""
    if not len(table):
        return []
    starts = np.flatnonzero(np.concatenate(([True], table.glyph[1:] != table.glyph[:-1])))
    return list(zip(starts.tolist(), [*starts[1:].tolist(), len(table)], strict=True))


def _windows(table: LogprobTable, groups: list[tuple[int, int]], near: int) -> np.ndarray:
    """Which groups stand near one of the least certain tokens, at most FULL_LIMIT tokens in all."""
    worst = table.least_certain(FULL_LIMIT // (2 * near + 1)).position
    index = np.searchsorted(table.position, worst)
    shown = np.zeros(len(table), bool)
    for center in index.tolist():
        shown[max(0, center - near) : center + near + 1] = True
    return np.array([bool(shown[start:end].any()) for start, end in groups])


def _spans(
    table: LogprobTable, groups: list[tuple[int, int]], found: np.ndarray, metric: Metric, shown: np.ndarray
) -> str:
    pieces: list[str] = []
    left_out = 0
    for (start, end), wanted in zip(groups, shown.tolist(), strict=True):
        if not wanted:
            left_out += end - start
            continue
        if left_out:
            pieces.append(_gap(left_out))
            left_out = 0
        pieces.append(_span(table, start, end, found, metric))
    if left_out:
        pieces.append(_gap(left_out))
    return "".join(pieces)


def _gap(n: int) -> str:
    return f'<div style="font-size:12px;opacity:0.75">… {n:,} token{"s" * (n > 1)} left out …</div>'


def _span(table: LogprobTable, start: int, end: int, found: np.ndarray, metric: Metric) -> str:
    text = inline("".join(table.text[start:end]))
    if not text:
        text = END if table.token[start] == "" else label(table.token[start], table.bytes[start])
    class_ = int(found[start:end].max())
    statuses = table.status[start:end]
    styles: list[str] = []
    if metric.alpha(class_):
        styles.append(f"background-color:{tint(metric.alpha(class_))};border-radius:3px")
    if (statuses == "censored").any():
        styles.append(_CENSORED)
    elif class_ == len(metric.edges):
        styles.append(LEAST_CERTAIN)
    elif class_ == UNKNOWN:
        styles.append(_UNKNOWN)
    if table.forced[start:end].all():
        styles.append("opacity:0.7;font-style:italic")
    style = f' style="{";".join(styles)}"' if styles else ""
    shown = escape(text if len(text) <= 2000 else text[:2000] + "…")
    # Drawn blanks are no blanks to the page: lines may break before each, and must after a line break.
    shown = shown.replace("·", "<wbr>·").replace("↵", "↵<br>")
    return f'<span{style} title="{escape(_title(table, start, end))}">{shown}</span>'


def _title(table: LogprobTable, start: int, end: int) -> str:
    if end - start > 1:
        parts = [f"{label(row.token, row.bytes, limit=_TITLE_LIMIT)} {chance(row)}" for row in table[start:end][:8]]
        more = [f"and {end - start - 8} more"] if end - start > 8 else []
        return "\n".join([f"{end - start} tokens make one character:", *parts, *more])
    row = table[start]
    head = f"{row.position}: {chance(row)}, rank {rank_text(row)}"
    if row.forced:
        head += ", part of the prefix"
    elif row.status not in ("exact", "censored"):
        head += f", {row.status}"
    tops = [one for one in row.alternatives if one.prob == one.prob][:5]
    shares = [f"{label(one.token, one.bytes, limit=_TITLE_LIMIT)} {percent(one.prob)}" for one in tops]
    return "\n".join([head, *shares])


def _legend(table: LogprobTable, metric_name: str) -> str:
    metric = METRICS[metric_name]
    found = set(classes(table, metric_name).tolist())
    swatches = []
    for class_, name in enumerate(metric.names):
        line = f";{LEAST_CERTAIN}" if class_ == len(metric.edges) else ""
        colour = f"background-color:{tint(metric.alpha(class_))};" if class_ else ""
        swatches.append(f'<span style="{colour}padding:0 6px{line}">{escape(name)}</span>')
    if (table.status == "censored").any():
        swatches.append(f'<span style="padding:0 6px;{_CENSORED}">below the alternatives returned</span>')
    if UNKNOWN in found:
        swatches.append(f'<span style="padding:0 6px;{_UNKNOWN}">{escape(metric.unknown)}</span>')
    if table.forced.any():
        swatches.append('<i style="padding:0 6px;opacity:0.7">prefix</i>')
    return (
        f'<div style="font-size:12px;margin:0 0 4px 0"><span style="opacity:0.75">{metric.title}: </span>'
        + " ".join(swatches)
        + "</div>"
    )
