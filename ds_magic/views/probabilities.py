"""Token probabilities under an answer: script-free HTML, Markdown and plain text.

Everything is a pure function of a LogprobTable. Tokens are hostile text: they pass through
`glyphs.label`, which names control and bidi characters, and are escaped for where they land. Colour only
repeats what the text says, so that the pieces read the same where a page strips CSS.
"""

from __future__ import annotations

import math
import re
import textwrap
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ds_magic.logprobs.glyphs import visible

if TYPE_CHECKING:
    from ds_magic.logprobs.table import LogprobTable, Token

# A grey-teal whose luminance lies between the themes' black and white: text in either stays readable on it.
TINT = (72, 134, 138)
WIDEST_TINT = 0.6  # the strongest alpha under text; a test computes the contrast in both themes
BARS_LIMIT = 8  # an answer of at most this many tokens gets bars for each
BARS_SHOWN = 5
TRUTH = "A probability measures the choice of a token, not the truth of a sentence."

_IGNORE = 'class="mathjax_ignore tex2jax_ignore"'
_MONO = "font-family:Menlo,Consolas,monospace"
_DIM = "opacity:0.75"
# JupyterLab centres tables, stripes their rows and aligns cells to the right; each of these is undone.
_TABLE = "border-collapse:collapse;border:none;table-layout:auto;margin:0;font-size:13px;line-height:1.4"
_ROW = "background:transparent"
_CELL = "padding:2px 14px 2px 0;border:none;text-align:left;vertical-align:middle;max-width:none"
_NUMBER = _CELL.replace("text-align:left", "text-align:right") + ";white-space:nowrap"
_LINE = _CELL + ";white-space:nowrap"
_HEAD = f"white-space:nowrap;font-weight:normal;{_DIM}"


def tint(alpha: float) -> str:
    """The hue as CSS colour, translucent: `rgba(72,134,138,0.25)`."""
    return "rgba({},{},{},{:.2f})".format(*TINT, alpha)


def percent(p: float) -> str:
    """A probability (0 … 1) in words of about two digits: `57.0 %`, `0.043 %`, `> 99.9 %`; NaN is `—`."""
    if math.isnan(p):
        return "—"
    if p > 0.9995:
        return "> 99.9 %"
    if p >= 0.00995:
        return f"{100 * p:.1f} %"
    if p >= 1e-6:
        return f"{100 * p:.{1 - math.floor(math.log10(100 * p))}f} %"
    return f"{p:.0e}" if p > 0 else "≈ 0 %"


def chance(row: Token) -> str:
    """The chosen token's probability: a number where it is one, a bound where it is bounded, else `—`."""
    if row.status == "exact":
        return percent(row.prob)
    if row.status == "censored" and not math.isnan(row.logprob_upper):
        return f"< {_rounded_up(math.exp(row.logprob_upper))}"
    return "—"


def rank_text(row: Token) -> str:
    """`1`, `> 20` below what was returned, `—` where nothing is known of it."""
    if row.rank is not None:
        return f"{row.rank:,}"
    if row.n_alternatives and row.status in ("exact", "censored"):
        return f"> {row.n_alternatives}"
    return "—"


def bits(row: Token) -> str:
    """The surprisal, `≥` where only a bound is known: `4.1`, `≥ 8.3`, `—`."""
    if math.isnan(row.surprisal):
        return "—"
    return f"{'≥ ' if row.status == 'censored' else ''}{row.surprisal:.1f}"


