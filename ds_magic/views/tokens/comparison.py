"""Two runs side by side: where they part in words, the shared part once, the rest in two columns. Script-free."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from ds_magic.logprobs.glyphs import END, inline, visible
from ds_magic.logprobs.rows import others

from ...api.clean_text import on_one_line
from ..size import widest_tint
from ..terminal_width import fit
from . import style, style_text
from .classification import bar
from .numbers import chance, percent, remainder
from .tints import tint

if TYPE_CHECKING:
    from ds_magic.logprobs.compare import Aligned, Comparison
    from ds_magic.logprobs.rows import Token
    from ds_magic.logprobs.table import LogprobTable

_BITS = math.log(2)
_STEPS = (0.5, 1, 2, 4)  # bits of difference; fixed, so that comparisons compare
_SHOWN = 600
_REST = 4000


class Side(NamedTuple):
    """One run at the place where two part: its token there (None: it has ended), and what it held of the other's."""

    name: str
    own: Token | None
    other: Token | None
    held: float
    rest: LogprobTable


def comparison_html(comparison: Comparison) -> str:
    """Where the two part, the shared text tinted by how far they differ on it, and how each goes on."""
    columns = "".join(
        f'<div style="flex:1;min-width:20em">{_said(side, style.chip, escape)}{_bars(side)}{_rest(side.rest)}</div>'
        for side in sides(comparison)
    )
    beside = f'<div style="display:flex;flex-wrap:wrap;column-gap:2em;row-gap:0.6em">{columns}</div>' if columns else ""
    return style.frame(style.heading(parting(comparison)) + _shared(comparison) + beside)


def comparison_text(comparison: Comparison, *, width: int = 80) -> str:
    """The same as text: where they part, where they differ most before, and how each goes on."""
    lines = [parting(comparison), *(_said(side, str, str) for side in sides(comparison))]
    shared = "".join(stretch.text for stretch in comparison.shared)
    if shared:
        cut = "…" if len(shared) > 60 else ""
        lines.append(fit(f"In both: {cut}{_on_one_line(shared[-60:])}", width).rstrip())
    known = [(bits, stretch) for stretch in comparison.shared if abs(bits := _difference(stretch)) >= _STEPS[0]]
    known.sort(key=lambda each: -abs(each[0]))
    surer = [
        (
            _on_one_line(stretch.text) or END,
            f"{abs(bits):.1f} bits less surprising to {_quoted(comparison.names[bits > 0])}",
        )
        for bits, stretch in known[:5]
    ]
    lines += style_text.rows(surer, widest=(24,))
    for side in sides(comparison):
        if len(side.rest):
            text = _on_one_line("".join(side.rest.text[:width])).strip() or END
            lines.append(fit(f"{_quoted(side.name)} goes on: {text}", width).rstrip())
    return "\n".join(lines)


def parting(comparison: Comparison) -> str:
    """Where the two part, in a sentence."""
    if comparison.divergence is None:
        return "They say the same to the end."
    shared = sum(len(stretch.text) for stretch in comparison.shared)
    if not shared:
        return "They part at the first token."
    return f"They part after {shared:,} character{'s' * (shared > 1)}."


def sides(comparison: Comparison) -> list[Side]:
    """Both runs at the place where they part; empty where they say the same."""
    parted = comparison.divergence
    if parted is None:
        return []
    tokens = [rest[0] if len(rest) else None for rest in (comparison.rest_a, comparison.rest_b)]
    held = (parted.b_in_a, parted.a_in_b)
    rests = (comparison.rest_a, comparison.rest_b)
    names = [on_one_line(name, 40) for name in comparison.names]
    return [Side(names[i], tokens[i], tokens[1 - i], held[i], rests[i]) for i in (0, 1)]


def _said(side: Side, token: Callable[[str], str], plain: Callable[[str], str]) -> str:
    """`"likeliest" said The (15.1 %); the other's 2 had 14.5 % there.`"""
    name = plain(_quoted(side.name))
    if side.own is None:
        return f"{name} had ended."
    said = f"{name} said {token(side.own.label)} ({plain(chance(side.own))})"
    if side.other is None:
        return f"{said}."
    there = f"had {plain(percent(side.held))} there" if side.held == side.held else "was not returned there"
    return f"{said}; the other's {token(side.other.label)} {there}."


