"""A journal as a Parquet file: a row an exchange."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import Any

from .entry import Entry
from .journal import Journal
from .journal_errors import JournalError
from .reading import completion_of, question_of

ROWS = 1_000
"""Rows that are held at once."""


def write_parquet(journal: Journal, path: Path) -> int:
    """Write all exchanges to `path`, and give their number. Raises JournalError where pyarrow is missing."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as parquet
    except ImportError:
        raise JournalError(
            "Parquet needs pyarrow, which is not installed.", remedy="Install it: pip install 'ds-magic[many]'."
        ) from None
    text, number = pa.string(), pa.int64()
    kinds = {
        "key": text, "at": text, "backend": text, "model": text, "sample": number, "ended": text, "ms": number,
        "request": text, "question": text, "content": text, "reasoning_content": text, "finish_reason": text,
        "prompt_tokens": number, "completion_tokens": number, "error": text,
    }
    schema, rows, count = pa.schema(list(kinds.items())), map(_row, journal.entries()), 0
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with parquet.ParquetWriter(unfinished, schema) as writer:
            while batch := list(islice(rows, ROWS)):
                writer.write_table(pa.Table.from_pylist(batch, schema=schema))
                count += len(batch)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _row(entry: Entry) -> dict[str, Any]:
    answer = completion_of(entry)
    usage = answer.usage
    return {
        "key": entry.key, "at": entry.at, "backend": entry.backend, "model": answer.model or entry.model,
        "sample": entry.sample, "ended": entry.ended, "ms": entry.ms, "request": bytes(entry.request).decode(),
        "question": question_of(entry), "content": answer.content, "reasoning_content": answer.reasoning_content,
        "finish_reason": answer.finish_reason, "prompt_tokens": usage and usage.prompt_tokens,
        "completion_tokens": usage and usage.completion_tokens, "error": entry.error and entry.error.message,
    }
