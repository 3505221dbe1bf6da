"""The table of options: the parser, the help, the completion and the README's table come from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..api.addresses import DEEPSEEK_URL
from ..api.fields import FIELDS, MOST_ALTERNATIVES, STREAMED, Field

GROUPS = (
    "The answer", "The prompt", "JSON", "Functions", "Probabilities", "Many answers", "Where", "Recordings", "The cell",
)  # fmt: skip
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
    def is_listed(self) -> bool:
        """Whether several values with commas between them are as many requests: numbers of a request, never words."""
        return self.kind in ("number", "count") and bool(self.field) and self.implied is None

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


def _stops(texts: list[str]) -> dict[str, Any]:
    return {"stop": texts[0] if len(texts) == 1 else texts}


def _tool_choice(word: str) -> dict[str, Any]:
    if word in ("none", "auto", "required"):
        return {"tool_choice": word}
    return {"tool_choice": {"type": "function", "function": {"name": word}}}


def _with_alternatives(_: bool) -> dict[str, Any]:
    return {"logprobs": True, "top_logprobs": MOST_ALTERNATIVES}


_WIRES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "stop": _stops,
    "tools": lambda names: {},
    "tool_choice": _tool_choice,
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
    Option("prefix", "text", r"make the answer begin with TEXT (\n is a new line)", "The prompt", "TEXT", is_said=True),
    Option("fim", "flag", "fill in the middle: the cell is a text with a gap, a line @gap", "The prompt"),
    Option("suffix", "text", r"the same with the gap at the end of the cell, and TEXT behind it", "The prompt", "TEXT",
           is_said=True),
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
    Option("strict", "flag", "the server holds the model to the functions' schemas, which must allow it", "Functions"),
    Option("run-tools", "flag", "make the calls, or stop before the first", "Functions", negatable=True),
    Option("explore", "flag", "token probabilities to explore and to branch from, below the answer", "Probabilities",
           wire=_with_alternatives),
    Option("guess", "flag", "hide the answer: guess its words one by one, then see what the model nearly said",
           "Probabilities", wire=_with_alternatives),
    Option("vote", "flag", "the same for a class, which votes on each word by show of hands", "Probabilities",
           wire=_with_alternatives),
    Option("local", "flag", "answer with the model on this machine", "Where", negatable=True),
    Option("local-model", "word", "answer with this model on this machine, fetched if need be", "Where", "NAME",
           limit="a GGUF file, hf:owner/repo[/file] or ollama:name"),
    Option("base-url", "word", "another server that speaks this API", "Where", "URL",
           limit=f"an address such as {DEEPSEEK_URL}"),
    Option("timeout", "number", "give up after so many seconds", "Where", "SECONDS",
           limit="a number of seconds above 0"),
    Option("times", "count", "ask N times: the result is one collection, Answers", "Many answers", "N",
           limit="a whole number, 1 or more"),
    Option("draw", "flag", "samples of one token: ask once with -l 20, and draw the N from the distribution of that",
           "Many answers"),
    Option("sweep", "word", "ask for each value of an option, and for each combination", "Many answers", "OPTION=…",
           limit="temperature=0,0.5,1 (for numbers the same as -t 0,0.5,1), or the name of a list or dict of values: "
           "system=variants", repeatable=True),
    Option("map", "word", "ask for each row of a variable; {{ column }} is filled from it", "Many answers", "NAME",
           limit="the name of a DataFrame, Series, list, dict or any iterable"),
    Option("journal", "word", "record what is asked and answered, an exchange a line", "Recordings", "FILE",
           limit="the name of a file, which need not be there"),
    Option("cache", "flag", "do not ask again what is whole in the journal", "Recordings", negatable=True),
    Option("replay", "word", "answer from a recording alone, without network, at its pace", "Recordings", "FILE",
           limit="the name of a file that `--journal` has written"),
    Option("speed", "number", "replay so many times as fast as it came", "Recordings", "N",
           limit="a number, 0 or more; 0 is at once"),
    Option("output", "variable", "bind the result to a variable (always also to _ds)", "The cell", "NAME",
           short="o", limit="the name of a variable"),
    Option("bg", "flag", "answer in the background: the value is a handle with .result(), .stop(), .done()",
           "The cell"),
    Option("playground", "flag", "open a form with this question to play with; Run asks it", "The cell"),
    Option("quiet", "flag", "show nothing", "The cell"),
    Option("dry-run", "flag", "show the request, send nothing", "The cell"),
)
"""The options that are no request fields of themselves. Before those, so that -l 5 says how many --explore gets."""

OPTIONS = (*_OF_OURS, *(_option_of(name, field) for name, field in FIELDS.items() if field.help))

SEVERAL = ("times", "draw", "sweep", "map")
"""The options with which a cell asks for several answers, by `Option.key`."""

VARIED = ("number", "count", "word", "text")
"""The kinds of options that `--sweep` varies."""

DEFAULTED = tuple(name for name, field in FIELDS.items() if field.is_default)
"""The options whose value `%config DeepSeekMagics` and the environment can set for every cell."""

BY_KEY: dict[str, Option] = {option.key: option for option in OPTIONS}

SPELLINGS: dict[str, tuple[Option, bool]] = {
    spelling: (option, not spelling.startswith("--no-"))
    for option in OPTIONS
    for spelling in option.spellings
}
"""Every way to type an option: which it is, and whether it is switched on."""


COMPANIONS: dict[str, tuple[str, ...]] = {
    "ds_login": ("--forget",),
    "ds_models": ("--local", "--local-model", "--base-url", "--timeout"),
    "ds_chats": (),
    "ds_usage": ("--reset",),
    "ds_balance": ("--base-url", "--timeout"),
    "ds_share": ("--notebook", "--large"),
    "ds_reset": (),
    "ds_help": (),
    "ds_why": (),
}
"""The line magics beside `%deepseek`, and the options that each takes."""


def spelled(word: str) -> Option | None:
    """The option that is typed like this, or None."""
    found = SPELLINGS.get(word)
    return found and found[0]


def request_fields(values: dict[str, Any]) -> dict[str, Any]:
    """The request fields that the options' values set, by their wire names."""
    fields: dict[str, Any] = {}
    for option in OPTIONS:  # their order, so that -l 5 says how many alternatives --explore gets
        if option.key in values:
            fields.update(option.fields(values[option.key]))
    return fields


_EXAMPLES = {
    "number": "0.5", "count": "20", "text": '"some text"', "variable": "answer", "objects": "f,g",
    "json": '{"min_p": 0.1}',
}


def example(option: Option, spelling: str = "") -> str:
    """The option as one might type it, in this spelling."""
    return " ".join(filter(None, [spelling or option.long, example_value(option)]))


def example_value(option: Option) -> str:
    """A value that the option may have; empty for a flag."""
    if option.kind == "flag":
        return ""
    return option.choices[-1] if option.choices else _EXAMPLES.get(option.kind, option.metavar)


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
