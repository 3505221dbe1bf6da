"""The tree in which several answers part: what is shared once, a bar for how many went each way. Script-free."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from ds_magic.logprobs.glyphs import END, running

from ...api.clean_text import escaped
from ..tokens import style, style_text
from ..tokens.numbers import bars, percent
from ..tokens.tints import tint

if TYPE_CHECKING:
    from ds_magic.logprobs.rows import Token

_SHOWN = 60
_DEEPEST = 10
_LONGEST = 240
_RAW = 1200
_NUMBERED = 8
_HELD = 6


class Stretch(Protocol):
    """See `many.divergence.Stretch`."""

    text: str
    prob: float | None
    is_end: bool
    fork: Token | None
    label: str

    @property
    def n(self) -> int: ...
    @property
    def rows(self) -> Sequence[int]: ...
    @property
    def branches(self) -> Sequence[Stretch]: ...


class Tree(Protocol):
    """See `many.divergence.Divergence`."""

    @property
    def by(self) -> str: ...
    @property
    def total(self) -> int: ...
    @property
    def contents(self) -> Mapping[int, str]: ...
    def __iter__(self) -> Iterator[tuple[int, Stretch]]: ...


def divergence_html(tree: Tree) -> str:
    """Each stretch on a line of its own, indented under what it follows; a click shows what is behind it."""
    blocks = "".join(_block(depth, stretch, tree) for depth, stretch in islice(_worth(tree), _SHOWN))
    return style.frame(style.heading(_title(tree)) + blocks + style.small(style.prose(_note(tree))))


def divergence_text(tree: Tree) -> str:
    """The same as text."""
    lines = []
    for depth, stretch in islice(_worth(tree), _SHOWN):
        row = f" (row {stretch.rows[0]:,})" if stretch.n == 1 else ""
        said = "" if not depth else f"{_facts(stretch)}{row}  "
        lines.append(f"{'  ' * min(depth, _DEEPEST)}{'└ ' if depth else ''}{said}{_cut(stretch.text)}")
    return "\n".join([_title(tree), *lines, *style_text.filled(_note(tree))])


def _worth(tree: Tree) -> Iterator[tuple[int, Stretch]]:
    return ((depth, stretch) for depth, stretch in tree if depth or stretch.text or stretch.fork)


def _block(depth: int, stretch: Stretch, tree: Tree) -> str:
    text = f'<span style="overflow-wrap:anywhere;min-width:0"><bdi>{_shown(stretch.text)}</bdi></span>'
    if not depth:
        said = f'<span style="{style.DIM}">{text if stretch.text else "<i>from the first token</i>"}</span>'
        return f'<div style="margin:0 0 0.3em 0">{_opened(said, _behind(stretch, tree))}</div>'
    share = stretch.n / tree.total if tree.total else 0.0
    row = (
        f'<span style="display:inline-flex;align-items:baseline;column-gap:0.6em;max-width:96%;vertical-align:top">'
        f'<span style="display:inline-block;width:5em;flex:none">{style.bar(share, "chosen")}</span>'
        f'<span style="{style.SMALL};white-space:nowrap;flex:none;min-width:6.5em">'
        f"{escape(_facts(stretch))}</span>{text}</span>"
    )
    indent = 1.2 * (min(depth, _DEEPEST) - 1)
    line = f"border-left:2px solid {tint(0.88)};padding:0 0 0 0.6em"
    return f'<div style="{line};margin:0 0 0.2em {indent:g}em">{_opened(row, _behind(stretch, tree))}</div>'


def _opened(summary: str, behind: str) -> str:
    if not behind:
        return f"<div>{summary}</div>"
    return (
        f'<details><summary style="cursor:pointer">{summary}</summary>'
        f'<div style="margin:0.2em 0 0.6em 1.2em">{behind}</div></details>'
    )


def _behind(stretch: Stretch, tree: Tree) -> str:
    """What could have followed at a fork, by the numbers that it came with; of an end the whole answer."""
    if stretch.branches:
        return _held(stretch)
    content = tree.contents.get(stretch.rows[0], "") if stretch.rows else ""
    if not content.strip():
        return ""
    whole = content if len(content) <= _RAW else f"{content[:_RAW]}…"
    numbers = ", ".join(f"{row:,}" for row in stretch.rows[:_NUMBERED]) + (", …" if stretch.n > _NUMBERED else "")
    rows = f"row{'s' * (stretch.n > 1)} {numbers}"
    look = "white-space:pre-wrap;overflow-wrap:anywhere;max-width:46em"
    return f'<div dir="auto" style="{look}">{escaped(whole.strip())}</div>{style.small(escape(rows))}'


def _held(stretch: Stretch) -> str:
    if stretch.fork is None:
        return ""
    taken = {each.label for each in stretch.branches}
    rows = [
        [
            f"<i>{escape(each.label)}</i>" if each.kind == "rest" else style.chip(each.label, strong=is_taken),
            style.bar(each.prob, "rest" if each.kind == "rest" else "chosen" if is_taken else "alternative"),
            escape(each.text),
        ]
        for each in bars(stretch.fork, shown=_HELD)
        for is_taken in [each.label in taken]
    ]
    head: style.Head = [("it held", False), ("", "40%"), ("", True)]
    return f'<div style="max-width:30em">{style.grid(head, rows)}</div>' if rows else ""


def _facts(stretch: Stretch) -> str:
    """`57 ×, 57.4 %`: how many went so, and how likely its first token was there."""
    computed = "" if stretch.prob is None else f", {percent(stretch.prob)}"
    return f"{stretch.n:,} ×{computed}"


def _cut(text: str) -> str:
    """The beginning, where it parted, and the end, after which the next fork stands."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST * 3 // 4]} … {text[-_LONGEST // 4 :]}"
    return running(text) if text != END else END


def _shown(text: str) -> str:
    return escape(_cut(text))


def _title(tree: Tree) -> str:
    forks = sum(bool(stretch.branches) for _, stretch in tree)
    answers = f"{tree.total:,} answer{'s' * (tree.total != 1)}"
    if not forks:
        return f"{answers}, which say the same to the end" if tree.total > 1 else answers
    return f"{answers}, which part at {forks:,} place{'s' * (forks > 1)}"


def _note(tree: Tree) -> str:
    left = sum(1 for _ in _worth(tree)) - _SHOWN
    said = [f"… and {left:,} more stretches: iterate over the tree for all of them."] if left > 0 else []
    if any(stretch.prob is not None for _, stretch in tree):
        said.append("How many went so, and how likely the first token was there by the model's numbers.")
    elif tree.by == "character":
        said.append("By characters: not all have token probabilities of the same model.")
    return " ".join(said)
