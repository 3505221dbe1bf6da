"""What there is to say of many answers together, in sentences: what had changed, was spared, not kept, or not moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from ..api.notes import idle_fields
from ..run import as_sent
from ..views.many.captions import factors_text
from .row import Row
from .taken_down import NOT_RECORDED
from .task import Asking

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.notes import Idle
    from .plan import Plan

MOST_LOOKED_AT = 64
"""Rows by which it is seen whether a journal was written with another template or other settings."""
_LONG = 80
_NAMED = 6


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


def in_vain(client: Client, plan: Plan) -> Iterator[str]:
    """What is to be varied and has no effect with the model that is asked, as far as that is known beforehand."""
    varied = [name for name, n in (plan.values or {}).items() if n > 1]
    found: list[dict[str, Idle]] = []
    for turn in plan.turns:
        request = turn.request
        model = request.model if "model" in request.model_fields_set else client.model
        asked = request.model_copy(update={"model": model})
        found.append(idle_fields(asked, thinks=asked.may_think, server=client.server, model=model))
    for name in varied:
        if found and all(name in idle for idle in found):
            yield f"`{name}` is varied in vain: {found[0][name]}."


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


def unmoved(rows: Sequence[Row], plan: Plan) -> Iterator[str]:
    """The arms that came out identical to the byte, whatever was varied; of answers that are long enough to tell."""
    if plan.arms < 2 or plan.is_of_rows:
        return
    said: dict[str, list[str]] = {}
    for row in rows:
        if row.ok:
            said.setdefault(factors_text(row.arm), []).append(row.content)
    same: dict[tuple[str, ...], list[str]] = {}
    for arm, contents in said.items():
        if max(map(len, contents)) >= _LONG:
            same.setdefault(tuple(contents), []).append(arm)
    for arms in same.values():
        if len(arms) > 1:
            yield f"Identical to the byte: {'; '.join(arms[:_NAMED])}{'; …' if len(arms) > _NAMED else ''}."
