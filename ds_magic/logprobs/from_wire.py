"""The wire's list of token dicts to columns: tolerant of anything, quick for what is well formed."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np

from .columns import Counts, Flags, Nats
from .glyphs import encodable

NOT_RETURNED = -9998.0  # the API writes -9999.0 for "not among the top 20"; some servers write -inf

_Entry: TypeAlias = Mapping[str, Any]


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
    entries, skipped = _only_mappings(entries)
    try:
        return _read_well_formed(entries, skipped)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return _read_well_formed([_clean(entry) for entry in entries], skipped, raw=entries)


def _only_mappings(entries: Any) -> tuple[Sequence[_Entry], int]:
    if isinstance(entries, Mapping) or not isinstance(entries, Sequence) or isinstance(entries, (str, bytes)):
        return [], 0
    kept = (
        entries
        if all(type(entry) is dict for entry in entries)
        else [entry for entry in entries if isinstance(entry, Mapping)]
    )
    return kept, len(entries) - len(kept)


def _read_well_formed(entries: Sequence[_Entry], skipped: int, raw: Sequence[_Entry] = ()) -> WireColumns:
    lists = [entry["top_logprobs"] for entry in entries]
    if not set(map(type, lists)) <= {list}:
        raise TypeError
    vocabulary = _Vocabulary()
    codes, logprobs = vocabulary.encode(entries)
    alternative_codes, alternative_logprobs = vocabulary.encode(chain.from_iterable(lists))
    counts = np.fromiter(map(len, lists), np.int64, len(lists))
    return WireColumns(
        vocabulary=vocabulary.pairs,
        codes=codes,
        logprobs=logprobs,
        raw_logprobs=[entry.get("logprob") for entry in raw or entries],
        bytes_given=np.array([entry["bytes"] is not None for entry in entries], bool),
        constrained=np.array([entry.get("constrained") is True for entry in entries], bool),
        forced=np.array([entry.get("forced") is True for entry in entries], bool),
        alternative_rows=np.repeat(np.arange(len(lists), dtype=np.int32), counts),
        alternative_codes=alternative_codes,
        alternative_logprobs=alternative_logprobs,
        skipped=skipped,
    )


_token_fields = itemgetter("token", "bytes", "logprob")


class _Vocabulary:
    """Gives each different (token, bytes) a number.

    Nearly every token has the bytes of its text, so the text alone finds it; comparing two lists of small
    integers is several times cheaper than making a bytes object for each of 160,000 alternatives. For the
    same reason types are looked at when a token is new, and there is one pass over the dicts, whose cost is
    that of fetching them from memory.
    """

    def __init__(self) -> None:
        self.pairs: list[tuple[str, bytes]] = []
        self._by_token: dict[str, tuple[list[int] | None, int]] = {}
        self._by_pair: dict[tuple[str, bytes], int] = {}

    def encode(self, items: Iterable[_Entry]) -> tuple[Counts, Nats]:
        """Codes (int32) and logprobs (float64). Raises TypeError or ValueError at what is not well formed."""
        codes, logprobs = array("i"), array("d")
        add_code, add_logprob, find = codes.append, logprobs.append, self._by_token.get
        for token, byte_list, logprob in map(_token_fields, items):
            if logprob is False or logprob is True:
                raise TypeError
            add_logprob(logprob)
            found = find(token)
            if found is not None and found[0] == byte_list:
                add_code(found[1])
            else:
                add_code(self._code(token, byte_list))
        return np.array(codes, np.int32), np.array(logprobs, np.float64)

    def _code(self, token: str, byte_list: list[int] | None) -> int:
        if type(token) is not str or (byte_list is not None and type(byte_list) is not list):
            raise TypeError
        text = encodable(token)
        pair = (text, text.encode("utf-8") if byte_list is None else bytes(byte_list))
        code = self._by_pair.setdefault(pair, len(self.pairs))
        if code == len(self.pairs):
            self.pairs.append(pair)
        self._by_token.setdefault(token, (byte_list, code))
        return code


def _clean(entry: _Entry) -> dict[str, Any]:
    """A wire dict with every field there and of its type; what cannot be read is None, NaN or empty."""
    alternatives = entry.get("top_logprobs")
    if isinstance(alternatives, Mapping):
        # The older completions API sends {token: logprob}.
        alternatives = [{"token": token, "logprob": logprob} for token, logprob in alternatives.items()]
    elif not isinstance(alternatives, (list, tuple)):
        alternatives = []
    return {
        **_clean_token(entry),
        "constrained": entry.get("constrained"),
        "forced": entry.get("forced"),
        "top_logprobs": [_clean_token(one) for one in alternatives if isinstance(one, Mapping)],
    }


def _clean_token(item: _Entry) -> dict[str, Any]:
    token = item.get("token")
    byte_list = _byte_list(item.get("bytes"))
    if not isinstance(token, str):
        token = bytes(byte_list).decode("utf-8", "replace") if byte_list else ""
    return {"token": token, "bytes": byte_list, "logprob": _number(item.get("logprob"))}


def _byte_list(value: Any) -> list[int] | None:
    readable = isinstance(value, (list, tuple)) and all(type(byte) is int and 0 <= byte <= 255 for byte in value)
    return list(value) if readable else None


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan
