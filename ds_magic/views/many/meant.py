"""How uncertain the model is of several things: the entropy of each as a bar, and what was meant. Script-free."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Protocol

from ds_magic.logprobs.folding import FOLDED

from ...api.clean_text import on_one_line
from ..tokens import style, style_text
from .captions import factor_text

_SHOWN = 40
_MEANINGS = 4
_LONGEST = 48


class Meant(Protocol):
    """See `many.meanings.Meant`."""

    @property
    def value(self) -> Any: ...
    @property
    def entropy(self) -> Any: ...
    @property
    def n(self) -> int: ...


class Entropies(Protocol):
    """See `many.meanings.Entropies`."""

    @property
    def by(self) -> str: ...
    @property
    def is_folded(self) -> bool: ...
    @property
    def left_out(self) -> int: ...
    @property
    def mean(self) -> float: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Meant]: ...
    def __getitem__(self, index: slice, /) -> Sequence[Meant]: ...


def entropies_html(found: Entropies) -> str:
    """A row each, the most uncertain first; all bars on one scale, to what so many answers can have at most."""
    head: style.Head = [(_name(found), False), ("bits", True), ("", "18%"), ("meanings", False)]
    most = _most(found)
    rows = [
        [
            style.wrapped(escape(factor_text(each.value))), f"{each.entropy.semantic:.2f}",
            style.bar(each.entropy.semantic / most, "chosen" if each.entropy.semantic else "alternative"),
            f'<div style="white-space:normal;overflow-wrap:anywhere">{_meanings_html(each)}</div>',
        ]
        for each in found[:_SHOWN]
    ]  # fmt: skip
    return style.table(_title(found), head, rows, note=_note(found))


def entropies_text(found: Entropies) -> str:
    """The same as text."""
    cells = [
        [factor_text(each.value), f"{each.entropy.semantic:.2f}",
         style_text.bar(each.entropy.semantic / _most(found), width=12), " · ".join(_meanings(each))]
        for each in found[:_SHOWN]
    ]  # fmt: skip
    lines = style_text.rows([[_name(found), "bits", "", "meanings"], *cells], widest=(24, 0, 12))
    return "\n".join([_title(found), *lines, *style_text.filled(_note(found))])


def _most(found: Entropies) -> float:
    """The entropy of as many meanings as answers, the most that one can have."""
    return math.log2(max(2, *(each.n for each in found)))


def _title(found: Entropies) -> str:
    unsure, sizes = sum(each.entropy.semantic > 0 for each in found), {each.n for each in found}
    each = f"{max(sizes):,} answers each" if len(sizes) == 1 else f"{sum(each.n for each in found):,} answers"
    differ = f"they differ in meaning for {unsure:,}" if unsure else "they mean the same for each"
    return f"{len(found):,} × {_name(found)}, {each}: {differ}"


def _meanings(each: Meant) -> list[str]:
    """`Paris × 4`, the most frequent first."""
    clusters = each.entropy.clusters
    shown = len(clusters) if len(clusters) <= _MEANINGS + 1 else _MEANINGS
    said = [f"{_text(cluster[0])} × {len(cluster):,}" for cluster in clusters[:shown]]
    return [*said, f"{len(clusters) - shown:,} more meanings"] if shown < len(clusters) else said


def _meanings_html(each: Meant) -> str:
    parts = [f'<span style="white-space:normal"><bdi>{escape(said)}</bdi></span>' for said in _meanings(each)]
    first = f"<b>{parts[0]}</b>" if len(each.entropy.clusters[0]) > 1 or len(parts) == 1 else parts[0]
    return " · ".join([first, *parts[1:]])


def _text(row: object) -> str:
    return on_one_line(str(row).strip(), _LONGEST) or "nothing"


def _name(found: Entropies) -> str:
    return on_one_line(str(found.by), 40)


def _note(found: Entropies) -> str:
    said = []
    if len(found) > _SHOWN:
        said.append(f"… and {len(found) - _SHOWN:,} more, all as certain or more: `.to_pandas()` has all of them.")
    if found.left_out:
        said.append(f"{found.left_out:,} without an answer left out.")
    said.append(f"Semantic entropy in bits: 0 where all answers mean the same, {_most(found):.2f} at most.")
    rule = f"they are equal but for {FOLDED}: `same=` takes another rule" if found.is_folded else "`same` says so"
    return " ".join([*said, f"Two mean the same where {rule}.", "How much answers vary says nothing of their truth."])
