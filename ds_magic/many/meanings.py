"""How uncertain the model is of each of several things: the entropy over what its answers mean, thing by thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from ..logprobs.refused import NotGivenError
from ..logprobs.samples import SampleEntropy, entropy
from .row import Row

if TYPE_CHECKING:
    import pandas as pd

Same = Callable[[Row, Row], bool]


@dataclass(frozen=True, slots=True)
class Meant:
    """What the answers to one thing mean: `value` is what they were grouped by."""

    value: Any
    entropy: SampleEntropy[Row]

    @property
    def n(self) -> int:
        """How many answers there are."""
        return sum(map(len, self.entropy.clusters))


class Entropies(Sequence[Meant]):
    """The entropies of groups of answers, the most uncertain first. `by`: what they were grouped by, in words.

    `is_folded`: whether texts that are equal but for case, blanks and punctuation mean the same, and no others.
    `left_out`: groups without an answer.
    """

    def __init__(self, found: Iterable[Meant], by: str, is_folded: bool, left_out: int = 0) -> None:
        self._found = tuple(sorted(found, key=lambda each: -each.entropy.semantic))
        self.by, self.is_folded, self.left_out = by, is_folded, left_out

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Meant: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Meant, ...]: ...
    def __getitem__(self, index: int | slice) -> Meant | tuple[Meant, ...]:
        return self._found[index]

    @property
    def mean(self) -> float:
        """The mean of the semantic entropies, in bits; NaN of none."""
        return sum(each.entropy.semantic for each in self) / len(self) if self._found else float("nan")

    def to_pandas(self) -> pd.DataFrame:
        """A row a group: its value, `answers`, `meanings`, `semantic`, `length_normalised_low`, `…_high`, `most`."""
        import pandas as pd

        names = [self.by, "answers", "meanings", "semantic", "length_normalised_low", "length_normalised_high", "most"]
        rows = [
            (each.value, each.n, len(found.clusters), found.semantic, found.length_normalised.low,
             found.length_normalised.high, found.clusters[0][0].content)
            for each in self
            for found in [each.entropy]
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=names)

    def _repr_html_(self) -> str:
        from ..views.many.meant import entropies_html

        return entropies_html(self)

    def __repr__(self) -> str:
        from ..views.many.meant import entropies_text

        return entropies_text(self)


def entropies(groups: Iterable[tuple[Any, Sequence[Row]]], by: str, same: Same | None) -> Entropies:
    """The entropy of each group. Raises NotGivenError where there is no answer at all."""
    found, left_out = [], 0
    for value, rows in groups:
        answered = [row for row in rows if row.answer is not None]
        if answered:
            found.append(Meant(value, entropy(answered, same=same)))
        else:
            left_out += 1
    if not found:
        raise NotGivenError("There are no answers to compare.", "Ask each several times: `times=5`.")
    return Entropies(found, by, same is None, left_out)
