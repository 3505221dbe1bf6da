"""JoinedTable: the tokens or alternatives of several answers as one table, which is made when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..api.errors import InvalidRequestError
from .rows import Row

if TYPE_CHECKING:
    import pandas as pd

    from ..logprobs.columns import Columns

_AT_ONCE = 64
"""Answers whose rows are written together."""


class JoinedTable:
    """One row a token (or an alternative) of every answer that has probabilities, the answer's `row` and factors first.

    `len` counts them; iterating gives a DataFrame an answer. A factor whose name is a column's own is `factor_…`.
    """

    def __init__(self, rows: Sequence[Row], kind: Literal["tokens", "alternatives"]) -> None:
        self._rows, self._kind = rows, kind

    def __len__(self) -> int:
        return sum(len(self._table(row).rank) for row in self._rows if row.logprobs)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        for number, row in enumerate(self._rows):
            if row.logprobs:
                frame = self._table(row).to_pandas()
                for at, (name, value) in enumerate(row.factors.items(), 1):
                    if at == 1:
                        frame.insert(0, "row", number)
                    frame.insert(at, f"factor_{name}" if name in frame else str(name), [value] * len(frame))
                if not row.factors:
                    frame.insert(0, "row", number)
                yield frame

    def _table(self, row: Row) -> Columns:
        table: Columns = row.logprobs if self._kind == "tokens" else row.logprobs.alternatives()
        return table

    def to_pandas(self) -> pd.DataFrame:
        """All of it as a DataFrame; empty where no answer has probabilities."""
        import pandas as pd

        frames = list(self)
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def to_parquet(self, path: str | Path) -> Path:
        """Write it as Parquet, some answers at a time. Raises InvalidRequestError where pyarrow is not installed."""
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise InvalidRequestError(
                "Parquet is written by pyarrow, which is not installed.",
                remedy="`pip install pyarrow`, or take `.to_pandas()`.",
            ) from None
        import pandas as pd

        path = Path(path)
        writer: Any = None
        names: list[str] = []
        try:
            for frames in _batches(self):
                frame = pd.concat(frames, ignore_index=True)
                names = names or list(frame.columns)
                table = pa.Table.from_pandas(_writable(frame.reindex(columns=names)), preserve_index=False)
                if writer is None:
                    writer = pq.ParquetWriter(path, table.schema)
                writer.write_table(table.cast(writer.schema))
        finally:
            if writer is not None:
                writer.close()
        if writer is None:
            raise InvalidRequestError(
                "None of the answers has token probabilities.", remedy="Ask for them with `top_logprobs=20`."
            )
        return path

    def __repr__(self) -> str:
        answers = sum(bool(row.logprobs) for row in self._rows)
        return f"JoinedTable({len(self):,} {self._kind} of {answers:,} answers; `.to_pandas()`, `.to_parquet(path)`)"


def _batches(frames: JoinedTable) -> Iterator[list[pd.DataFrame]]:
    batch: list[pd.DataFrame] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _writable(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns of one kind each: what a server sent as a number may be anything."""
    for name in ("raw_logprob",):
        if name in frame:
            frame[name] = frame[name].map(lambda value: None if value is None else str(value))
    return frame
