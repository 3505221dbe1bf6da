"""Several answers together: a few side by side under their factors, many as a table; equal ones once. Script-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from ...api.clean_text import escaped, for_terminal, on_one_line
from ...logprobs.bounded import Bounded
from ..answer.static import call_html, content_html
from ..answer.tinted import tinted
from ..tokens import style, style_text
from ..tokens.numbers import OF_A_CHOICE
from .captions import factor_text, factors_text

if TYPE_CHECKING:
    from ...api.errors import DeepSeekError
    from ...api.response import ChatCompletion

FEW = 4
"""So many different answers stand side by side."""
LISTED = 20
"""So many lines has a table."""
LONGEST = 4000
CELL = 240
"""Characters of an answer in a column, and in a line."""
_FACTORS = 4
_NOTE = 400
_SAID = "white-space:normal;max-width:46em;overflow-wrap:anywhere"
_COLUMNS = "display:flex;flex-wrap:wrap;column-gap:2em;row-gap:0.6em"


class Row(Protocol):
    """See `many.row.Row`."""

    @property
    def factors(self) -> Mapping[str, Any]: ...
    @property
    def arm(self) -> Mapping[str, Any]: ...
    @property
    def answer(self) -> ChatCompletion | None: ...
    @property
    def error(self) -> DeepSeekError | None: ...
    @property
    def content(self) -> str: ...


@dataclass(slots=True)
class Group:
    """Rows of the same factors that say the same: the first of them, and how many they are."""

    row: Row
    n: int = 1

    @property
    def title(self) -> str:
        """`temperature 0 × 57`."""
        factors = self.row.factors if self.n == 1 else self.row.arm
        return " ".join(filter(None, [factors_text(factors), self.times]))

    @property
    def times(self) -> str:
        """`× 57`; empty for one."""
        return f"× {self.n:,}" if self.n > 1 else ""


def key_of(row: Row) -> tuple[str, ...]:
    """What rows have in common that stand as one."""
    arm = sorted((str(name), repr(value)) for name, value in row.arm.items())
    return (repr(arm), row.content, *_calls(row), _wrong(row))


class Drawing:
    """How a row is drawn: whole, in a column of its own, or within the table."""

    def whole(self, row: Row) -> str:
        """An answer as it stands in a cell of its own, and what went wrong."""
        return _whole(row)

    def line(self, row: Row) -> str:
        """An answer within a line, tinted, cut where it is long; and what went wrong."""
        return line_html(row)

    def figures(self, row: Row) -> Sequence[str]:
        """Its tokens, its perplexity, and its bits per byte."""
        return _figures(row)


def groups_of(rows: Sequence[Row]) -> list[Group]:
    """Equal rows as one, each where the first of them stood; samples of one thing by how many they are."""
    groups: dict[tuple[str, ...], Group] = {}
    for row in rows:
        key = key_of(row)
        if key in groups:
            groups[key].n += 1
        else:
            groups[key] = Group(row)
    found = list(groups.values())
    if not any(group.row.arm for group in found):  # samples of one thing: their order says nothing
        found.sort(key=lambda group: -group.n)
    return found


def answers_html(rows: Sequence[Row], notes: Sequence[str] = (), head: str = "") -> str:
    """The picture of several answers, below a `head` that is HTML already."""
    groups = groups_of(rows)
    return style.frame(head + body_html(groups) + below(rows, groups, notes))


def below(rows: Sequence[Row], groups: Sequence[Group], notes: Sequence[str]) -> str:
    """What stands below the picture: what is to be known, and how many they are."""
    said = "".join(style.small(style.prose(on_one_line(note, _NOTE))) for note in notes)
    return said + style.small(escape(summary(rows, groups)))


def body_html(
    groups: Sequence[Group], drawing: Drawing | None = None, *, as_table: bool = False, n: int | None = None
) -> str:
    """The groups side by side, or where they are many the first of them as a table, and what their tints mean.

    `n`: how many groups there are, where these are some of them.
    """
    drawing, n = drawing or Drawing(), len(groups) if n is None else n
    body = _table(groups, drawing, n) if as_table or n > FEW else _columns(groups, drawing)
    return body + legend_of(groups)


def legend_of(groups: Sequence[Group]) -> str:
    """What the tints of these answers mean; nothing where there are none."""
    shown = [group.row.answer for group in groups[:LISTED] if group.row.answer is not None]
    tables = [answer.logprobs for answer in shown if answer.logprobs]
    if not tables:
        return ""
    from ..tokens.heatmap import legend

    return legend(*tables)


def summary(rows: Sequence[Row], groups: Sequence[Group]) -> str:
    """`100 answers, 5 different · 2 failed · 310 tokens out · smollm2-135m`, and where they are a recording's, that."""
    answers = [row.answer for row in rows if row.answer is not None]
    failed = sum(row.error is not None for row in rows)
    partial = sum(answer.interrupted for answer in answers)
    said = [f"{len(answers):,} answer{'s' * (len(answers) != 1)}"]
    if len(groups) < len(rows):
        said[0] += f", {len(groups):,} different" if len(groups) > 1 else ", all the same"
    said += [f"{failed:,} failed"] if failed else []
    said += [f"{partial:,} not whole"] if partial else []
    tokens = sum((answer.usage and answer.usage.completion_tokens) or 0 for answer in answers)
    said += [f"{tokens:,} token{'s' * (tokens != 1)} out"] if tokens else []
    said += [on_one_line(name, 80) for name in list(dict.fromkeys(a.model for a in answers if a.model))[:3]]
    replayed = [name for a in answers if a.recorded is not None and a.recorded.is_replay for name in a.recorded.names]
    said += [on_one_line(name, 80) for name in list(dict.fromkeys(replayed))[:3]]
    said += [OF_A_CHOICE] if any(answer.logprobs for answer in answers[:LISTED]) else []
    return " · ".join(said)


