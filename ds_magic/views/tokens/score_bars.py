"""How likely given texts are as the answer: a bar for the share of each."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from ds_magic.logprobs.glyphs import visible

from . import style, style_text
from .classification import bar
from .numbers import between

if TYPE_CHECKING:
    from ds_magic.logprobs.scores import Score, Scores

_TEXTS = 30
_LONGEST = 60


def scores_html(scores: Scores) -> str:
    """A sentence, and a bar for the share of each text."""
    rows = [
        [
            style.wrapped(style.chip(_text(each), strong=each is _first(scores))),
            bar(each.share.low, each.share.high, "chosen" if each is _first(scores) else "alternative"),
            style.wrapped(escape(between(each.share.low, each.share.high))),
            surprise(each),
        ]
        for each in scores[:_TEXTS]
    ]
    head: style.Head = [("text", False), ("", "28%"), ("its share", False), ("surprise, bits", True)]
    return style.table(_sentence(scores), head, rows, note=_note(scores))


def scores_text(scores: Scores) -> str:
    """The same as text."""
    cells = [
        (_text(each), style_text.bar(each.share.low, each.share.high), between(each.share.low, each.share.high),
         f"{surprise(each)} bits")
        for each in scores[:_TEXTS]
    ]  # fmt: skip
    lines = style_text.rows(cells, widest=(24, style_text.BAR))
    return "\n".join([_sentence(scores), *lines, *style_text.filled(_note(scores))])


def surprise(score: Score) -> str:
    """The surprise of a whole text in bits, `≥` where only a bound is known."""
    sum_ = score.logprob
    if math.isnan(sum_.high):
        return "—"
    return f"{'' if sum_.exact else '≥ '}{-sum_.high / math.log(2) + 0.0:.1f}"


def _sentence(scores: Scores) -> str:
    first = _first(scores)
    if first is None:
        return "No texts were scored."
    rivals = [each.share.high for each in scores if each is not first]
    if rivals and first.share.low <= max(rivals):
        return "Which text is the likeliest cannot be told from what came."
    return f'The likeliest is "{_text(first)}": {between(first.share.low, first.share.high)}.'


def _first(scores: Scores) -> Score | None:
    return max(scores, key=lambda each: each.share.low, default=None)


def _note(scores: Scores) -> str:
    return " ".join(["Shares of what fell to these texts.", *scores.notes]) if len(scores) else ""


def _text(score: Score) -> str:
    text = visible(score.text[: _LONGEST + 1]).replace("·", " ")
    return (text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…") or "⟨empty⟩"
