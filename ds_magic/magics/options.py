"""The table of options: the parser, the help, the completion and the README's table come from it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..api.addresses import DEEPSEEK_URL
from ..api.errors import InvalidRequestError
from ..api.fields import FIELDS, MOST_ALTERNATIVES, Field

GROUPS = ("The answer", "The prompt", "JSON", "Functions", "Probabilities", "Where", "The cell")
"""The groups of options, in the order in which they are shown."""


@dataclass(frozen=True)
class Option:
    """One option. `name` is its long form without dashes, `short` its letter.

    `kind` says what a value is: "flag" (none), "text", "number", "count" (a whole number), "json",
    "word" (one of `choices`, or anything where there are none), "variable" (a Python name) and
    "objects" (names of Python objects, separated by commas). `metavar` is how the value is shown;
    where `implied` is given the value may be left out and is that. `limit` is the value's range in
    words. `wire` makes request fields of a value: field name to value. `negatable` adds `--no-name`.
    `is_said`: whether the value is text of a message, so that a dry run marks what was filled into it.
    """

    name: str
    kind: str
    help: str
    group: str
    metavar: str = ""
    short: str = ""
    field: str = ""
    limit: str = ""
    choices: tuple[str, ...] = ()
    implied: Any = None
    negatable: bool = False
    repeatable: bool = False
    is_said: bool = False
    wire: Callable[[Any], dict[str, Any]] | None = None

    @property
    def long(self) -> str:
        """The option as it is typed."""
        return f"--{self.name}"

    @property
    def key(self) -> str:
        """Its name among the parsed values."""
        return self.name.replace("-", "_")

    @property
    def range(self) -> str:
        """What a value may be, in words; empty for a flag."""
        return "" if self.kind == "flag" else self.limit

    @property
    def spellings(self) -> list[str]:
        """Every way to type it."""
        return [
            *([f"-{self.short}"] if self.short else []),
            self.long,
            *([f"--no-{self.name}"] if self.negatable else []),
        ]

    @property
    def usage(self) -> str:
        """How it is shown in help: all spellings and the value."""
        value = f"[{self.metavar}]" if self.implied is not None else self.metavar
        return " ".join(filter(None, [", ".join(self.spellings), value]))

    def fields(self, value: Any) -> dict[str, Any]:
        """The request fields that this value of the option sets."""
        if self.wire is not None:
            return self.wire(value)
        return {self.field: value} if self.field else {}


STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
"""The fields of a streamed request; without the usage its tokens would be unknown."""


def _stops(texts: list[str]) -> dict[str, Any]:
    return {"stop": texts[0] if len(texts) == 1 else texts}


def _tool_choice(word: str) -> dict[str, Any]:
    if word in ("none", "auto", "required"):
        return {"tool_choice": word}
    return {"tool_choice": {"type": "function", "function": {"name": word}}}


_WIRES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "stop": _stops,
    "thinking": lambda on: {"thinking": {"type": "enabled" if on else "disabled"}},
    "tools": lambda names: {},
    "tool_choice": _tool_choice,
    "top_logprobs": lambda n: {"logprobs": True, "top_logprobs": n},
    "stream": lambda on: STREAMED if on else {"stream": False},
}
"""What request fields a value of an option makes, where it is not its own field."""


def _option_of(name: str, field: Field) -> Option:
    return Option(
        name.replace("_", "-"), field.kind, field.help, field.group, field.metavar, field.short, name,
        field.option_words or field.range, field.choices, field.implied, field.negatable, field.repeatable,
        wire=_WIRES.get(name),
    )


_OF_OURS = (
    Option("system", "text", "instructions for the model", "The prompt", "TEXT", short="s", is_said=True),
    Option("prefix", "text", "make the answer begin with TEXT", "The prompt", "TEXT", is_said=True),
    Option("chat", "word", "go on with a conversation; the cell is one turn of it", "The prompt", "NAME",
           limit="a name of your choice, or a variable that is a Chat"),
    Option("restart", "flag", "begin that conversation anew", "The prompt"),
    Option("json", "flag", "the answer is a JSON object, also in .parsed", "JSON",
           field="response_format", wire=lambda _: {"response_format": {"type": "json_object"}}),
    Option("schema", "word", "the answer is an object of this type, in .parsed", "JSON", "TYPE",
           limit="a pydantic model, dataclass, TypedDict, annotation such as list[int], or JSON Schema"),
    Option("repair", "count", "ask again up to N times where it is not", "JSON", "N",
           limit="a whole number, 0 or more"),
    Option("max-rounds", "count", "ask at most N times for an answer (8)", "Functions", "N",
           limit="a whole number, 1 or more"),
    Option("run-tools", "flag", "make the calls, or stop before the first", "Functions", negatable=True),
    Option("explore", "flag", "token probabilities to explore and to branch from, below the answer", "Probabilities",
           wire=lambda _: {"logprobs": True, "top_logprobs": MOST_ALTERNATIVES}),
    Option("local", "flag", "answer with the model on this machine", "Where", negatable=True),
    Option("base-url", "word", "another server that speaks this API", "Where", "URL",
           limit=f"an address such as {DEEPSEEK_URL}"),
    Option("timeout", "number", "give up after so many seconds", "Where", "SECONDS",
           limit="a number of seconds above 0"),
    Option("output", "variable", "bind the result to a variable (always also to _ds)", "The cell", "NAME",
           short="o", limit="the name of a variable"),
    Option("bg", "flag", "answer in the background: the value is a handle with .result(), .stop(), .done()",
           "The cell"),
    Option("quiet", "flag", "show nothing", "The cell"),
    Option("dry-run", "flag", "show the request, send nothing", "The cell"),
)
"""The options that are no request fields of themselves. Before those, so that -l 5 says how many --explore gets."""

OPTIONS = (*_OF_OURS, *(_option_of(name, field) for name, field in FIELDS.items() if field.help))

DEFAULTED = tuple(name for name, field in FIELDS.items() if field.is_default)
"""The options whose value `%config DeepSeekMagics` and the environment can set for every cell."""

BY_KEY: dict[str, Option] = {option.key: option for option in OPTIONS}

_LEAST = {"max-rounds": 1, "repair": 0}
"""The least value of options that are no request fields; those are checked with the request."""

_SPELLINGS: dict[str, tuple[Option, bool]] = {
    spelling: (option, not spelling.startswith("--no-"))
    for option in OPTIONS
    for spelling in option.spellings
}
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
        if packed and packed[1] in _SPELLINGS and _SPELLINGS[packed[1]][0].kind in ("number", "count"):
            parsed.given.append((_SPELLINGS[packed[1]][0], packed[2]))
            at = _next_word(line, packed.end())
            continue
        match = _OPTION.match(line, at)
        if match is None:
            if _LOOKS_LIKE_OPTION.match(line, at):
                raise _unknown(_word(line, at).partition("=")[0])
            break
        spelling, has_value = match[1], bool(match[2])
        if spelling not in _SPELLINGS:
            raise _unknown(spelling)
        option, on = _SPELLINGS[spelling]
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


def spelled(word: str) -> Option | None:
    """The option that is typed like this, or None."""
    found = _SPELLINGS.get(word)
    return found and found[0]


def request_fields(values: dict[str, Any]) -> dict[str, Any]:
    """The request fields that the options' values set, by their wire names."""
    fields: dict[str, Any] = {}
    for option in OPTIONS:  # their order, so that -l 5 says how many alternatives --explore gets
        if option.key in values:
            fields.update(option.fields(values[option.key]))
    return fields


