"""The tree of an answer's branches: what they share dimmed, the forced token marked. Script-free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Protocol

from ds_magic.logprobs.glyphs import inline, visible

from ...api.clean_text import on_one_line
from .numbers import percent
from .tints import tint

if TYPE_CHECKING:
    from ds_magic.api.response import ChatCompletion


class Tree(Protocol):
    """What is drawn: (depth, completion), parents first."""

    def __iter__(self) -> Iterator[tuple[int, ChatCompletion]]: ...


BOUNDARIES = "A prefix is tokenised anew, so that tokens beside a branching point may fall otherwise than before."
"""The note on a branch of a server that does not go on from tokens."""


def tree_html(tree: Tree) -> str:
    """Each branch on a block of its own, indented under the answer it left."""
    blocks = "".join(_block(depth, answer) for depth, answer in tree)
    return (
        '<div class="mathjax_ignore tex2jax_ignore" style="margin:8px 0;font-size:14px;line-height:1.5;'
        'max-width:900px">'
        f'{blocks}<div style="font-size:12px;opacity:0.75">{spent([answer for _, answer in tree])}</div></div>'
    )


def _block(depth: int, answer: ChatCompletion) -> str:
    border = f"border-left:2px solid {tint(0.6)};" if depth else ""
    return (
        f'<div style="{border}margin:0 0 10px {24 * depth}px;padding:0 0 0 {8 if depth else 0}px">'
        f'<div style="font-size:12px;opacity:0.75">{escape(heading(answer))}</div>'
        f'<div dir="auto" style="overflow:hidden;overflow-wrap:break-word">{_text(answer)}</div></div>'
    )


def _text(answer: ChatCompletion) -> str:
    shared, forced, own = parts(answer)
    marked = f'<b style="background-color:{tint(0.4)};border-radius:3px">{_shown(forced)}</b>' if forced else ""
    base = f'<span style="opacity:0.65">{_shown(shared)}</span>' if shared else ""
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
    """Where a branch left its parent, with what, and how it did."""
    branch = answer.branch
    facts = []
    if branch is None:
        facts.append("the answer")
    else:
        place = f"at {branch.position}: " if branch.position is not None else ""
        prob = f" ({percent(branch.prob)})" if branch.prob is not None else ""
        facts.append(f"{place}{visible(branch.instead)}{prob} instead of {branch.replaced}")
    if answer.logprobs and answer.logprobs.perplexity.tokens:
        facts.append(f"perplexity {answer.logprobs.perplexity:.2f}")
    if answer.interruption:
        facts.append(on_one_line(answer.interruption))
    return ", ".join(facts)


def spent(answers: Sequence[ChatCompletion]) -> str:
    """How many requests the answers of a tree took, and what is to be known of their tokens, in sentences."""
    branches = len(answers) - 1
    said = f"{len(answers)} request{'s' * (branches > 0)}: the answer"
    said += f" and {branches} branch{'es' * (branches > 1)}." if branches else "."
    return f"{said} {BOUNDARIES}" if any(BOUNDARIES in answer.notes for answer in answers) else said


def tree_text(tree: Tree) -> str:
    """The same as text: `…` stands for what is shared, the forced token between ▸ and ◂."""
    lines = []
    for depth, answer in tree:
        shared, forced, own = parts(answer)
        shared, forced, own = (inline(part).replace("·", " ") for part in (shared, forced, own))
        indent = "  " * depth
        tail = shared if len(shared) <= 40 else "…" + shared[-39:]
        lines.append(f"{indent}{'└ ' if depth else ''}{heading(answer)}")
        lines.append(f"{indent}  {tail}{'▸' + forced.strip() + '◂' if forced else ''}{own}")
    return "\n".join([*lines, spent([answer for _, answer in tree])])
