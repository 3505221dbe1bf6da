"""Dashes and quotes as slides and editors set them, in the options of a line: read as the plain ones they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d"
LONG_DASHES = "\u2014\u2015"
"""An editor makes one of these of two dashes, never of one: `—o` is no `-o`, and in Portuguese it begins a sentence."""
_PLAIN_DASHES = dict.fromkeys(map(ord, DASHES), "-")
_DOUBLE, _SINGLE = "“”„‟«»\uff02", "‘’‚‛‹›\uff07"
_PLAIN_QUOTES = dict.fromkeys(map(ord, _DOUBLE), '"') | dict.fromkeys(map(ord, _SINGLE), "'")
_PAIRS = ("“”„‟", "‘’‚‛", "«»", "‹›", "\uff02", "\uff07")
QUOTES = {'"': '"', "'": "'"} | {quote: pair for pair in _PAIRS for quote in pair}
"""By the quote that begins a value, those that can end it."""

_OPTION = re.compile(rf"([-{DASHES}]{{1,2}})([A-Za-z](?=[-{DASHES}]?\d)|[A-Za-z][A-Za-z0-9{DASHES}-]*(?==|\s|$))")
_ROLE_LINE = re.compile(r"^@(?:system|user|assistant|tool)[ \t].*$", re.MULTILINE)
_TYPESET_VALUE = re.compile(
    rf"=(?:[{_DOUBLE}](?P<double>[^{_DOUBLE}\"\n]*)[{_DOUBLE}]"
    rf"|[‘‚‛‹\uff07](?P<single>(?:[^{_SINGLE}'\n]|’(?!\s|$))*)[‘’›\uff07])(?=\s|$)"
)
"""Each begins with a quote that no value holds, so that a pass is linear."""
_NEGATIVE = re.compile(rf"[{DASHES}](?=\.?\d)")


def option_at(line: str, at: int) -> tuple[str, str] | None:
    """What stands at `at`, and the option in plain dashes that it could be; None where there is nothing to read so."""
    match = _OPTION.match(line, at)
    if match is None or match[0].isascii():
        return None
    name = match[2].translate(_PLAIN_DASHES)
    if len(name) > 1:
        return match[0], f"--{name}"
    return None if any(dash in LONG_DASHES for dash in match[1]) else (match[0], f"-{name}")


def plain_roles(cell: str, is_role: Callable[[str], bool]) -> tuple[str, dict[str, str]]:
    """A cell whose lines of roles have plain quotes around their values, and what was read otherwise than it stood.

    A line that `is_role` does not take, with plain quotes, is one of the prompt, and stays as it is.
    """
    read: dict[str, str] = {}

    def plain_line(line: re.Match[str]) -> str:
        quotes: dict[str, str] = {}

        def plain(match: re.Match[str]) -> str:
            text = match["double"] if match["double"] is not None else match["single"]
            begins, ends, quote = match[0][1], match[0][-1], '"' if match["double"] is not None else "'"
            quotes[f"{begins}…{ends}"] = f"{quote}…{quote}"
            return f"={quote}{text}{quote}"

        found = _TYPESET_VALUE.sub(plain, line[0])
        if not is_role(found):
            return line[0]
        read.update(quotes)
        return found

    return _ROLE_LINE.sub(plain_line, cell), read


def notes_on(read: Mapping[str, str]) -> list[str]:
    """What there is to say about what was read otherwise than it stood: a sentence, or nothing."""
    if not read:
        return []
    listed = ", ".join(f"`{stood}` as `{plain}`" for stood, plain in read.items())
    return [f"The options have typographic dashes or quotes, which were read as plain ones: {listed}."]


def plain_number(text: str) -> str:
    """A number whose minus may be another dash."""
    return _NEGATIVE.sub("-", text, count=1) if _NEGATIVE.match(text) else text


def plain_quotes(text: str) -> str:
    """`text` of the same length whose quotes are plain."""
    return text.translate(_PLAIN_QUOTES)
