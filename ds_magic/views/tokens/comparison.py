"""Two runs side by side: where they part in words, the shared part once, the rest in two columns. Script-free."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from ds_magic.logprobs.glyphs import END, inline, visible
from ds_magic.logprobs.rows import others

from ...api.clean_text import on_one_line
from ..terminal_width import fit
from . import style, style_text
from .classification import bar
from .next_bytes import beginnings_html, beginnings_text
from .numbers import between, chance, percent, remainder
from .shared_text import shared_html, shared_text
from .tints import tint

if TYPE_CHECKING:
    from ds_magic.logprobs.bounded import Bounded
    from ds_magic.logprobs.compare import Comparison
    from ds_magic.logprobs.rows import Token
    from ds_magic.logprobs.table import LogprobTable

_REST = 4000
_NOTE = 400


class Side(NamedTuple):
    """One run at the place where two part: its token there (None: it has ended), and what it held of the other's.

    `held`: that token's probability; `said`: the same in words, or the bounds of its text's.
    """

    name: str
    own: Token | None
    other: Token | None
    held: float
    said: str
    rest: LogprobTable


def comparison_html(comparison: Comparison) -> str:
    """Where the two part, the shared text tinted by how far they differ on it, and how each goes on."""
    beside = sides(comparison)
    columns = "".join(
        f'<div style="flex:1;min-width:20em">{_said(side, style.chip, escape)}'
        f"{_bars(side) if comparison.same_tokens else ''}{_rest(side.rest, _inside(comparison))}</div>"
        for side in beside
    )
    body = f'<div style="display:flex;flex-wrap:wrap;column-gap:2em;row-gap:0.6em">{columns}</div>' if columns else ""
    if beside and not comparison.same_tokens:
        body += f'<div style="margin:0.6em 0 0 0">{beginnings_html(comparison.next_bytes())}</div>'
    notes = "".join(style.small(style.prose(on_one_line(note, _NOTE))) for note in comparison.notes)
    return style.frame(style.heading(parting(comparison)) + shared_html(comparison) + body + notes)


def comparison_text(comparison: Comparison, *, width: int = 80) -> str:
    """The same as text: where they part, where they differ most before, and how each goes on."""
    beside = sides(comparison)
    lines = [parting(comparison), *(_said(side, str, str) for side in beside)]
    if beside and not comparison.same_tokens:
        lines += beginnings_text(comparison.next_bytes())
    lines += shared_text(comparison, width=width)
    for side in beside:
        if len(side.rest):
            text = _on_one_line("".join(side.rest.text[:width])).strip() or END
            lines.append(fit(f"{_quoted(side.name)} goes on: {text}", width).rstrip())
    return "\n".join([*lines, *(line for note in comparison.notes for line in _filled(note))])


def parting(comparison: Comparison) -> str:
    """Where the two part, in a sentence."""
    parted = comparison.divergence
    texts = any(map(any, (comparison.rest_a.bytes, comparison.rest_b.bytes)))
    if not texts and not comparison.n_bytes:
        return "Both are empty."
    if parted is None:
        return "They say the same to the end."
    if not texts:
        name = comparison.names[parted.a is None]
        return f"They say the same to the end, which only {_quoted(name)} says."
    if comparison.same_tokens:
        shared, at_once = sum(len(stretch.text) for stretch in comparison.shared), "at the first token"
    else:
        raw = b"".join(comparison.a.bytes)[: parted.byte]
        shared, at_once = len(codecs.getincrementaldecoder("utf-8")("replace").decode(raw)), "at the first character"
    return f"They part after {shared:,} character{'s' * (shared > 1)}." if shared else f"They part {at_once}."


def sides(comparison: Comparison) -> list[Side]:
    """Both runs at the place where they part; empty where they say the same."""
    parted = comparison.divergence
    if parted is None:
        return []
    rests = (comparison.rest_a, comparison.rest_b)
    tokens = [rest[0] if len(rest) else None for rest in rests]
    held = (parted.b_in_a, parted.a_in_b)
    said = [percent(each) if each == each else "" for each in held]
    if not comparison.same_tokens and None not in tokens:
        there = comparison.next_bytes()
        texts = [there[token.bytes] for token in tokens if token is not None]
        said = [_bounded(texts[1].a), _bounded(texts[0].b)]
    names = [on_one_line(name, 40) for name in comparison.names]
    return [Side(names[i], tokens[i], tokens[1 - i], held[i], said[i], rests[i]) for i in (0, 1)]


def _bounded(share: Bounded) -> str:
    return "" if share.low <= 0 and share.high >= 1 else between(share.low, share.high)


def _said(side: Side, token: Callable[[str], str], plain: Callable[[str], str]) -> str:
    """`"likeliest" said The (15.1 %); the other's 2 had 14.5 % there.`"""
    name = plain(_quoted(side.name))
    if side.own is None:
        return f"{name} had ended."
    said = f"{name} said {token(side.own.label)} ({plain(chance(side.own))})"
    if side.other is None:
        return f"{said}."
    there = f"had {plain(side.said)} there" if side.said else "was not returned there"
    return f"{said}; the other's {token(side.other.label)} {there}."


def _quoted(name: str) -> str:
    return f'"{on_one_line(name, 40)}"'


def _filled(note: str) -> list[str]:
    return style_text.filled(on_one_line(note, _NOTE))


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


def _inside(comparison: Comparison) -> int:
    """How many bytes both still have in common behind the last place where both have a boundary."""
    parted = comparison.divergence
    return 0 if parted is None or comparison.same_tokens else parted.byte - comparison.n_bytes


def _rest(rest: LogprobTable, common: int) -> str:
    """How one goes on: the token in which they differ is marked, from the first character that differs."""
    if not len(rest):
        return ""
    at = 0
    while at < len(rest) - 1 and common >= len(rest.bytes[at]) > 0:
        common -= len(rest.bytes[at])
        at += 1
    first = rest.text[at]
    same = len(codecs.getincrementaldecoder("utf-8")("ignore").decode(rest.bytes[at][:common]))
    before = "".join(rest.text[:at]) + first[:same]
    mark = f'<b style="background-color:{tint(0.4)};border-radius:0.2em">{_running(first[same:]) or END}</b>'
    tail = "".join(rest.text[at + 1 :])[: _REST - len(first)] if len(first) < _REST else ""
    said = f"{_running(before[-_REST:])}{mark}{_running(tail)}"
    return f'<div dir="auto" style="overflow-wrap:break-word;margin:0.3em 0 0 0">{said}</div>'


def _on_one_line(text: str) -> str:
    return visible(text).replace("·", " ")


def _running(text: str) -> str:
    return escape(inline(text).replace("·", " ")).replace("↵", "<br>")
