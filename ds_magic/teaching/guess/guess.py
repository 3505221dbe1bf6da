"""The words of an answer hidden: what an output, a page and Python have of them."""

from __future__ import annotations

import json
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ds_magic.api.clean_text import on_one_line, shortened
from ds_magic.api.errors import InvalidRequestError
from ds_magic.logprobs.glyphs import encodable
from ds_magic.views.answer.facts import answered_by, ending, question_of
from ds_magic.views.size import explorable
from ds_magic.views.tokens.bars import Bars
from ds_magic.views.tokens.explorer.assets import look

from .word_choices import Choices, choices_of
from .words import Word, bare, words

if TYPE_CHECKING:
    from ds_magic.api.response import ChatCompletion
    from ds_magic.logprobs.table import LogprobTable

TYPE = "application/vnd.ds-magic.guess+json"
VERSION = 1

MOST = 200
"""Words that are hidden; nobody guesses more, and what follows them is shown with the last one."""
_LONGEST_QUESTION = 4_000
_LONGEST_TEXT = 20_000
_LONGEST_KEY = 80


class Guess:
    """The words of an answer, each hidden until somebody has guessed it: in a notebook in the output itself.

    `vote`: a class votes on each word by show of hands. `reveal(1)`: the first word, with what else could have stood
    there. Raises InvalidRequestError where the answer has no token probabilities, or no word.
    """

    def __init__(self, answer: ChatCompletion, *, vote: bool = False) -> None:
        self.answer, self.vote = answer, vote
        self.table: LogprobTable = answer.logprobs
        found = words(self.table) if len(self.table) else []
        if not found:
            raise InvalidRequestError(
                "There is no word to guess: no token of the answer has letters and alternatives.",
                remedy="Ask for more of them, `-l 20`, or for a longer answer.",
            )
        self.words = found[:MOST]

    @property
    def question(self) -> str:
        """What was asked."""
        return encodable(shortened(question_of(self.answer).strip(), _LONGEST_QUESTION))

    @property
    def given(self) -> str:
        """What the answer was made to begin with, as far as its tokens do not say it."""
        given = self.answer.prefix
        return "" if self.table.text_content.startswith(given) else encodable(given)

    @cached_property
    def tail(self) -> str:
        """What follows the last word that is hidden, where there are too many."""
        return encodable("".join(self.table.text[self.words[-1].end :]))

    @property
    def origin(self) -> list[str]:
        """The model, where it ran or that it is a recording, and why the answer is not whole."""
        named = (self.answer.model, *answered_by(self.answer), ending(self.answer))
        return [on_one_line(name, 120) for name in named if name]

    @property
    def notes(self) -> list[str]:
        """What was changed or left out on the way, and what is odd about the probabilities."""
        return [on_one_line(note, 400) for note in (*self.answer.notes, *self.table.notes)]

    def choices(self, word: Word) -> Choices:
        """What could have stood in a word's place."""
        return choices_of(self.table[word.at])

    def bars(self, word: Word) -> Bars:
        """The bars of a word's place."""
        return Bars([self.table[word.at]], self.table[: word.end], self.given)  # and not the next word

    def reveal(self, number: int) -> Bars:
        """Word `number`, 1 being the first, with what else could have stood there. Raises IndexError."""
        if not 1 <= number <= len(self.words):
            raise IndexError(f"There is no word {number}: they go from 1 to {len(self.words)}.")
        return self.bars(self.words[number - 1])

    def held(self) -> dict[str, Any] | None:
        """What a page needs to play it; None where an output may not hold as much."""
        places, size = [], 0
        for word in self.words:
            place = self._place(word)
            size += len(json.dumps(place))
            if size > explorable():
                return None
            places.append(place)
        held = {
            "version": VERSION,
            "mode": "vote" if self.vote else "guess",
            "look": look(),
            "question": self.question,
            "given": shortened(self.given, _LONGEST_TEXT),
            "places": places,
            "tail": shortened(self.tail, _LONGEST_TEXT),
            "origin": self.origin,
            "isRecorded": self.answer.recorded is not None,
            "notes": self.notes,
            "vocabulary": self.table.vocabulary_size or 0,
        }
        return {**held, "name": sha256(json.dumps(held).encode()).hexdigest()[:16]}

    def _place(self, word: Word) -> dict[str, Any]:
        choices = self.choices(word)
        return {
            "before": encodable(shortened(word.before, _LONGEST_TEXT)),
            "word": encodable(shortened(word.text, _LONGEST_TEXT)),
            "key": encodable(bare(word.text)[:_LONGEST_KEY]),
            "choices": [
                [encodable(one.label), encodable(one.word[:_LONGEST_KEY]), one.prob, one.is_bound]
                for one in choices.all
            ],
            "chosen": choices.chosen,
            "offered": choices.offered(),
            "most": choices.most,
        }

    def bundle(self) -> dict[str, Any]:
        """What an output holds: what is alive in JupyterLab and Notebook, folded where there is no script, as text."""
        from .folded import to_html, to_text

        held = self.held()
        return {**({TYPE: held} if held is not None else {}), "text/html": to_html(self), "text/plain": to_text(self)}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.bundle()

    def __repr__(self) -> str:
        from .folded import to_text

        return to_text(self)
