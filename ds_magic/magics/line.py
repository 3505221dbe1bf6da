"""A magic line taken apart: options with their values, and the prompt that follows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..api.errors import InvalidRequestError
from ..api.nearest import nearest
from .options import SPELLINGS, Option, example

_LEAST = {"max-rounds": 1, "repair": 0}
"""The least value of options that are no request fields; those are checked with the request."""

_OPTION = re.compile(r"(--[A-Za-z][A-Za-z0-9-]*|-[A-Za-z])(?==|\s|$)(=?)")
_LETTER_WITH_NUMBER = re.compile(r"(-[A-Za-z])(-?\d[\d.]*)(?=\s|$)")
_LOOKS_LIKE_OPTION = re.compile(r"--?[A-Za-z]")
_PLACEHOLDER = r"\{\{[ \t][^{}]*[ \t]\}\}"
_WORD = re.compile(rf"(?:{_PLACEHOLDER}|\S)+")
_WHOLE_NUMBER = re.compile(r"[+-]?\d+$")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "0": "\0"}


@dataclass
class Parsed:
    """A magic line taken apart: options with their raw values, unfilled, and the prompt that follows."""

    given: list[tuple[Option, Any]] = field(default_factory=list)
    prompt: str = ""

    def values(
        self, fill: Callable[[str], str] = str, fill_text: Callable[[str], str] | None = None
    ) -> dict[str, Any]:
        """The options' values by `Option.key`, each filled by `fill` and converted to its kind.

        Repeatable options give lists; of the others the last one stands. `fill_text` fills those that are
        text of a message. Raises InvalidRequestError that says the range.
        """
        values: dict[str, Any] = {}
        for option, raw in self.given:
            filled = fill_text if fill_text is not None and option.is_said else fill
            value = convert(option, filled(raw)) if isinstance(raw, str) else raw
            if option.repeatable:
                values.setdefault(option.key, []).append(value)
            else:
                values[option.key] = value
        return values


def parse(line: str) -> Parsed:
    """Take a magic line apart. Options end at the first word that is none, or after `--`.

    Values may be quoted; after that word quotes are only quotes. Raises InvalidRequestError for an
    unknown option, with the nearest, and for a value that is missing.
    """
    parsed = Parsed()
    at = _next_word(line, 0)
    while at < len(line) and line[at] == "-":
        if re.match(r"--(\s|$)", line[at:]):
            at = _next_word(line, at + 2)
            break
        packed = _LETTER_WITH_NUMBER.match(line, at)
        if packed and packed[1] in SPELLINGS and SPELLINGS[packed[1]][0].kind in ("number", "count"):
            parsed.given.append((SPELLINGS[packed[1]][0], packed[2]))
            at = _next_word(line, packed.end())
            continue
        match = _OPTION.match(line, at)
        if match is None:
            if _LOOKS_LIKE_OPTION.match(line, at):
                raise _unknown(_word(line, at).partition("=")[0])
            break
        spelling, has_value = match[1], bool(match[2])
        if spelling not in SPELLINGS:
            raise _unknown(spelling)
        option, on = SPELLINGS[spelling]
        if option.kind == "flag":
            if has_value:
                raise _refused(f"`{spelling}` takes no value.", option)
            parsed.given.append((option, on))
            at = _next_word(line, match.end())
            continue
        at = match.end() if has_value else _next_word(line, match.end())
        if option.implied is not None and not has_value and not _whole_number_at(line, at):
            parsed.given.append((option, option.implied))
            continue
        raw, end = _value(line, at, option)
        parsed.given.append((option, raw))
        at = _next_word(line, end)
    parsed.prompt = line[at:]
    return parsed


def convert(option: Option, text: str) -> Any:
    """The value that `text` is for this option. Raises InvalidRequestError that says the range."""
    if option.kind == "number":
        try:
            number = int(text) if _WHOLE_NUMBER.match(text) else float(text)
        except ValueError:
            raise _wrong(option, text) from None
        if option.name == "timeout" and not number > 0:
            raise _wrong(option, text)
        return number
    if option.kind == "count":
        if not _WHOLE_NUMBER.match(text) or int(text) < _LEAST.get(option.name, int(text)):
            raise _wrong(option, text)
        return int(text)
    if option.kind == "variable":
        if not text.isidentifier() or _is_keyword(text):
            raise _wrong(option, text)
        return text
    if option.kind == "objects":
        names = [name.strip() for name in text.split(",") if name.strip()]
        if not names:
            raise _wrong(option, text)
        return names
    if option.kind == "json":
        return _json_value(option, text)
    if option.kind == "word" and option.choices and option.name != "tool-choice":
        if text not in option.choices:
            raise _wrong(option, text)
        return text
    if option.name == "stop":
        return re.sub(r"\\([ntr\\0])", lambda match: _ESCAPES[match[1]], text)
    return text


def _json_value(option: Option, text: str) -> Any:
    if text in option.choices:
        return {"type": text}
    if option.name == "extra" and text.isidentifier():
        return text
    try:
        value = json.loads(text)
    except ValueError as error:
        raise _wrong(option, text, f" It is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise _wrong(option, text)
    return value


def _value(line: str, at: int, option: Option) -> tuple[str, int]:
    """The raw value that begins at `at`, and where it ends."""
    if at >= len(line) or line[at].isspace():
        raise _refused(f"`{option.long}` needs a value: {option.range or option.metavar}.", option)
    if line[at] in "\"'":
        return _quoted(line, at, option)
    if option.kind == "json" and line[at] in "{[" and not re.match(_PLACEHOLDER, line[at:]):
        try:
            _, length = json.JSONDecoder().raw_decode(line[at:])
            return line[at : at + length], at + length
        except ValueError as error:
            raise _wrong(option, line[at:], f" It is not JSON: {error}.") from None
    word = _word(line, at)
    return word, at + len(word)


def _quoted(line: str, at: int, option: Option) -> tuple[str, int]:
    quote = line[at]
    match = re.compile(rf"{quote}((?:\\.|[^\\{quote}])*){quote}(?=\s|$)").match(line, at)
    if match is None:
        raise _refused(f"The value of `{option.long}` begins with {quote} and never ends.", option)
    return match[1].replace(f"\\{quote}", quote), match.end()


def _word(line: str, at: int) -> str:
    """What stands at `at`, up to a blank that is in no place to be filled."""
    match = _WORD.match(line, at)
    return match[0] if match is not None else ""


def _next_word(line: str, at: int) -> int:
    while at < len(line) and line[at].isspace():
        at += 1
    return at


def _whole_number_at(line: str, at: int) -> bool:
    return _WHOLE_NUMBER.match(_word(line, at)) is not None


def _is_keyword(text: str) -> bool:
    import keyword

    return keyword.iskeyword(text)


def _unknown(spelling: str) -> InvalidRequestError:
    near = nearest(spelling, SPELLINGS)
    remedy = f"Did you mean `{near}`?" if near else "`%%deepseek?` lists the options."
    return InvalidRequestError(
        f"There is no option `{spelling}`.",
        remedy=f"{remedy} A prompt that begins with a dash is told apart by `--` before it.",
    )


def _wrong(option: Option, text: str, why: str = "") -> InvalidRequestError:
    shown = text if len(text) <= 60 else text[:59] + "…"
    near = nearest(text, option.choices) if option.choices else None
    return _refused(
        f"`{option.long}` takes {option.range or option.metavar}, not `{shown}`.{why}",
        option,
        f"Did you mean `{option.long} {near}`?" if near else None,
    )


def _refused(message: str, option: Option, remedy: str | None = None) -> InvalidRequestError:
    return InvalidRequestError(
        message,
        field=option.field or option.name,
        limit=option.range or None,
        remedy=remedy or f"For example `{example(option)}`.",
    )
