"""Index: where in a journal each exchange stands, made without parsing more than the beginning of its line."""

from __future__ import annotations

import bisect
import json
import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

from .entry import HEADER, VERSION, Ended, Start, entry_of, start_of
from .journal_errors import JournalError

_BEST = ("failed", "interrupted", "whole")
"""Of several exchanges of one key, the one that is read: the last of the best."""


class Place(NamedTuple):
    """Where a line is, and how its exchange ended."""

    offset: int
    length: int
    ended: Ended


class Index:
    """What stands in a journal up to `end`, the end of its last whole line.

    `damaged`: the numbers of lines that are none (the header is 1). `backends`: the servers' names, the last to
    answer last. `torn`: the bytes behind `end`. `lacks_end`: whether the last line is whole but for its end.
    """

    def __init__(self, path: Path):
        self.path = path
        self._forget()

    def _forget(self) -> None:
        self._places: dict[bytes, list[Place]] = {}
        self.backends: dict[str, None] = {}
        self.damaged: list[int] = []
        self.lines = self.end = self.torn = 0
        self.lacks_end = False
        self._seen: tuple[int, ...] | None = None

    def places(self, key: str) -> list[Place]:
        """Where the exchanges of a key stand, the one to be read first."""
        return sorted(self._places.get(bytes.fromhex(key), []), key=_rank, reverse=True)

    def best_places(self) -> list[Place]:
        """Where the exchange of each key stands that is read, in the order of the file."""
        return sorted(max(places, key=_rank) for places in self._places.values())

    def all_places(self) -> list[Place]:
        """Where all exchanges stand, in the order of the file."""
        return sorted(place for places in self._places.values() for place in places)

    def mark_damaged(self, place: Place) -> None:
        """A line that looked whole is none: only now its number is looked for."""
        with self.path.open("rb") as file:
            number, at = 1, 0
            while at < place.offset and (line := file.readline()):
                number, at = number + 1, at + len(line)
        if number not in self.damaged:
            bisect.insort(self.damaged, number)

    def refresh(self) -> None:
        """Read what has changed. Raises OSError; JournalError where the file is no journal."""
        with self.path.open("rb") as file:
            about = os.fstat(file.fileno())
            seen = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)
            if seen == self._seen:
                return
            self._forget()
            self._scan(file)
            self._seen = seen

    def mark_seen(self, about: os.stat_result) -> None:
        """The file is as it is by what this process wrote, and noted here."""
        self._seen = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)

    def add(self, start: Start, offset: int, length: int) -> None:
        """Note a line behind the others."""
        self._places.setdefault(start.key, []).append(Place(offset, length, start.ended))
        self.backends.pop(start.backend, None)
        self.backends[start.backend] = None
        self.lines += 1
        self.end = offset + length

    def _scan(self, file: BinaryIO) -> None:
        first = file.readline(len(HEADER) + 1_000)
        if not first or (first != HEADER and HEADER.startswith(first)):
            self.torn = len(first)
            return
        check_header(first, self.path)
        self.lines, self.end = 1, len(first)
        for line in file:
            self.lacks_end = not line.endswith(b"\n")
            if self.lacks_end and entry_of(line) is None:
                self.torn, self.lacks_end = len(line), False
                return
            start = start_of(line.rstrip(b"\n") + b"\n")
            if start is not None:
                self.add(start, self.end, len(line))
                continue
            self.lines += 1
            self.end += len(line)
            self.damaged.append(self.lines)


def _rank(place: Place) -> tuple[int, int]:
    return _BEST.index(place.ended), place.offset


def check_header(line: bytes, path: Path) -> None:
    """Raise JournalError where a first line is not that of a journal which this version reads."""
    try:
        said = json.loads(line)
        is_ours = said["format"] == json.loads(HEADER)["format"]
        number = int(said["version"])
    except (ValueError, KeyError, TypeError, RecursionError):
        is_ours = False
    if not is_ours:
        raise JournalError(
            f"{path.name} is not a journal: its first line is not that of one.",
            remedy="Name a file of its own, which need not be there: `--journal run.jsonl`. This one was not touched.",
        )
    if number > VERSION:
        raise JournalError(
            f"{path.name} was written by a later version of ds_magic (format {number}).",
            remedy="Update ds_magic, or record into another file.",
        )
