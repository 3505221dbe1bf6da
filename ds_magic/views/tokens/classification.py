"""How the choice fell between labels: a sentence, and a bar for each."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ds_magic.logprobs.glyphs import visible

from . import style, style_text
from .numbers import between

if TYPE_CHECKING:
    from ds_magic.logprobs.labels import Classification, Label

_LABELS = 30
_FORMS = 3
_LONGEST = 40


def classification_html(choice: Classification) -> str:
    """A sentence, a bar for each label, and what all other answers had."""
    return style.frame(style.heading(verdict(choice)) + label_bars(choice) + style.small(style.prose(beside(choice))))


def label_bars(choice: Classification) -> str:
    """A row for each label: how sure its share is can be seen from the hollow part of its bar."""
    rows = [
        [
            style.wrapped(style.chip(named(each), strong=at == 0)),
            bar(each.share.low, each.share.high, "chosen" if at == 0 else "alternative"),
            style.wrapped(escape(between(each.share.low, each.share.high))),
            style.wrapped(" ".join(map(style.chip, _forms(each))) or f'<span style="{style.DIM}">not returned</span>'),
        ]
        for at, each in enumerate(choice.labels[:_LABELS])
    ]
    return style.grid([("label", False), ("", "28%"), ("its share", False), ("came as", False)], rows)


def bar(low: float, high: float | None = None, kind: str = "alternative") -> str:
    """A bar as wide as its column, and never too narrow to be seen."""
    return f'<div style="min-width:1.5em">{style.bar(low, kind, to=high)}</div>'


def classification_text(choice: Classification) -> str:
    """The same as text."""
    return "\n".join([verdict(choice), *label_lines(choice), *style_text.filled(beside(choice))])


def label_lines(choice: Classification) -> list[str]:
    """A line for each label, with its bar."""
    return style_text.rows(
        [
            (
                named(each),
                style_text.bar(each.share.low, each.share.high),
                between(each.share.low, each.share.high),
                "" if each.returned else "(not returned)",
            )
            for each in choice.labels[:_LABELS]
        ],
        widest=(20, style_text.BAR),
    )


def verdict(choice: Classification) -> str:
    """What can be said of the choice, in a sentence."""
    labels = choice.labels
    if not labels:
        return "There are no labels to choose between."
    first = labels[0]
    if len(labels) == 1:
        share = between(max(0.0, 1 - choice.rest.high), 1 - choice.rest.low)
        return f"{quoted(first)} was the answer with a probability of {share}."
    if choice.advice:
        return f"What came tells little of the choice between {listed(labels)}."
    if first.share.low > max(each.share.high for each in labels[1:]):
        return f"{quoted(first)} is the likeliest: {between(first.share.low, first.share.high)}."
    return f"{quoted(first)} is ahead of {quoted(labels[1])}, but what was not returned may turn it."


def beside(choice: Classification) -> str:
    """What the shares are of, and what fell to none of the labels."""
    if not choice.labels:
        return ""
    rest = between(choice.rest.low, choice.rest.high)
    others = "How much went to other answers is not known." if rest == "not known" else f"Other answers had {rest}."
    shares = "Shares of what fell to these labels. " if len(choice.labels) > 1 else ""
    advice = f" {choice.advice[0].upper()}{choice.advice[1:]}." if choice.advice else ""
    return f"{shares}{others}{advice}"


def listed(labels: Sequence[Label]) -> str:
    """`"yes" and "no"`; of many the first two."""
    names = [quoted(each) for each in labels]
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def quoted(label: Label) -> str:
    """A label in a sentence."""
    return f'"{named(label)}"'


def named(label: Label) -> str:
    """A label as it is shown."""
    name = visible(label.label).replace("·", " ")
    return (name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…") or "⟨empty⟩"


def _forms(label: Label) -> list[str]:
    shown = [visible(form[:_LONGEST]) for form in label.forms[:_FORMS]]
    return [*shown, *(["…"] if len(label.forms) > _FORMS else [])]
