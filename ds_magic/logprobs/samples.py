"""How much several answers to one prompt differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from .bounded import Bounded
from .folding import folded
from .metrics import HasLogprobs, likelihood
from .pictured import Pictured
from .refused import NotGivenError

Answer = TypeVar("Answer", bound=HasLogprobs)


@dataclass(frozen=True, slots=True, repr=False)
class SampleEntropy(Pictured, Generic[Answer]):
    """What `entropy` finds over M answers, in bits.

    `length_normalised`: −(1/M) Σ (1/N) Σℓ, the mean bits a token (arXiv 2002.07650), with bounds.
    It is that of the model's own distribution only where the answers were drawn at temperature 1 from all of it:
    `notes` says where they were not.
    `semantic`: the entropy of the clusters' shares, between 0 (all answers mean the same) and log₂ M
    (arXiv 2302.09664, in its form over counts). `clusters`: the answers, by meaning, the largest first. `is_folded`:
    whether the same is meant by texts that are equal but for case, blanks and punctuation.
    """

    length_normalised: Bounded
    semantic: float
    clusters: tuple[tuple[Answer, ...], ...]
    notes: tuple[str, ...] = ()
    is_folded: bool = True

    @property
    def shares(self) -> list[float]:
        """The share of the answers in each cluster, 0 … 1."""
        total = sum(map(len, self.clusters))
        return [len(cluster) / total for cluster in self.clusters]


def entropy(
    answers: Iterable[Answer], *, same: Callable[[Answer, Answer], bool] | None = None
) -> SampleEntropy[Answer]:
    """Length-normalised and semantic entropy over several answers to one prompt.

    Answers mean the same where `same(a, b)` says so; without it, where their contents are equal but for case, blanks
    and punctuation around words. An answer without logprobs counts for the semantic entropy alone.
    Raises NotGivenError where there is no answer.
    """
    answers = list(answers)
    if not answers:
        raise NotGivenError("There are no answers to compare.", "Give two or more answers.")
    clusters = _by_meaning(answers, same)
    clusters.sort(key=len, reverse=True)
    shares = [len(cluster) / len(answers) for cluster in clusters]
    return SampleEntropy(
        length_normalised=_length_normalised(answers),
        semantic=-sum(share * math.log2(share) for share in shares) + 0.0,
        clusters=tuple(map(tuple, clusters)),
        notes=tuple(_drawn_otherwise(answers)),
        is_folded=same is None,
    )


def _by_meaning(answers: list[Answer], same: Callable[[Answer, Answer], bool] | None) -> list[list[Answer]]:
    if same is None:
        by_text: dict[str, list[Answer]] = {}
        for answer in answers:
            by_text.setdefault(folded(str(answer)), []).append(answer)
        return list(by_text.values())
    clusters: list[list[Answer]] = []
    for answer in answers:
        for cluster in clusters:
            if same(cluster[0], answer):
                cluster.append(answer)
                break
        else:
            clusters.append([answer])
    return clusters


def _drawn_otherwise(answers: Iterable[HasLogprobs]) -> Iterator[str]:
    """Where the answers were not drawn from the distribution that their log-probabilities are of."""
    tables = [answer.logprobs for answer in answers if answer.logprobs]
    for name, neutral in (("temperature", 1), ("top_p", 1)):
        used = {getattr(table, name) for table in tables}
        others = sorted(value for value in used if value is not None and value != neutral)
        if others:
            yield (
                f"Drawn at {name} {', '.join(f'{value:g}' for value in others)}, scored by numbers from before it: "
                "the length-normalised entropy is that of neither distribution."
            )


def _length_normalised(answers: Iterable[HasLogprobs]) -> Bounded:
    sums = [likelihood(answer.logprobs) for answer in answers if answer.logprobs]
    sums = [sum_ for sum_ in sums if sum_.tokens]
    left_out = sum(sum_.left_out for sum_ in sums)
    if not sums:
        return Bounded(math.nan, math.nan, " bits", 0, 0, left_out)
    low, high = (
        -sum(getattr(sum_, name) / sum_.tokens for sum_ in sums) / len(sums) / math.log(2) + 0.0
        for name in ("upper", "lower")
    )
    tokens, censored = sum(sum_.tokens for sum_ in sums), sum(sum_.censored for sum_ in sums)
    return Bounded(low, high, " bits", tokens, censored, left_out)
