"""Answers by two factors: one goes across, the other down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..logprobs.refused import NotGivenError
from .row import SAMPLE

if TYPE_CHECKING:
    import pandas as pd

    from .answers import Answers

FEW_COLUMNS, FEW_ROWS = 4, 6
"""So many values of two factors are shown as a grid by themselves."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Answers by two factors: `columns` and `rows` are their names, `across` and `down` their values.

    `grid[down, across]` is what was answered there, as Answers, which may be none.
    """

    columns: str
    rows: str
    across: tuple[Any, ...]
    down: tuple[Any, ...]
    cells: dict[tuple[Any, Any], Answers]
    answers: Answers

    def __getitem__(self, place: tuple[Any, Any]) -> Answers:
        return self.cells.get(place) or self.answers[:0]

    @property
    def is_whole(self) -> bool:
        """Whether there is something in each cell."""
        return len(self.cells) == len(self.across) * len(self.down)

    def to_pandas(self) -> pd.DataFrame:
        """The first content of each cell, as a DataFrame with the values of both factors."""
        import pandas as pd

        contents = [[next(iter(self[row, column].contents), None) for column in self.across] for row in self.down]
        names = pd.Index(self.across, name=self.columns, dtype=object)
        return pd.DataFrame(contents, pd.Index(self.down, name=self.rows, dtype=object), names)

    def _repr_html_(self) -> str:
        from ..views.many.crossing import grid_html

        return grid_html(self)

    def __repr__(self) -> str:
        from ..views.many.crossing import grid_text

        return grid_text(self)


def crossed(answers: Answers, columns: str | None = None, rows: str | None = None) -> Grid:
    """See `Answers.grid`. Raises NotGivenError for a factor that no row has, or where there are not two."""
    others = iter([name for name in _varied(answers) if name not in (columns, rows)])
    columns = next(others, None) if columns is None else columns
    rows = next(others, None) if rows is None else rows
    if columns is None or rows is None:
        raise NotGivenError(
            f"A grid takes two factors, and varied was {columns or rows or 'none'}.",
            'Ask with several values of two: `ds_magic.sweep(prompt, temperature=[0, 1], system=["…", "…"])`.',
        )
    return _of(answers, columns, rows)


def natural(answers: Answers) -> Grid | None:
    """The grid that shows all of some answers: of just two factors with few values, every cell of it filled."""
    names = _varied(answers)
    if len(names) != 2:
        return None
    for across, down in (names, names[::-1]):
        if len(answers.factors[across]) <= FEW_COLUMNS and len(answers.factors[down]) <= FEW_ROWS:
            grid = _of(answers, across, down)
            return grid if grid.is_whole else None
    return None


def _of(answers: Answers, across: str, down: str) -> Grid:
    cells = dict(answers.group_by(down, across))
    return Grid(across, down, tuple(answers.group_by(across)), tuple(answers.group_by(down)), cells, answers)


def _varied(answers: Answers) -> list[str]:
    return [name for name, values in answers.factors.items() if name != SAMPLE and len(values) > 1]
