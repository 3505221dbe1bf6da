"""How likely each of several answers was, by their tables: at the temperature and within the cut that was drawn at."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..api.notes import ends_in_blank
from ..logprobs.bounded import Bounded
from ..logprobs.cut import Share, within_top_p
from ..logprobs.distribution import SOFTMAX_ERROR
from ..logprobs.metrics import likelihood

if TYPE_CHECKING:
    from ..api.response import ChatCompletion
    from ..logprobs.table import LogprobTable
    from ..logprobs.temperature import TemperedTable

Said = Callable[["ChatCompletion"], str]
_BEGINNINGS = 16
"""So many ways to read a prefix are told apart."""
NUMBERING = ("seed", "user_id", "stream", "stream_options", "logprobs", "top_logprobs")
"""Fields that change nothing of what an answer is drawn from."""


def asked_the_same(answers: Sequence[ChatCompletion]) -> bool:
    """Whether all were asked the same of one model, but for what only numbers the samples."""
    return len({_question(answer) for answer in answers}) == 1


def _question(answer: ChatCompletion) -> str:
    asked = answer.request.to_wire() if answer.request is not None else {}
    for name in NUMBERING:
        asked.pop(name, None)
    return json.dumps([answer.model, answer.backend, asked], sort_keys=True, default=str)


def computed(
    answers: Sequence[ChatCompletion], said: Said, of: Callable[[str], str]
) -> tuple[dict[str, Bounded], list[str]]:
    """The probability of each text that was `said`, and of those that one token could have; and what to say of it."""
    tables = [answer.logprobs for answer in answers if answer.logprobs]
    if not tables:
        are_single = all(answer.request is not None and answer.request.max_tokens == 1 for answer in answers)
        ask = "With `top_logprobs=20` what is computed stands beside what was drawn."
        return {}, [ask] if answers and are_single else []
    if not asked_the_same(answers):
        return {}, ["Not all were asked the same: each group of `group_by` has its own probabilities."]
    is_one = all(_is_one_token(answer) for answer in answers if answer.logprobs)
    used = tables[0].provenance
    if ends_in_blank(answers[0].request):
        return {}, [
            "Not computed: after a prefix that ends in a blank some begin with the next word, and others with a token "
            "of the blank that nobody sees. End the prefix with a word."
        ]
    answers = _of_one_beginning(answers) or answers
    tables = [answer.logprobs for answer in answers if answer.logprobs]
    penalties = [name for name in ("frequency_penalty", "presence_penalty") if getattr(used, name)]
    begun = answers[0].request is not None and bool(answers[0].request.prefix)
    if penalties and (begun or not is_one):
        return {}, [f"Not computed: {' and '.join(penalties)} changed what was drawn from; with 0 it can be."]
    temperature = 1.0 if used.temperature is None else used.temperature
    top_p = 1.0 if used.top_p is None else used.top_p
    drawn_at = [f"temperature {temperature:g}"] if temperature != 1 else []
    drawn_at += [f"top_p {top_p:g}"] if top_p < 1 else []
    notes = [f"Computed at {' and '.join(drawn_at)}, from numbers from before."] if drawn_at else []
    if is_one:
        shares = _of_one_token(tables[0], temperature, top_p, set(map(said, answers)), of)
        return shares, [*notes, "One request gives what is computed here."]
    return _of_tokens(answers, temperature, top_p, said, of), notes


def own(table: LogprobTable) -> list[int]:
    """The indices of the tokens that the model chose itself."""
    indices: list[int] = (~table.forced).nonzero()[0].tolist()
    return indices


def _is_one_token(answer: ChatCompletion) -> bool:
    table = answer.logprobs
    chosen = own(table)
    return len(chosen) == 1 and bool(table.n_alternatives[chosen[0]]) and not answer.tool_calls


def _of_one_beginning(answers: Sequence[ChatCompletion]) -> list[ChatCompletion]:
    """Those that were drawn from what most were drawn from at first: a prefix may have been read in several ways."""
    groups: list[tuple[list[bytes], list[ChatCompletion]]] = []
    for answer in answers:
        place = _first_place(answer.logprobs) if answer.logprobs else []
        for other, group in groups[:_BEGINNINGS] if place else ():
            if place[0] in other or other[0] in place:
                group.append(answer)
                break
        else:
            groups += [(place, [answer])] if place else []
    return max((group for _, group in groups), key=len, default=[])


def _first_place(table: LogprobTable) -> list[bytes]:
    """The alternatives where the model chose first, the likeliest in front."""
    chosen = own(table)
    if not chosen:
        return []
    starts, alternatives = table._alternative_starts, table.alternatives()
    return list(alternatives.bytes[int(starts[chosen[0]]) : int(starts[chosen[0] + 1])])


class Place:
    """What may be drawn at a token: the bytes and shares of its alternatives, and what all else has at most.

    `rest`: all of it together. `unseen`: one of it, which is no likelier than the last that was returned.
    """

    def __init__(self, tempered: TemperedTable, span: range, index: int, top_p: float) -> None:
        known = [at for at in span if tempered.low[at] == tempered.low[at]]
        shares: list[Share] = [(float(tempered.low[at]), float(tempered.high[at])) for at in known]
        rest = min(1.0, float(tempered.rest_high[index]) + SOFTMAX_ERROR)
        self.shares, self.rest = within_top_p(shares, rest, top_p)
        self.unseen = min(self.rest, self.shares[-1][1]) if self.shares else self.rest
        self.bytes = [tempered.bytes[at] for at in known]
        self.chosen = next((n for n, at in enumerate(known) if tempered.chosen[at]), None)


def places(table: LogprobTable, indices: Sequence[int], temperature: float, top_p: float) -> list[Place]:
    """What may be drawn at these tokens of a table."""
    tempered = table.at_temperature(temperature)
    starts = table._alternative_starts
    return [Place(tempered, range(int(starts[at]), int(starts[at + 1])), at, top_p) for at in indices]


def _of_one_token(
    table: LogprobTable, temperature: float, top_p: float, drawn: set[str], of: Callable[[str], str]
) -> dict[str, Bounded]:
    """The probability of each text that one token spells: of all that were returned, and of what was drawn."""
    (place,) = places(table, own(table), temperature, top_p)
    shares: dict[str, list[float]] = {}
    texts = [token.decode("utf-8", "replace") for token in place.bytes]
    for text, (low, high) in zip(texts, place.shares, strict=True):
        share = shares.setdefault(of(text), [0.0, 0.0])
        share[0], share[1] = share[0] + low, share[1] + high
    for text in drawn - set(texts):
        shares.setdefault(of(text), [0.0, 0.0])[1] += place.unseen
    return {text: Bounded(low, min(1.0, high)) for text, (low, high) in shares.items()}


def _of_tokens(
    answers: Sequence[ChatCompletion], temperature: float, top_p: float, said: Said, of: Callable[[str], str]
) -> dict[str, Bounded]:
    """The probability of each text by the tokens that spelt it; a text of several spellings has the sum of them."""
    spelt: dict[str, dict[Any, Bounded | None]] = {}
    for answer in answers:
        table = answer.logprobs
        spellings = spelt.setdefault(of(said(answer)), {})
        key = tuple(table.bytes) if table else None
        if key not in spellings:
            spellings[key] = _all_chosen(answer, table, temperature, top_p) if table else None
    sums = {}
    for text, spellings in spelt.items():
        known = [each for each in spellings.values() if each is not None]
        if len(known) == len(spellings):
            low, high = sum(each.low for each in known), sum(each.high for each in known)
            sums[text] = Bounded(min(1.0, low), min(1.0, high))
    return sums


def _all_chosen(answer: ChatCompletion, table: LogprobTable, temperature: float, top_p: float) -> Bounded | None:
    """The probability of choosing all these tokens; None where that of one is not known.

    Where the model ended the answer and the token of the end did not come, it is at most that of beginning so.
    """
    chosen = own(table)
    if not chosen or not set(table.status[chosen].tolist()) <= {"exact", "censored"}:
        return None
    if temperature == 1 and top_p >= 1:
        sum_ = likelihood(table)
        low, high = math.exp(sum_.lower), math.exp(sum_.upper)
    else:
        low = high = 1.0
        for place in places(table, chosen, temperature, top_p):
            share = (0.0, place.unseen) if place.chosen is None else place.shares[place.chosen]
            low, high = low * share[0], high * share[1]
    is_ended = answer.finish_reason == "length" or not table.bytes[-1]
    return Bounded(low if is_ended else 0.0, high)
