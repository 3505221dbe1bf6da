"""The entries of the wire's lists of token log-probabilities, typed and of any shape, and the numbers of their tokens.

Without numpy: a stream is read with it before anybody asks for a table.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

from msgspec import Raw, Struct

from .glyphs import encodable

Mapped: TypeAlias = Mapping[str, Any]
"""An entry as a lenient parser gives it."""

_NULL = Raw(b"null")


class Candidate(Struct, gc=False, forbid_unknown_fields=True):
    """A token and its number. `bytes` stays JSON: nearly always it is what it was when the token came last.

    `mark` is the embedded server's name for a token that spells nothing.
    """

    token: str
    logprob: float
    bytes: Raw = _NULL
    mark: str | None = None


class Entry(Candidate, gc=False, forbid_unknown_fields=True):
    """A token of the answer, with its alternatives and what the embedded server says of it."""

    top_logprobs: list[Candidate] | None = None
    constrained: bool | None = None
    forced: bool | None = None


def only_mappings(entries: Any) -> tuple[Sequence[Mapped], int]:
    """The entries that are objects, and how many are not."""
    if isinstance(entries, Mapping) or not isinstance(entries, Sequence) or isinstance(entries, (str, bytes)):
        return [], 0
    kept = (
        entries
        if all(type(entry) is dict for entry in entries)
        else [entry for entry in entries if isinstance(entry, Mapping)]
    )
    return kept, len(entries) - len(kept)


_token_fields = itemgetter("token", "bytes", "logprob")


class Vocabulary:
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

    def encode(self, items: Iterable[Mapped]) -> tuple[array[int], array[float]]:
        """Codes and logprobs. Raises TypeError or ValueError at what is not well formed."""
        codes, logprobs = array("i"), array("d")
        add_code, add_logprob, find = codes.append, logprobs.append, self._by_token.get
        for item in items:
            token, byte_list, logprob = _token_fields(item)
            token = token or _name(item)
            if logprob is False or logprob is True:
                raise TypeError
            add_logprob(logprob)
            found = find(token)
            if found is not None and found[0] == byte_list:
                add_code(found[1])
            else:
                add_code(self.code(token, byte_list))
        return codes, logprobs

    def code(self, token: str, byte_list: list[int] | None) -> int:
        """The number of a token. Raises TypeError or ValueError at what is not well formed."""
        if type(token) is not str or (byte_list is not None and type(byte_list) is not list):
            raise TypeError
        text = encodable(token)
        pair = (text, text.encode("utf-8") if byte_list is None else bytes(byte_list))
        code = self._by_pair.setdefault(pair, len(self.pairs))
        if code == len(self.pairs):
            self.pairs.append(pair)
        self._by_token.setdefault(token, (byte_list, code))
        return code


def raw_logprob(entry: Mapped) -> object:
    """What was sent as the logprob: a number, or whatever stood there, fit to be written."""
    sent = entry.get("logprob")
    return encodable(sent) if isinstance(sent, str) else sent


def clean(entry: Mapped) -> dict[str, Any]:
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


def _name(item: Mapped) -> Any:
    """What a token is called that spells nothing: the name of its mark, where one came, else what came as the token."""
    mark = item.get("mark")
    return mark if isinstance(mark, str) else item.get("token")


def _clean_token(item: Mapped) -> dict[str, Any]:
    token = item.get("token") or _name(item)
    byte_list = byte_list_of(item.get("bytes"))
    if not isinstance(token, str):
        token = bytes(byte_list).decode("utf-8", "replace") if byte_list else ""
    return {"token": token, "bytes": byte_list, "logprob": _number(item.get("logprob"))}


def byte_list_of(value: Any) -> list[int] | None:
    """A parsed value as a list of bytes, or None where it is none."""
    readable = isinstance(value, (list, tuple)) and all(type(byte) is int and 0 <= byte <= 255 for byte in value)
    return list(value) if readable else None


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan
