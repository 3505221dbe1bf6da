"""What there is to say of many answers together, in sentences: what had changed, was spared, not kept, or not moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from ..run import as_sent
from .answers import Answers
from .rows import Row
from .taken_down import NOT_RECORDED
from .task import Asking

if TYPE_CHECKING:
    from ..api.client import Client

MOST_LOOKED_AT = 64
"""Rows by which it is seen whether a journal was written with another template or other settings."""
_LONG = 80


def looked_at(client: Client, rows: Iterable[Asking], *, is_counted: bool) -> tuple[Iterator[Asking], str]:
    """The rows, and what has changed since a journal was written, as far as the first rows show it.

    Where one of them is in it, nothing has: a row was put before it, or a sweep was widened. Of rows that nobody has
    counted, which may be slow to come, only the first is looked at.
    """
    rows = iter(rows)
    passed = list[Asking]()
    try:
        passed.extend(islice(rows, MOST_LOOKED_AT if is_counted else 1))
    except Exception as error:  # of the user's rows; those before it are asked
        rows = _broken_off(error)
    firsts = [as_sent(each.turn.request) for each in passed if each.turn is not None and each.sample == 1]
    return chain(passed, rows), client.changed_since(firsts) or ""


def _broken_off(error: Exception) -> Iterator[Asking]:
    raise error
    yield


def spared(rows: Iterable[Row]) -> list[str]:
    """How many were not asked again."""
    count = known = 0
    for row in rows:
        recorded = row.recorded
        known += recorded is not None and not recorded.is_replay
        count += recorded is not None or row.answer is not None
    return [f"{known:,} of {count:,} had been asked before, {count - known:,} now."] if known else []


def unwritten(rows: Sequence[Row]) -> Iterator[str]:
    """How many are not in the journal, and would be asked again."""
    answers = [row.answer for row in rows if row.recorded is None and row.answer is not None]
    why = [note for answer in answers for note in answer.notes if note.startswith(NOT_RECORDED)]
    if why:
        yield f"{len(why):,} of {len(rows):,} were not recorded: {why[-1].removeprefix(NOT_RECORDED)}"


def unmoved(answers: Answers) -> Iterator[str]:
    """A note where long answers are the same to the letter, whatever was varied of how they are drawn."""
    varied = [name for name in ("temperature", "top_p", "seed") if len(answers.factors.get(name, ())) > 1]
    contents = {row.content for row in answers.where(lambda row: row.ok)} if varied else set()
    if len(contents) == 1 and len(next(iter(contents))) >= _LONG:
        for name in varied:
            yield f"Every answer is the same, whatever the {name}: this server may take no notice of it."
