"""Token probabilities as plain text for terminals and text/plain, and as Markdown. Both escape every token."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from ..terminal_width import columns, fit
from .bars import Bars
from .numbers import (
    OPEN,
    SHORT,
    bars,
    bits,
    chance,
    least_certain,
    other_choices,
    percent,
    rank_text,
    uncertain_first,
)  # fmt: skip

if TYPE_CHECKING:
    from ds_magic.logprobs.rows import Token
    from ds_magic.logprobs.table import LogprobTable


def to_text(table: LogprobTable, *, width: int = 80, given: str = "") -> str:
    """Bars or the table for a terminal and for text/plain, no line wider than `width` columns. `given`: a prefix."""
    return Bars.of(table, given=given).to_text(width) if len(table) <= SHORT else _least_certain_text(table, width)


def _least_certain_text(table: LogprobTable, width: int) -> str:
    title, rows = least_certain(table)
    if not rows:
        return ""
    lines = [("at", "token", "prob.", "bits", "rank", "other choices")]
    for row in rows:
        others = [f"{fit(one.label, 14).rstrip()} {percent(one.prob)}" for one in other_choices(row)]
        while len(others) > 1 and columns("   ".join(others)) > width - 56:
            others.pop()
        at = f"{row.position:,}"
        lines.append((at, row.label, chance(row), bits(row), rank_text(row), "   ".join(others) or "—"))
    table_text = [
        f"{at:>6}  {fit(token, 18)}  {prob:>9}  {surprise:>6}  {rank:>5}  {fit(others, max(8, width - 56)).rstrip()}"
        for at, token, prob, surprise, rank, others in lines
    ]
    return "\n".join([title, *table_text])


def to_markdown(table: LogprobTable) -> str:
    """The same as Markdown tables, for text/markdown; every token escaped."""
    if len(table) <= SHORT:
        return "\n\n".join(filter(None, map(_bars_markdown, uncertain_first(table)[:OPEN])))
    title, rows = least_certain(table)
    if not rows:
        return ""
    lines = ["| at | token | probability | bits | rank | other choices |", "|---:|:---|---:|---:|---:|:---|"]
    for row in rows:
        others = " / ".join(f"{_markdown(one.label)} {percent(one.prob)}" for one in other_choices(row))
        cells = (
            f"{row.position:,}", _markdown(row.label), escape(chance(row)), bits(row),
            escape(rank_text(row)), others or "—",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return f"**{title}**\n\n" + "\n".join(lines)


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