def _rounded_up(p: float) -> str:
    """A bound as percentage with two digits, never below `p`."""
    digits = max(1, 1 - math.floor(math.log10(100 * p))) if p < 0.1 else 1
    step = 10.0**-digits
    return f"{math.ceil(100 * p / step - 1e-9) * step:.{digits}f} %"


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a bar chart: `prob` is 0 … 1, NaN where no number is known; `text` says the same."""

    label: str
    prob: float
    text: str
    kind: str  # "chosen", "alternative" or "rest"


def bars(row: Token, *, shown: int = BARS_SHOWN) -> list[Bar]:
    """The first `shown` alternatives of a token, the chosen one if it is not among them, and everything else.

    The last bar is all the probability that the others do not hold. Empty without a distribution.
    """
    if row.status == "degenerate" or not row.n_alternatives:
        return []
    top = [one for one in row.alternatives if one.prob == one.prob][:shown]
    lines = [Bar(one.label, one.prob, percent(one.prob), "chosen" if one.chosen else "alternative") for one in top]
    total = sum(one.prob for one in top)
    if not any(one.chosen for one in top):
        lines.append(Bar(row.label, row.prob, chance(row), "chosen"))
        total += 0.0 if math.isnan(row.prob) else row.prob
    rest = max(0.0, 1.0 - total)
    lines.append(Bar("everything else", rest, percent(rest), "rest"))
    return lines


def to_html(table: LogprobTable) -> str:
    """What stands under an answer: the least certain tokens, bars for a short answer, and what to know."""
    body = least_certain_html(table, n=5 if len(table) <= BARS_LIMIT else 10)
    if len(table) <= BARS_LIMIT:
        body += bars_html(table)
    notes = " ".join(escape(note) for note in _notes(table))
    return (
        f'<div {_IGNORE} style="margin:8px 0;line-height:1.4">{body}'
        f'<div style="font-size:12px;margin:8px 0 0 0;{_DIM}">{notes}</div></div>'
    )


def least_certain_html(table: LogprobTable, *, n: int = 10) -> str:
    """The `n` tokens of the greatest surprisal as a small table; empty where no token has a probability."""
    rows = list(table.least_certain(n))
    if not rows:
        return ""
    head = "".join(
        f'<th style="{_NUMBER if right else _CELL};{_HEAD}">{name}</th>'
        for name, right in (
            ("at", True), ("token", False), ("probability", True),
            ("bits", True), ("rank", True), ("the model's other choices", False),
        )
    )  # fmt: skip
    return (
        f'<div {_IGNORE} style="overflow-x:auto;margin:0 0 4px 0">{_heading(_title(table, len(rows)))}'
        f'<table style="{_TABLE}"><thead><tr style="{_ROW}">{head}</tr></thead>'
        f"<tbody>{''.join(_certainty_row(table, row) for row in rows)}</tbody></table></div>"
    )


def bars_html(table: LogprobTable, *, limit: int = BARS_LIMIT) -> str:
    """For each token a small bar chart of its first five alternatives, the chosen one marked, with the rest.

    An answer of more than `limit` tokens gets charts for its first `limit`, and a line that says so.
    """
    cards = "".join(_card(row) for row in table[:limit])
    more = len(table) - limit
    note = f'<div style="font-size:12px;{_DIM}">… and {more:,} tokens more</div>' if more > 0 else ""
    return f'<div {_IGNORE} style="margin:10px 0 0 0">{cards}{note}</div>' if cards else ""


def _title(table: LogprobTable, n: int) -> str:
    return f"Least certain tokens ({n} of {len(table):,})" if n < len(table) else "Least certain tokens"


def _heading(text: str) -> str:
    return f'<div style="font-weight:bold;font-size:13px;margin:0 0 2px 0">{escape(text)}</div>'


def _certainty_row(table: LogprobTable, row: Token) -> str:
    before, after = _context(table, row)
    token = (
        f'<span style="{_DIM}"><bdi>{escape(before)}</bdi></span>{_token(row)}'
        f'<span style="{_DIM}"><bdi>{escape(after)}</bdi></span>'
    )
    others = " &nbsp; ".join(
        f'<span style="white-space:nowrap">{_code(one.label)} {percent(one.prob)}</span>' for one in _other_choices(row)
    )
    cells = (
        (_NUMBER, f"{row.position:,}"), (_LINE, token), (_NUMBER, chance(row)),
        (_NUMBER, bits(row)), (_NUMBER, rank_text(row)), (_LINE, others or "—"),
    )  # fmt: skip
    return f'<tr style="{_ROW}">' + "".join(f'<td style="{style}">{text}</td>' for style, text in cells) + "</tr>"


def _other_choices(row: Token, n: int = 2) -> list:
    return [one for one in row.alternatives if not one.chosen and one.prob == one.prob][:n]


def _context(table: LogprobTable, row: Token, width: int = 16) -> tuple[str, str]:
    """A few words before and after a token, as they stand in the answer. Needs the whole answer's table."""
    index = row.position - (int(table.position[0]) if len(table) else 0)
    if not (0 <= index < len(table) and table.position[index] == row.position):
        return "", ""
    before = "".join(table.text[max(0, index - 12) : index])[-width:]
    after = "".join(table.text[index + 1 : index + 12])[:width]
    before = re.sub(r"^\S*\s", "", before) if len(before) == width else before
    after = re.sub(r"\s\S*$", "", after) if len(after) == width else after
    return tuple(visible(re.sub(r"\s+", " ", part)).replace("·", " ") for part in (before, after))


