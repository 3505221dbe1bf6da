"""Pictures of token probabilities with matplotlib (the extra `plot`). Each returns the axes it drew on.

A figure of ours is transparent, and its text of a grey that reads on a white page as on a dark one: nobody tells a
kernel which theme a notebook has. `ink="black"` is for a paper; on axes that are given, text has the colour set there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from .glyphs import label
from .refused import ASK, NotGivenError
from .rows import others

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .json_values import Field
    from .rows import Token
    from .table import LogprobTable

HUE = "#48868a"  # the explorer's
GREY = "#8a8f94"
INKS = ("#7f7f7f", "#808080")
"""The ink of the axis below and of that beside. A notebook puts a transparent figure on white, or on black, where all
labels are dark, or all light: these two are on either side, so that the page is seen."""
_NAMED = 6  # tokens named in the picture of surprisal
_SPELT = 24  # an answer of at most so many tokens has them below the axis
_LOWER_BOUND = "^"
_SMALL = 8


def surprisal(table: LogprobTable, *, ax: Axes | None = None, ink: str | None = None) -> Axes:
    """Surprisal along the text in bits, with the band between the entropy's bounds behind it.

    Where the surprisal stands above the band, the model said something that it found unlikely. Censored tokens
    are arrowheads at their lower bound. The least certain tokens are named, of a short answer all.
    """
    ax, inks = axes_of(ax, (7.5, 3.0), ink)
    x = table.position
    exact, censored = table.status == "exact", table.status == "censored"
    known = ~np.isnan(table.entropy_low)
    finite = known & np.isfinite(table.entropy_high)
    if finite.any():
        low, high = (np.where(finite, values, np.nan) for values in (table.entropy_low, table.entropy_high))
        band: dict[str, Any] = {"step": "mid", "color": GREY, "alpha": 0.35, "linewidth": 0.8}
        ax.fill_between(x, low, high, label="entropy, between its bounds", **band)
    elif known.any():
        ax.step(x, table.entropy_low, where="mid", color=GREY, alpha=0.6, linewidth=1, label="entropy, at least")
    marked = table.forced
    ax.vlines(x[exact & ~marked], 0, table.surprisal[exact & ~marked], color=HUE, linewidth=_width(len(table)))
    ax.plot(x[exact & ~marked], table.surprisal[exact & ~marked], ".", color=HUE, markersize=4, label="surprise")
    if censored.any():
        bounds = table.surprisal[censored]
        ax.plot(x[censored], bounds, _LOWER_BOUND, color=HUE, markersize=4, label="at least (not returned)")
    if marked.any():
        ax.plot(x[marked], np.nan_to_num(table.surprisal[marked]), "x", color=GREY, label="part of the prefix")
    ax.set(xlabel="token", ylabel="bits")
    ax.set_ylim(0, 1.15 * ax.get_ylim()[1])  # room for the names
    if 0 < len(table) <= _SPELT:
        names = [_plain(label(row.token, row.bytes, limit=14)) for row in table]
        ax.set_xticks(x, names, rotation=45, ha="right", rotation_mode="anchor", fontsize=_SMALL, parse_math=False)
    else:
        ax.locator_params("x", integer=True)
        for row in _apart(table, ax.get_ylim()[1]):
            ax.annotate(
                _plain(label(row.token, row.bytes, limit=14)),
                (row.position, row.surprisal),
                xytext=(0, 5),
                textcoords="offset points",
                ha="center",
                fontsize=_SMALL,
                color=inks[0],
                parse_math=False,
            )
    return tidy(ax, inks)


def _apart(table: LogprobTable, height: float) -> list[Token]:
    """The least certain tokens whose names have room beside each other, in a picture of this height in bits."""
    placed: list[tuple[Token, float]] = []
    for row in table.least_certain(3 * _NAMED):
        if not row.surprisal > 1 or len(placed) == _NAMED:
            continue
        half = (len(_plain(row.label[:14])) + 1) * len(table) / 200  # in tokens: some 100 letters fit side by side
        if all(
            abs(row.position - other.position) > half + other_half or abs(row.surprisal - other.surprisal) > height / 12
            for other, other_half in placed
        ):
            placed.append((row, half))
    return [row for row, _ in placed]


def alternatives(
    table: LogprobTable, at: int = 0, *, shown: int = 10, ax: Axes | None = None, ink: str | None = None
) -> Axes:
    """The first `shown` alternatives of the token at index `at` as bars, the chosen one in ink, and all others.

    The last bar is all that is not drawn, with how many tokens that is where the size of the vocabulary is known.
    """
    row = table[at]
    if not row.n_alternatives:
        raise NotGivenError(f"Token {at} has no alternatives.", ASK)
    top = row.alternatives.top(shown)
    drawn = [(_plain(one.label), one.prob, _percent(one.prob), one.chosen) for one in top]
    if not any(one.chosen for one in top):
        known = row.prob == row.prob
        bound = math.exp(row.logprob_upper) if row.logprob_upper == row.logprob_upper else 1.0
        text = _percent(row.prob) if known else f"at most {_percent(bound)}"
        drawn.append((_plain(row.label), row.prob if known else 0.0, text, True))
    rest = max(0.0, 1 - sum(share for _, share, _, _ in drawn))
    ax, inks = axes_of(ax, (6, 0.28 * (len(drawn) + 1) + 0.8), ink)
    for place, (_, share, text, chosen) in enumerate(drawn):
        ax.barh(place, share, color=inks[1] if chosen else HUE, height=0.7)
        _said(ax, share, place, text, inks)
    ax.barh(len(drawn), rest, color="none", edgecolor=HUE, height=0.7)
    _said(ax, rest, len(drawn), _percent(rest), inks)
    names = [name for name, _, _, _ in drawn]
    ax.set_yticks(range(len(drawn) + 1), [*names, others(len(drawn), table.vocabulary_size)], parse_math=False)
    for tick, (_, _, _, chosen) in zip(ax.get_yticklabels(), drawn, strict=False):
        tick.set_fontweight("bold" if chosen else "normal")
    ax.invert_yaxis()
    ax.set_xlim(0, min(1.15, max([rest, *(share for _, share, _, _ in drawn)]) * 1.25 + 0.02))
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set(xlabel=f"probability at token {row.position}")
    return tidy(ax, inks)


def _said(ax: Axes, share: float, place: int, text: str, inks: tuple[str, str]) -> None:
    ax.annotate(
        text, (share, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=_SMALL, color=inks[0]
    )


def ranks(table: LogprobTable, *, ax: Axes | None = None, ink: str | None = None) -> Axes:
    """How often the chosen token was the likeliest, the second, … or below what was returned (GLTR's histogram)."""
    ax, inks = axes_of(ax, (6, 3), ink)
    counted = ~table.forced & np.isin(table.status, ("exact", "censored")) & (table.n_alternatives > 0)
    found = table.rank[counted]
    most = int(table.n_alternatives[counted].max(initial=1))
    heights = [int((found == rank).sum()) for rank in range(1, most + 1)]
    below = int((found == 0).sum())
    ax.bar(range(1, most + 1), heights, color=HUE, width=0.8)
    ax.bar([most + 1.5], [below], color="none", edgecolor=HUE, width=0.8)
    for place, height in [*enumerate(heights, 1), (most + 1.5, below)]:
        if height:
            ax.text(place, height, f"{height:,}", ha="center", va="bottom", fontsize=_SMALL, color=inks[0])
    steps = [rank for rank in (1, *range(5, most + 1, 5)) if rank < most - 1 or rank == most == 1]
    ax.set_xticks([*steps, most + 1.5], [*map(str, steps), f"> {most}"])
    ax.set(xlabel="rank of the chosen token", ylabel="tokens")
    ax.margins(y=0.12)
    return tidy(ax, inks)


def reliability(
    fields: Iterable[Field], correct: Iterable[bool], *, bins: int = 5, ax: Axes | None = None, ink: str | None = None
) -> Axes:
    """How often fields of JSON answers were right, beside how probable they were.

    `fields`: from one or many answers; `correct`: whether each value is right, in the same order. Points on
    the diagonal mean that a probability can be taken at its word; the number is of the fields in the bin.
    Fields whose probability is not exact are left out. Raises ValueError where the two differ in length.
    """
    pairs = list(zip(fields, correct, strict=True))
    known = [(field.prob.value, bool(right)) for field, right in pairs if field.prob.value is not None]
    ax, inks = axes_of(ax, (4.2, 4), ink)
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="as probable as right")
    probs = np.array([prob for prob, _ in known])
    rights = np.array([right for _, right in known])
    place = np.minimum((probs * bins).astype(int), bins - 1)
    for bin_ in range(bins):
        here = place == bin_
        if here.any():
            x, y, n = probs[here].mean(), rights[here].mean(), int(here.sum())
            ax.plot(x, y, "o", color=HUE, markersize=5 + np.sqrt(n), alpha=0.85)
            _said(ax, x, y, f"{n}", inks)
    left_out = len(pairs) - len(known)
    ax.set(
        xlim=(-0.05, 1.05),
        ylim=(-0.08, 1.08),
        xlabel="probability of the field" + (f"\n({left_out} without an exact one left out)" if left_out else ""),
        ylabel="share that is right",
    )
    ax.set_aspect("equal")
    return tidy(ax, inks)


