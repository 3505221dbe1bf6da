"""Journal: finished exchanges in a file that only grows, each on disk before it counts as done."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from .entry import HEADER, Entry, Start, entry_of, start_of
from .index import Index, Place
from .journal_errors import JournalError, JournalInUseError

MOST_ROWS = 64
LONGEST_WAIT = 0.05
"""Rows, and seconds since the first of them, after which what was written is put on disk."""

_open: WeakValueDictionary[str, Journal] = WeakValueDictionary()
_opening = threading.Lock()


def journal_at(path: str | os.PathLike[str] | Journal) -> Journal:
    """The journal at `path`: in one process the same one for the same file."""
    if isinstance(path, Journal):
        return path
    name = os.path.realpath(Path(path).expanduser())
    with _opening:
        return _open.get(name) or _open.setdefault(name, Journal(path))


class Journal:
    """A file of exchanges, one a line: a recording, a cache, and what a batch goes on from.

    Nothing in it is ever rewritten. `with journal.writing():` makes it this process's to write; a second process is
    told who has it. `append` writes a line, `sync` puts what was written on disk: from then on it is done, and found.
    May be used from several threads.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path).expanduser().absolute()
        self._index = Index(self.path)
        self._lock = threading.RLock()
        self._syncing = threading.Lock()
        self._writers = 0
        self._file_lock: Any = None
        self._file: int | None = None
        self._written = 0
        self._waiting: list[tuple[Start, int, int]] = []
        self._waits_since = 0.0
        self._lost: tuple[int, OSError] | None = None
        self._warned: set[str] = set()

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r})"

    @property
    def backends(self) -> list[str]:
        """The names of the servers in it, the last to answer last."""
        self.refresh()
        return list(self._index.backends)

    @property
    def damaged(self) -> list[int]:
        """The numbers of the lines that are known to be damaged: by their two ends, or read; the header is 1."""
        self.refresh()
        return list(self._index.damaged)

    @property
    def torn(self) -> int:
        """How many bytes of a torn last line there are."""
        self.refresh()
        return self._index.torn

    def refresh(self) -> None:
        """See what others wrote. Raises JournalError where there is no journal."""
        with self._lock:
            if self._file is not None:
                return
            try:
                self._index.refresh()
            except OSError as error:
                reason = error.strerror or str(error)
            else:
                return
        raise JournalError(
            f"{self.path.name} cannot be read: {reason}.", remedy="Name a file that `--journal FILE` has written."
        )

    def holds(self, key: str) -> bool:
        """Whether there is any exchange of this key, one that failed too."""
        with self._lock:
            return bool(self._index.places(key))

    def find(self, key: str, *, is_whole: bool = False, model: str | None = None) -> Entry | None:
        """The last exchange of this key, a whole one if there is one; None where there is none.

        `is_whole`: no other will do. `model`: nor one that another model was asked for.
        """
        with self._lock:
            places = self._index.places(key)
        for place in places:
            if is_whole and place.ended != "whole":
                return None
            entry = self._read(place)
            if entry is not None and entry.key == key and model in (None, entry.model):
                return entry
        return None

    def entries(self) -> Iterator[Entry]:
        """All exchanges in the order in which they ended, without lines that are damaged."""
        self.refresh()
        for place in self._index.all_places():
            entry = self._read(place)
            if entry is not None:
                yield entry

    def latest(self, most: int) -> Iterator[Entry]:
        """The last `most` exchanges, the last one first; without lines that are damaged."""
        self.refresh()
        for place in reversed(self._index.all_places()[-most:]):
            entry = self._read(place)
            if entry is not None:
                yield entry

    def lines_that_are_read(self) -> Iterator[bytes]:
        """Of each key the line that `find` reads, in their order; without what is damaged."""
        self.refresh()
        for place in self._index.best_places():
            entry = self._read(place)
            if entry is not None:
                yield entry.line()

    def _read(self, place: Place) -> Entry | None:
        try:
            with self.path.open("rb") as file:
                file.seek(place.offset)
                entry = entry_of(file.read(place.length))
        except FileNotFoundError:  # somebody took it away: then it holds nothing
            return None
        if entry is None:
            with self._lock:
                self._index.mark_damaged(place)
        return entry

    @contextlib.contextmanager
    def writing(self) -> Iterator[Journal]:
        """While it lasts, this process alone writes: from any of its threads, and as often as one likes.

        What a process that died left of a line is cut off. Raises JournalError; JournalInUseError where another has it.
        """
        self.acquire()
        try:
            yield self
        finally:
            self.release()

    def acquire(self) -> None:
        """Begin to write; see `writing`."""
        with self._lock:
            if self._writers == 0:
                self._lost = None
                self._take()
            self._writers += 1

    def release(self) -> None:
        """Writing is over; the last to say so puts what is written on disk and lets go of the file."""
        try:
            self.sync()  # each who writes does, so that at the last nothing is left
        finally:
            with self._lock:
                self._writers -= 1
                if self._writers == 0:
                    self._let_go()

    def append(self, entry: Entry) -> None:
        """Write an exchange behind the others. It is done when `sync` says so, at the latest with the next ones.

        Raises JournalError where it cannot be written, a full disk for example; the file is then as it was.
        """
        line = entry.line()
        start = start_of(line)
        assert start is not None and self._file is not None, "it is this process's to write"
        with self._lock:
            offset = self._written
            self._write(line)
            if not self._waiting:
                self._waits_since = time.monotonic()
            self._waiting.append((start, offset, len(line)))
            is_due = len(self._waiting) >= MOST_ROWS or time.monotonic() - self._waits_since >= LONGEST_WAIT
        if is_due:
            self.sync()

    def sync(self) -> None:
        """Put on disk what was written. Several threads that wait for it wait for one. Raises JournalError."""
        with self._lock:
            target = self._written
        with self._syncing:
            with self._lock:
                waiting, file = list(self._waiting), self._file
                if self._lost is not None and target <= self._lost[0]:
                    raise _unwritten(self.path, self._lost[1])  # of this caller's rows, or of others with them
                if file is None or not waiting or waiting[0][1] >= target:
                    return
            failure: OSError | None = None
            try:
                getattr(os, "fdatasync", os.fsync)(file)
            except OSError as error:
                failure = error
            with self._lock:
                if failure is None:
                    for start, offset, length in waiting:
                        self._index.add(start, offset, length)
                else:
                    self._lost = waiting[-1][1] + waiting[-1][2], failure
                del self._waiting[: len(waiting)]
                if self._file is not None:
                    self._index.mark_seen(os.fstat(self._file))
        if failure is not None:
            raise _unwritten(self.path, failure)

    def warnings(self) -> list[str]:
        """What there is to say of the file, in sentences; each once."""
        index, found = self._index, []
        if index.damaged:
            many = "s" if len(index.damaged) > 1 else ""
            shown = ", ".join(map(str, index.damaged[:5])) + (", …" if len(index.damaged) > 5 else "")
            found.append(f"{self.path.name}: damaged line{many} {shown} passed over.")
        new = [each for each in found if each not in self._warned]
        self._warned.update(new)
        return new

    def _take(self) -> None:
        """The lock, then the file, without what was left of a last line."""
        from filelock import FileLock, Timeout

        if not self.path.parent.is_dir():
            raise JournalError(
                f"{self.path.name} cannot be written: there is no folder {self.path.parent}.",
                remedy="Make the folder, or name another file.",
            )
        path = self.path.with_name(self.path.name + ".lock")
        lock = FileLock(path, timeout=0, thread_local=False)
        failure: JournalError
        try:
            lock.acquire()
        except Timeout:
            failure = _in_use(self.path, path)
        except OSError as error:
            failure = _unwritten(self.path, error)
        else:
            self._file_lock = lock
            with contextlib.suppress(OSError):
                path.write_text(json.dumps(_this_process()), encoding="utf-8")
            try:
                self._open_file()
                return
            except OSError as error:
                failure = _unwritten(self.path, error)
            except BaseException:
                self._let_go()
                raise
            self._let_go()
        raise failure

    def _open_file(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        file = self._file = os.open(self.path, flags, 0o666)
        self._index.refresh()
        if self._index.torn:
            os.ftruncate(file, self._index.end)
            self._index.torn = 0
        self._written = self._index.end
        if self._written == 0:
            self._write(HEADER)
            self._index.lines = 1
            _keep_name(self.path)
        elif self._index.lacks_end:
            self._write(b"\n")
            self._index.lacks_end = False
        self._index.end = self._written
        self._index.mark_seen(os.fstat(file))

    def _write(self, line: bytes) -> None:
        """One line, whole or not at all: what a full disk took of it is taken back."""
        assert self._file is not None
        left = memoryview(line)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            failure = _unwritten(self.path, error)
        else:
            self._written += len(line)
            return
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._written)
        raise failure

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                os.close(file)
        lock, self._file_lock = self._file_lock, None
        if lock is not None:
            lock.release()


def _keep_name(path: Path) -> None:
    """Have the name of a new file on disk, too, where the system can be asked for that."""
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _unwritten(path: Path, error: OSError) -> JournalError:
    reason = error.strerror or type(error).__name__
    return JournalError(
        f"{path.name} cannot be written: {reason}. What was recorded before is whole.",
        remedy="Make room, or record into another file; what is not in it is asked again with `--cache`.",
    )


def _this_process() -> dict[str, Any]:
    return {"pid": os.getpid(), "host": platform.node(), "since": time.strftime("%H:%M:%S")}


def _in_use(path: Path, lock: Path) -> JournalInUseError:
    """Who has it, as far as the lock file says."""
    try:
        said = json.loads(lock.read_text(encoding="utf-8"))
        who = f"process {int(said['pid'])} on {str(said['host'])[:60]}, since {str(said['since'])[:8]}"
        if (said["pid"], said["host"]) == (os.getpid(), platform.node()):
            who = "this process, through another Journal of the same file"
    except (OSError, ValueError, KeyError, TypeError):
        who = "another process"
    return JournalInUseError(f"{path.name} is being written by {who}: nothing was asked.")
