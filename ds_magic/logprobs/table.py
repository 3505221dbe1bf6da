"""LogprobTable: the token probabilities of one answer, in columns; rows are made on demand."""

from __future__ import annotations

import builtins
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from .. import conveniences
from . import json_values, labels, metrics
from .alternatives import Alternatives, AlternativeTable
from .bounded import Bounded
from .columns import Bits, ByteStrings, Columns, Counts, Flags, Indices, Nats, Shares, Texts, Words
from .distribution import EXACT, read_distributions
from .from_wire import WireColumns, read_entries
from .glyphs import decode_tokens, label
from .observations import observations, spells
from .provenance import Provenance
from .refused import NoSuchNameError
from .rows import TOKEN_COLUMNS, Token, plain, with_label
from .temperature import TemperedTable
from .vocabulary import vocabulary_size_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..conveniences import Bars, Explorer, WrittenPage


class LogprobTable(Columns):
    """The token probabilities of one answer: one row a token, held in columns.

    `len(table)`, `table[3]` (a Token), `table[10:20]` (a table), iteration over rows. Columns are attributes:

    - `position` (0 is the answer's first token), `token`, `label` (how it is shown: the token that ends an answer is
      empty), `bytes` (its own, or its text's where the server sent none: `bytes_given`), `text` (what it adds to the
      decoded answer; empty for the earlier parts of a character), `char_start`, `char_end` (in the decoded answer),
      `glyph` (the first token of the run that shares a character with this one), `damaged` (U+FFFD stands where the
      server lost bytes)
    - `status`: `exact`; `censored`, not among the returned top, so only bounded; `missing`, no number came;
      `degenerate`, what came is no distribution; `constrained`, forced by a grammar, numbers from before it
    - `logprob` (nats, as the API gives it), `prob`: NaN unless exact. `logprob_upper`: the bound where
      censored, ln min(p_k, r/(21 − k)), NaN without alternatives. `raw_logprob`: what was sent
    - `rank` (1 is the most likely; 0 here and None in rows where it lies below what was returned),
      `n_alternatives` k, `top_mass` S, `rest_mass` r
    - `surprisal` (a lower bound where censored), `margin`, `entropy_low`, `entropy_high`: in bits. Without a
      known vocabulary size `entropy_high` is infinite where mass was not returned
    - `forced`: part of a prefix that the model did not choose

    `text_content` is the decoded answer, `matches_content` whether it equals the message's content (None: not
    compared), `notes` sentences about the data that a reader should know. `provenance` (with `temperature` and
    `top_p`), `model` and `vocabulary_size` are kept for whoever interprets the numbers; whether they were taken
    before or after temperature differs between services.
    """

    __slots__ = (
        *TOKEN_COLUMNS,
        "top_logprobs",
        "vocabulary_size",
        "model",
        "provenance",
        "schema",
        "matches_content",
        "notes",
        "_vocabulary",
        "_alternative_rows",
        "_alternative_starts",
        "_alternative_codes",
        "_alternative_logprobs",
        "_chosen",
    )
    _names = with_label(TOKEN_COLUMNS)

    position: Indices
    token: Texts
    bytes: ByteStrings
    text: Texts
    char_start: Indices
    char_end: Indices
    status: Words
    logprob: Nats
    logprob_upper: Nats
    prob: Shares
    rank: Counts
    n_alternatives: Counts
    top_mass: Shares
    rest_mass: Shares
    entropy_low: Bits
    entropy_high: Bits
    margin: Bits
    surprisal: Bits
    forced: Flags
    damaged: Flags
    bytes_given: Flags
    glyph: Indices
    raw_logprob: list[object]

    top_logprobs: int | None
    vocabulary_size: int | None
    model: str | None
    provenance: Provenance
    schema: Mapping[str, Any] | None
    matches_content: bool | None
    notes: tuple[str, ...]

    # The alternatives are flat: those of row i stand at _alternative_starts[i] … _alternative_starts[i + 1].
    _vocabulary: list[tuple[str, builtins.bytes]]
    _alternative_rows: Counts
    _alternative_starts: Indices
    _alternative_codes: Counts
    _alternative_logprobs: Nats
    _chosen: Flags

    @classmethod
    def from_wire(
        cls,
        entries: Sequence[Mapping[str, Any]] | WireColumns | None,
        *,
        content: str | None = None,
        provenance: Provenance | None = None,
        top_logprobs: int | None = None,
        vocabulary_size: int | None = None,
        model: str | None = None,
        schema: Mapping[str, Any] | None = None,
        forced: int = 0,
        forced_bytes: int = 0,
    ) -> LogprobTable:
        """The table of the wire's `logprobs.content`, as parsed or already in columns. Never raises, whatever was sent.

        `content` is the message's, compared with the tokens' bytes. The first `forced` tokens, and those that
        begin within the first `forced_bytes` bytes, are marked as part of a prefix. `vocabulary_size` (V) is as
        `provenance` has it, else known for DeepSeek and SmolLM2 by `model`. `schema`: what a JSON answer was to follow.
        Formulas: LogprobTable's docstring and `distribution`.
        """
        wire = entries if isinstance(entries, WireColumns) else read_entries(entries)
        if vocabulary_size is None:
            vocabulary_size = vocabulary_size_of(model, provenance)
        facts = read_distributions(wire, vocabulary_size=vocabulary_size)
        self = cls.__new__(cls)
        self.provenance = provenance or Provenance(model=model if isinstance(model, str) else None)
        self.top_logprobs, self.vocabulary_size, self.model, self.schema = top_logprobs, vocabulary_size, model, schema

        n_tokens = len(wire.codes)
        pairs = [wire.vocabulary[code] for code in wire.codes]
        self.position = np.arange(n_tokens)
        self.token = [token for token, _ in pairs]
        self.bytes = [token_bytes for _, token_bytes in pairs]
        self.text, glyphs = decode_tokens(self.bytes)
        self.glyph = np.array(glyphs, np.int64)
        ends = np.cumsum([len(text) for text in self.text], dtype=np.int64)
        self.char_end = ends
        self.char_start = np.concatenate(([0], ends[:-1])) if n_tokens else ends
        self.damaged = np.array([b"\xef\xbf\xbd" in token_bytes for token_bytes in self.bytes], bool)
        self.bytes_given = wire.bytes_given
        self.raw_logprob = wire.raw_logprobs

        for name in ("status", "logprob", "logprob_upper", "rank", "n_alternatives", "top_mass", "rest_mass",
                     "entropy_low", "entropy_high", "margin"):  # fmt: skip
            setattr(self, name, getattr(facts, name))
        self.prob = np.exp(self.logprob)
        self.surprisal = -np.where(np.isnan(self.logprob), self.logprob_upper, self.logprob) / math.log(2) + 0.0
        byte_starts = np.cumsum([0, *map(len, self.bytes)])[:-1]
        self.forced = wire.forced | (self.position < forced) | (byte_starts < forced_bytes)

        self._vocabulary = wire.vocabulary
        order = facts.alternative_order
        self._alternative_rows = wire.alternative_rows[order]
        self._alternative_starts = np.searchsorted(self._alternative_rows, np.arange(n_tokens + 1))
        self._alternative_codes = wire.alternative_codes[order]
        self._alternative_logprobs = facts.alternative_logprobs
        self._chosen = facts.chosen
        self.matches_content = None if content is None else spells(self.text_content, content)
        self.notes = tuple(observations(self, wire, facts, content))
        return self

    def __len__(self) -> int:
        return len(self.token)

    @overload
    def __getitem__(self, index: int) -> Token: ...
    @overload
    def __getitem__(self, index: slice) -> LogprobTable: ...
    def __getitem__(self, index: int | slice) -> Token | LogprobTable:
        if isinstance(index, slice):
            return self.take(np.arange(*index.indices(len(self))))
        position = range(len(self))[index]
        values = {name: plain(getattr(self, name)[position]) for name in TOKEN_COLUMNS}
        values["rank"] = values["rank"] or None
        return Token(**values, alternatives=Alternatives(self, position), vocabulary_size=self.vocabulary_size)

    def __iter__(self) -> Iterator[Token]:
        return (self[index] for index in range(len(self)))

    def take(self, indices: Sequence[int] | np.ndarray) -> LogprobTable:
        """The table of these rows, in this order; `position` keeps where they stood."""
        indices = np.asarray(indices, dtype=np.int64)
        indices = np.where(indices < 0, indices + len(self), indices)
        part = object.__new__(type(self))
        for name in self.__slots__:
            setattr(part, name, getattr(self, name))
        for name in TOKEN_COLUMNS:
            column = getattr(self, name)
            picked = [column[i] for i in indices] if isinstance(column, list) else column[indices]
            setattr(part, name, picked)
        starts = self._alternative_starts[indices]
        counts = self._alternative_starts[indices + 1] - starts
        part._alternative_starts = np.concatenate(([0], np.cumsum(counts)))
        part._alternative_rows = np.repeat(np.arange(len(indices), dtype=np.int32), counts)
        offsets = np.arange(len(part._alternative_rows)) - part._alternative_starts[:-1][part._alternative_rows]
        source = starts[part._alternative_rows] + offsets
        for name in ("_alternative_codes", "_alternative_logprobs", "_chosen"):
            setattr(part, name, getattr(self, name)[source])
        return part

    def alternatives(self) -> AlternativeTable:
        """The long form: one row for each alternative of each token."""
        return AlternativeTable(self)

    def least_certain(self, n: int = 10) -> LogprobTable:
        """The `n` tokens of the greatest surprisal, the greatest first.

        A censored token counts with its lower bound, one without any bound before all others. Forced,
        constrained, missing and degenerate tokens are left out: nothing is known about their choice.
        """
        surprisal = np.where(self.status == "censored", np.nan_to_num(self.surprisal, nan=np.inf), self.surprisal)
        candidates = np.flatnonzero(np.isin(self.status, ("exact", "censored")) & ~self.forced)
        order = candidates[np.argsort(-surprisal[candidates], kind="stable")]
        return self.take(order[: max(0, n)])

    def find(self, text: str) -> LogprobTable:
        """The tokens that spell each occurrence of `text` in the decoded answer; empty where there is none."""
        indices: list[int] = []
        at = self.text_content.find(text) if text else -1
        while at >= 0:
            indices.extend(json_values.overlapping(self, at, at + len(text)).tolist())
            at = self.text_content.find(text, at + len(text))
        return self.take(sorted(set(indices)))

    def windows(self, n: int = 16) -> metrics.Windows:
        """Sliding confidence over `n` tokens: where the model wavered."""
        return metrics.windows(self, n)

    def fields(self, *, prefix: str = "", schema: Any = None) -> json_values.Fields:
        """The values of a JSON answer, each with the probability of its tokens; see `json_values.fields`."""
        return json_values.fields(self, prefix=prefix, schema=schema)

    def classify(
        self, among: Sequence[str] | Mapping[str, Sequence[str]], *, at: int | None = None
    ) -> labels.Classification:
        """How the choice fell between labels where one of them is the answer; see `labels.classify`."""
        return labels.classify(self, among, at=at)

    def at_temperature(self, temperature: float) -> TemperedTable:
        """The alternatives at another temperature (≥ 0), with bounds for what was not returned."""
        return TemperedTable(self, temperature)

    @property
    def temperature(self) -> float | None:
        """The temperature that tokens were drawn at, None where it is not known; logprobs are from before it."""
        return self.provenance.temperature

    @property
    def top_p(self) -> float | None:
        """The probability mass that tokens were drawn from, None where it is not known."""
        return self.provenance.top_p

    @property
    def probability(self) -> Bounded:
        """exp Σℓ: the probability of choosing all these tokens."""
        return metrics.probability(self)

    @property
    def perplexity(self) -> Bounded:
        """exp(−Σℓ / T): among how many equally likely tokens the model chose on average."""
        return metrics.perplexity(self)

    @property
    def mean_surprisal(self) -> Bounded:
        """−Σℓ / (T ln 2): bits a token."""
        return metrics.mean_surprisal(self)

    @property
    def bits_per_byte(self) -> Bounded:
        """−Σℓ / (ln 2 · bytes)."""
        return metrics.bits_per_byte(self)

    @property
    def mean_entropy(self) -> Bounded:
        """The mean of the tokens' entropies, in bits."""
        return metrics.mean_entropy(self)

    @property
    def relative_probability(self) -> Shares:
        """p / p₁ of each token (GLTR): 1 for the likeliest; NaN unless exact."""
        return metrics.relative_probability(self)

    def text_at(self, position: int) -> str:
        """What the token at `position` says, with those that share its character."""
        return "".join(self.text[i] for i in np.flatnonzero(self.glyph == position))

    @property
    def text_content(self) -> str:
        """The decoded answer: the tokens' bytes as UTF-8."""
        return "".join(self.text)

    def plot(self, kind: str = "surprisal", **options: Any) -> Axes:
        """A picture of `plots`: `surprisal`, `alternatives` (with `at=`), or `ranks`; returns the matplotlib axes."""
        from . import plots

        kinds = {"surprisal": plots.surprisal, "alternatives": plots.alternatives, "ranks": plots.ranks}
        if kind not in kinds:
            raise NoSuchNameError(kind, list(kinds), "picture")
        return kinds[kind](self, **options)

    def bars(self, at: int | None = None) -> Bars:
        """What else could have stood `at` a position, as bars; without it at each place, the most uncertain first.

        Raises IndexError where no token has that position.
        """
        return conveniences.table_bars(self, at)

    def explore(self) -> Explorer:
        """A live widget over the table: heat map, card, overview, search. Branching needs an answer's `explore()`."""
        return conveniences.table_explored(self)

    def to_html(self, path: str | Path | None = None) -> WrittenPage:
        """Write the explorer over this table as one HTML file that needs no network; returns the path, or a new one."""
        return conveniences.table_written(self, path)

    def __repr__(self) -> str:
        parts = [f"{len(self):,} tokens"]
        parts += [f"{n:,} {name}" for name in ("censored", "missing", "degenerate", "constrained")
                  if (n := int((self.status == name).sum()))]  # fmt: skip
        worst = self.least_certain(1)
        if len(worst) and worst.status[0] == EXACT:
            name = label(worst.token[0], worst.bytes[0], limit=20)
            parts.append(f"least certain {name!r} {100 * worst.prob[0]:.1f} %")
        return f"LogprobTable({', '.join(parts)})"

    def _repr_html_(self) -> str:
        return conveniences.table_shown(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(conveniences.table_printed(self) if len(self) else repr(self))