def _columns(groups: Sequence[Group], drawing: Drawing) -> str:
    columns = "".join(
        f'<div style="flex:1;min-width:14em;max-width:60em;overflow-wrap:anywhere">'
        f"{style.heading(group.title) if group.title else ''}{drawing.whole(group.row)}</div>"
        for group in groups
    )
    return f'<div style="{_COLUMNS}">{columns}</div>' if columns else ""


def _whole(row: Row) -> str:
    parts, answer = [], row.answer
    if answer is not None:
        content = answer.content
        if len(content) <= LONGEST:
            parts.append(content_html(answer, content, answer.logprobs or None))
        else:
            parts.append(f'<p dir="auto">{escaped(content[:LONGEST])}…</p>')
        parts += map(call_html, answer.tool_calls)
        if not (content or answer.tool_calls):
            parts.append(f'<p style="{style.DIM}"><i>nothing</i></p>')
    wrong = _wrong(row)
    return "".join(parts) + (f'<div style="font-weight:bold">{style.prose(wrong)}</div>' if wrong else "")


def _calls(row: Row) -> list[str]:
    """The functions that an answer calls: `double({"n": 4})`."""
    calls = row.answer.tool_calls if row.answer is not None else ()
    return [f"{call.function.name}({call.function.arguments})" for call in calls]


def _wrong(row: Row) -> str:
    """What went wrong in a row, on a line."""
    if row.error is not None:
        return on_one_line(f"{type(row.error).__name__}: {row.error}", 300)
    if row.answer is not None and row.answer.interruption:
        return on_one_line(row.answer.interruption, 100)
    return ""


def _table(groups: Sequence[Group], drawing: Drawing, n: int) -> str:
    names = _names(groups)
    is_counted = any(group.n > 1 for group in groups)
    numbers = {name: isinstance(_first(groups, name), int | float) for name in names}
    head: list[tuple[str, style.Kind]] = [(on_one_line(name, 40), numbers[name]) for name in names]
    # A perplexity is a mean over tokens, which compares between answers of one model alone.
    is_of_one = len({group.row.answer.model for group in groups if group.row.answer is not None}) < 2
    measure = "perplexity" if is_of_one else "bits per byte"
    head += [("answer", False), *([("", True)] if is_counted else []), ("tokens", True), (measure, True)]
    cells = [
        [
            *(style.wrapped(escape(factor_text(group.row.factors.get(name, "")))) for name in names),
            f'<div dir="auto" style="{_SAID}">{drawing.line(group.row)}</div>',
            *([group.times] if is_counted else []),
            *_measured(drawing.figures(group.row), is_of_one=is_of_one),
        ]
        for group in groups[:LISTED]
    ]
    return style.grid(head, cells) + style.small(style.prose(_rest(n)))


