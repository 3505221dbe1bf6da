"""JoinedTable: the tokens or alternatives of several answers as one table, which is made when it is asked for."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..api.errors import InvalidRequestError
from .frames import as_cell
from .row import Row, is_missing

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
                    frame.insert(at, _label(str(name), frame), [as_cell(value)] * len(frame))
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
        kinds, writer = self._kinds(pa), None
        schema: Any = None
        try:
            for frames in _batches(self):
                frame = pd.concat(frames, ignore_index=True)
                if writer is None:
                    own = [name for name in frames[0] if name not in kinds and name != "row"]
                    frame = _writable(frame.reindex(columns=["row", *kinds, *own]), kinds)
                    schema = _schema(pa, frame, kinds)
                    writer = pq.ParquetWriter(path, schema)
                frame = _writable(frame.reindex(columns=schema.names), kinds)
                writer.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False))
        finally:
            if writer is not None:
                writer.close()
        if writer is None:
            raise InvalidRequestError(
                "None of the answers has token probabilities.", remedy="Ask for them with `top_logprobs=20`."
            )
        return path

    def _kinds(self, pa: Any) -> dict[str, Any]:
        """The kind of each factor's column, by all of its values: text where they are of several."""
        rows = [row for row in self._rows if row.logprobs]
        own = set(map(str, self._table(rows[0]).to_pandas())) if rows else set()
        kinds = {}
        for name in dict.fromkeys(str(name) for row in rows for name in row.factors):
            values = [value for row in rows for factor, value in row.factors.items() if str(factor) == name]
            try:
                kind = pa.array(values, from_pandas=True).type
            except (pa.ArrowException, TypeError, ValueError, OverflowError):  # as also a lone surrogate is
                kind = pa.string()
            kinds[_label(name, own)] = kind if kind != pa.null() else pa.string()
        return kinds

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


def _label(name: str, columns: Container[str]) -> str:
    """What a factor's column is called beside the others."""
    return f"factor_{name}" if name == "row" or name in columns else name


def _schema(pa: Any, frame: pd.DataFrame, kinds: Mapping[str, Any]) -> Any:
    """The schema of a table: of what is a column's own, as its first rows have it, and text where they have nothing."""
    found = pa.Schema.from_pandas(frame.drop(columns=list(kinds)), preserve_index=False)
    types = {**{each.name: pa.string() if each.type == pa.null() else each.type for each in found}, **kinds}
    return pa.schema([(name, types[name]) for name in frame])


def _writable(frame: pd.DataFrame, kinds: Mapping[str, Any]) -> pd.DataFrame:
    """Columns of one kind each: what a server sent as a number may be anything, and so may factors."""
    for name in ("raw_logprob", *(name for name, kind in kinds.items() if str(kind) == "string")):
        if name in frame:
            frame[name] = frame[name].astype(object).map(_text)
    return frame


def _text(value: Any) -> str | None:
    return None if is_missing(value) else as_cell(str(value))
