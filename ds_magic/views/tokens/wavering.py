"""Where a model wavered: the stretches of text that it was least sure of."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ds_magic.logprobs.glyphs import END, visible

from . import style, style_text

if TYPE_CHECKING:
    from ds_magic.logprobs.metrics import Windows

_SHOWN = 3
_LONGEST = 90
_BITS = math.log(2)


def windows_html(windows: Windows) -> str:
    """The stretches of the least confidence as a table, in bits."""
    rows = [[where, style.wrapped(escape(text)), confidence] for where, text, confidence in _lowest(windows)]
    head: style.Head = [("tokens", False), ("text", False), ("confidence, bits", True)]
    return style.table(_sentence(windows), head, rows, note=_note(windows))


def windows_text(windows: Windows) -> str:
    """The same as text."""
    found = _lowest(windows)
    head = [("tokens", "text", "bits")] if found else []
    lines = style_text.rows([*head, *found], widest=(14, 54))
    return "\n".join([_sentence(windows), *lines, *style_text.filled(_note(windows))])


def _lowest(windows: Windows) -> list[tuple[str, str, str]]:
    """Where, what, how sure in bits: the least sure stretches that do not overlap, the least sure first."""
    table, left = windows.table, windows.confidence.copy()
    found: list[tuple[str, str, str]] = []
    while len(found) < _SHOWN and not np.isnan(left).all():
        at = int(np.nanargmin(left))
        start = int(windows.start[at])
        end = start + windows.n
        first, last = int(table.position[start]), int(table.position[end - 1])
        where = f"{first:,} to {last:,}" if windows.n > 1 else f"{first:,}"
        text = visible("".join(table.text[start:end])[:_LONGEST]).replace("·", " ").strip()
        found.append((where, text or END, f"{left[at] / _BITS:.1f}"))
        left[max(0, at - windows.n + 1) : at + windows.n] = np.nan
    return found


def _sentence(windows: Windows) -> str:
    if not _known(windows):
        return "Where the model wavered is not known: no alternatives came."
    if len(windows) == 1:
        return f"One stretch of {windows.n} tokens, which is all of it."
    return f"Where the model wavered: the least sure of {len(windows):,} stretches of {windows.n} tokens."


def _note(windows: Windows) -> str:
    if not _known(windows):
        return ""
    k = f"{windows.k_least}" if windows.k_least == windows.k_most else f"{windows.k_least} to {windows.k_most}"
    return (
        f"Confidence: how surprising each of a token's {k} alternatives would be, on average. "
        "Low means that many could have stood there."
    )


def _known(windows: Windows) -> bool:
    return bool(len(windows)) and not np.isnan(windows.confidence).all()