def _token(row: Token) -> str:
    return f'<b style="background-color:{tint(0.3)};border-radius:3px;padding:0 2px">{_code(row.label)}</b>'


def _code(text: str) -> str:
    return f'<bdi style="{_MONO}">{escape(text)}</bdi>'


def _card(row: Token) -> str:
    lines = bars(row)
    charts = "".join(_bar_row(line) for line in lines)
    if not lines:
        why = {
            "missing": "No probability came.",
            "degenerate": "What came is no probability distribution.",
        }.get(row.status, f"Probability {chance(row)}; no alternatives came.")
        charts = f'<tr style="{_ROW}"><td style="{_CELL};{_DIM}">{why}</td></tr>'
    surprise = "" if math.isnan(row.surprisal) else f" &nbsp; {bits(row)} bits"
    forced = " &nbsp; part of the prefix" if row.forced else ""
    if row.status == "constrained":
        forced += " &nbsp; forced by a grammar; shares from before it"
    return (
        '<div style="display:inline-block;vertical-align:top;margin:0 28px 12px 0">'
        f'<div style="font-size:13px;margin:0 0 2px 0"><span style="{_DIM}">{row.position:,}</span> &nbsp; '
        f'{_token(row)}<span style="{_DIM}">{surprise}{forced}</span></div>'
        f'<table style="{_TABLE}"><tbody>{charts}</tbody></table></div>'
    )


def _bar_row(line: Bar) -> str:
    chosen, rest = line.kind == "chosen", line.kind == "rest"
    fill = f"border:1px solid {tint(1)}" if rest else f"background-color:{tint(1 if chosen else 0.6)}"
    width = 0.0 if math.isnan(line.prob) else 100 * min(1.0, line.prob)
    # A number above zero always leaves a hair of a bar, so that it is not taken for nothing.
    bar = (
        f'<div style="box-sizing:border-box;height:11px;min-width:2px;width:{width:.1f}%;border-radius:2px;{fill}">'
        "</div>"
        if width > 0
        else ""
    )
    name = f'<i style="{_DIM}">{line.label}</i>' if rest else _code(line.label)
    if chosen:
        name = f"<b>{name}</b>"
    weight = ";font-weight:bold" if chosen else ""
    cell = "padding:1px 6px 1px 0;border:none;vertical-align:middle;max-width:none;white-space:nowrap"
    return (
        f'<tr style="{_ROW}"><td style="{cell};text-align:left">{"▸" if chosen else "&nbsp;"}</td>'
        f'<td style="{cell};text-align:left">{name}</td>'
        f'<td style="{cell};text-align:left"><div style="width:120px">{bar}</div></td>'
        f'<td style="{cell};text-align:right{weight}">{line.text}</td></tr>'
    )


def _notes(table: LogprobTable) -> Iterator[str]:
    if len(table):
        yield TRUTH
    yield from table.notes


