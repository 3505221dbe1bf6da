"""A magic line taken apart: options with their values, and the prompt that follows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..api.errors import InvalidRequestError
from ..api.fields import FIELDS
from ..api.nearest import nearest
from .options import SEVERAL, SPELLINGS, Option, example
from .typeset import DASHES, QUOTES, notes_on, option_at, plain_number, plain_quotes

_LEAST = {"max-rounds": 1, "repair": 0, "speed": 0, "times": 1}
"""The least value of options that are no request fields."""

_OPTION = re.compile(r"(--[A-Za-z][A-Za-z0-9-]*|-[A-Za-z])(?==|\s|$)(=?)")
_LETTER_WITH_NUMBER = re.compile(r"(-[A-Za-z])(-?\d[\d.,]*)(?=\s|$)")
_LOOKS_LIKE_OPTION = re.compile(r"--?[A-Za-z]")
_PLACEHOLDER = r"\{\{[ \t][^{}]*[ \t]\}\}"
_WORD = re.compile(rf"(?:{_PLACEHOLDER}|\S)+")
_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,4000}$")  # Python reads no longer ones
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "0": "\0"}


@dataclass(frozen=True)
class Given:
    """An option of a line: how it was typed, and its raw value, unfilled."""

    option: Option
    typed: str
    raw: Any

    @property
    def listed(self) -> list[str]:
        """The values of `0,0.5,1`, each to be asked for; none where the option has one value."""
        if not self.option.is_listed or not isinstance(self.raw, str) or "," not in self.raw or "{{" in self.raw:
            return []
        values = [each.strip() for each in self.raw.split(",")]
        return values if all(values) else []

    @property
    def is_of_several(self) -> bool:
        """Whether it makes the cell ask for several answers."""
        return self.option.key in SEVERAL or bool(self.listed)

    def __str__(self) -> str:
        return self.typed if self.option.kind == "flag" else f"{self.typed} {self.raw}"


@dataclass
class Parsed:
    """A magic line taken apart: its options, and the prompt that follows.

    `typeset`: what stood in typographic dashes or quotes, and the plain form in which it was read.
    """

    given: list[Given] = field(default_factory=list)
    prompt: str = ""
    typeset: dict[str, str] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """What there is to say about the line, in sentences."""
        return notes_on(self.typeset)

    def values(
        self, fill: Callable[[str], str] = str, fill_text: Callable[[str], str] | None = None
    ) -> dict[str, Any]:
        """The options' values by `Option.key`, each filled by `fill` and converted to its kind.

        Repeatable options give lists; of the others the last one stands. `fill_text` fills those that are
        text of a message. Raises InvalidRequestError that says the range.
        """
        values: dict[str, Any] = {}
        for given in self.given:
            option, value = given.option, given.raw
            if isinstance(value, str):
                filled = fill_text if fill_text is not None and option.is_said else fill
                # What is filled in is only text: no escape of the line.
                value = convert(option, filled(_unescaped(value) if option.kind == "text" else value), given.typed)
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
    while at < len(line) and line[at] in f"-{DASHES}":
        if re.match(r"--(\s|$)", line[at:]):
            at = _next_word(line, at + 2)
            break
        line = _in_plain_dashes(line, at, parsed)
        packed = _LETTER_WITH_NUMBER.match(line, at)
        if packed and packed[1] in SPELLINGS and SPELLINGS[packed[1]][0].kind in ("number", "count"):
            parsed.given.append(Given(SPELLINGS[packed[1]][0], packed[1], packed[2]))
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
                raise _refused(f"`{spelling}` takes no value.", option, spelling)
            parsed.given.append(Given(option, spelling, on))
            at = _next_word(line, match.end())
            continue
        at = match.end() if has_value else _next_word(line, match.end())
        if option.implied is not None and not has_value and not _whole_number_at(line, at):
            parsed.given.append(Given(option, spelling, option.implied))
            continue
        raw, end = _value(line, at, option, spelling)
        plain = _in_plain(option, raw)
        if plain != raw:
            parsed.typeset[raw if option.kind != "json" else "“…”"] = plain if option.kind != "json" else '"…"'
        if not (ends := line[at] + line[end - 1]).isascii() and ends[0] in QUOTES:
            parsed.typeset["…".join(ends)] = plain_quotes("…".join(ends))
        parsed.given.append(Given(option, spelling, plain))
        at = _next_word(line, end)
    parsed.prompt = line[at:]
    return parsed


def _in_plain_dashes(line: str, at: int, parsed: Parsed) -> str:
    """The line with the option at `at` in plain dashes, where that makes an option of it."""
    found = option_at(line, at)
    if found is None:
        return line
    stood, plain = found
    if plain in SPELLINGS:
        parsed.typeset[stood] = plain
        return line[:at] + plain + line[at + len(stood) :]
    # A prompt may begin with such a dash and a word, but hardly with one that is almost an option.
    if nearest(plain.strip("-"), [spelling.strip("-") for spelling in SPELLINGS], 0.8):
        raise _unknown(plain)
    return line


def convert(option: Option, text: str, typed: str) -> Any:
    """The value that `text` is for this option, which stands on the line as `typed`.

    Raises InvalidRequestError that says the range.
    """
    if option.kind == "number":
        try:
            number = int(text) if _WHOLE_NUMBER.match(text) else float(text)
        except ValueError:
            raise _wrong(option, text, typed) from None
        if not _is_in_range(option, number) or (option.name == "timeout" and not number > 0):
            raise _wrong(option, text, typed)
        return number
    if option.kind == "count":
        if not _WHOLE_NUMBER.match(text) or not _is_in_range(option, int(text)):
            raise _wrong(option, text, typed)
        return int(text)
    if option.kind == "variable":
        if not text.isidentifier() or _is_keyword(text):
            raise _wrong(option, text, typed)
        return text
    if option.kind == "objects":
        names = [name.strip() for name in text.split(",") if name.strip()]
        if not names:
            raise _wrong(option, text, typed)
        return names
    if option.kind == "json":
        return _json_value(option, text, typed)
    if option.kind == "word" and option.choices and option.name != "tool-choice" and text not in option.choices:
        raise _wrong(option, text, typed)
    return text


def bounds(option: Option) -> tuple[int | None, int | None]:
    """The least and the most that a number may be; None where nothing bounds it."""
    known = FIELDS.get(option.field)
    return (known.least, known.most) if known else (_LEAST.get(option.name), None)


def _is_in_range(option: Option, number: float) -> bool:
    least, most = bounds(option)
    return (least is None or number >= least) and (most is None or number <= most)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([ntr\\0])", lambda match: _ESCAPES[match[1]], text)


def _json_value(option: Option, text: str, typed: str) -> Any:
    if text in option.choices:
        return {"type": text}
    if option.name == "extra" and text.isidentifier():
        return text
    try:
        value = json.loads(text)
    except ValueError:
        raise _wrong(option, text, typed, _not_json(text)) from None
    if not isinstance(value, dict):
        raise _wrong(option, text, typed)
    return value


def _length_of_json(text: str) -> int | None:
    """How much of `text` is the JSON value that begins it; None where none does."""
    try:
        return json.JSONDecoder().raw_decode(text)[1]
    except (ValueError, RecursionError):
        return None


def _not_json(text: str) -> str:
    try:
        json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError) as error:
        return f" It is not JSON: {error}."
    return " It is not JSON: more follows it."


def _in_plain(option: Option, raw: str) -> str:
    """A raw value without the typographic characters that would break it; text may have them."""
    if option.kind in ("number", "count"):
        return ",".join(map(plain_number, raw.split(",")))
    if option.kind == "json" and _length_of_json(raw) is None and _length_of_json(plain_quotes(raw)) is not None:
        return plain_quotes(raw)
    return raw


def _value(line: str, at: int, option: Option, typed: str) -> tuple[str, int]:
    """The raw value that begins at `at`, and where it ends."""
    if at >= len(line) or line[at].isspace():
        raise _refused(f"`{typed}` needs a value: {option.range or option.metavar}.", option, typed)
    if line[at] in QUOTES:
        return _quoted(line, at, option, typed)
    if option.kind == "json" and line[at] in "{[" and not re.match(_PLACEHOLDER, line[at:]):
        rest = line[at:]
        length = _length_of_json(rest) or _length_of_json(plain_quotes(rest))
        if length is None:
            raise _wrong(option, rest, typed, _not_json(rest))
        return rest[:length], at + length
    word = _word(line, at)
    return word, at + len(word)


def _quoted(line: str, at: int, option: Option, typed: str) -> tuple[str, int]:
    quote, ends = line[at], QUOTES[line[at]]
    within = "" if quote.isascii() else rf"|(?<=\s)[{ends}](?=\S)[^{ends}\\]*[{ends}](?!\w)|[{ends}](?!\s|$)"
    match = re.compile(rf"{quote}((?:\\.|[^\\{ends}]{within})*+)[{ends}](?=\s|$)").match(line, at)
    if match is None:
        raise _refused(f"The value of `{typed}` begins with {quote} and never ends.", option, typed)
    value = re.sub(rf"\\([{ends}])", r"\1", match[1])
    return (value.strip() if quote in "«‹" else value), match.end()  # the blanks within these are set, not said


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


def _wrong(option: Option, text: str, typed: str, why: str = "") -> InvalidRequestError:
    shown = text if len(text) <= 60 else text[:59] + "…"
    near = nearest(text, option.choices) if option.choices else None
    return _refused(
        f"`{typed}` takes {option.range or option.metavar}, not `{shown}`.{why}",
        option,
        typed,
        f"Did you mean `{typed} {near}`?" if near else None,
    )


def _refused(message: str, option: Option, typed: str, remedy: str | None = None) -> InvalidRequestError:
    return InvalidRequestError(
        message,
        field=option.field or option.name,
        limit=option.range or None,
        remedy=remedy or f"For example `{example(option, typed)}`.",
    )
