"""Answers that were asked one by one, and branched by hand, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..logprobs.glyphs import visible
from .row import Row

if TYPE_CHECKING:
    from ..api.response import ChatCompletion

BRANCH = "branch"
"""The factor that tells branches apart: where each left the answer that it is of, and with what."""


def grown(answers: Iterable[ChatCompletion]) -> Iterator[Row]:
    """A row for each answer and each of its tree, parents first, none twice."""
    seen = set[int]()
    for answer in answers:
        waiting = [root_of(answer)]
        is_alone = not waiting[0].branches
        while waiting:
            each = waiting.pop()
            if id(each) in seen:
                continue
            seen.add(id(each))
            yield Row({} if is_alone else {BRANCH: _name(each)}, each)
            waiting += reversed(each.branches)


def root_of(answer: ChatCompletion) -> ChatCompletion:
    """The answer of which all others of its tree branched off."""
    while answer.parent is not None:
        answer = answer.parent
    return answer


def _name(answer: ChatCompletion) -> str:
    branch = answer.branch
    if branch is None:
        return "the answer"
    place = f"character {branch.char:,}" if branch.position is None else f"token {branch.position:,}"
    return f"{visible(branch.instead).strip('·')} at {place}"