def _quoted(name: str) -> str:
    return f'"{on_one_line(name, 40)}"'


def _bars(side: Side) -> str:
    """What the run held at that place of its own token, of the other's, and of all else."""
    own, other = side.own, side.other
    if own is None or not own.n_alternatives:
        return ""
    drawn = [(own.label, own.prob, chance(own), "chosen")]
    if other is not None and side.held == side.held:
        drawn.append((other.label, side.held, percent(side.held), "alternative"))
    rest = max(0.0, 1 - sum(share for _, share, _, _ in drawn if share == share))
    rows = [
        [style.wrapped(style.chip(label, strong=kind == "chosen")), bar(share, kind=kind), escape(said)]
        for label, share, said, kind in drawn
    ]
    label = others(len(drawn), side.rest.vocabulary_size)
    rows.append([style.wrapped(f"<i>{label}</i>"), bar(rest, kind="rest"), escape(remainder(rest))])
    return style.grid([("", False), ("", "45%"), ("", True)], rows)


def _shared(comparison: Comparison) -> str:
    """The shared text, tinted by how far the two differ on it, and what the tints mean where there are any."""
    if not any(stretch.text for stretch in comparison.shared):
        return ""
    shown = comparison.shared[-_SHOWN:]
    text = "".join(map(_span, shown))
    left_out = len(comparison.shared) - len(shown)
    if left_out > 0:
        text = f'<span style="{style.DIM}">… {left_out:,} stretches left out … </span>{text}'
    legend = ""
    if any(abs(_difference(stretch)) >= _STEPS[0] for stretch in shown):
        names = ("0.5 – 1", "1 – 2", "2 – 4", "≥ 4")
        legend = style.small(
            "How much more surprising it was to one than to the other, in bits: "
            + " ".join(
                f'<span style="{_style(step)}padding:0 0.4em;white-space:nowrap">{name}</span>'
                for step, name in zip(_STEPS, names, strict=True)
            )
        )
    return (
        f'<div style="margin:0.4em 0">In both: '
        f'<span style="overflow-wrap:break-word"><bdi>{text}</bdi></span>{legend}</div>'
    )


def _style(difference: float) -> str:
    class_ = sum(difference >= step for step in _STEPS)
    line = ";border-bottom:2px solid" if class_ == len(_STEPS) else ""
    alpha = widest_tint() * class_ / len(_STEPS)
    return f"background-color:{tint(alpha)};border-radius:0.2em{line};" if class_ else ""


def _span(stretch: Aligned) -> str:
    bits = _difference(stretch)
    surprises = [sum_.value for sum_ in (stretch.logprob_a, stretch.logprob_b)]
    title = " and ".join("not known" if each is None else f"{-each / _BITS + 0.0:.1f} bits" for each in surprises)
    if len(stretch.a) != len(stretch.b):
        title += f"; {len(stretch.a)} and {len(stretch.b)} tokens"
    found = _style(abs(bits)) if bits == bits else "border-bottom:1px dashed"
    attribute = f' style="{found}"' if found else ""
    return f'<span{attribute} title="{escape(title)}">{_running(stretch.text)}</span>'


def _difference(stretch: Aligned) -> float:
    """How much surer b was of a stretch, in bits; NaN where only bounds are known."""
    difference = stretch.difference.value
    return math.nan if difference is None else difference / _BITS


def _rest(rest: LogprobTable) -> str:
    if not len(rest):
        return ""
    first = rest.text[0]
    mark = f'<b style="background-color:{tint(0.4)};border-radius:0.2em">{_running(first) or END}</b>'
    tail = _running("".join(rest.text)[len(first) : _REST])
    return f'<div dir="auto" style="overflow-wrap:break-word;margin:0.3em 0 0 0">{mark}{tail}</div>'


def _on_one_line(text: str) -> str:
    return visible(text).replace("·", " ")


def _running(text: str) -> str:
    return escape(inline(text).replace("·", " ")).replace("↵", "<br>")
