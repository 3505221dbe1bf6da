"""The tree of an answer's branches: what they share dimmed, the forced token marked. Script-free."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Protocol

from ds_magic.logprobs.glyphs import inline, label, visible

from ...api.clean_text import on_one_line
from . import style
from .numbers import chance, percent
from .tints import tint

if TYPE_CHECKING:
    from ds_magic.api.response import ChatCompletion
    from ds_magic.logprobs.rows import Token


class Tree(Protocol):
    """What is drawn: (depth, completion), parents first."""

    def __iter__(self) -> Iterator[tuple[int, ChatCompletion]]: ...


BOUNDARIES = "A prefix is tokenised anew, so that tokens beside a branching point may fall otherwise than before."
"""The note on a branch of a server that does not go on from tokens."""

_DEEPEST = 8  # a branch further down is indented no more
_SHARED = 300
"""Characters of what a branch shares with its parent that are shown: the last."""


def tree_html(tree: Tree) -> str:
    """Each branch on a block of its own, indented under the answer it left."""
    return style.frame(blocks_html(tree))


def blocks_html(tree: Tree) -> str:
    """The same as a part of a frame that stands around it: margins and the size that is set are given once."""
    answers = list(tree)
    blocks = "".join(_block(depth, answer) for depth, answer in answers)
    return blocks + style.small(escape(spent([answer for _, answer in answers])))


def _block(depth: int, answer: ChatCompletion) -> str:
    indent = 1.5 * min(depth, _DEEPEST)
    line = f"border-left:2px solid {tint(0.88)};padding:0 0 0 0.6em;" if depth else ""
    return (
        f'<div style="{line}margin:0 0 0.7em {indent:g}em"><div>{_said(answer, style.chip, escape)}</div>'
        f'<div dir="auto" style="overflow-wrap:break-word">{_text(answer)}</div></div>'
    )


def _text(answer: ChatCompletion) -> str:
    shared, forced, own = parts(answer)
    marked = f'<b style="background-color:{tint(0.4)};border-radius:0.2em">{_shown(forced)}</b>' if forced else ""
    shared = shared if len(shared) <= _SHARED else "…" + shared[-_SHARED:]
    base = f'<span style="{style.DIM}">{_shown(shared)}</span>' if shared else ""
    return base + marked + _shown(own)


def _shown(text: str) -> str:
    """Escaped, as running text: blanks stay blanks, everything invisible else is named."""
    return escape(inline(text).replace("·", " ")).replace("↵", "<br>")


def parts(answer: ChatCompletion) -> tuple[str, str, str]:
    """A branch's text in three: what it shares with its parent (and all's prefix), what was forced, its own."""
    branch = answer.branch
    if branch is None:
        return (answer.request and answer.request.prefix) or "", "", answer.content
    end = branch.char + len(branch.instead)
    return branch.base + answer.content[: branch.char], branch.instead, answer.content[end:]


def heading(answer: ChatCompletion) -> str:
    """What a branch has instead of what, and where: `·Sydney (37.8 %) instead of ·Canberra (57.0 %), at token 0`."""
    return _said(answer, str, str)


def _said(answer: ChatCompletion, token: Callable[[str], str], plain: Callable[[str], str]) -> str:
    branch = answer.branch
    if branch is None:
        said = "The answer"
    else:
        row = left(answer)
        share = percent(branch.prob) if branch.prob is not None else "not returned" if row and row.alternatives else ""
        prob = plain(f" ({share})") if share else ""
        was = "" if row is None or chance(row) == "—" else plain(f" ({chance(row)})")
        place = "" if branch.position is None else f", at token {branch.position:,}"
        said = f"{token(visible(branch.instead))}{prob} instead of {token(replaced(answer))}{was}{place}"
    return f"{said}, {plain(on_one_line(answer.interruption))}" if answer.interruption else said


def replaced(answer: ChatCompletion) -> str:
    """The label of what stood where a branch left its parent."""
    row = left(answer)
    if row is not None:
        return row.label
    return label(answer.branch.replaced, None) if answer.branch else ""


def left(answer: ChatCompletion) -> Token | None:
    """The token at which a branch left its parent, None where it is not known."""
    branch, parent = answer.branch, answer.parent
    table = None if parent is None else parent.logprobs
    if not table or branch is None or branch.position is None or branch.position >= len(table):
        return None
    return table[branch.position]


def spent(answers: Sequence[ChatCompletion]) -> str:
    """How many requests the answers of a tree took, and what is to be known of their tokens, in sentences."""
    branches = len(answers) - 1
    said = f"{len(answers)} request{'s' * (branches > 0)}: the answer"
    said += f" and {branches} branch{'es' * (branches > 1)}." if branches else "."
    return f"{said} {BOUNDARIES}" if any(BOUNDARIES in answer.notes for answer in answers) else said


def tree_text(tree: Tree) -> str:
    """The same as text: `…` stands for what is shared, the forced token between ▸ and ◂."""
    lines, answers = [], list(tree)
    for depth, answer in answers:
        shared, forced, own = (inline(part).replace("·", " ") for part in parts(answer))
        indent = "  " * depth
        tail = shared if len(shared) <= 40 else "…" + shared[-39:]
        blank = " " * (len(forced) - len(forced.lstrip()))
        lines.append(f"{indent}{'└ ' if depth else ''}{heading(answer)}")
        lines.append(f"{indent}  {tail}{f'{blank}▸{forced.strip()}◂' if forced else ''}{own}")
    return "\n".join([*lines, spent([answer for _, answer in answers])])
