"""Where several answers part: what they share once, and a fork where they go on differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..logprobs.glyphs import END, label
from .counts import said
from .grown import root_of
from .odds import asked_the_same
from .row import Row

if TYPE_CHECKING:
    from ..logprobs.rows import Token
    from ..logprobs.table import LogprobTable

_OVER = ("", "")
"""Stands behind the last token of an answer that ended by itself, so that such an end is a branch, too."""


@dataclass(slots=True)
class Stretch:
    """A text that `rows` (their numbers) have in common, from one fork to the next; `branches` are how they go on.

    `prob`: how likely its first token was where they parted, 0 … 1, None where nobody knows. `is_end`: whether the
    answers of `rows` are over behind it. `fork`: the token behind it, whose alternatives are what the branches were
    chosen from; None without branches, and where nobody knows. `label`: how its first token is shown.
    """

    text: str
    rows: list[int] = field(default_factory=list)
    branches: list[Stretch] = field(default_factory=list)
    prob: float | None = None
    is_end: bool = False
    fork: Token | None = None
    label: str = ""

    @property
    def n(self) -> int:
        """How many answers go through it."""
        return len(self.rows)


class Divergence:
    """The tree in which several answers part.

    `root`: the Stretch that all have in common, which may be empty. `by`: "token" or "character". `total`: how many
    answers are in it; `contents`: the text of each, by its row. Iterating gives (depth, stretch), each before its
    branches, those that more took first.
    """

    def __init__(self, root: Stretch, by: str, total: int, contents: Mapping[int, str] | None = None) -> None:
        self.root, self.by, self.total, self.contents = root, by, total, contents or {}

    def __iter__(self) -> Iterator[tuple[int, Stretch]]:
        waiting = [(0, self.root)]
        while waiting:
            depth, stretch = waiting.pop()
            yield depth, stretch
            waiting += [(depth + 1, each) for each in reversed(stretch.branches)]

    @property
    def forks(self) -> int:
        """At how many places they part."""
        return sum(bool(stretch.branches) for _, stretch in self)

    def _repr_html_(self) -> str:
        from ..views.many.forks import divergence_html

        return divergence_html(self)

    def __repr__(self) -> str:
        from ..views.many.forks import divergence_text

        return divergence_text(self)


@dataclass(slots=True)
class _Node:
    """A stretch of `steps[start:end]` of one answer, which all of `rows` have."""

    steps: Sequence[Any]
    start: int
    end: int
    rows: list[int]
    branches: dict[Any, _Node] = field(default_factory=dict)


def diverging(rows: Sequence[Row]) -> Divergence:
    """The tree of rows that have an answer. Takes a time that grows with all their text together."""
    answers = [(number, row.answer) for number, row in enumerate(rows) if row.answer is not None]
    completions = [answer for _, answer in answers]
    tables = {number: answer.logprobs for number, answer in answers}
    by_tokens = bool(answers) and len({answer.model for answer in completions}) == 1 and all(
        table and table.matches_content and not answer.tool_calls
        for table, answer in zip(tables.values(), completions, strict=True)
    )
    root = _Node((), 0, 0, [])
    for number, answer in answers:
        steps = _tokens(tables[number]) if by_tokens else list(said(answer))
        is_over = answer.finish_reason != "length" and not answer.interrupted
        if is_over and not (by_tokens and steps and not steps[-1][0]):
            steps.append(_OVER)
        _insert(root, steps, number)
    if len(root.branches) == 1:
        (root,) = root.branches.values()
    # A branch is asked with what it shares with its parent as a prefix: what was asked is its root's question.
    has_odds = by_tokens and asked_the_same([root_of(answer) for answer in completions])
    return Divergence(
        _drawn(root, tables if has_odds else {}, by_tokens=by_tokens), "token" if by_tokens else "character",
        len(answers), {number: said(answer) for number, answer in answers},
    )


def _tokens(table: LogprobTable) -> list[Any]:
    return list(zip(table.bytes, table.token, strict=True))


def _insert(root: _Node, steps: Sequence[Any], row: int) -> None:
    """Walk down as far as the steps are the same, and part there."""
    node, at = root, 0
    node.rows.append(row)
    while at < len(steps):
        child = node.branches.get(steps[at])
        if child is None:
            node.branches[steps[at]] = _Node(steps, at, len(steps), [row])
            return
        same, size = 0, child.end - child.start
        while same < size and at + same < len(steps) and child.steps[child.start + same] == steps[at + same]:
            same += 1
        if same < size:
            middle = _Node(child.steps, child.start, child.start + same, child.rows[:])
            child.start += same
            middle.branches[child.steps[child.start]] = child
            node.branches[steps[at]] = child = middle
        child.rows.append(row)
        node, at = child, at + same


def _drawn(root: _Node, tables: dict[int, LogprobTable], *, by_tokens: bool) -> Stretch:
    """The tree as it is shown, with what each fork held of its branches."""
    top = _stretch(root, by_tokens)
    waiting = [(root, top)]
    while waiting:
        node, stretch = waiting.pop()
        ordered = sorted(node.branches.values(), key=lambda each: -len(each.rows))
        for child in ordered:
            made = _stretch(child, by_tokens)
            if (table := tables.get(child.rows[0])) is not None and child.start < len(table):
                made.prob = _share(table, child.start)
                stretch.fork = stretch.fork or table[child.start]
            stretch.branches.append(made)
            waiting.append((child, made))
    return top


def _stretch(node: _Node, by_tokens: bool) -> Stretch:
    steps = node.steps[node.start : node.end]
    if by_tokens:
        text = b"".join(step[0] for step in steps if step is not _OVER).decode("utf-8", "replace")
        is_end = bool(steps) and not steps[-1][0]
    else:
        is_end = bool(steps) and steps[-1] is _OVER
        text = "".join(steps[:-1] if is_end else steps)
    first = label(steps[0][1], steps[0][0]) if by_tokens and steps and steps[0] is not _OVER else ""
    return Stretch(text or (END if is_end else ""), node.rows, is_end=is_end, label=first)


def _share(table: LogprobTable, position: int) -> float | None:
    """How likely the token at a place was; None where that is not known."""
    share = float(table.prob[position])
    return share if share == share else None
