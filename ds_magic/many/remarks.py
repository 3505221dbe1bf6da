"""What there is to say of many answers together, in sentences: what had changed, was spared, not kept, or not moved."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from ..api.notes import PASSED_OVER, idle_beforehand, passed_over
from ..run import as_sent
from ..views.many.captions import factors_text
from .row import Row
from .taken_down import NOT_RECORDED
from .task import Asking

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.notes import Idle
    from ..api.request import ChatRequest
    from .plan import Plan

MOST_LOOKED_AT = 64
"""Rows by which it is seen whether a journal was written with another template or other settings."""
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
    firsts: dict[Client, list[ChatRequest]] = {}
    for each in passed:
        if each.turn is not None and each.sample == 1:
            firsts.setdefault(each.client or client, []).append(as_sent(each.turn.request))
    changed = [asked.changed_since(requests) for asked, requests in firsts.items()]
    return chain(passed, rows), (changed[0] or "") if changed and all(changed) else ""


def _broken_off(error: Exception) -> Iterator[Asking]:
    raise error
    yield


def in_vain(client: Client, plan: Plan) -> dict[str, str]:
    """What is to be varied and has no effect with the model that is asked, as far as that is known beforehand.

    A sentence by the name of the field: in all arms, or in some of them.
    """
    said: dict[str, str] = {}
    varied = [name for name, n in (plan.values or {}).items() if n > 1 and name in PASSED_OVER]
    if not varied:
        return said
    asked = list(plan.asked_of(client))
    for its in dict.fromkeys(its for _, its in asked):
        if any(_is_open(its, turn.request) for turn, asked_of in asked if asked_of is its):
            its.look_first()
    found = [idle_beforehand(turn.request, its) for turn, its in asked]
    for name in varied:
        reasons = [idle[name] for idle in found if name in idle]
        if reasons and len(reasons) == len(found):
            said[name] = f"`{name}` is varied in vain: {reasons[0]}."
        elif reasons:
            said[name] = f"`{name}` has no effect in {len(reasons):,} of {len(found):,} arms: {reasons[0]}."
    return said


def _is_open(client: Client, request: ChatRequest) -> bool:
    """Whether nobody has named the model of a request that is going to be asked."""
    return "model" not in request.model_fields_set and client.recalling(request) is None


def without_effect(rows: Sequence[Row], plan: Plan, besides: Container[str] = ()) -> Iterator[str]:
    """What was set in these answers and passed over, each reason once; not of the fields `besides`.

    Where all were in a journal, from which answers are made when they are looked at, the first are, if need be.
    """
    if not any(getattr(turn.request, name) is not None for turn in plan.turns for name in PASSED_OVER):
        return
    new = [row for row in rows if row.recorded is None]
    seen = [row.answer for row in (new or rows[:MOST_LOOKED_AT]) if row.answer is not None]
    found: dict[Idle, dict[str, int]] = {}
    for answer in seen:
        for name, reason in passed_over(answer).items():
            if name not in besides:
                names = found.setdefault(reason, {})
                names[name] = names.get(name, 0) + 1
    for reason, names in found.items():
        n = max(names.values())
        where = f" (in {n:,} of {len(seen):,} answers)" if n < len(seen) else ""
        yield f"{', '.join(names)}: {reason}{where}."


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
    """The arms that came out identical to the byte, whatever was varied.

    Of rows that were in a journal nobody wants to know, whose answers would have to be made for it; of answers from
    whose distributions samples are drawn these tell.
    """
    if plan.arms < 2 or plan.drawn or (plan.is_of_rows and any(row.recorded is not None for row in rows)):
        return
    varied = plan.values or {}
    said: dict[str, list[str | None]] = {}
    for row in rows:
        of_arm = {name: value for name, value in row.arm.items() if name in varied}
        said.setdefault(factors_text(of_arm), []).append(row.content if row.ok else None)
    same: dict[tuple[str | None, ...], list[str]] = {}
    for arm, contents in said.items():
        if any(contents):
            same.setdefault(tuple(contents), []).append(arm)
    for arms in same.values():
        if len(arms) > 1:
            yield f"Identical to the byte: {'; '.join(arms[:_NAMED])}{'; …' if len(arms) > _NAMED else ''}."
