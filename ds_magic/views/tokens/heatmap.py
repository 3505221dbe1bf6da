"""The static heat map: the answer with each token tinted by how certain the model was. Script-free."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ds_magic.logprobs.glyphs import END, inline, label

from . import style
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
_FORCED = "forced by a grammar"
_WHY = {"constrained": _FORCED, "missing": "not returned", "degenerate": "no probability distribution came"}


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
        f'<div {style.IGNORE} style="margin:0 0 0.7em 0"><div dir="auto" style="line-height:1.75;overflow:hidden;'
        f'overflow-wrap:break-word;max-width:60em">{body}</div>{legend(table, metric_name=metric)}</div>'
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
    return f'<div style="{style.SMALL};{style.DIM}">… {n:,} token{"s" * (n > 1)} left out …</div>'


def _span(table: LogprobTable, start: int, end: int, found: np.ndarray, metric: Metric) -> str:
    text = inline("".join(table.text[start:end]))
    if not text:
        text = END if table.token[start] == "" else label(table.token[start], table.bytes[start])
    styles = token_styles(table, (start, end), found, metric)
    attribute = f' style="{styles}"' if styles else ""
    shown = escape(text if len(text) <= 2000 else text[:2000] + "…")
    # Drawn blanks are no blanks to the page: lines may break before each, and must after a line break.
    shown = shown.replace("·", "<wbr>·").replace("↵", "↵<br>")
    return f'<span{attribute} title="{escape(token_title(table, start, end))}">{shown}</span>'


def token_styles(table: LogprobTable, group: tuple[int, int], found: np.ndarray, metric: Metric) -> str:
    """The inline style of a drawn group: its tint, and a line for what is not told by a tint alone; may be empty."""
    start, end = group
    class_ = int(found[start:end].max())
    styles: list[str] = []
    if metric.alpha(class_):
        styles.append(f"background-color:{tint(metric.alpha(class_))};border-radius:3px")
    if (table.status[start:end] == "censored").any():
        styles.append(_CENSORED)
    elif class_ == len(metric.edges):
        styles.append(LEAST_CERTAIN)
    elif class_ == UNKNOWN:
        styles.append(_UNKNOWN)
    if table.forced[start:end].all():
        styles.append("font-style:italic")  # dim is what the whole prefix is already
    return ";".join(styles)


def token_title(table: LogprobTable, start: int, end: int) -> str:
    """What is read of a drawn group when the pointer rests on it: its probability, and its first alternatives."""
    if end - start > 1:
        parts = [f"{label(row.token, row.bytes, limit=_TITLE_LIMIT)} {chance(row)}" for row in table[start:end][:8]]
        more = [f"and {end - start - 8} more"] if end - start > 8 else []
        return "\n".join([f"{end - start} tokens make one character:", *parts, *more])
    row = table[start]
    head = f"{row.position}: {chance(row)}, rank {rank_text(row)}"
    if row.forced:
        head += ", part of the prefix"
    elif row.status not in ("exact", "censored"):
        head += f", {_WHY[row.status]}"
    tops = row.alternatives.top(5)
    shares = [f"{label(one.token, one.bytes, limit=_TITLE_LIMIT)} {percent(one.prob)}" for one in tops]
    return "\n".join([head, *shares])


def legend(*tables: LogprobTable, metric_name: str = "surprisal") -> str:
    """What the tints and lines in texts of these tables mean, those that occur only; empty where nothing is tinted."""
    metric = METRICS[metric_name]
    class_of_each = np.concatenate([classes(table, metric_name) for table in tables])
    status = np.concatenate([table.status for table in tables])
    found = set(class_of_each.tolist())
    swatches = []
    for class_, name in enumerate(metric.names):
        if class_ and class_ in found:
            line = f";{LEAST_CERTAIN}" if class_ == len(metric.edges) else ""
            tinted = f"background-color:{tint(metric.alpha(class_))};border-radius:3px"
            swatches.append(f'<span style="{tinted};padding:0 0.4em;white-space:nowrap{line}">{escape(name)}</span>')
    if swatches:
        swatches[0] = f"{escape(metric.title)} {swatches[0]}"
    if (status == "censored").any():
        swatches.append(f'<span style="{_CENSORED}">below the alternatives returned</span>')
    is_unknown, is_forced = class_of_each == UNKNOWN, status == "constrained"
    for name, where in ((_FORCED, is_unknown & is_forced), (metric.unknown, is_unknown & ~is_forced)):
        if where.any():
            swatches.append(f'<span style="{_UNKNOWN}">{escape(name)}</span>')
    if any(table.forced.any() for table in tables):
        swatches.append("<i>part of the prefix</i>")
    return style.small(" · ".join(swatches)) if swatches else ""
