"""Two runs side by side: aligned by bytes, so that different tokens of the same text still meet."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, overload

from .aligned import Aligned, Sums, common, stretches
from .bounded import Bounded
from .metrics import HasLogprobs
from .next_bytes import NextBytes, behind, next_bytes
from .pictured import Pictured
from .refused import ASK, NotGivenError
from .rows import Token
from .scores import Scores
from .table import LogprobTable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where two runs part: the first byte that differs, the tokens there, and how likely each held the other's.

    `b_in_a`, `a_in_b`: the probability of the very same token; NaN where it was not returned, and where the two part
    texts into different tokens: then `Comparison.next_bytes()` has what compares.
    """

    byte: int
    a: int | None
    b: int | None
    b_in_a: float
    a_in_b: float


class Comparison(Pictured):
    """What two runs share, where they part, and how their probabilities differ on the shared part.

    `shared`: the stretches they share, the smallest ones that begin and end between tokens in both. `divergence`: where
    they part, None where they say the same. `rest_a`, `rest_b`: the tokens from there on. `same_tokens`: whether both
    are of one model, as far as is known, and part the text into the same tokens. `notes`: what a reader should know,
    sentences. Iterating gives the shared stretches.
    """

    def __init__(
        self, a: LogprobTable, b: LogprobTable, names: tuple[str, str] | None = None, notes: tuple[str, ...] = ()
    ) -> None:
        self.a, self.b = a, b
        self.names = names or _names(a, b)
        same = common(b"".join(a.bytes), b"".join(b.bytes))
        self.shared = stretches(a, b, same)
        self._done = [sum(stretch.tokens[side] for stretch in self.shared) for side in (0, 1)]
        self.rest_a, self.rest_b = a[self._done[0] :], b[self._done[1] :]
        self._is_cut_alike = all(stretch.tokens == (1, 1) for stretch in self.shared)
        self.same_tokens = self._is_cut_alike and (a.model == b.model or not (a.model and b.model))
        self.divergence = self._divergence(same)
        self.notes = (*self._observations(), *notes)

    def __iter__(self) -> Iterator[Aligned]:
        return iter(self.shared)

    def __len__(self) -> int:
        return len(self.shared)

    @property
    def n_bytes(self) -> int:
        """How long the shared text is that both have whole tokens of."""
        return self.shared[-1].end_byte if self.shared else 0

    @property
    def logprob(self) -> tuple[Bounded, Bounded]:
        """Σℓ of either over the shared text, in nats; forced tokens too, the end of the answers not."""
        texts = self.shared[:-1] if self.shared and not self.shared[-1].n_bytes else self.shared
        counts = [sum(stretch.tokens[side] for stretch in texts) for side in (0, 1)]
        return Sums(self.a).of(range(counts[0])), Sums(self.b).of(range(counts[1]))

    @property
    def bits_per_byte(self) -> tuple[Bounded, Bounded]:
        """−Σℓ / (ln 2 · bytes) of either over the shared text: what compares between models with different tokens.

        A perplexity, or any other mean over tokens, does not: the model with longer tokens has fewer of them.
        """
        scale = math.log(2) * max(1, self.n_bytes)
        a, b = (
            Bounded(-sum_.high / scale + 0.0, -sum_.low / scale + 0.0, " bits", sum_.tokens, sum_.censored,
                    sum_.left_out)
            for sum_ in self.logprob
        )  # fmt: skip
        return a, b

    def next_bytes(self, at: int | None = None) -> NextBytes:
        """What either held of the next bytes at a byte where both have a boundary; without one where they part.

        The probability of a token is none of the same text in other tokens: see NextBytes for what compares. Raises
        NotGivenError where a token of one of them does not begin there.
        """
        if at is None and self.divergence is None:
            raise NotGivenError("They say the same to the end.", "Say at which byte: `next_bytes(0)`.")
        places = next((stretch.starts for stretch in self.shared if stretch.start_byte == at), None)
        if places is None and at in (None, self.n_bytes):
            return self._behind
        if places is None:
            raise NotGivenError(
                f"No place where both have a boundary is at byte {at!r:.40}.",
                "Take the `start_byte` of one of `.shared`, or none for where they part.",
            )
        return behind(((self.a, places[0]), (self.b, places[1])), self.names)

    def to_pandas(self) -> pd.DataFrame:
        """One row a shared stretch, then one a token of either rest.

        Columns: `part` (shared, or a run's name), `text`, `label` (how it is shown), `tokens_a`, `tokens_b`,
        `logprob_a`, `logprob_b`, `difference` (nats, b − a; on the shared part only; NaN unless exact), `start_byte`,
        `end_byte` (in the run's own text).
        """
        import pandas as pd

        names = ("part", "text", "label", "tokens_a", "tokens_b", "logprob_a", "logprob_b", "difference", "start_byte",
                 "end_byte")  # fmt: skip
        labels = iter(self.a.label)
        rows: list[tuple[Any, ...]] = [
            ("shared", stretch.text, "".join(islice(labels, stretch.tokens[0])), *stretch.tokens,
             *map(_exact, (stretch.logprob_a, stretch.logprob_b, stretch.difference)), stretch.start_byte,
             stretch.end_byte)
            for stretch in self.shared
        ]  # fmt: skip
        for side, rest in enumerate((self.rest_a, self.rest_b)):
            at = self.n_bytes
            for text, label, logprob, raw in zip(rest.text, rest.label, rest.logprob.tolist(), rest.bytes, strict=True):
                counts, sums = ((1, 0), (logprob, math.nan)) if side == 0 else ((0, 1), (math.nan, logprob))
                rows.append((self.names[side], text, label, *counts, *sums, math.nan, at, at := at + len(raw)))
        return pd.DataFrame(rows, columns=names)

    @cached_property
    def _behind(self) -> NextBytes:
        """What either held of the next bytes behind the shared text."""
        return behind(((self.a, self._done[0]), (self.b, self._done[1])), self.names)

    def _divergence(self, same: int) -> Divergence | None:
        left, right = (rest[0] if len(rest) else None for rest in (self.rest_a, self.rest_b))
        if left is None and right is None:
            return None
        held = (_share(left, right), _share(right, left)) if self.same_tokens else (math.nan, math.nan)
        a, b = (None if row is None else row.position for row in (left, right))
        return Divergence(same, a, b, *held)

    def _observations(self) -> Iterator[str]:
        if not self.same_tokens:
            yield (
                f"Their tokens {'may ' * self._is_cut_alike}differ: what compares is bits per byte, the sum over the "
                "same text. A perplexity is a mean over tokens, and does not."
            )
        for name, table in zip(self.names, (self.a, self.b), strict=True):
            if n := int(table.damaged.sum()):
                yield (
                    f'"{name}" has U+FFFD in {n:,} token{"s" * (n != 1)}, where its server may have lost bytes: where '
                    "they part there, it may be no parting."
                )
            elif (n := int((~table.bytes_given).sum())) and not self.same_tokens:
                yield f'{n:,} tokens of "{name}" came without bytes: those of their text are taken.'