def _rest(n: int) -> str:
    left = n - LISTED
    return f"… and {left:,} more: `.to_pandas()` has all of them." if left > 0 else ""


def _names(groups: Sequence[Group]) -> list[str]:
    """The factors that are shown: not the sample's number, since equal samples stand as one."""
    return list(dict.fromkeys(str(name) for group in groups for name in group.row.arm))[:_FACTORS]


def _first(groups: Sequence[Group], name: str) -> Any:
    return next((group.row.factors[name] for group in groups if name in group.row.factors), None)


def line_html(row: Row, start: int = 0, length: int = CELL) -> str:
    """An answer within a line, tinted, from its character `start`, cut where it is long; and what went wrong."""
    answer, wrong = row.answer, _wrong(row)
    said = ""
    if answer is not None:
        called = "".join(style.code(on_one_line(call, 120)) for call in _calls(row))
        said = _tinted_part(answer, start, length) if answer.content else called
    return " ".join(filter(None, [said, f"<b>{style.prose(wrong)}</b>" if wrong else ""])) or "<i>nothing</i>"


def _tinted_part(answer: ChatCompletion, start: int, length: int) -> str:
    """A part of an answer with whole tokens, and marks where it is cut."""
    text, table = answer.content, answer.logprobs
    end = min(len(text), start + length)
    begun, cut = "… " if start else "", "…" if end < len(text) else ""
    if not table or not table.matches_content:
        return begun + escaped(text[start:end]) + cut
    first = int(table.char_start.searchsorted(start, side="left"))
    last = int(table.char_end.searchsorted(end, side="right"))
    if first >= last:
        return begun + escaped(text[start:end]) + cut
    part = text[int(table.char_start[first]) : int(table.char_end[last - 1])]
    return begun + tinted(escaped(part), part, table[first:last]) + cut


def _measured(figures: Sequence[str], *, is_of_one: bool) -> tuple[str, str]:
    tokens, perplexity, per_byte = figures
    return tokens, perplexity if is_of_one else per_byte


def _figures(row: Row) -> list[str]:
    answer = row.answer
    usage = answer.usage if answer is not None else None
    tokens = "" if usage is None or usage.completion_tokens is None else f"{usage.completion_tokens:,}"
    if answer is None or not answer.logprobs:
        return [tokens, "", ""]
    per_byte = answer.logprobs.bits_per_byte
    return [tokens, escape(f"{answer.logprobs.perplexity:.3g}"), escape(f"{Bounded(per_byte.low, per_byte.high):.3f}")]


def answers_text(rows: Sequence[Row], notes: Sequence[str] = ()) -> str:
    """The same as text."""
    groups = groups_of(rows)
    lines = []
    if len(groups) <= FEW:
        for group in groups:
            if group.title:
                lines.append(f"── {group.title}")
            if group.row.answer is not None:
                calls, content = [f"calls {call}" for call in _calls(group.row)], group.row.content
                text = content if len(content) <= LONGEST else f"{content[:LONGEST]}…"
                lines += [for_terminal("\n".join(filter(None, [text, *calls]))) or "nothing"]
            lines += filter(None, [_wrong(group.row)])
    else:
        names = _names(groups)
        table = [
            [*(factor_text(group.row.factors.get(name, "")) for name in names), group.times, line_text(group.row)]
            for group in groups[:LISTED]
        ]
        head = [*(on_one_line(name, 40) for name in names), "", "answer"]
        lines += style_text.rows([head, *table], widest=[24] * (len(names) + 1), indent="")
        lines += filter(None, [_rest(len(groups))])
    return "\n".join([*lines, *below_text(rows, groups, notes)])


def below_text(rows: Sequence[Row], groups: Sequence[Group], notes: Sequence[str]) -> list[str]:
    """The lines below it."""
    return [*(on_one_line(note, _NOTE) for note in notes), f"⟨{summary(rows, groups)}⟩"]


def line_text(row: Row, start: int = 0) -> str:
    """An answer within a line of text, from its character `start`."""
    part = "…" * (start > 0) + row.content[start : start + CELL]
    return on_one_line(" ".join(filter(None, [part, *_calls(row), _wrong(row)])) or "nothing", 200)