def axes_of(ax: Axes | None, size: tuple[float, float], ink: str | None) -> tuple[Axes, tuple[str, str]]:
    """The axes to draw on, and the inks of their text: the user's, on a figure of ours greys that read on any page."""
    try:
        import matplotlib.pyplot as plt

        from .figure import TransparentFigure
    except ImportError as error:
        raise ImportError("Pictures need matplotlib: pip install 'ds-magic[plot]'.") from error
    if ax is not None:
        ink = ink or str(plt.rcParams["text.color"])
        return ax, (ink, ink)
    made = plt.subplots(figsize=size, layout="constrained", FigureClass=TransparentFigure)[1]
    return made, INKS if ink is None else (ink, ink)


def tidy(ax: Axes, inks: tuple[str, str]) -> Axes:
    ax.spines[["top", "right"]].set_visible(False)
    for axis, side, ink in ((ax.xaxis, "bottom", inks[0]), (ax.yaxis, "left", inks[1])):
        ax.spines[side].set_color(ink)
        axis.set_tick_params(color=ink, labelcolor=ink)
        axis.label.set_color(ink)
    if ax.get_legend_handles_labels()[0]:
        place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 3, "borderaxespad": 0.2}
        ax.legend(frameon=False, fontsize=_SMALL, labelcolor=inks[0], **place)
    return ax


def _width(n: int) -> float:
    return float(np.clip(300 / max(1, n), 0.4, 3))


def _percent(p: float) -> str:
    """`57.0 %`, `0.43 %`."""
    return f"{100 * p:.1f} %" if p >= 0.00995 else f"{100 * p:.2g} %"


def _plain(text: str) -> str:
    """A label that every font has: the glyphs for control characters are named."""
    return "".join(c if not 0x2400 <= ord(c) <= 0x2421 else f"⟨{ord(c) - 0x2400:02X}⟩" for c in text)
