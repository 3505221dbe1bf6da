"""What a kernel's cells have answered, to be shared, and the variables that hold it, to be set back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

RESULT = "_ds"
"""The variable that every result is bound to."""


class Results:
    """The results of a kernel's cells, in the order in which the cells first asked; those of a cell that is run again
    take the place of its earlier ones. `variables`: what each variable was bound to last."""

    def __init__(self) -> None:
        self.variables: dict[str, Any] = {}
        self.is_over = False
        self._of_cells: dict[str, tuple[int, dict[int, Any]]] = {}
        self._seats = 0

    def __iter__(self) -> Iterator[Any]:
        for _, results in self._of_cells.values():
            yield from (results[number] for number in sorted(results))

    def seat(self, cell: str, run: int) -> Seat:
        """The place of the next result of a cell in its `run`."""
        self._seats += 1
        self._of_cells.setdefault(cell, (run, {}))
        return Seat(self, cell, run, self._seats)


class Seat(NamedTuple):
    """Where one result belongs: one that comes in the background knows it from the beginning."""

    results: Results
    cell: str
    run: int
    number: int

    def bind(self, shell: Any, result: Any, name: str | None = None) -> None:
        """Bind a result to `_ds`, and to `name`; nothing where all has been set back since."""
        if self.results.is_over:
            return
        shell.push({RESULT: result}, interactive=False)
        if name:
            shell.push({name: result})
        self.results.variables |= dict.fromkeys(filter(None, (RESULT, name)), result)
        run, results = self.results._of_cells[self.cell]
        if run <= self.run:
            self.results._of_cells[self.cell] = self.run, {**(results if run == self.run else {}), self.number: result}


def seat_in(shell: Any) -> Seat:
    """The place of a result of the cell that runs now; nobody's where no magics are loaded."""
    from .deepseek import DeepSeekMagics

    magics = DeepSeekMagics.of(shell)
    return magics.seat() if magics is not None else Results().seat("", 0)
