"""Two runs side by side: the shared part once, the divergence marked, the rest in two columns. Script-free."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from ds_magic.logprobs.glyphs import inline, visible

from ...api.clean_text import on_one_line
from ..size import widest_tint
from ..terminal_width import fit
from .numbers import percent
from .tints import tint

if TYPE_CHECKING:
    from ds_magic.logprobs.compare import Aligned, Comparison
    from ds_magic.logprobs.table import LogprobTable

_BITS = math.log(2)
_STEPS = (0.5, 1, 2, 4)  # bits of difference; fixed, so that comparisons compare
_SHOWN = 600


def comparison_html(comparison: Comparison) -> str:
    """Shared text tinted by how far the two differ on it, then what each says from the divergence on."""
    name_a, name_b = (escape(on_one_line(name, 40)) for name in comparison.names)
    shared = "".join(map(_span, comparison.shared[-_SHOWN:]))
    left_out = len(comparison.shared) - _SHOWN
    if left_out > 0:
        shared = f'<span style="opacity:0.75">… {left_out:,} stretches left out … </span>{shared}'
    legend = " ".join(
        f'<span style="{_style(step)}padding:0 6px">{name}</span>'
        for step, name in zip((0, *_STEPS), ("< 0.5", "0.5 – 1", "1 – 2", "2 – 4", "≥ 4"), strict=True)
    )
    cell = "border:none;text-align:left;vertical-align:top;padding:2px 16px 2px 0;white-space:normal;max-width:none"
    columns = "".join(
        f'<td style="{cell};width:50%"><div style="font-size:12px;opacity:0.75">{name}</div>{_rest(rest)}</td>'
        for name, rest in ((name_a, comparison.rest_a), (name_b, comparison.rest_b))
    )
    return (
        '<div class="mathjax_ignore tex2jax_ignore" style="margin:8px 0;font-size:14px;line-height:1.6;'
        'max-width:900px">'
        f'<div style="font-size:12px"><span style="opacity:0.75">shared; difference, bits: </span>{legend}</div>'
        f'<div dir="auto" style="overflow:hidden;overflow-wrap:break-word">{shared}</div>'
        f'<div style="font-size:13px;margin:4px 0"><b>{escape(_parting(comparison))}</b></div>'
        '<table style="border-collapse:collapse;border:none;table-layout:auto;margin:0;width:100%;font-size:14px">'
        f'<tbody><tr style="background:transparent">{columns}</tr></tbody></table></div>'
    )


def _style(difference: float) -> str:
    class_ = sum(difference >= step for step in _STEPS)
    line = ";border-bottom:2px solid" if class_ == len(_STEPS) else ""
    return f"background-color:{tint(widest_tint() * class_ / len(_STEPS))};border-radius:3px{line};" if class_ else ""


def _span(stretch: Aligned) -> str:
    difference = stretch.difference.value
    bits = math.nan if difference is None else difference / _BITS
    title = f"{stretch.logprob_a:.2f} and {stretch.logprob_b:.2f}"
    if len(stretch.a) != len(stretch.b):
        title += f"; {len(stretch.a)} and {len(stretch.b)} tokens"
    style = "border-bottom:1px dashed;" if math.isnan(bits) else _style(abs(bits))
    attribute = f' style="{style}"' if style else ""
    return f'<span{attribute} title="{escape(title)}">{_shown(stretch.text)}</span>'


def _rest(rest: LogprobTable) -> str:
    text = "".join(rest.text)
    first = rest.text[0] if len(rest) else ""
    mark = f'<b style="background-color:{tint(0.4)};border-radius:3px">{_shown(first) or "⟨end⟩"}</b>'
    tail = _shown(text[len(first) : 4000])
    return f'<div dir="auto" style="overflow:hidden;overflow-wrap:break-word">{mark}{tail}</div>'


def _shown(text: str) -> str:
    return escape(inline(text).replace("·", " ")).replace("↵", "<br>")


def _parting(comparison: Comparison) -> str:
    """Where the two part, in words."""
    parted = comparison.divergence
    if parted is None:
        return "They say the same to the end."
    words = []
    for name, other, table, at, share in (
        (comparison.names[0], comparison.names[1], comparison.a, parted.a, parted.b_in_a),
        (comparison.names[1], comparison.names[0], comparison.b, parted.b, parted.a_in_b),
    ):
        rows = [] if at is None else list(table.take([at - int(table.position[0])]))
        if not rows:
            words.append(f"{name} has ended")
            continue
        held = f", and held {other}'s {percent(share)}" if share == share else ""
        words.append(f"{name} says {rows[0].label} ({percent(rows[0].prob)}{held})")
    shared = sum(len(stretch.text) for stretch in comparison.shared)
    where = f"after {shared:,} character{'s' * (shared > 1)}" if shared else "at once"
    return f"They part {where}: {'; '.join(words)}."


def comparison_text(comparison: Comparison, *, width: int = 80) -> str:
    """The same as text: the largest differences on the shared part, and how each goes on."""
    shared = "".join(stretch.text for stretch in comparison.shared)
    tail = fit(f"  …{visible(shared[-60:])}", width).rstrip()
    lines = [f"Shared: {len(comparison.shared):,} stretches, {len(shared):,} characters", tail]
    differences = ((stretch.difference.value, stretch.text) for stretch in comparison.shared)
    known = [(value / _BITS, text) for value, text in differences if value is not None]
    known.sort(key=lambda each: -abs(each[0]))
    for bits, text in known[:5]:
        if abs(bits) >= 0.05:
            lines.append(f"  {fit(visible(text), 30)} {bits:+.2f} bits")
    lines.append(_parting(comparison))
    for name, rest in zip(comparison.names, (comparison.rest_a, comparison.rest_b), strict=True):
        if len(rest):
            text = visible("".join(rest.text)) or "⟨end⟩"
            lines.append(fit(f"  {on_one_line(name, 40)}: {text}", width).rstrip())
    return "\n".join(lines)
