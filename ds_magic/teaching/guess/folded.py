"""A guess where there is no script: each word folded away, and in it the next one; and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ds_magic.api.clean_text import escaped, for_terminal
from ds_magic.views.answer.static import root_html
from ds_magic.views.tokens import style
from ds_magic.views.tokens.numbers import OF_A_CHOICE, percent
from ds_magic.views.tokens.style_text import filled

from .word_choices import OFFERED

if TYPE_CHECKING:
    from .guess import Guess
    from .words import Word

FOLDED = 24
"""Words that are folded into each other: pages limit how deep elements may lie."""
_CONTEXT = 160
"""Characters before a blank: the whole text before each would be a square of its length."""
_BLANK = "____"
_LINE = "margin:0.6em 0;white-space:pre-wrap;overflow-wrap:anywhere"
_SUMMARY = "cursor:pointer;margin:0.6em 0;font-weight:bold"


def to_html(guess: Guess) -> str:
    """The question, what the answer begins with, and a blank; each word opens with its bars and the next blank."""
    shown = guess.words[:FOLDED]
    last = guess.words[len(shown) - 1]
    left = "".join(word.before + word.text for word in guess.words[len(shown) :]) + guess.tail
    inner = f'<p dir="auto" style="{_LINE}">{escaped(left)}</p>' if left.strip() else ""
    if not inner:
        inner = f'<p dir="auto" style="{_LINE}">{_running(guess, last, is_told=True)}</p>'
    for number in range(len(shown), 0, -1):
        inner = _word(guess, number, inner)
    asked = f'<p dir="auto" style="{_LINE};{style.DIM}">{escaped(guess.question)}</p>' if guess.question else ""
    notes = [style.prose(f"Note: {note}") for note in guess.notes]
    small = "".join(map(style.small, [*notes, escaped(" · ".join([*guess.origin, OF_A_CHOICE]))]))
    return root_html(f'<div style="font-weight:bold">{escaped(heading(guess))}</div>{asked}{inner}{small}')


def heading(guess: Guess) -> str:
    """What it is, and how much of it."""
    n = len(guess.words)
    what = "Which word comes next? Hands up" if guess.vote else "Guess the next word"
    return f"{what}: the answer is here, {n} word{'s' * (n > 1)} to guess."


def _word(guess: Guess, number: int, inner: str) -> str:
    word = guess.words[number - 1]
    before = f'<p dir="auto" style="{_LINE}">{_running(guess, word)}</p>'
    say = "vote" if guess.vote else "say it"
    summary = f'<summary style="{_SUMMARY}">Word {number} of {len(guess.words)}: {say}, then open</summary>'
    return f"{before}{_offered(guess, word)}<details>{summary}{guess.bars(word).to_html()}{inner}</details>"


def _offered(guess: Guess, word: Word) -> str:
    """The choices of a vote, by their letters, in alphabetical order, and their bars, which nobody can tell apart."""
    if not guess.vote:
        return ""
    choices = guess.choices(word)
    named = [(letter, choices.all[at].name) for letter, at in zip(OFFERED, choices.offered(), strict=False)]
    names = [
        f'<span style="display:inline-block;margin-right:1.4em"><b>{letter}</b> {style.chip(name)}</span>'
        for letter, name in named
    ]
    shares = sorted((choices.all[at].prob for at in choices.offered() if not choices.all[at].is_bound), reverse=True)
    head: style.Head = [("", False), ("", "70%"), ("", True)]
    bars = style.grid(head, [["?", style.bar(share), percent(share)] for share in shares])
    return f'<div {style.IGNORE} style="margin:0.6em 0">{"".join(names)}{bars}</div>'


def _running(guess: Guess, word: Word, *, is_told: bool = False) -> str:
    """The text up to a word, and a blank in its place unless it `is_told`; it is a word after what is shown."""
    before = _before(guess, word)
    shown = f"…{before[-_CONTEXT:]}" if len(before) > _CONTEXT else before
    return f"{escaped(shown)}<b>{escaped(word.text) if is_told else _BLANK}</b>"


def _before(guess: Guess, word: Word) -> str:
    """What stands before a word, as far as it is shown."""
    start = max(0, word.start - _CONTEXT)
    told = "".join(guess.table.text[start : word.start]) + word.before
    return (guess.given if start == 0 else "") + told


def to_text(guess: Guess) -> str:
    """What is asked, the first blank, and how to go on where there is no page."""
    before = for_terminal(_before(guess, guess.words[0]))
    before = f"…{before[-_CONTEXT:]}" if len(before) > _CONTEXT else before
    call = "guess(vote=True)" if guess.vote else "guess()"
    how = (
        f"Say the next word, then look: `_ds.{call}.reveal(1)` is the first one, with what else could have stood "
        "there. In JupyterLab and Notebook it is played in the output itself."
    )
    parts = [heading(guess), for_terminal(guess.question), f"{before}{_BLANK}", "\n".join(filled(how))]
    return "\n\n".join(filter(None, parts))
