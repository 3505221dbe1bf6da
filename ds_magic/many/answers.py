"""Answers: several answers with what each was asked with, and everything that can be seen of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from ..logprobs.refused import NoSuchNameError
from .row import Row, is_missing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ..api.response import ChatCompletion
    from ..logprobs.compare import Comparison
    from ..logprobs.samples import SampleEntropy
    from .counts import Counts
    from .crossed import Grid
    from .divergence import Divergence
    from .joined import JoinedTable
    from .meanings import Entropies, Same
    from .reliability import Reliability


class Answers(Sequence[Row]):
    """Several answers, in the order in which they were asked; none is ever changed.

    A sequence of rows: `len`, `answers[3]` (a Row), `answers[:10]` (Answers), `one + other`. Iterating gives every row,
    those that failed too: `row.factors`, `row.answer` (a ChatCompletion or None), `row.error` (a DeepSeekError or
    None), `row.content`, `row.parsed`, `row.logprobs`. `completions` are the answers alone. `notes`: sentences about
    all of them, such as why fewer came than were to be asked.
    """

    def __init__(self, rows: Iterable[Row] = (), notes: Iterable[str] = ()) -> None:
        self._rows = tuple(rows)
        self.notes = tuple(dict.fromkeys(notes))

    @classmethod
    def of(cls, *answers: ChatCompletion) -> Answers:
        """Answers that are there already, each with its tree: the one that it branched off, and all branches.

        `Answers.of(answer).divergence()` shows what was grown by hand in the explorer or by `fork`.
        """
        from .grown import grown

        return cls(grown(answers))

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Answers: ...
    def __getitem__(self, index: int | slice) -> Row | Answers:
        if isinstance(index, slice):
            return Answers(self._rows[index], self.notes)
        return self._rows[index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __add__(self, other: Iterable[Row]) -> Answers:
        return Answers([*self, *other], [*self.notes, *(other.notes if isinstance(other, Answers) else ())])

    @property
    def completions(self) -> tuple[ChatCompletion, ...]:
        """What came: the completions of all rows that have one, also those that broke off."""
        return tuple(row.answer for row in self if row.answer is not None)

    @property
    def contents(self) -> tuple[str, ...]:
        """The text of each row; empty where there is none."""
        return tuple(row.content for row in self)

    @property
    def failed(self) -> Answers:
        """The rows in which something went wrong."""
        return Answers((row for row in self if row.error is not None), self.notes)

    @property
    def factors(self) -> dict[str, tuple[Any, ...]]:
        """The names of the factors, and the different values of each in the order in which they came."""
        found: dict[str, dict[Any, Any]] = {}
        for row in self:
            for name, value in row.factors.items():
                found.setdefault(name, {}).setdefault(_as_key(value), value)
        return {name: tuple(values.values()) for name, values in found.items()}

    def where(self, test: Callable[[Row], bool] | None = None, /, **factors: Any) -> Answers:
        """The rows with these factors, `where(temperature=0, model="deepseek-flash")`, and those that pass a test.

        Of answers that are marked `correct` is one, too: `where(correct=False)`.
        Raises NotGivenError for a factor that no row has.
        """
        for name in factors:
            self._check_factor(name)
        wanted = {name: _as_key(value) for name, value in factors.items()}
        return Answers(
            (
                row
                for row in self
                if all(_has(row, name) and _as_key(_value(row, name)) == key for name, key in wanted.items())
                and (test is None or test(row))
            ),
            self.notes,
        )

    def group_by(self, *names: str) -> Groups:
        """The rows by the value of a factor, or by the values of several, as a dict of Answers.

        Raises NotGivenError for a factor that no row has.
        """
        for name in names:
            self._check_factor(name)
        rows: dict[Any, list[Row]] = {}
        values: dict[Any, Any] = {}
        for row in self:
            found = tuple(_value(row, name) for name in names)
            key = tuple(map(_as_key, found))
            rows.setdefault(key, []).append(row)
            values.setdefault(key, tuple(v if _is_hashable(v) else k for v, k in zip(found, key, strict=True)))
        groups = Groups(
            (values[key] if len(names) != 1 else values[key][0], Answers(each, self.notes))
            for key, each in rows.items()
        )
        groups.by = ", ".join(map(str, names))
        return groups

    def _check_factor(self, name: str) -> None:
        if name not in (known := self.factors) and not any(_has(row, name) for row in self):
            raise NoSuchNameError(name, list(known), "factor")

    def counts(self, *, of: Callable[[str], str] | None = None) -> Counts:
        """What was said how often, beside the probability computed from the tables where it can be.

        `of`: what of a text counts, such as `str.casefold`; without it all of it. Rows that failed are left out.
        """
        from .counts import counted

        return counted(self, of)

    @overload
    def entropy(self, *, by: None = None, same: Same | None = None) -> SampleEntropy[Row]: ...
    @overload
    def entropy(self, *, by: str, same: Same | None = None) -> Entropies: ...
    def entropy(self, *, by: str | None = None, same: Same | None = None) -> SampleEntropy[Row] | Entropies:
        """How much they differ: length-normalised and semantic entropy over the rows that have an answer.

        `by`: a factor, for each of whose values there is one, shown as a table, the most uncertain first. `same(a, b)`:
        whether two rows mean the same; without it those whose contents are equal but for case, blanks and punctuation
        around words. See `ds_magic.entropy`.
        """
        from ..logprobs.samples import entropy

        if by is not None:
            return self.group_by(by).entropy(same=same)
        return entropy([row for row in self if row.answer is not None], same=same)

    def divergence(self) -> Divergence:
        """The tree in which they part, with counts at its forks: by tokens, by characters where models differ."""
        from .divergence import diverging

        return diverging(self)

    def compare(self, i: int, j: int) -> Comparison:
        """Two of the answers side by side; see `ds_magic.compare`. Raises NotGivenError without probabilities."""
        from ..logprobs.compare import compare
        from ..views.many.captions import factors_text

        names = [factors_text(self[number].factors) or f"row {number}" for number in (i, j)]
        pair = [row if row.answer is None else row.answer for row in (self[i], self[j])]
        return compare(*pair, names=(names[0], names[1]))

    def marked(self, correct: str | Callable[[Row], Any], *, contains: bool = False) -> Answers:
        """The same, with `row.correct`: whether each answer is right, None where nobody can say.

        `correct`: the name of the factor that holds the right answer, or a list of right ones, which the content is to
        equal but for case, blanks and punctuation (`contains=True`: whose words stand in it), or a function of a Row.
        Raises NotGivenError for a factor that no row has.
        """
        from .marked import marked

        rows, notes = marked(self, correct, contains=contains)
        return Answers(rows, [*self.notes, *notes])

    def reliability(
        self,
        correct: str | Callable[[Row], Any] | None = None,
        *,
        contains: bool = False,
        bins: int = 10,
        of: Callable[[Row], float] | None = None,
    ) -> Reliability:
        """How often the answers are right, against how sure the model was of them.

        `correct`, `contains`: as for `marked`; without them as the answers are marked. `of`: how sure the model was of
        a row, 0 … 1; without it the probability of the answer's tokens.
        """
        from .reliability import reliable

        return reliable(self if correct is None else self.marked(correct, contains=contains), bins, of)

    def grid(self, columns: str | None = None, rows: str | None = None) -> Grid:
        """A grid of small answers: the values of one factor go across, those of another down.

        Without names those that were varied. `grid[down, across]` are the Answers of a cell. Raises NotGivenError where
        there are not two such factors.
        """
        from .crossed import crossed

        return crossed(self, columns, rows)

    def plot(
        self, metric: str | None = None, *, by: str | None = None, ax: Axes | None = None, ink: str | None = None
    ) -> Axes:
        """A metric by a factor: a line where that is a number, else bars; returns the matplotlib axes.

        `metric`: `perplexity`, `bits_per_byte` (which compares between models, whose tokens differ), `tokens`,
        `seconds`, `correct` (see `marked`), any column of `to_pandas()` that has numbers; or of samples `entropy`
        (semantic, in bits) and `agreement` (the share of what most of them mean). `by`: a factor. Without them what
        says most, by what was varied. A dot is an answer, or the samples of one thing; the mean has an interval at
        95 %. Raises NotGivenError where one of them is not there.
        """
        from .plotted import plotted

        return plotted(self, metric, by, ax, ink)

    def to_pandas(self) -> pd.DataFrame:
        """A DataFrame with a row an answer.

        The factors (`factor_…` where the name is that of a column here); `content`; the fields of the parsed object
        (`parsed_…` where a name is taken); `prompt_tokens`, `completion_tokens`, `finish_reason`, `perplexity` (NaN
        where only bounds are known) and `perplexity_low`, `bits_per_byte` (which compares between models, whose tokens
        differ) and `bits_per_byte_low`, `seconds`, `model`, `interrupted` and `error`; `correct` where they are marked
        (`is_correct` if that is taken).
        """
        from .frames import frame_of

        return frame_of(self)

    def tokens(self) -> JoinedTable:
        """The token probabilities of all answers as one table, made when it is asked for; keyed by row and factors."""
        from .joined import JoinedTable

        return JoinedTable(self, "tokens")

    def alternatives(self) -> JoinedTable:
        """What else could have stood at each token of all answers, as one table, made when it is asked for."""
        from .joined import JoinedTable

        return JoinedTable(self, "alternatives")

    def save(self, path: str | Path) -> Path:
        """Write them to a file of JSON Lines, whole, a row a line. No key is in it.

        A factor that JSON does not know comes back as its text.
        """
        from .filed import write

        return write(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Answers:
        """The answers that `save` wrote; damaged lines are left out, and named in `notes`.

        Raises InvalidRequestError where the file is none.
        """
        from .filed import read

        return read(path)

    def to_html(self) -> str:
        """A few side by side, those of two factors as a grid, many as a table; equal ones once. Script-free."""
        from ..views.many.beside import answers_html
        from .crossed import natural

        grid = natural(self)
        return answers_html(self._rows, self.notes) if grid is None else grid._repr_html_()

    def to_text(self) -> str:
        """The same for a terminal."""
        from ..views.many.beside import answers_text
        from .crossed import natural

        grid = natural(self)
        return answers_text(self._rows, self.notes) if grid is None else repr(grid)

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        return self.to_text()


class Groups(dict[Any, Answers]):
    """Answers by the value of a factor; by a tuple of values where there are several. `by`: the factors' names."""

    by = ""

    def entropy(self, *, same: Same | None = None) -> Entropies:
        """How much the answers of each group differ, the most uncertain first; see `Answers.entropy`."""
        from .meanings import entropies

        return entropies(self.items(), self.by, same)

    def _repr_html_(self) -> str:
        return Answers(row for answers in self.values() for row in answers).to_html()

    def __repr__(self) -> str:
        return "\n".join(f"{key!r}: {len(answers):,} answers" for key, answers in self.items()) or "no answers"


def _has(row: Row, name: str) -> bool:
    return name in row.factors or (name == "correct" and row.correct is not None)


def _value(row: Row, name: str) -> Any:
    return row.factors.get(name, row.correct if name == "correct" else None)


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _as_key(value: Any) -> Any:
    """What a factor's value is found by: itself, or how it is written where it cannot be; NaN equals itself."""
    if value is not None and (not _is_hashable(value) or is_missing(value)):
        return repr(value)
    return value
