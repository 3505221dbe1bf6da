"""What two runs share: the text, tinted by how far they differ on it, the tokens of either, what it was to each."""

from __future__ import annotations

import math
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from ds_magic.logprobs.bounded import Bounded
from ds_magic.logprobs.glyphs import END, decode_tokens, inline, visible

from ...api.clean_text import on_one_line
from ..size import widest_tint
from ..terminal_width import fit
from . import style, style_text
from .tints import tint

if TYPE_CHECKING:
    from ds_magic.logprobs.aligned import Aligned
    from ds_magic.logprobs.compare import Comparison

_BITS = math.log(2)
_STEPS = (0.5, 1, 2, 4)  # bits of difference; fixed, so that comparisons compare
_CLASSES = ("0.5 – 1", "1 – 2", "2 – 4", "≥ 4")
_SHOWN, _LONGEST = 600, 4000
"""So many stretches, and bytes of them, are drawn: the last ones."""
_TICK = "border-left:1px solid;font-size:0.5em;line-height:0;vertical-align:"
_ABOVE, _BELOW = f"{_TICK}1.5em", f"{_TICK}-0.7em"
_BOTH = "border-left:1px solid rgba(128,128,128,0.5)"
_MARKS = ("|", "ˈ", "ˌ")
"""In text: where tokens of both begin, of the first alone, of the second alone."""


def shared_html(comparison: Comparison) -> str:
    """The last of the shared text, with a legend for what occurs in it, and what all of it was to each."""
    if not comparison.n_bytes:
        return ""
    shown, left_out = _last(comparison)
    is_ticked = _are_cut_differently(shown)
    text = "".join(_stretch(stretch, parts, is_ticked) for stretch, parts in _parts(comparison, shown))
    if left_out:
        text = f'<span style="{style.DIM}">… {left_out:,} stretches left out … </span>{text}'
    legend = ""
    if any(abs(_difference(stretch)) >= _STEPS[0] for stretch in shown):
        a, b = (escape(_quoted(name)) for name in comparison.names)
        classes = " ".join(
            f'<span style="{_tinted(step, "")};padding:0 0.4em;white-space:nowrap">{name}</span>'
            for step, name in zip(_STEPS, _CLASSES, strict=True)
        )
        legend = style.small(
            f"How much more surprising it was to one than to the other, in bits: {classes} "
            f"(a line above: to {a}, below: to {b})"
        )
    if is_ticked:
        legend += style.small(escape(_of_ticks(comparison, ("a line through", "a tick above", "a tick below"))))
    return (
        f'<div style="margin:0.4em 0">In both: '
        f'<span style="overflow-wrap:break-word"><bdi>{text}</bdi></span>{legend}</div>{_figures_html(comparison)}'
    )


def shared_text(comparison: Comparison, *, width: int = 80) -> list[str]:
    """The same as lines: the end of the text, where the two differ most on it, and what all of it was to each."""
    if not comparison.n_bytes:
        return []
    shown, left_out = _last(comparison)
    is_ticked = _are_cut_differently(shown)
    parts = [part for _, parts in _parts(comparison, shown) for part in parts]
    text = "".join(_MARKS[kind] * is_ticked + text for kind, text in parts)
    begun = "…" if left_out or len(text) > 60 else ""
    lines = [fit(f"In both: {begun}{_on_one_line(text[-60:])}", width).rstrip()]
    if is_ticked:
        lines += style_text.filled(_of_ticks(comparison, _MARKS))
    known = [(bits, stretch) for stretch in comparison.shared if abs(bits := _difference(stretch)) >= _STEPS[0]]
    known.sort(key=lambda each: -abs(each[0]))
    lines += style_text.rows([
        (_on_one_line(stretch.text[:99]) or END if stretch.text or not stretch.n_bytes else "".join(stretch.a.label),
         f"{abs(bits):.1f} bits less surprising to {_quoted(comparison.names[bits > 0])}")
        for bits, stretch in known[:5]
    ], widest=(24,))  # fmt: skip
    return lines + style_text.rows(figures(comparison), widest=(24,))


def figures(comparison: Comparison) -> list[list[str]]:
    """A table of what the shared text was to each: its name, tokens, bits and bits per byte, below their heads."""
    heads = ["", "tokens", "bits", "bits per byte"]
    return [heads, *(
        [on_one_line(name, 40), f"{sum_.tokens + sum_.left_out:,}", f"{_in_bits(sum_):.1f}",
         f"{Bounded(per_byte.low, per_byte.high):.3f}"]
        for name, sum_, per_byte in zip(
            comparison.names, comparison.logprob, comparison.bits_per_byte, strict=True)
    )]  # fmt: skip


