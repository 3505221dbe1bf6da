"""The wire's list of token dicts to columns: tolerant of anything, quick for what is well formed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from .columns import Counts, Flags, Nats
from .entries import Mapped, Vocabulary, clean, only_mappings, raw_logprob

NOT_RETURNED = -9998.0  # the API writes -9999.0 for "not among the top 20"; some servers write -inf


@dataclass(slots=True)
class WireColumns:
    """What was sent, in columns. Alternatives are flat: `row[i]` is the token they belong to.

    `vocabulary` holds each different (token, bytes) once, and `codes`, `alternative_codes` point into it.
    Logprobs are float64 as sent (−9999.0 included), NaN where no number was sent.
    """

    vocabulary: list[tuple[str, bytes]]
    codes: Counts
    logprobs: Nats
    raw_logprobs: list[object]
    bytes_given: Flags
    constrained: Flags
    forced: Flags
    alternative_rows: Counts
    alternative_codes: Counts
    alternative_logprobs: Nats
    skipped: int


def read_entries(entries: Any) -> WireColumns:
    """Columns of the wire's `logprobs.content`. Never raises: what is no dict is skipped and counted."""
    entries, skipped = only_mappings(entries)
    try:
        return _read_well_formed(entries, skipped)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return _read_well_formed([clean(entry) for entry in entries], skipped, raw=entries)


def _read_well_formed(entries: Sequence[Mapped], skipped: int, raw: Sequence[Mapped] = ()) -> WireColumns:
    lists = [entry["top_logprobs"] for entry in entries]
    if not set(map(type, lists)) <= {list}:
        raise TypeError
    vocabulary = Vocabulary()
    codes, logprobs = vocabulary.encode(entries)
    alternative_codes, alternative_logprobs = vocabulary.encode(chain.from_iterable(lists))
    counts = np.fromiter(map(len, lists), np.int64, len(lists))
    return WireColumns(
        vocabulary=vocabulary.pairs,
        codes=np.array(codes, np.int32),
        logprobs=np.array(logprobs, np.float64),
        raw_logprobs=[raw_logprob(entry) for entry in raw or entries],
        bytes_given=np.array([entry["bytes"] is not None for entry in entries], bool),
        constrained=np.array([entry.get("constrained") is True for entry in entries], bool),
        forced=np.array([entry.get("forced") is True for entry in entries], bool),
        alternative_rows=np.repeat(np.arange(len(lists), dtype=np.int32), counts),
        alternative_codes=np.array(alternative_codes, np.int32),
        alternative_logprobs=np.array(alternative_logprobs, np.float64),
        skipped=skipped,
    )