@overload
def compare(a: Token, b: Token, *, names: tuple[str, str] | None = None) -> NextBytes: ...
@overload
def compare(
    a: HasLogprobs | LogprobTable | Scores, b: HasLogprobs | LogprobTable | Scores, *,
    names: tuple[str, str] | None = None,
) -> Comparison: ...
def compare(a: Any, b: Any, *, names: tuple[str, str] | None = None) -> Comparison | NextBytes:
    """Two answers (or tables, or scores of a text) side by side, aligned by bytes; of two tokens what may come next.

        a, b = (ds_magic.score(question, text, client=each) for each in (one_model, another))
        ds_magic.compare(a, b).bits_per_byte

    Models that part texts into different tokens meet where a token begins in both. `names`: what the two are called;
    without it by their models, where these differ. Raises NotGivenError where one has no logprobs.
    """
    if isinstance(a, Token) and isinstance(b, Token):
        return next_bytes((a,), (b,), names or ("a", "b"))
    left, right = map(_table, (a, b))
    thought = [getattr(each, "reasoning_content", None) for each in (a, b)]
    return Comparison(left, right, names, (_THOUGHTS,) if any(thought) else ())


_THOUGHTS = "What was thought is not compared here: `compare(a.reasoning_logprobs, b.reasoning_logprobs)` does it."


def _table(given: Any) -> LogprobTable:
    """The table of whatever has one."""
    if isinstance(given, Scores):
        if len(given) != 1:
            raise NotGivenError(f"There are scores of {len(given)} texts.", 'Say which: `compare(a["yes"], b["yes"])`.')
        given = given[0]
    table = given if isinstance(given, LogprobTable) else getattr(given, "logprobs", None)
    if not isinstance(table, LogprobTable):
        raise NotGivenError("Both answers need token probabilities.", ASK)
    return table


def _names(a: LogprobTable, b: LogprobTable) -> tuple[str, str]:
    return (a.model, b.model) if a.model and b.model and a.model != b.model else ("a", "b")


def _share(row: Token | None, other: Token | None) -> float:
    """How likely `row`'s place held the token of `other`."""
    if row is None or other is None:
        return math.nan
    return next((one.prob for one in row.alternatives if one.bytes == other.bytes), math.nan)


def _exact(measure: Bounded) -> float:
    return math.nan if measure.value is None else measure.value
