"""How the choice fell between labels, whatever tokens spell them: certain, possible, or something else."""

from __future__ import annotations

import codecs
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .bounded import Bounded
from .distribution import SOFTMAX_ERROR
from .pictured import Pictured
from .refused import ASK, NotGivenError

if TYPE_CHECKING:
    import pandas as pd

    from .rows import Token
    from .table import LogprobTable

_USELESS = 0.5
_ADVICE = "the tokens that came tell little of this: `score` asks the model for each label"


@dataclass(frozen=True, slots=True)
class Label:
    """How much of the choice between labels fell to one.

    `mass`: the probability (0 … 1) of the texts that came and spell it (`forms`). `ratio`: mass over that of all
    labels, None where a label was not returned at all. `share`: the same between its bounds: tokens that
    were not returned, or that only begin the label, may be its own or a rival's. `returned`: whether any of
    its forms was.
    """

    label: str
    mass: float
    ratio: float | None
    share: Bounded
    forms: tuple[str, ...]

    @property
    def returned(self) -> bool:
        """Whether any form of the label was among the returned alternatives."""
        return bool(self.forms)


@dataclass(frozen=True, slots=True, repr=False)
class Classification(Pictured):
    """The labels by their shares of what may stand from the token at `position` on, the likeliest first.

    Shares are renormalised: they sum to 1 over the labels. `rest`: the probability (0 … 1) of everything that is
    no form of any label. `advice`: what would tell more, where the bounds tell next to nothing; else None.
    """

    labels: tuple[Label, ...]
    rest: Bounded
    position: int

    def __getitem__(self, label: str) -> Label:
        return next(each for each in self.labels if each.label == label)

    @property
    def advice(self) -> str | None:
        """What to do where a share is known to no better than half of everything, or None."""
        return _ADVICE if any(each.share.high - each.share.low > _USELESS for each in self.labels) else None

    def to_pandas(self) -> pd.DataFrame:
        """Columns `label, mass, ratio, share_low, share_high, forms`."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "label": each.label,
                    "mass": each.mass,
                    "ratio": math.nan if each.ratio is None else each.ratio,
                    "share_low": each.share.low,
                    "share_high": each.share.high,
                    "forms": " ".join(each.forms),
                }
                for each in self.labels
            ],
            columns=("label", "mass", "ratio", "share_low", "share_high", "forms"),
        )


class Reading(NamedTuple):
    """What a text says so far: the label it spells, if any, and which labels it may still become."""

    label: str | None
    open: frozenset[str] = frozenset()
    may_go_on: bool = False
    """Whether it ends with the label's last letter, so that a longer word may still come of it."""


Reader = Callable[[str, bool], Reading]
"""(text, whether it has ended) ─▶ what it says."""


def classify(
    table: LogprobTable, labels: Sequence[str] | Mapping[str, Sequence[str]], *, at: int | None = None
) -> Classification:
    """How the choice fell between labels where one of them is the answer.

    `labels`: the words, or {label: its surface forms}. A form is a text that equals it but for case and the
    white space around, in however many tokens. Where the answer's tokens spell a form and then go on to a longer
    word or number (4, 2), the bounds allow for both: that it counts, and that it does not. A rival that spells a
    word counts for it, whatever might have followed; one that spells a number may have become a longer one.
    `at` is the index of the token where the choice begins: without it the first that is not forced. Raises
    ValueError where that token has no alternatives.
    """
    forms = (
        {label: tuple(each) for label, each in labels.items()}
        if isinstance(labels, Mapping)
        else {label: (label,) for label in labels}
    )
    own = (i for i in range(len(table)) if not table.forced[i])
    index = next(own, None) if at is None else range(len(table))[at]
    if index is None or not table.n_alternatives[index]:
        if index is not None and table.status[index] == "degenerate":
            raise NotGivenError(
                "The numbers at the answer's first word are no probability distribution.",
                "The server sends a 0 and next to nothing throughout: another server or model tells more.",
            )
        raise NotGivenError("There are no alternatives at the answer's first word.", ASK)
    return shares(table, index, forms, words(forms))


def shares(
    table: LogprobTable,
    start: int,
    labels: Sequence[str] | Mapping[str, object],
    read: Reader,
    begun: str = "",
    *,
    constrained: bool = False,
) -> Classification:
    """How the choice between `labels` fell, from token `start` on and after the text `begun`, as `read` reads it.

    `constrained`: nothing but the labels could be written. What is forbidden after a few of them have been ruled out
    falls to those that are left, in shares that nobody knows.
    """
    count = _Count(read, frozenset(labels) if constrained else None)
    _walk(table, start, count, begun.encode("utf-8", "replace"))
    certain, total = count.certain, sum(count.certain.values())
    masses = {label: count.mass(label) for label in labels}
    found = []
    for label in labels:
        sure = certain.get(label, 0.0)
        mine = sure + sum(mass for mass, open_ in count.undecided if label in open_)
        rivals = total - sure + sum(mass for mass, open_ in count.undecided if open_ - {label})
        low = sure / (sure + rivals) if sure else 0.0
        high = mine / (mine + total - sure) if mine + total - sure else 1.0
        ratio = masses[label] / sum(masses.values()) if all(masses.values()) else None
        forms = tuple(dict.fromkeys(text for text, spelt, _ in count.spelt if spelt == label))
        found.append(Label(label, masses[label], ratio, Bounded(low, max(low, high)), forms))
    found.sort(key=lambda each: (each.mass, each.share.high), reverse=True)
    rest = Bounded(min(count.none, 1.0), max(0.0, 1 - total, count.none))
    return Classification(tuple(found), rest, int(table.position[start]))


