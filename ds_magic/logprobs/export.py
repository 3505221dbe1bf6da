"""Columns to CSV and JSON Lines."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .glyphs import encodable

if TYPE_CHECKING:
    from .columns import AnyColumn


def write_csv(path: str | Path, columns: Mapping[str, AnyColumn]) -> Path:
    """Write columns of one length as CSV in UTF-8: bytes in hex, unknown numbers empty."""
    path = Path(path)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in _rows(columns):
            writer.writerow(value.hex() if isinstance(value, bytes) else value for value in row)
    return path


def write_jsonl(path: str | Path, columns: Mapping[str, AnyColumn]) -> Path:
    """Write one JSON object a row in UTF-8: bytes as lists of integers, unknown numbers null."""
    path = Path(path)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in _rows(columns):
            values = (list(value) if isinstance(value, bytes) else value for value in row)
            file.write(encodable(json.dumps(dict(zip(columns, values, strict=True)), ensure_ascii=False)) + "\n")
    return path


def _rows(columns: Mapping[str, AnyColumn]) -> Iterator[tuple[Any, ...]]:
    return zip(*(_values(name, column) for name, column in columns.items()), strict=True)


def _values(name: str, column: AnyColumn) -> list[Any]:
    values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    if name == "rank":
        return [value or None for value in values]
    return [None if isinstance(value, float) and not math.isfinite(value) else value for value in values]