def to_text(table: LogprobTable, *, width: int = 80) -> str:
    """The same for a terminal and for text/plain, no line wider than `width` columns."""
    parts = [_least_certain_text(table, width)]
    if len(table) <= BARS_LIMIT:
        parts += [_bars_text(row, width) for row in table]
    parts.append(textwrap.fill(" ".join(_notes(table)), width))
    return "\n\n".join(part for part in parts if part)


def _least_certain_text(table: LogprobTable, width: int) -> str:
    rows = list(table.least_certain(5 if len(table) <= BARS_LIMIT else 10))
    if not rows:
        return ""
    lines = [("at", "token", "prob.", "bits", "rank", "other choices")]
    for row in rows:
        others = [f"{fit(one.label, 14).rstrip()} {percent(one.prob)}" for one in _other_choices(row)]
        while len(others) > 1 and columns("   ".join(others)) > width - 56:
            others.pop()
        at = f"{row.position:,}"
        lines.append((at, row.label, chance(row), bits(row), rank_text(row), "   ".join(others) or "—"))
    table_text = [
        f"{at:>6}  {fit(token, 18)}  {prob:>9}  {surprise:>6}  {rank:>5}  {fit(others, max(8, width - 56)).rstrip()}"
        for at, token, prob, surprise, rank, others in lines
    ]
    return "\n".join([_title(table, len(rows)), *table_text])


def _bars_text(row: Token, width: int) -> str:
    lines = [f"{row.position:,}  {row.label}"]
    for line in bars(row):
        mark = "▸" if line.kind == "chosen" else " "
        name = f"({line.label})" if line.kind == "rest" else line.label
        lines.append(f"  {mark} {fit(name, 18)} {fit(_blocks(line.prob, 30), 30)} {line.text:>9}"[:width])
    if len(lines) == 1:
        lines.append(f"    {chance(row)}  (no distribution came)")
    return "\n".join(lines)


def _blocks(p: float, width: int) -> str:
    eighths = 0 if math.isnan(p) else round(8 * width * min(1.0, p))
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def columns(text: str) -> int:
    """How many columns `text` takes in a terminal: East Asian wide characters two, combining marks none."""
    return sum(_columns(character) for character in text)


def fit(text: str, width: int) -> str:
    """`text` padded with blanks to `width` terminal columns, or cut to it with `…` at the end."""
    size = columns(text)
    if size <= width:
        return text + " " * (width - size)
    kept = ""
    for character in text:
        if columns(kept + character) > width - 1:
            break
        kept += character
    return kept + "…" + " " * (width - 1 - columns(kept))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def to_markdown(table: LogprobTable) -> str:
    """The same as Markdown tables, for text/markdown; every token escaped."""
    rows = list(table.least_certain(5 if len(table) <= BARS_LIMIT else 10))
    parts = []
    if rows:
        lines = ["| at | token | probability | bits | rank | other choices |", "|---:|:---|---:|---:|---:|:---|"]
        for row in rows:
            others = " / ".join(f"{_markdown(one.label)} {percent(one.prob)}" for one in _other_choices(row))
            cells = (
                f"{row.position:,}", _markdown(row.label), escape(chance(row)), bits(row),
                escape(rank_text(row)), others or "—",
            )  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
        parts.append(f"**{_title(table, len(rows))}**\n\n" + "\n".join(lines))
    if len(table) <= BARS_LIMIT:
        parts += filter(None, map(_bars_markdown, table))
    parts += [escape(note, quote=False) for note in _notes(table)]
    return "\n\n".join(parts)


def _bars_markdown(row: Token) -> str:
    lines = [f"| {row.position:,} | {_markdown(row.label)} | |", "|:---:|:---|---:|"]
    for line in bars(row):
        name, mark = _markdown(line.label), ""
        if line.kind == "chosen":
            name, mark = f"**{name}**", "▸"
        elif line.kind == "rest":
            name = f"*{name}*"
        lines.append(f"| {mark} | {name} | {escape(line.text)} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def _markdown(text: str) -> str:
    escaped = re.sub(r"([\\`*_{}\[\]()#+\-.!|~$^=:>@])", r"\\\1", text)
    return escaped.replace("&", "&amp;").replace("<", "&lt;")