@dataclass
class _Count:
    """Probability by what it went to; the events it is made of exclude each other."""

    read: Reader
    only: frozenset[str] | None = None
    certain: dict[str, float] = field(default_factory=dict)
    none: float = 0.0
    undecided: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    spelt: list[tuple[str, str, float]] = field(default_factory=list)

    def add(self, mass: float, text: str, reading: Reading, before: frozenset[str]) -> None:
        """Count an event of probability `mass`: that the answer begins with `text`; `before` its last token: open."""
        label, open_ = reading.label, reading.open
        if self.only is not None and label is None and not open_ and before != self.only:
            open_ = before
        if label is not None and open_ <= {label}:
            self.spelt.append((text, label, mass))
        if open_:
            self.undecided.append((mass, open_))
        elif label is None:
            self.none += mass
        else:
            self.certain[label] = self.certain.get(label, 0.0) + mass

    def mass(self, label: str) -> float:
        return sum(mass for _, spelt, mass in self.spelt if spelt == label)


def _walk(table: LogprobTable, start: int, count: _Count, begun: bytes) -> None:
    """Count what might have stood from token `start` on, along the tokens that did.

    At each the rivals leave, and what was chosen goes on, until it is settled what it says. A rival's own sequel is
    not known, nor is what was not returned: both are undecided between what they may become.
    """
    reach, here = 1.0, Reading(None, count.read(_text(begun), False).open)
    passed: str | None = None  # the label that the answer's tokens spelt in whole
    for index in range(start, len(table)):
        row = table[index]
        if not row.n_alternatives:
            break
        sequel = None
        for token_bytes, p, chosen in _candidates(row):
            text = begun + token_bytes
            reading = count.read(_text(text), not token_bytes)
            goes_on = bool(reading.open) or (reading.may_go_on and _goes_on(table, index))
            reading = _as_well(reading, passed)
            if chosen and goes_on:
                sequel = text, reach * p, reading
            else:
                count.add(reach * p, _text(text), reading, here.open)
        is_whole = table.vocabulary_size is not None and row.n_alternatives >= table.vocabulary_size
        unseen = 0.0 if is_whole else reach * max(0.0, 1 + SOFTMAX_ERROR - row.top_mass)
        if unseen and here.open:
            count.undecided.append((unseen, here.open))
        if sequel is None:
            return
        text, reach, here = sequel
        passed = here.label or passed
        here = Reading(here.label, here.open or frozenset(filter(None, (here.label,))))
        begun = text.lstrip() if text.isspace() else text
    count.add(reach, _text(begun), here, here.open)


def _as_well(reading: Reading, passed: str | None) -> Reading:
    """A reading after tokens that spelt a whole label: a longer word or number, which some would count for it."""
    if passed is None or reading.label is not None:
        return reading
    return reading._replace(open=reading.open | {passed})


def _candidates(row: Token) -> list[tuple[bytes, float, bool]]:
    """The bytes and probabilities of what came at a token, and which of them was chosen."""
    found = [(one.bytes, one.prob, one.chosen) for one in row.alternatives.top()]
    if row.status == "exact" and not any(chosen for _, _, chosen in found):
        found.append((row.bytes, row.prob, True))
    return found


def _goes_on(table: LogprobTable, index: int) -> bool:
    """Whether the token after this one continues its word."""
    return index + 1 < len(table) and table.text[index + 1][:1].isalnum()


def _text(so_far: bytes) -> str:
    """The whole characters; one that is not finished may still become any."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(so_far)


def words(forms: Mapping[str, Sequence[str]]) -> Reader:
    """Reads a text as one of these words, case and white space aside."""
    named = [(form, label) for label, each in forms.items() for form in (name.strip().casefold() for name in each)]
    named = sorted(((form, label) for form, label in named if form), key=lambda one: -len(one[0]))

    def read(text: str, ended: bool) -> Reading:
        word = text.lstrip().casefold()
        begun = set() if ended else {label for form, label in named if form != word and form.startswith(word)}
        form, label = next(((f, each) for f, each in named if word.startswith(f) and _ends(f, word)), ("", None))
        if label is None:
            return Reading(None, frozenset(begun))
        behind = word[len(form) :]
        is_open = not ended and form[-1].isdigit() and behind in ("", ".", ",")
        open_ = begun | {label} if begun or is_open else begun
        return Reading(label, frozenset(open_), may_go_on=not ended and not behind and form[-1].isalnum())

    return read


def _ends(form: str, word: str) -> bool:
    """Whether `form`, with which `word` begins, ends there: neither a word nor a number goes on."""
    behind = word[len(form) :]
    if form[-1].isdigit() and behind[:1] in (".", ","):
        behind = behind[1:] if behind[1:2].isdigit() else ""
    return not (form[-1].isalnum() and behind[:1].isalnum())
