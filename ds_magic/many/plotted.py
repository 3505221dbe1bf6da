"""A metric of several answers by a factor, drawn with matplotlib (the extra `plot`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..api.clean_text import on_one_line
from ..logprobs.plots import GREY, HUE, axes_of, tidy
from ..views.many.captions import factor_text
from .measured import OF_SAMPLES, Measure, Measured, measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .answers import Answers

_NAMES = {
    "correct": "share that is right", "agreement": "agreement of the samples", "entropy": "semantic entropy, bits",
    "completion_tokens": "tokens", "bits_per_byte": "bits per byte",
}  # fmt: skip
_WIDE = 30
"""A metric of which the greatest value is so many times the least stands on a logarithmic scale."""
_TICKS = 8
_DOT: dict[str, Any] = {"markersize": 4, "markeredgewidth": 0, "clip_on": False}
_LONGEST = 32


def plotted(answers: Answers, metric: str | None, by: str | None, ax: Axes | None, ink: str | None) -> Axes:
    """See `Answers.plot`."""
    found = measured(answers, metric, by)
    draw = _line if found.is_number else _bars
    return draw(found, ax, ink)


def _line(found: Measured, ax: Axes | None, ink: str | None) -> Axes:
    """Each value a faint dot over its number, the means on a line with their intervals."""
    ax, inks = axes_of(ax, (6, 3.2), ink)
    known = [each for each in found if each.known]
    for mark, label, pairs in _dots(found, known, [each.value for each in known]):
        ax.plot(*zip(*pairs, strict=True), mark, color=GREY, alpha=0.4, label=label, **_DOT)
    for each in known:
        if (span := each.interval) is not None:
            ax.vlines(each.value, *span, color=HUE, linewidth=5, alpha=0.35, label=_once(ax))
    ax.plot([each.value for each in known], [each.mean for each in known], "-", color=HUE, linewidth=1.5, zorder=3)
    for mark, label, means in _means(found, known):
        ax.plot([each.value for each in means], [each.mean for each in means], mark, color=HUE, markersize=6,
                label=label, clip_on=False, zorder=4)  # fmt: skip
    if len(known) <= _TICKS:
        ax.set_xticks([each.value for each in known], [factor_text(each.value) for each in known])
    ax.set_xlabel(on_one_line(str(found.by), _LONGEST) + _left_out(found), parse_math=False)
    lowest, highest = _extremes(known)
    if found.metric.startswith("perplexity") and highest > _WIDE * lowest > 0:
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.4g}")
    else:
        _from_zero(ax.set_ylim, found, lowest, highest)
    _share_of(ax.yaxis, found)
    ax.set_ylabel(_name(found.metric), parse_math=False)
    return tidy(ax, inks)


def _bars(found: Measured, ax: Axes | None, ink: str | None) -> Axes:
    """A bar for each mean, its interval and the dots on it, the first value on top."""
    measures = list(found.measures)
    ax, inks = axes_of(ax, (6, 0.34 * len(measures) + 1.1), ink)
    places = [place for place, each in enumerate(measures) if each.known]
    known = [measures[place] for place in places]
    ax.barh(places, [each.mean for each in known], color=HUE, alpha=0.55, height=0.62)
    for mark, label, pairs in _dots(found, known, places):
        ax.plot(*zip(*((value, place) for place, value in pairs), strict=True), mark.replace("^", ">"), color=inks[1],
                alpha=0.6, label=label, **_DOT)  # fmt: skip
    for place, each in zip(places, known, strict=True):
        if (span := each.interval) is not None:
            ax.hlines(place, *span, color=inks[1], linewidth=2, label=_once(ax))
    for mark, label, means in _means(found, known):
        at = [place for place, each in zip(places, known, strict=True) if each in means]
        ax.plot([each.mean for each in means], at, mark.replace("^", ">"), color=HUE, markersize=6, label=label,
                clip_on=False, zorder=4)  # fmt: skip
    names = [on_one_line(factor_text(each.value), _LONGEST) for each in measures]
    ax.set_yticks(range(len(measures)), names, parse_math=False)
    ax.set_ylim(len(measures) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    _from_zero(ax.set_xlim, found, *_extremes(known))
    _share_of(ax.xaxis, found)
    ax.set_xlabel(_name(found.metric) + _left_out(found), parse_math=False)
    return tidy(ax, inks)


def _dots(
    found: Measured, known: Sequence[Measure], places: Sequence[Any]
) -> Iterator[tuple[str, str, list[tuple[Any, float]]]]:
    """What is behind the means, none where each is of one value: the mark, its name, and where each stands.

    The legend says once what bounds are, beside the means.
    """
    if found.is_share or all(len(each.known) == 1 for each in known):
        return
    for mark, label, name in (("o", found.of, "values"), ("^", "_bounds", "least")):
        pairs = [(place, value) for place, each in zip(places, known, strict=True) for value in getattr(each, name)]
        if pairs:
            yield mark, label, pairs


def _means(found: Measured, known: Sequence[Measure]) -> Iterator[tuple[str, str, list[Measure]]]:
    """The means, and apart from them those that are at least so much: the mark and its name."""
    several = any(len(each.known) > 1 for each in known)
    name = "share" if found.is_share else "mean" if several else found.of
    for mark, label, is_bound in (("o", name, False), ("^", f"{name}, at least so much", True)):
        means = [each for each in known if bool(each.least) == is_bound]
        if means:
            yield mark, label, means


def _extremes(known: list[Measure]) -> tuple[float, float]:
    values = [value for each in known for value in (*each.known, *(each.interval or ()))]
    return min(values), max(values)


def _from_zero(set_limits: Any, found: Measured, lowest: float, highest: float) -> None:
    """A scale from 0, or to 100 % of a share, so that two pictures compare."""
    if found.is_share or found.metric == "agreement":
        set_limits(0, 1.02)
    elif lowest >= 0:
        set_limits(0, 1.08 * highest or 1)


def _share_of(axis: Any, found: Measured) -> None:
    if found.is_share or found.metric == "agreement":
        axis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")


def _once(ax: Axes) -> str:
    """The name of the intervals, which the legend has once."""
    name = "its interval at 95 %"
    return "_again" if name in ax.get_legend_handles_labels()[1] else name


def _left_out(found: Measured) -> str:
    if not found.left_out:
        return ""
    what = "asked only once" if found.metric in OF_SAMPLES else "without one"
    return f"\n({found.left_out:,} {what} left out)"


def _name(metric: str) -> str:
    return _NAMES.get(metric) or on_one_line(str(metric), _LONGEST)
