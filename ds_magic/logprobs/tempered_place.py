"""One place at several temperatures and cuts: each token's share, which are pruned, and what is only bounded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import conveniences
from .columns import Column, Nats, Shares
from .distribution import rest_bounds
from .pictured import Pictured
from .refused import ASK, NotGivenError
from .temperature import powers

if TYPE_CHECKING:
    import pandas as pd

    from ..conveniences import TemperatureSlider
    from .rows import Alternative, Token

KEPT, PRUNED, UNSURE = 1, 0, -1
# What a sum of shares may miss by rounding, where it is compared with top_p.
_ROUNDING = 1e-9
_COLDEST = 1e12


class Setting(NamedTuple):
    """What a token is drawn with: first p^(1/temperature), of that the `top_k` likeliest, of these the `top_p` mass.

    So the embedded server draws: llama.cpp applies `samplers` in the order in which they are named (its server's
    README), and `local.llama` names the temperature, then top_p, and no top_k. llama.cpp's own default has the
    temperature last. None cuts nothing.
    """

    temperature: float
    top_p: float | None = None
    top_k: int | None = None

    @property
    def cut(self) -> str:
        """The cuts in words; empty where there is none."""
        words = [f"top-k {self.top_k:,}" if self.top_k else "", f"top-p {self.top_p:g}" if self.is_nucleus else ""]
        return ", ".join(filter(None, words))

    @property
    def is_nucleus(self) -> bool:
        """Whether `top_p` cuts anything."""
        return self.top_p is not None and self.top_p < 1


@dataclass(frozen=True, slots=True)
class Tempered:
    """A place at one setting; each share is 0 … 1 and lies between two bounds, which are the same where it is known.

    One value an alternative, the likeliest first: `low`, `high`; `uncut_low`, `uncut_high` (its share before any cut);
    `kept` (KEPT, PRUNED, or UNSURE where that hangs on what was not returned). `rest`, `uncut_rest`: bounds for all
    that was not returned. `count`: how many tokens may be drawn; the second is None where nobody knows.
    """

    setting: Setting
    low: Shares
    high: Shares
    uncut_low: Shares
    uncut_high: Shares
    kept: Column[Any]
    rest: tuple[float, float]
    uncut_rest: tuple[float, float]
    count: tuple[int, int | None]


class TemperedPlace(Pictured):
    """What could stand at one place, at several settings side by side; shows itself as one column a setting.

    `row`: the Token. `alternatives`: those that came with a number, the likeliest first; `columns`: a Tempered for
    each setting, over them. With the whole vocabulary nothing is only bounded.
    """

    def __init__(self, row: Token, chosen: Sequence[Setting]) -> None:
        logprobs = row.alternatives.logprobs
        self.row = row
        self.logprobs: Nats = logprobs[~np.isnan(logprobs)]
        if not len(self.logprobs):
            raise NotGivenError("No alternatives came with this token, of which it could be computed.", ASK)
        self.settings = tuple(chosen)
        self.columns = [_tempered(self, setting) for setting in self.settings]

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        """All alternatives that came with a number, the likeliest first."""
        return self.row.alternatives.top()

    @property
    def chosen(self) -> Alternative | None:
        """The one of them that was chosen."""
        found = self.row.alternatives.chosen
        return None if found is None or math.isnan(found.logprob) else found

    @property
    def outside(self) -> float | None:
        """The log-probability of the chosen token where it is known and none of them."""
        return None if self.chosen is not None or self.row.status != "exact" else self.row.logprob

    @property
    def others(self) -> float:
        """How many tokens of the vocabulary are neither alternatives nor the chosen one; infinite where unknown."""
        size = self.row.vocabulary_size
        return math.inf if size is None else max(0, size - len(self.logprobs) - (self.outside is not None))

    def explore(self) -> TemperatureSlider:
        """A live widget over the place, in which temperature and cuts are moved without a request."""
        return conveniences.place_explored(self)

    def to_pandas(self) -> pd.DataFrame:
        """One row for each alternative at each setting.

        Columns `temperature, top_p, top_k, rank, token, label, prob` (as it came), `uncut_low, uncut_high, low, high`,
        `kept` (`<NA>` where it is not known) and `chosen`.
        """
        import pandas as pd

        rows = self.alternatives
        known: dict[str, list[Any]] = {
            name: [getattr(one, name) for one in rows] for name in ("rank", "token", "label", "prob")
        }
        chosen = [one.chosen for one in rows]
        frames = []
        for column in self.columns:
            kept = pd.arrays.BooleanArray(column.kept == KEPT, column.kept == UNSURE)
            frames.append(pd.DataFrame({
                **{name: [value] * len(rows) for name, value in column.setting._asdict().items()}, **known,
                **{name: getattr(column, name) for name in ("uncut_low", "uncut_high", "low", "high")},
                "kept": kept, "chosen": chosen,
            }))  # fmt: skip
        frame = pd.concat(frames, ignore_index=True)
        return frame.astype({"temperature": float, "top_p": float, "top_k": "Int64"})


def settings(temperatures: Any, top_p: Any, top_k: Any) -> list[Setting]:
    """All combinations of what was said. Raises NotGivenError for what is no setting."""
    found = [Setting(*each) for each in product(_several(temperatures), _several(top_p), _several(top_k))]
    if not found:
        raise NotGivenError("No temperature was said.", "Say for example tempered([0, 0.5, 1]).")
    for each in found:
        if not (_is_number(each.temperature) and 0 <= each.temperature < math.inf):
            raise NotGivenError(f"A temperature is 0 or more, not {each.temperature!r}.", "Say for example 1.5.")
        if each.top_p is not None and not (_is_number(each.top_p) and 0 <= each.top_p <= 1):
            raise NotGivenError(f"top_p is a number from 0 to 1, not {each.top_p!r}.", "Say for example 0.9.")
        if each.top_k is not None and not (hasattr(each.top_k, "__index__") and each.top_k >= 1):
            raise NotGivenError(f"top_k is a whole number, 1 or more, not {each.top_k!r}.", "Say for example 40.")
    return found


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, bool)


def _tempered(place: TemperedPlace, setting: Setting) -> Tempered:
    """The shares at a setting.

    Weights are relative to the likeliest token's. The weight of all that was not returned lies between two bounds
    (`temperature`), so the whole does, and with it how many tokens make up `top_p` of it.
    """
    weights, rest, others = _weights(place, setting.temperature)
    known, most = float(weights.sum()), math.inf
    uncut_low, uncut_high = weights / (known + rest[1]), weights / (known + rest[0])
    uncut_rest = _share(rest[0], known), _share(rest[1], known)
    if setting.temperature == 1 and others:  # as it came, whatever the error of the sum
        uncut_low = uncut_high = np.exp(place.logprobs)
        uncut_rest = (max(0.0, 1 - float(uncut_low.sum())),) * 2
    if setting.temperature == 0:
        kept = (weights > 0).astype(np.int8)
        return Tempered(setting, uncut_low, uncut_high, uncut_low, uncut_high, kept, uncut_rest, uncut_rest,
                        (int(kept.sum()), int(kept.sum())))  # fmt: skip
    if not setting.cut:
        drawn = _drawn(len(weights), others)
        return Tempered(setting, uncut_low, uncut_high, uncut_low, uncut_high, np.ones(len(weights), np.int8),
                        uncut_rest, uncut_rest, drawn)  # fmt: skip
    allowed = len(weights)
    if setting.top_k is not None:
        allowed, most = min(allowed, setting.top_k), setting.top_k - len(weights)
    if most <= 0:
        rest, others = (0.0, 0.0), 0.0
    elif most < others:  # the likeliest of the others have at least their part of the others' weight
        part = most / others if math.isfinite(others) else 0.0
        rest, others = (rest[0] * part, min(rest[1], most * float(weights[-1]))), most
    cut = _nucleus(weights[:allowed], rest, others, setting.top_p if setting.is_nucleus else None)
    gone = np.zeros(len(weights) - allowed)
    return Tempered(
        setting, np.concatenate((cut.low, gone)), np.concatenate((cut.high, gone)), uncut_low, uncut_high,
        np.concatenate((cut.kept, gone.astype(np.int8))), cut.rest, uncut_rest, cut.drawn,
    )  # fmt: skip


def _weights(place: TemperedPlace, temperature: float) -> tuple[Shares, tuple[float, float], float]:
    """The alternatives' weights, bounds for the weight of all other tokens, and how many these are."""
    logprobs, outside, others = place.logprobs, place.outside, place.others
    if temperature == 0:
        return (logprobs == logprobs[0]).astype(float), (0.0, 0.0), others
    beta = min(1 / temperature, _COLDEST)
    own = 0.0 if outside is None else math.exp(beta * (outside - logprobs[0]))
    first, least = logprobs[:1], np.exp(logprobs[-1:])
    mass = np.array([place.row.top_mass])
    bounds = rest_bounds(mass, least, np.array([others]))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = [each for rest in bounds for each in powers(rest, first, least, np.array([others]), beta)]
    sums = [float(each[0]) for each in found]
    least_rest, most_rest = min(sums[0], sums[1]), max(sums[2], sums[3])
    return np.exp(beta * (logprobs - logprobs[0])), (own + least_rest, own + most_rest), others + (outside is not None)


class _Cut(NamedTuple):
    low: Shares
    high: Shares
    kept: Column[Any]
    rest: tuple[float, float]
    drawn: tuple[int, int | None]


def _nucleus(weights: Shares, rest: tuple[float, float], others: float, top_p: float | None) -> _Cut:
    """The likeliest of these and of `others` tokens, which together weigh `rest`, that make up `top_p` of all."""
    size, sums = len(weights), np.cumsum(weights)
    known = float(sums[-1])
    if top_p is None:
        shares = _share(rest[0], known), _share(rest[1], known)
        all_kept = np.ones(size, np.int8)
        return _Cut(weights / (known + rest[1]), weights / (known + rest[0]), all_kept, shares, _drawn(size, others))
    enough = [top_p * (known + each) * (1 - _ROUNDING) for each in rest]
    first, last = (int(np.searchsorted(sums, each)) + 1 for each in enough)
    kept = np.full(size, UNSURE, np.int8)
    kept[: min(first, size)] = KEPT
    kept[last:] = PRUNED
    if last <= size:
        least, most, unseen = float(sums[first - 1]), float(sums[last - 1]), (0.0, 0.0)
        drawn: tuple[int, int | None] = first, last
    else:  # it may go on into what was not returned, whose tokens are none likelier than the last of these
        least = float(sums[first - 1]) if first <= size else max(known, enough[0])
        most = min(known + rest[1], top_p * (known + rest[1]) + float(weights[-1]))
        unseen = max(0.0, 1 - known / least), 1 - known / most
        at_least = first if first <= size else size + max(1, math.ceil((enough[0] - known) / float(weights[-1])))
        drawn = at_least, _drawn(size, others)[1]
    sure = kept == KEPT
    low = np.where(sure, weights / most, 0.0)
    high = np.where(sure, weights / least, np.where(kept == UNSURE, weights / sums, 0.0))
    return _Cut(low, high, kept, unseen, drawn)


def _drawn(size: int, others: float) -> tuple[int, int | None]:
    """How many tokens can be drawn where nothing is pruned of `size` and of `others`."""
    return (size, None) if math.isinf(others) else (size + int(others),) * 2


def _share(weight: float, of_others: float) -> float:
    return 1.0 if math.isinf(weight) else weight / (weight + of_others)