def _figures_html(comparison: Comparison) -> str:
    heads, *rows = figures(comparison)
    head: style.Head = [(name, bool(name)) for name in heads]
    grid = style.grid(head, [[style.wrapped(escape(name)), *map(escape, cells)] for name, *cells in rows])
    return f'<div style="margin:0 0 0.6em 0">{grid}</div>'


def _in_bits(sum_: Bounded) -> Bounded:
    return Bounded(-sum_.high / _BITS + 0.0, -sum_.low / _BITS + 0.0)


def _last(comparison: Comparison) -> tuple[list[Aligned], int]:
    """The stretches that are drawn, and how many are left out before them."""
    shown: list[Aligned] = []
    size = 0
    for stretch in reversed(comparison.shared):
        size += stretch.n_bytes
        if shown and (len(shown) == _SHOWN or size > _LONGEST):
            break
        shown.append(stretch)
    return shown[::-1], len(comparison.shared) - len(shown)


def _are_cut_differently(shown: list[Aligned]) -> bool:
    return any(stretch.cuts_a or stretch.cuts_b for stretch in shown)


def _parts(comparison: Comparison, shown: list[Aligned]) -> list[tuple[Aligned, list[tuple[int, str]]]]:
    """Each stretch with its parts between places where a token begins: in both (0), in a (1) or in b (2), and its text.

    A character whose bytes are parted stands where it ends.
    """
    kinds: list[list[int]] = []
    raws: list[bytes] = []
    content = b"".join(comparison.a.bytes)
    for stretch in shown:
        left_out = max(0, stretch.n_bytes - _LONGEST)
        raw = content[stretch.start_byte + left_out : stretch.end_byte]
        both = [*((cut, 1) for cut in stretch.cuts_a), *((cut, 2) for cut in stretch.cuts_b)]
        cuts = sorted((cut - left_out, kind) for cut, kind in both if cut > left_out)
        kinds.append([0, *(kind for _, kind in cuts)])
        raws += [raw[start:end] for start, end in pairwise([0, *(cut for cut, _ in cuts), len(raw)])]
    texts = iter(decode_tokens(raws)[0])
    return [
        (stretch, [(kind, next(texts)) for kind in each]) for stretch, each in zip(shown, kinds, strict=True)
    ]


def _stretch(stretch: Aligned, parts: list[tuple[int, str]], is_ticked: bool) -> str:
    bits = _difference(stretch)
    surprises = [_in_bits(sum_) for sum_ in (stretch.logprob_a, stretch.logprob_b)]
    title = " and ".join("not known" if math.isnan(each.low) else f"{each:.1f} bits" for each in surprises)
    if stretch.tokens[0] != stretch.tokens[1]:
        title += f"; {stretch.tokens[0]} and {stretch.tokens[1]} tokens"
    found = _tinted(bits, "bottom" if bits < 0 else "top") if bits == bits else "border-bottom:1px dashed"
    if is_ticked and stretch.start_byte:
        found = ";".join(filter(None, [_BOTH, found]))
    attribute = f' style="{found}"' if found else ""
    said = "".join(_tick(kind) + _running(text) for kind, text in parts)
    return f'<span{attribute} title="{escape(title)}">{said}</span>'


def _tick(kind: int) -> str:
    return f'<span style="{_ABOVE if kind == 1 else _BELOW}"></span>' if kind else ""


def _tinted(difference: float, side: str) -> str:
    """The tint of a difference in bits, and a line on the side of the one to whom it was more surprising."""
    class_ = sum(abs(difference) >= step for step in _STEPS)
    if not class_:
        return ""
    line = f";border-{side}:{'2px' if class_ == len(_STEPS) else '1px'} solid" if side else ""
    return f"background-color:{tint(widest_tint() * class_ / len(_STEPS))};border-radius:0.2em{line}"


def _difference(stretch: Aligned) -> float:
    """How much surer b was of a stretch, in bits; NaN where only bounds are known."""
    difference = stretch.difference.value
    return math.nan if difference is None else difference / _BITS


def _of_ticks(comparison: Comparison, marks: tuple[str, str, str]) -> str:
    a, b = map(_quoted, comparison.names)
    return f"Where tokens begin: {marks[0]} in both, {marks[1]} in {a}, {marks[2]} in {b}."


def _quoted(name: str) -> str:
    return f'"{on_one_line(name, 40)}"'


def _on_one_line(text: str) -> str:
    return visible(text).replace("·", " ")


def _running(text: str) -> str:
    return escape(inline(text).replace("·", " ")).replace("↵", "<br>")
