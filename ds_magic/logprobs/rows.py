"""The rows of the tables, made on demand: a token, and an alternative that could have stood in its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import conveniences
from .distribution import Status
from .glyphs import label

if TYPE_CHECKING:
    from .alternatives import Alternatives
    from .tempered_place import TemperedPlace


@dataclass(frozen=True, slots=True)
class Alternative:
    """One token that could have stood at a position: `logprob` in nats, `prob` and `cumulative` in 0 … 1."""

    position: int
    rank: int
    token: str
    bytes: bytes
    logprob: float
    prob: float
    cumulative: float
    chosen: bool

    @property
    def label(self) -> str:
        """The token with its white space visible, `⟨end⟩` or `⟨end: im_end⟩` for one that ends an answer."""
        return label(self.token, self.bytes)


@dataclass(frozen=True, slots=True)
class Token:
    """One row of a LogprobTable; the fields are its columns, and `alternatives` what else could have stood there.

    In a notebook it shows itself as bars; `vocabulary_size` is among how many tokens it was chosen, None if unknown.
    """

    position: int
    token: str
    bytes: bytes
    text: str
    char_start: int
    char_end: int
    status: Status
    logprob: float
    logprob_upper: float
    prob: float
    rank: int | None
    n_alternatives: int
    top_mass: float
    rest_mass: float
    entropy_low: float
    entropy_high: float
    margin: float
    surprisal: float
    forced: bool
    damaged: bool
    bytes_given: bool
    glyph: int
    raw_logprob: object
    alternatives: Alternatives = field(repr=False)
    vocabulary_size: int | None = field(default=None, repr=False)

    def _repr_html_(self) -> str:
        return conveniences.token_shown(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(conveniences.token_printed(self))

    @property
    def label(self) -> str:
        """The token with its white space visible, `⟨end⟩` or `⟨end: im_end⟩` for one that ends an answer."""
        return label(self.token, self.bytes)

    def tempered(
        self,
        temperatures: float | Iterable[float] = (0, 0.5, 1, 1.5),
        *,
        top_p: float | None | Iterable[float | None] = None,
        top_k: int | None | Iterable[int | None] = None,
    ) -> TemperedPlace:
        """What could stand here at several temperatures side by side, cut by `top_p` and `top_k`; see TemperedPlace.

        Of each of the three one value or several: of several the picture has all combinations.
        """
        from .tempered_place import TemperedPlace, settings

        return TemperedPlace(self, settings(temperatures, top_p, top_k))


TOKEN_COLUMNS = tuple(column.name for column in fields(Token) if column.name not in ("alternatives", "vocabulary_size"))
ALTERNATIVE_COLUMNS = tuple(column.name for column in fields(Alternative))


def with_label(names: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that a reader gets: beside the token, as it came, its label."""
    after = names.index("token") + 1
    return (*names[:after], "label", *names[after:])


def others(drawn: int, vocabulary_size: int | None) -> str:
    """All that a picture of `drawn` tokens does not draw: `49,147 others`, or `all others` of a size not known."""
    if vocabulary_size is None or vocabulary_size <= drawn:
        return "all others"
    return f"{vocabulary_size - drawn:,} others"


def plain(value: Any) -> Any:
    """A column's value as Python has it: no numpy scalar."""
    return value.item() if isinstance(value, np.generic) else value
