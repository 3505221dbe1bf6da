"""Columns of a list of token log-probabilities that came in pieces, filled piece by piece."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from msgspec import Raw, json

from .entries import Candidate, Entry, Vocabulary, byte_list_of, clean, only_mappings, raw_logprob

if TYPE_CHECKING:
    from .columns import Flags
    from .from_wire import WireColumns


class StreamColumns:
    """Takes the entries of one answer in order, typed ones with `add` and any others with `add_parsed`.

    No entry is kept, so that 160,000 alternatives take a few megabytes instead of a hundred.
    """

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()
        self._known: dict[str, tuple[Raw, int, bool]] = {}
        self._codes, self._logprobs = array("i"), array("d")
        # Tokens by their place, where they are not as most are.
        self._raw_logprobs: dict[int, object] = {}
        self._without_bytes: list[int] = []
        self._constrained: list[int] = []
        self._forced: list[int] = []
        self._counts = array("i")
        self._alternative_codes, self._alternative_logprobs = array("i"), array("d")
        self._skipped = 0

    def add(self, entries: list[Entry]) -> None:
        """Take in entries that are as the API describes them."""
        known, add_code = self._known, self._alternative_codes.append
        for entry in entries:
            found = known.get(entry.token)
            if found is None or found[0] != entry.bytes:
                found = self._new(entry)
            if not found[2] or entry.constrained or entry.forced:
                self._mark(found[2], entry.constrained, entry.forced)
            self._codes.append(found[1])
            self._logprobs.append(entry.logprob)
            alternatives = entry.top_logprobs or ()
            self._counts.append(len(alternatives))
            for one in alternatives:  # 20 times a token: nothing is called here that need not be
                try:
                    json_bytes, code, _ = known[one.token]
                except KeyError:
                    json_bytes, code, _ = self._new(one)
                if json_bytes != one.bytes:
                    code = self._new(one)[1]
                add_code(code)
            self._alternative_logprobs.extend([one.logprob for one in alternatives])

    def add_parsed(self, entries: Any) -> None:
        """Take in entries of any shape, parsed; what is no object is skipped and counted."""
        kept, skipped = only_mappings(entries)
        self._skipped += skipped
        code = self._vocabulary.code
        for sent in kept:
            entry = clean(sent)
            self._mark(entry["bytes"] is not None, entry["constrained"], entry["forced"])
            self._raw_logprobs[len(self._codes)] = raw_logprob(sent)
            self._codes.append(code(entry["token"], entry["bytes"]))
            self._logprobs.append(entry["logprob"])
            self._counts.append(len(entry["top_logprobs"]))
            for one in entry["top_logprobs"]:
                self._alternative_codes.append(code(one["token"], one["bytes"]))
                self._alternative_logprobs.append(one["logprob"])

    def columns(self) -> WireColumns:
        """What was taken in so far."""
        import numpy as np

        from .from_wire import WireColumns

        def flags(places: list[int]) -> Flags:
            column = np.zeros(len(self._codes), bool)
            column[places] = True
            return column

        counts = np.array(self._counts, np.int64)
        return WireColumns(
            vocabulary=self._vocabulary.pairs.copy(),
            codes=np.array(self._codes, np.int32),
            logprobs=np.array(self._logprobs, np.float64),
            raw_logprobs=[self._raw_logprobs.get(place, sent) for place, sent in enumerate(self._logprobs)],
            bytes_given=~flags(self._without_bytes),
            constrained=flags(self._constrained),
            forced=flags(self._forced),
            alternative_rows=np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            alternative_codes=np.array(self._alternative_codes, np.int32),
            alternative_logprobs=np.array(self._alternative_logprobs, np.float64),
            skipped=self._skipped,
        )

    def _mark(self, bytes_given: bool, constrained: object, forced: object) -> None:
        """Note what the next token is."""
        place = len(self._codes)
        if not bytes_given:
            self._without_bytes.append(place)
        if constrained is True:
            self._constrained.append(place)
        if forced is True:
            self._forced.append(place)

    def _new(self, one: Candidate) -> tuple[Raw, int, bool]:
        """The JSON of a token's bytes, its code, and whether they are bytes at all."""
        try:
            byte_list = byte_list_of(json.decode(one.bytes))
        except ValueError:  # a number out of range, or half a surrogate pair
            byte_list = None
        found = one.bytes, self._vocabulary.code(one.token or one.mark or "", byte_list), byte_list is not None
        if one.token:  # tokens that spell nothing differ by their marks
            self._known.setdefault(one.token, found)
        return found
