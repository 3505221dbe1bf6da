"""The one hue of token probabilities, and the fixed classes of surprisal and its kin: while it streams, and after."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ds_magic.logprobs.refused import NoSuchNameError

from ..size import widest_tint

if TYPE_CHECKING:
    import numpy as np

    from ds_magic.logprobs.table import LogprobTable

# A grey-teal whose luminance lies between the themes' black and white: text in either stays readable on it.
TINT = (72, 134, 138)
UNKNOWN = -1  # the class of a token whose metric is not known, or too vaguely
WIDE_INTERVAL = 0.7  # bits; an entropy known no better than this is greyed


LEAST_CERTAIN = "border-bottom:2px solid"
"""The style of the last class beside its tint."""


def tint(alpha: float) -> str:
    """The hue as CSS colour, translucent: `rgba(72,134,138,0.25)`."""
    return "rgba({},{},{},{:.2f})".format(*TINT, alpha)


@dataclass(frozen=True, slots=True)
class Metric:
    """A heat map's metric: `names[c]` says which values are in class c, and the last class is underlined.

    Classes are absolute, so that two runs compare; class c is everything from `edges[c − 1]` up to `edges[c]`.
    """

    title: str
    edges: tuple[float, ...]
    names: tuple[str, ...]
    unknown: str = "not known"

    def alpha(self, class_: int) -> float:
        """How strong the tint of a class is, 0 … `size.widest_tint()`."""
        return 0.0 if class_ < 0 else widest_tint() * class_ / len(self.edges)


METRICS = {
    "surprisal": Metric("surprise, bits", (1, 2, 4, 7), ("< 1", "1 – 2", "2 – 4", "4 – 7", "≥ 7")),
    "probability": Metric(
        "probability", (-0.9, -0.5, -0.1, -0.01), ("> 90 %", "50 – 90 %", "10 – 50 %", "1 – 10 %", "< 1 %")
    ),
    "rank": Metric("rank", (2, 6, 21), ("1", "2 – 5", "6 – 20", "> 20")),
    "entropy": Metric(
        "entropy, bits",
        (0.5, 1.5, 3, 5),
        ("< 0.5", "0.5 – 1.5", "1.5 – 3", "3 – 5", "≥ 5"),
        unknown=f"known to no better than {WIDE_INTERVAL} bit",
    ),
}


def tint_styles(metric: str = "surprisal") -> list[str]:
    """The inline style of each class of a metric, none for the first; the last is underlined, for readers of grey."""
    alphas = [METRICS[metric].alpha(each) for each in range(len(METRICS[metric].names))]
    styles = [f"background-color:{tint(alpha)};border-radius:3px" if alpha else "" for alpha in alphas]
    return [*styles[:-1], f"{styles[-1]};{LEAST_CERTAIN}"]


def class_of(entry: Mapping[str, Any]) -> int:
    """The class of surprisal of one token as the wire has it, while a table is not there yet; 0 where unknown.

    The same as in the table: a token that was not returned (−9999.0) has the class of the bound that its
    alternatives give, and the highest without them.
    """
    logprob = entry.get("logprob")
    if not isinstance(logprob, int | float):
        return 0
    bits = -(logprob if logprob > -1000 else _bound(entry)) / math.log(2)
    return sum(bits >= edge for edge in METRICS["surprisal"].edges)


def _bound(entry: Mapping[str, Any]) -> float:
    """The greatest logprob that a token can have which was not returned, as `logprobs.distribution` has it."""
    # Here, because what it brings along takes time, which an answer without probabilities should not.
    from ds_magic.logprobs.distribution import SOFTMAX_ERROR
    from ds_magic.logprobs.from_wire import NOT_RETURNED

    tops = entry.get("top_logprobs")
    sent = [one.get("logprob") for one in tops if isinstance(one, dict)] if isinstance(tops, list) else []
    known = [min(0.0, one) for one in sent if isinstance(one, int | float) and NOT_RETURNED < one <= 1e-3]
    if not known:
        return -math.inf
    rest = max(0.0, 1.0 - sum(map(math.exp, known))) + SOFTMAX_ERROR
    return min(min(known), math.log(rest / max(1, 21 - len(known))))


def runs(text: str, logprobs: object) -> list[tuple[str, int]]:
    """The tokens of a piece of a stream and their classes; one run where they do not spell it, none without any."""
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    tokens = [token for token in tokens if isinstance(token, dict)] if isinstance(tokens, list) else []
    if "".join(str(token.get("token")) for token in tokens) == text:
        return [(str(token["token"]), class_of(token)) for token in tokens]
    return [(text, max(map(class_of, tokens)))] if tokens else []


def classes(table: LogprobTable, metric: str = "surprisal") -> np.ndarray:
    """The class of each token under a metric (int), UNKNOWN where nothing sure can be said.

    A censored token has the class of its bound, which is the least it can be; without a bound its rank
    still is below what was returned.
    """
    import numpy as np

    values, edges = _values(table, metric), METRICS[metric].edges
    found = np.searchsorted(np.asarray(edges, float), np.nan_to_num(values, nan=-np.inf), side="right")
    return np.where(np.isnan(values), UNKNOWN, found)


def _values(table: LogprobTable, metric: str) -> np.ndarray:
    """The metric, larger where the model was less certain; NaN where unknown."""
    import numpy as np

    if metric == "surprisal":
        return table.surprisal
    if metric == "probability":
        return -np.exp2(-table.surprisal)
    if metric == "rank":
        below = np.maximum(table.n_alternatives + 1, 2).astype(float)
        known = np.isin(table.status, ("exact", "censored")) & (table.n_alternatives > 0)
        return np.where(table.rank > 0, table.rank, np.where(known, below, np.nan))
    if metric == "entropy":
        with np.errstate(invalid="ignore"):
            narrow = table.entropy_high - table.entropy_low <= WIDE_INTERVAL
        return np.where(narrow, table.entropy_low, np.nan)
    raise NoSuchNameError(metric, list(METRICS), "metric")
