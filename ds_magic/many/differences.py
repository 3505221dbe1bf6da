"""What differs between two requests, field by field, and the recorded request that is nearest to one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ..api.clean_text import on_one_line
from .canonical import canonical

if TYPE_CHECKING:
    from .journal import Journal

AROUND = 24
"""Characters of a text that are shown on either side of its first difference."""
MOST = 4
"""Differences that are shown."""
_CHANGING = re.compile(
    r"\d|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:january|february|march|april|may|june|july|august"
    r"|september|october|november|december)\b", re.IGNORECASE,
)
_WORDS = re.compile(r"[\w:.\-/]*$"), re.compile(r"[\w:.\-/]*")
_LONGEST_WORD = 40


class Difference(NamedTuple):
    """One field of two requests; None where one does not have it."""

    field: str
    asked: Any
    recorded: Any


def differences(asked: Any, recorded: Any) -> list[Difference]:
    """Where two parsed requests differ, in the order of the first."""
    mine, other = dict(_fields(asked)), dict(_fields(recorded))
    return [
        Difference(name, mine.get(name), other.get(name))
        for name in [*mine, *(name for name in other if name not in mine)]
        if mine.get(name) != other.get(name)
    ]


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The parts of a request that are compared: its fields, and those of each message."""
    for field, each in value.items() if isinstance(value, dict) else ():
        if field == "messages" and isinstance(each, list):
            for number, message in enumerate(each):
                parts = message.items() if isinstance(message, dict) else [("", message)]
                yield from ((f"messages[{number}].{part}".rstrip("."), said) for part, said in parts)
        else:
            yield field, each


def shown(difference: Difference) -> str:
    """A difference on one line, what is asked beside what was recorded."""
    name, (_, asked, recorded) = on_one_line(difference.field, 80), difference
    if not (isinstance(asked, str) and isinstance(recorded, str)):
        said, was = (
            "not set" if each is None else on_one_line(canonical(each), 80) for each in (asked, recorded)
        )
        return f"`{name}` is {said}, and was {was}"
    at = in_common(asked, recorded)
    start = max(0, at - AROUND)
    said, was = (_excerpt(text, start, at + AROUND) for text in (asked, recorded))
    where = f" from character {at + 1:,}" if at > AROUND else ""
    return f"`{name}` differs{where}: “{said}”, and was “{was}”"


def in_common(one: str, other: str) -> int:
    """How many characters two texts begin with in common; linear, and compared by the thousands."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _excerpt(text: str, start: int, end: int) -> str:
    return ("…" if start else "") + on_one_line(text[start:end], 3 * AROUND) + ("…" if end < len(text) else "")


def is_changing(difference: Difference) -> bool:
    """Whether two texts differ first by what is another one each time: a date, a time, a counter, an identifier."""
    _, asked, recorded = difference
    if not (isinstance(asked, str) and isinstance(recorded, str)):
        return False
    at = in_common(asked, recorded)
    return all(_CHANGING.search(_word_at(text, at)) for text in (asked, recorded))


def _word_at(text: str, at: int) -> str:
    before = _WORDS[0].search(text[max(0, at - _LONGEST_WORD) : at])
    after = _WORDS[1].match(text[at : at + _LONGEST_WORD])
    return (before[0] if before else "") + (after[0] if after else "")


def nearest_shown(journal: Journal, asked: dict[str, Any], sample: int) -> str:
    """What to say of a request that a journal does not hold: the nearest that it holds, and what differs."""
    best: tuple[tuple[int, ...], list[Difference], str] | None = None
    for entry in journal.entries():
        found = differences(asked, entry.asked)
        if entry.sample != sample:
            found.append(Difference("sample", sample, entry.sample))
        rank = (len(found), -sum(_shared(each) for each in found))
        if best is None or rank <= best[0]:
            best = rank, found, entry.at
    if best is None:
        return f"{journal.path.name} holds no answer at all, and nobody else is asked in a replay."
    _, found, at = best
    lines = [f"{journal.path.name} has no answer to this. The nearest request in it, of {at[:10]}, differs:"]
    lines += [f"· {shown(each)}." for each in found[:MOST]]
    if len(found) > MOST:
        lines.append(f"· and {len(found) - MOST} more.")
    if any(map(is_changing, found)):
        lines.append("If that is a date, a time or a counter: a prompt that holds one is a new prompt each time.")
    return "\n".join(lines)


def _shared(difference: Difference) -> int:
    _, asked, recorded = difference
    return in_common(asked, recorded) if isinstance(asked, str) and isinstance(recorded, str) else 0