def nearest(word: str, words: Any) -> str | None:
    """The word nearest to `word`, or None where none is near."""
    found = difflib.get_close_matches(word, list(words), n=1, cutoff=0.65)
    return found[0] if found else None


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
    near = nearest(spelling, _SPELLINGS)
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


_EXAMPLES = {
    "number": "0.5", "count": "20", "text": '"some text"', "variable": "answer", "objects": "f,g",
    "json": '{"min_p": 0.1}',
}


def example(option: Option) -> str:
    """The option as one might type it."""
    if option.kind == "flag":
        return option.long
    value = option.choices[-1] if option.choices else _EXAMPLES.get(option.kind, option.metavar)
    return f"{option.long} {value}"


def options_table_markdown() -> str:
    """The README's table of options."""
    lines = ["| Option | Value | What it does |", "|---|---|---|"]
    for group in GROUPS:
        lines.append(f"| **{group}** | | |")
        for option in OPTIONS:
            if option.group == group:
                spellings = ", ".join(f"`{spelling}`" for spelling in option.spellings)
                value = option.range or ""
                if option.implied is not None:
                    value += f"; {option.implied} where it is left out"
                lines.append(f"| {spellings} | {_in_table(value)} | {_in_table(option.help)} |")
    return "\n".join(lines) + "\n"


def _in_table(text: str) -> str:
    return re.sub(r'(\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\\n)', r"`\1`", text).replace("|", "\\|")
