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
LOOKED_AT = 1_000
"""Exchanges of a journal, the last ones, among which the nearest is looked for."""
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


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    """The parts of a request that are compared: its fields, and those of each message.

    What one says once for many questions, `system` and `prefix`, is a field; the messages are numbered without them.
    """
    for field, each in value.items() if isinstance(value, dict) else ():
        if field != "messages" or not isinstance(each, list):
            yield field, each
            continue
        first = int(_is_a(each[:1], {"role": "system"}))
        last = len(each) - _is_a(each[first:][-1:], {"role": "assistant", "prefix": True})
        for name, message in (("system", each[:first]), ("prefix", each[last:])):
            yield from ((name, alone["content"]) for alone in message)
        for number, message in enumerate(each[first:last]):
            parts = message.items() if isinstance(message, dict) else [("", message)]
            yield from ((f"messages[{number}].{part}".rstrip("."), said) for part, said in parts)


def _is_a(messages: list[Any], kind: dict[str, Any]) -> bool:
    """Whether there is a message that is of this kind, and says nothing besides but its text."""
    return any(isinstance(each, dict) and {**each, "content": ""} == {**kind, "content": ""} for each in messages)


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
    nearest = _nearest(journal, asked, sample)
    if nearest is None:
        return f"{journal.path.name} holds no answer at all, and nobody else is asked in a replay."
    lines = [f"{journal.path.name} has no answer to this. The nearest request in it, of {nearest.at[:10]}, differs:"]
    lines += [f"· {shown(each)}." for each in nearest.differences[:MOST]]
    if (more := len(nearest.differences) - MOST) > 0:
        lines.append(f"· and {more} more.")
    return "\n".join([*lines, *_hint(nearest)])


def change_shown(journal: Journal, asked: dict[str, Any], sample: int) -> str | None:
    """What to say where something like a request was asked before: what differs. None where it is another question."""
    nearest = _nearest(journal, asked, sample)
    if nearest is None or not all(map(_is_near, nearest.differences)):
        return None
    found = [shown(each) for each in nearest.differences[:MOST]]
    if (more := len(nearest.differences) - MOST) > 0:
        found.append(f"and {more} more")
    said = f"{journal.path.name} does not have the first of these. Beside the nearest in it, of {nearest.at[:10]}: "
    return " ".join([said + "; ".join(found) + ".", *_hint(nearest)])


class _Nearest(NamedTuple):
    differences: list[Difference]
    at: str


def _nearest(journal: Journal, asked: dict[str, Any], sample: int) -> _Nearest | None:
    """The request with the least and latest difference among those that were recorded last, and the last of these."""
    best: tuple[tuple[int, ...], _Nearest] | None = None
    for entry in journal.latest(LOOKED_AT):
        found = differences(asked, entry.asked)
        if entry.sample != sample:
            found.append(Difference("sample", sample, entry.sample))
        rank = (len(found), -sum(_shared(each) for each in found))
        if best is None or rank < best[0]:
            best = rank, _Nearest(found, entry.at)
    return best and best[1]


def _hint(nearest: _Nearest) -> list[str]:
    if any(map(is_changing, nearest.differences)):
        return ["If that is a date, a time or a counter: a prompt that holds one is a new prompt each time."]
    return []


def _is_near(difference: Difference) -> bool:
    """Whether it is a setting, as a system prompt is one, or a question of which half is as it was."""
    name, asked, recorded = difference
    if not name.startswith("messages["):
        return True
    if not (isinstance(asked, str) and isinstance(recorded, str)):
        return False
    return 2 * _shared(difference) >= max(len(asked), len(recorded))


def _shared(difference: Difference) -> int:
    """How many characters of a text are as they were, at its beginning and at its end."""
    _, asked, recorded = difference
    if not (isinstance(asked, str) and isinstance(recorded, str)):
        return 0
    first = in_common(asked, recorded)
    return first + in_common(asked[first:][::-1], recorded[first:][::-1])
