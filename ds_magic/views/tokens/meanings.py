"""What several answers mean: a bar for the share of each meaning, and how much they differ in bits. Script-free."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ds_magic.logprobs.folding import FOLDED

from ...api.clean_text import on_one_line
from . import style, style_text

if TYPE_CHECKING:
    from ds_magic.logprobs.samples import SampleEntropy

_SHOWN = 12
_LONGEST = 80


def meanings_html(found: SampleEntropy[Any]) -> str:
    """The meanings, the most frequent first."""
    head: style.Head = [("meaning", False), ("times", True), ("", "32%"), ("share", True)]
    rows = [
        [style.wrapped(f"<bdi>{escape(text)}</bdi>"), times, style.bar(share, "chosen"), f"{100 * share:.0f} %"]
        for text, times, share in _rows(found)
    ]
    return style.table(_title(found), head, rows, note=" ".join(_notes(found)))


def meanings_text(found: SampleEntropy[Any]) -> str:
    """The same as text."""
    cells = [[text, times, style_text.bar(share), f"{100 * share:.0f} %"] for text, times, share in _rows(found)]
    lines = style_text.rows([["meaning", "times", "", "share"], *cells], widest=(32, 0, style_text.BAR))
    return "\n".join([_title(found), *lines, *style_text.filled(" ".join(_notes(found)))])


def _rows(found: SampleEntropy[Any]) -> list[tuple[str, str, float]]:
    return [
        (on_one_line(str(cluster[0]).strip(), _LONGEST) or "nothing", f"{len(cluster):,}", share)
        for cluster, share in zip(found.clusters[:_SHOWN], found.shares, strict=False)
    ]


def _title(found: SampleEntropy[Any]) -> str:
    n, meanings = sum(map(len, found.clusters)), len(found.clusters)
    said = f"{n:,} answer{'s' * (n != 1)}, {meanings:,} meaning{'s' * (meanings != 1)}"
    return f"{said}: semantic entropy {found.semantic:.2f} bits"


def _notes(found: SampleEntropy[Any]) -> list[str]:
    left, measure = len(found.clusters) - _SHOWN, found.length_normalised
    said = [f"… and {left:,} more meanings: `.clusters` has all of them."] if left > 0 else []
    if measure.low == measure.low:
        said.append(f"Length-normalised entropy {measure} a token.")
    rule = f"they are equal but for {FOLDED}" if found.is_folded else "`same` says so"
    return [*said, *found.notes, f"Two mean the same where {rule}."]
