"""What the top of each token's distribution says, and the bounds it puts on the rest. Vectorised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from .columns import Bits, Column, Counts, Flags, Nats, Shares, Words
from .from_wire import NOT_RETURNED, WireColumns

SOFTMAX_ERROR = 5e-4
"""How far from 1 the probabilities of a whole vocabulary may sum: llama.cpp adds them up in float32, to 1.0003.

What was not returned is 1 − S to within this, and no better.
"""
# Past this a sum is no rounding of a distribution any more.
SUM_LIMIT = 1 + 2 * SOFTMAX_ERROR
# Probabilities beyond these are what certainty looks like where a server made it up: 1, and next to nothing.
_NEARLY_ONE, _NEARLY_NOTHING = math.log(0.999), -20.0

Status: TypeAlias = Literal["exact", "censored", "missing", "degenerate", "constrained"]
EXACT: Final = "exact"
CENSORED: Final = "censored"
MISSING: Final = "missing"
DEGENERATE: Final = "degenerate"
CONSTRAINED: Final = "constrained"


@dataclass(slots=True)
class Distribution:
    """One value a token. Logprobs are in nats, entropies and the margin in bits; NaN where nothing is known.

    `alternative_logprobs` are sorted within each token, the greatest first, NaN (last) where no number came
    or where what came is no distribution; `alternative_order` sorts what came from the wire the same way.
    """

    status: Words
    logprob: Nats
    logprob_upper: Nats
    rank: Counts
    n_alternatives: Counts
    top_mass: Shares
    rest_mass: Shares
    entropy_low: Bits
    entropy_high: Bits
    margin: Bits
    alternative_order: Column[np.intp]
    alternative_logprobs: Nats
    chosen: Flags
    merged: Flags
    duplicates: int


def read_distributions(wire: WireColumns, *, vocabulary_size: int | None) -> Distribution:
    """Statuses, ranks, masses and entropy bounds of every token.

    `vocabulary_size` None: `entropy_high` is infinite where any mass was not returned.
    """
    n_tokens = len(wire.codes)
    chosen_logprobs = wire.logprobs.copy()
    order, rows, logprobs, duplicates = _sorted_alternatives(wire)
    codes = wire.alternative_codes[order]
    chosen, merged = _mark_chosen(wire, rows, codes, logprobs)

    status = np.full(n_tokens, EXACT, dtype="<U11")
    readable = chosen_logprobs <= 1e-3
    status[~readable] = MISSING
    status[readable & (chosen_logprobs <= NOT_RETURNED)] = CENSORED
    # A number that stands among the alternatives was returned, whatever the token's own field says.
    listed = np.flatnonzero(chosen & np.isfinite(logprobs))
    told = np.isin(status[rows[listed]], (CENSORED, MISSING))
    chosen_logprobs[rows[listed[told]]] = logprobs[listed[told]]
    status[rows[listed[told]]] = EXACT
    status[wire.constrained] = CONSTRAINED

    present = np.isfinite(logprobs)
    has_chosen = _count(rows[chosen & present], n_tokens) > 0
    outside = (status == EXACT) & ~has_chosen
    p = np.where(present, np.exp(np.minimum(logprobs, 0.0)), 0.0)
    chosen_p = np.exp(np.minimum(chosen_logprobs, 0.0))
    mass = np.bincount(rows, weights=p, minlength=n_tokens) + np.where(outside, chosen_p, 0.0)

    degenerate = mass > SUM_LIMIT
    if _says_nothing(wire):
        degenerate |= np.isin(status, (EXACT, CENSORED))
    status[degenerate & (status != MISSING) & (status != CONSTRAINED)] = DEGENERATE
    logprobs[degenerate[rows]] = np.nan
    present &= ~degenerate[rows]
    p[~present] = 0.0
    outside &= ~degenerate

    exact = status == EXACT
    logprob = np.where(exact, np.minimum(chosen_logprobs, 0.0), np.nan)
    k = _count(rows[present], n_tokens)
    first = np.full(n_tokens, np.nan)
    second = np.full(n_tokens, np.nan)
    least = np.full(n_tokens, np.nan)
    starts = np.searchsorted(rows, np.arange(n_tokens))
    for target, place, needed in ((first, 0, 1), (second, 1, 2), (least, -1, 1)):
        has = k >= needed
        target[has] = logprobs[(starts + (place if place >= 0 else k - 1))[has]]

    known = (k > 0) | outside
    top_mass = np.where(known, mass, np.nan)
    rest_mass = np.where(known, np.maximum(0.0, 1.0 - mass), np.nan)
    others = np.full(n_tokens, np.inf) if vocabulary_size is None else np.maximum(0, vocabulary_size - k - outside)
    entropy = np.bincount(rows, weights=_plogp(p), minlength=n_tokens) + _plogp(np.where(outside, chosen_p, 0.0))
    low, high = _entropy_bounds(entropy, top_mass, np.exp(least), others)
    low[k == 0] = high[k == 0] = np.nan

    upper = np.full(n_tokens, np.nan)
    bounded = (status == CENSORED) & (k > 0)
    share = (rest_mass + SOFTMAX_ERROR) / np.maximum(1, 21 - k)
    upper[bounded] = np.minimum(least, np.log(share))[bounded]

    above = _count(rows[present & (logprobs > logprob[rows])], n_tokens)
    rank = np.where(exact & (k > 0) & (has_chosen | (above < k)), above + 1, 0)

    return Distribution(
        status=status,
        logprob=logprob,
        logprob_upper=upper,
        rank=rank.astype(np.int32),
        n_alternatives=k.astype(np.int32),
        top_mass=top_mass,
        rest_mass=rest_mass,
        entropy_low=low / math.log(2),
        entropy_high=high / math.log(2),
        margin=(first - second) / math.log(2),
        alternative_order=order,
        alternative_logprobs=logprobs,
        chosen=chosen,
        merged=merged,
        duplicates=duplicates,
    )


def _count(rows: Counts, n_tokens: int) -> Column[np.intp]:
    return np.bincount(rows, minlength=n_tokens)


def _sorted_alternatives(wire: WireColumns) -> tuple[Column[np.intp], Counts, Nats, int]:
    """Alternatives in order of probability within each token; not-returned as NaN last; repeats dropped."""
    rows, sent = wire.alternative_rows, wire.alternative_logprobs
    values = np.where((sent > NOT_RETURNED) & (sent <= 1e-3), np.minimum(sent, 0.0), np.nan)
    order = np.arange(len(rows))
    falling = (values[1:] <= values[:-1]) | (rows[1:] != rows[:-1])
    if not falling.all():
        order = np.lexsort((-values, rows))
    values = values[order]
    same = (rows[1:] == rows[:-1]) & (values[1:] == values[:-1])
    repeated = np.zeros(len(rows), bool)
    if same.any():
        repeated = _repeats(rows, wire.alternative_codes[order], values)
    keep = ~repeated
    return order[keep], rows[keep], values[keep], int(repeated.sum())


def _repeats(rows: Counts, codes: Counts, values: Nats) -> Flags:
    """Which alternatives repeat an earlier one of their token: same text, same bytes, same number."""
    by_entry = np.lexsort((values, codes, rows))
    again = (
        (rows[by_entry][1:] == rows[by_entry][:-1])
        & (codes[by_entry][1:] == codes[by_entry][:-1])
        & (values[by_entry][1:] == values[by_entry][:-1])
    )
    repeated = np.zeros(len(rows), bool)
    repeated[by_entry[1:][again]] = True
    return repeated


def _mark_chosen(wire: WireColumns, rows: Counts, codes: Counts, logprobs: Nats) -> tuple[Flags, Flags]:
    """Which alternative is the chosen token, and which tokens were merged by the server.

    Of several alternatives with the token's text and bytes it is the one nearest in logprob. llama.cpp
    merges the tokens that make one character into one entry with the whole character's bytes and the
    last token's numbers: there the alternative is the one that holds the last bytes and the same number.
    """
    chosen = codes == wire.codes[rows]
    if np.bincount(rows[chosen], minlength=1).max(initial=0) > 1:
        matches = np.flatnonzero(chosen)
        distance = np.nan_to_num(np.abs(logprobs[matches] - wire.logprobs[rows[matches]]), nan=np.inf)
        matches = matches[np.lexsort((distance, rows[matches]))]
        chosen[:] = False
        chosen[matches[np.unique(rows[matches], return_index=True)[1]]] = True
    merged = np.zeros(len(wire.codes), bool)
    listed = _count(rows[chosen], len(wire.codes)) > 0
    for index in np.flatnonzero((logprobs == wire.logprobs[rows]) & ~listed[rows]):
        row = rows[index]
        part = wire.vocabulary[codes[index]][1]
        if part and not merged[row] and wire.vocabulary[wire.codes[row]][1].endswith(part):
            chosen[index] = merged[row] = True
    return chosen, merged


def _says_nothing(wire: WireColumns) -> bool:
    """Whether the numbers are a server's word for "chosen" and "not chosen": a 0, and nothing between 1 and nothing.

    A model is never that sure of all it says: among the alternatives of its surest tokens some are in between.
    """
    sent = np.concatenate((wire.logprobs, wire.alternative_logprobs))
    return bool((sent == 0).any()) and not ((sent > _NEARLY_NOTHING) & (sent < _NEARLY_ONE)).any()


def rest_bounds(top_mass: Shares, least_p: Shares, others: Column[Any]) -> tuple[Shares, Shares]:
    """How much may lie in the `others` tokens that were not returned, none of them likelier than `least_p`."""
    with np.errstate(invalid="ignore"):
        room = np.where(others > 0, others * least_p, 0.0)
    high = np.minimum(np.maximum(0.0, 1 + SOFTMAX_ERROR - top_mass), room)
    return np.minimum(np.maximum(0.0, 1 - SOFTMAX_ERROR - top_mass), high), high


def whole_atoms(rest: Shares, least_p: Shares) -> tuple[Shares, Shares]:
    """`rest` in as few tokens as may be: how many have `least_p`, and what is left for one more."""
    with np.errstate(divide="ignore", invalid="ignore"):
        atoms = np.where(least_p > 0, np.floor(rest / least_p), 0.0)
    return atoms, np.maximum(0.0, rest - atoms * least_p)


def _entropy_bounds(entropy: Nats, top_mass: Shares, least_p: Shares, others: Column[Any]) -> tuple[Nats, Nats]:
    """Least and greatest entropy (nats) that agree with what was returned, whose −Σ p ln p is `entropy`.

    Least: the rest in as few tokens as may be, each as likely as the least alternative. Greatest: the rest
    spread evenly over the vocabulary. The rest is known between bounds; the least lies at one of them or where
    the atoms are whole, the greatest where the entropy as a function of the rest's share, which is concave, does.
    """
    rest_low, rest_high = rest_bounds(top_mass, least_p, others)

    def least(rest: Shares) -> Nats:
        atoms, remainder = whole_atoms(rest, least_p)
        total = top_mass + rest
        nats: Nats = (entropy + atoms * _plogp(least_p) + _plogp(remainder)) / total + np.log(total)
        return nats

    with np.errstate(divide="ignore", invalid="ignore"):
        whole = np.minimum(rest_high, np.ceil(rest_low / least_p) * least_p)
        low = np.minimum(np.minimum(least(rest_low), least(whole)), least(rest_high))
        top = entropy / top_mass + np.log(top_mass)
        spread = np.where(others > 0, np.log(others), 0.0)
        best = 1 / (1 + np.exp(top - spread))
        share = np.clip(best, rest_low / (top_mass + rest_low), rest_high / (top_mass + rest_high))
        high = (1 - share) * top + _plogp(share) + _plogp(1 - share) + np.where(share > 0, share * spread, 0.0)
    return np.maximum(low, 0.0), np.maximum(high, low)


def _plogp(p: Shares) -> Nats:
    return -p * np.log(np.where(p > 0, p, 1.0))
