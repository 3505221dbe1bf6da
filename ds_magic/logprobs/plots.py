"""Pictures of token probabilities with matplotlib (the extra `plot`). Each returns the axes it drew on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from .glyphs import label
from .refused import ASK, NotGivenError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .json_values import Field
    from .table import LogprobTable

HUE = "#48868a"  # the explorer's
GREY = "#8a8f94"
_NAMED = 6  # tokens named in the picture of surprisal
_LOWER_BOUND = "^"


def surprisal(table: LogprobTable, *, ax: Axes | None = None) -> Axes:
    """Surprisal along the text in bits, with the band between the entropy's bounds behind it.

    Where the surprisal stands above the band, the model said something that it found unlikely. Censored tokens
    are arrowheads at their lower bound. The least certain tokens are named.
    """
    ax = _axes(ax, (9, 3.2))
    x = table.position
    exact, censored = table.status == "exact", table.status == "censored"
    known = ~np.isnan(table.entropy_low)
    finite = known & np.isfinite(table.entropy_high)
    if finite.any():
        low, high = (np.where(finite, values, np.nan) for values in (table.entropy_low, table.entropy_high))
        ax.fill_between(
            x, low, high, step="mid", color=GREY, alpha=0.3, linewidth=0, label="entropy, between its bounds"
        )
    elif known.any():
        ax.step(x, table.entropy_low, where="mid", color=GREY, alpha=0.6, linewidth=1, label="entropy, at least")
    marked = table.forced
    ax.vlines(x[exact & ~marked], 0, table.surprisal[exact & ~marked], color=HUE, linewidth=_width(len(table)))
    ax.plot(x[exact & ~marked], table.surprisal[exact & ~marked], ".", color=HUE, markersize=4, label="surprise")
    if censored.any():
        ax.plot(x[censored], table.surprisal[censored], _LOWER_BOUND, color=HUE, label="at least (not returned)")
    if marked.any():
        ax.plot(x[marked], np.nan_to_num(table.surprisal[marked]), "x", color=GREY, label="part of the prefix")
    for row in table.least_certain(_NAMED):
        if row.surprisal == row.surprisal and row.surprisal > 1:
            ax.annotate(
                _plain(label(row.token, row.bytes, limit=14)),
                (row.position, row.surprisal),
                xytext=(0, 5),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                parse_math=False,
            )
    ax.set(xlabel="token", ylabel="bits")
    ax.set_ylim(0, 1.15 * ax.get_ylim()[1])  # room for the names
    _legend(ax)
    return _tidy(ax)


def alternatives(table: LogprobTable, at: int = 0, *, shown: int = 10, ax: Axes | None = None) -> Axes:
    """The first `shown` alternatives of the token at index `at` as bars, the chosen one dark, and everything else."""
    row = table[at]
    if not row.n_alternatives:
        raise NotGivenError(f"Token {at} has no alternatives.", ASK)
    top = [one for one in row.alternatives if one.prob == one.prob][:shown]
    names = [_plain(one.label) for one in top]
    shares = [one.prob for one in top]
    colours = [HUE if one.chosen else "#a9c6c8" for one in top]
    if not any(one.chosen for one in top) and row.prob == row.prob:
        names, shares, colours = [*names, _plain(row.label)], [*shares, row.prob], [*colours, HUE]
    rest = max(0.0, 1 - sum(shares))
    ax = _axes(ax, (6, 0.32 * (len(names) + 1) + 0.9))
    places = np.arange(len(names))
    ax.barh(places, shares, color=colours, height=0.7)
    ax.barh([len(names)], [rest], color="none", edgecolor=HUE, height=0.7)
    ax.set_yticks([*places, len(names)], [*names, "everything else"], parse_math=False)
    ax.invert_yaxis()
    for place, share in enumerate([*shares, rest]):
        ax.text(share + 0.01, place, f"{100 * share:.1f} %", va="center", fontsize=8)
    ax.set_xlim(0, min(1.15, max([*shares, rest]) * 1.25 + 0.02))
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set(xlabel=f"probability at token {row.position}")
    return _tidy(ax)


def ranks(table: LogprobTable, *, ax: Axes | None = None) -> Axes:
    """How often the chosen token was the likeliest, the second, … or below what was returned (GLTR's histogram)."""
    ax = _axes(ax, (6, 3))
    counted = ~table.forced & np.isin(table.status, ("exact", "censored")) & (table.n_alternatives > 0)
    found = table.rank[counted]
    most = int(table.n_alternatives[counted].max(initial=1))
    heights = [int((found == rank).sum()) for rank in range(1, most + 1)]
    below = int((found == 0).sum())
    ax.bar(range(1, most + 1), heights, color=HUE, width=0.8)
    ax.bar([most + 1.5], [below], color="none", edgecolor=HUE, width=0.8)
    for place, height in [*enumerate(heights, 1), (most + 1.5, below)]:
        if height:
            ax.text(place, height, f"{height:,}", ha="center", va="bottom", fontsize=8)
    steps = [1, *range(5, most + 1, 5)]
    ax.set_xticks([*steps, most + 1.5], [*map(str, steps), f"> {most}"])
    ax.set(xlabel="rank of the chosen token", ylabel="tokens")
    ax.margins(y=0.12)
    return _tidy(ax)


def reliability(fields: Iterable[Field], correct: Iterable[bool], *, bins: int = 5, ax: Axes | None = None) -> Axes:
    """How often fields of JSON answers were right, beside how probable they were.

    `fields`: from one or many answers; `correct`: whether each value is right, in the same order. Points on
    the diagonal mean that a probability can be taken at its word; the number is of the fields in the bin.
    Fields whose probability is not exact are left out. Raises ValueError where the two differ in length.
    """
    pairs = list(zip(fields, correct, strict=True))
    known = [(field.prob.value, bool(right)) for field, right in pairs if field.prob.value is not None]
    ax = _axes(ax, (4.2, 4))
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="as probable as right")
    probs = np.array([prob for prob, _ in known])
    rights = np.array([right for _, right in known])
    place = np.minimum((probs * bins).astype(int), bins - 1)
    for bin_ in range(bins):
        here = place == bin_
        if here.any():
            x, y, n = probs[here].mean(), rights[here].mean(), int(here.sum())
            ax.plot(x, y, "o", color=HUE, markersize=6 + 2 * np.sqrt(n), alpha=0.85)
            ax.annotate(f"{n}", (x, y), ha="center", va="center", fontsize=8, color="white")
    left_out = len(pairs) - len(known)
    ax.set(
        xlim=(-0.05, 1.05),
        ylim=(-0.08, 1.08),
        xlabel="probability of the field",
        ylabel="share that is right",
        title=f"{left_out} fields without an exact probability left out" if left_out else "",
    )
    ax.set_aspect("equal")
    _legend(ax)
    return _tidy(ax)


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("Pictures need matplotlib: pip install 'ds-magic[plot]'.") from error
    return plt.subplots(figsize=size, layout="constrained")[1]


def _tidy(ax: Axes) -> Axes:
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _legend(ax: Axes) -> None:
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize=8, loc="best")


def _width(n: int) -> float:
    return float(np.clip(300 / max(1, n), 0.4, 3))


def _plain(text: str) -> str:
    """A label that every font has: the glyphs for control characters are named."""
    return "".join(c if not 0x2400 <= ord(c) <= 0x2421 else f"⟨{ord(c) - 0x2400:02X}⟩" for c in text)
