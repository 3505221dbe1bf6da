"""`ds-magic journal FILE`: lists what was recorded, checks it, writes it anew without what is not read, exports it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..api.clean_text import on_one_line
from .canonical import key_of
from .entry import HEADER
from .journal import Journal
from .journal_errors import JournalError
from .parquet import write_parquet
from .reading import line_of


def main(arguments: list[str]) -> int:
    """Run the program; returns its exit status."""
    given = _parser().parse_args(arguments)
    journal = Journal(given.file)
    try:
        journal.refresh()
        if given.check:
            return _check(journal)
        if given.compact:
            return _compact(journal)
        if given.parquet is not None:
            print(f"{given.parquet}: {write_parquet(journal, given.parquet):,} exchanges.")
            return 0
        for entry in journal.entries():
            print(line_of(entry))
        return _say_damage(journal)
    except JournalError as error:
        message, remedy = error.message, error.remedy
    except BrokenPipeError:  # `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        message, remedy = f"{error.filename or given.file}: {error.strerror}.", ""
    print(f"ds-magic: {message} {remedy}".rstrip(), file=sys.stderr)
    return 1


def _check(journal: Journal) -> int:
    """1 where a line is damaged or torn, or is not what its key says."""
    count, misfits = 0, 0
    for entry in journal.entries():
        count += 1
        if key_of(entry.asked, entry.backend, entry.sample) != entry.key:
            misfits += 1
            at, key = on_one_line(entry.at, 24), on_one_line(entry.key, 12)
            print(f"The exchange of {at}, {key}, was changed: its request is not that of its key.")
    _say_damage(journal)
    if journal.torn:
        print(f"The last line is torn ({journal.torn:,} bytes); it is cut off when the file is written next.")
    is_well = not (misfits or journal.damaged or journal.torn)
    print(f"{count:,} exchanges{', all well' if is_well else ''}.")
    return 0 if is_well else 1


def _compact(journal: Journal) -> int:
    """A new file beside, in one step; the journal itself is not touched."""
    path = journal.path.with_name(f"{journal.path.stem}.compact{journal.path.suffix}")
    if path.exists():
        raise JournalError(f"{path.name} is there already.", remedy="Move it away, or remove it.")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    before, count = journal.path.stat().st_size, 0
    try:
        with unfinished.open("wb") as file:
            file.write(HEADER)
            for line in journal.lines_that_are_read():
                file.write(line)
                count += 1
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    after = path.stat().st_size
    print(f"{path}: {count:,} exchanges, {after:,} bytes of {before:,}. {journal.path.name} is as it was.")
    return _say_damage(journal)


def _say_damage(journal: Journal) -> int:
    for number in journal.damaged:
        print(f"Line {number} is damaged.", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ds-magic journal", description="Lists what `--journal FILE` has recorded: one line an exchange."
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the journal")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="read every line; the exit status is 1 where one is damaged")
    what.add_argument(
        "--compact", action="store_true",
        help="write FILE.compact beside it: of each request the answer that is read, nothing damaged",
    )
    what.add_argument("--parquet", metavar="OUT", type=Path, help="export to a Parquet file, a row an exchange")
    return parser
