"""What columns are made of: arrays of one dimension, named by their unit; and the ways out of a table of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from .export import write_csv, write_jsonl
from .glyphs import label
from .refused import NoSuchNameError

if TYPE_CHECKING:
    import pandas as pd

_Scalar = TypeVar("_Scalar", bound=np.generic)

Column: TypeAlias = np.ndarray[tuple[int], np.dtype[_Scalar]]
"""One value a row: shape (rows,)."""

Nats: TypeAlias = Column[np.float64]
"""Natural logarithms of probabilities (≤ 0) and sums of them; NaN where no number is known."""
Bits: TypeAlias = Column[np.float64]
"""Surprisals, entropies and margins, ≥ 0; NaN where nothing is known."""
Shares: TypeAlias = Column[np.float64]
"""Probabilities and sums of them, 0 … 1; NaN where no number is known."""
Indices: TypeAlias = Column[np.int64]
"""Places, from 0."""
Counts: TypeAlias = Column[np.int32]
"""Numbers of things, and ranks from 1, where 0 stands for an unknown one."""
Flags: TypeAlias = Column[np.bool_]
Words: TypeAlias = Column[np.str_]
Texts: TypeAlias = list[str]
ByteStrings: TypeAlias = list[bytes]

AnyColumn: TypeAlias = Column[Any] | Texts | ByteStrings | list[object]


def labels_of(tokens: Texts, token_bytes: ByteStrings) -> Texts:
    """The labels of many tokens, each made once."""
    known = {pair: label(*pair) for pair in set(zip(tokens, token_bytes, strict=True))}
    return [known[pair] for pair in zip(tokens, token_bytes, strict=True)]


class Columns:
    """What all tables of tokens share: columns by name, and the ways out of them."""

    __slots__ = ()
    _names: tuple[str, ...]
    token: Texts
    bytes: ByteStrings
    rank: Counts

    @property
    def label(self) -> Texts:
        """How each token is shown: white space visible, a name for the one that ends an answer and is empty."""
        return labels_of(self.token, self.bytes)

    def column(self, name: str) -> AnyColumn:
        """One column: a numpy array for numbers and flags, a list for text and bytes."""
        if name not in self._names:
            raise NoSuchNameError(name, list(self._names), "column")
        column: AnyColumn = getattr(self, name)
        return column

    def to_pandas(self) -> pd.DataFrame:
        """A DataFrame with one column for each of the table's; an unknown rank is `<NA>`."""
        import pandas as pd

        columns: dict[str, object] = dict(self._columns())
        columns["rank"] = pd.arrays.IntegerArray(self.rank, self.rank == 0)
        for name in ("bytes", "raw_logprob"):
            if name in columns:
                columns[name] = pd.Series(self.column(name), dtype=object)
        return pd.DataFrame(columns)

    def to_csv(self, path: str | Path) -> Path:
        """Write all columns as CSV (UTF-8; bytes in hex; unknown numbers empty); returns the path."""
        return write_csv(path, self._columns())

    def to_jsonl(self, path: str | Path) -> Path:
        """Write one JSON object a row (bytes as lists of integers; unknown numbers null); returns the path."""
        return write_jsonl(path, self._columns())

    def _columns(self) -> dict[str, AnyColumn]:
        return {name: self.column(name) for name in self._names}
