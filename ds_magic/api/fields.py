"""The fields of a request, each once: its type and range, the words for it, and how it is said on the magic line.

The request's model, the options, their help and completion, `%config`, the environment's names, the README's table
and the embedded server are made from this. It is light to import: types that need more are named only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .model_choice import ELSEWHERE

if TYPE_CHECKING:
    from .messages import NamedToolChoice, ResponseFormat, StreamOptions, Thinking, Tool

MOST_STOPS = 16
MOST_TOOLS = 128
MOST_ALTERNATIVES = 20
MOST_AT_EMBEDDED = 262_144
"""As many as any model that the embedded server runs has tokens; where it has fewer, it gives them all."""

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"]
EFFORTS: Mapping[str, str] = {
    "none": "none", "minimal": "low", "low": "low", "medium": "high", "high": "high", "xhigh": "high", "max": "max",
    "ultra": "max",
}
"""Every word that may be said for how much a model thinks, and which of none, low, high and max it means."""


@dataclass(frozen=True)
class Field:
    """What is known of a field beside its type.

    `least`, `most` and `pattern` are its range, and `words` say it; where there are none, they are made of the range.
    The rest is the field's option, as in `magics.options`: without a `help` it has none. `is_default`: whether
    `%config` and the environment can set it for every cell.
    """

    kind: str = ""
    help: str = ""
    group: str = "The answer"
    metavar: str = ""
    short: str = ""
    least: int | None = None
    most: int | None = None
    pattern: str = ""
    words: str = ""
    option_words: str = ""
    choices: tuple[str, ...] = ()
    implied: Any = None
    negatable: bool = False
    repeatable: bool = False
    is_default: bool = False
    default: Any = None

    @property
    def range(self) -> str:
        """What a value may be, in words."""
        if self.words:
            return self.words
        if self.choices:
            return f"{', '.join(self.choices[:-1])} or {self.choices[-1]}"
        number = {"number": "a number", "count": "a whole number"}.get(self.kind, "")
        if number and self.most is not None:
            return f"{number} from {self.least} to {self.most}"
        if number and self.least is not None:
            return f"{number}, {self.least} or more"
        return number


def field(*args: Any, **known: Any) -> Any:
    """A Field, where a type checker takes it for a value of the field's type."""
    return Field(*args, **known)


class RequestFields:
    """The fields of a request but for its messages, by their wire names."""

    model: str = field(
        "word", "the model that answers", metavar="NAME", short="m", words="the name of a model", is_default=True,
        default=ELSEWHERE,
    )
    temperature: float | None = field(
        "number", "0 is the most likely answer, 2 the wildest", metavar="T", short="t", least=0, most=2,
        is_default=True,
    )
    top_p: float | None = field(
        "number", "draw only from the likeliest tokens that add up to P", metavar="P", least=0, most=1,
        is_default=True,
    )
    max_tokens: int | None = field(
        "count", "end the answer after N tokens", metavar="N", least=1, is_default=True
    )
    stop: str | list[str] | None = field(
        "text", r"end the answer before TEXT (\n is a new line); can be repeated", metavar="TEXT", repeatable=True,
        words=f"a string, or a list of at most {MOST_STOPS} strings",
        option_words=f"text; at most {MOST_STOPS} of them",
    )
    frequency_penalty: float | None = field(
        "number", "against repeating what was said often", metavar="X", least=-2, most=2, is_default=True
    )
    presence_penalty: float | None = field(
        "number", "against repeating what was said at all", metavar="X", least=-2, most=2, is_default=True
    )
    seed: int | None = field(
        "count", "draw the same answer again, where the server can", metavar="N", is_default=True
    )
    thinking: Thinking | None = field(
        "flag", "let the model think before it answers, or not", negatable=True, is_default=True,
        words='{"type": "enabled"} or {"type": "disabled"}',
    )
    reasoning_effort: Effort | None = field(
        "word", "how much it thinks", metavar="HOW", choices=tuple(EFFORTS), is_default=True
    )
    response_format: ResponseFormat | None = field(
        "json", "--json as the API spells it", "JSON", "TYPE", choices=("text", "json_object"),
        words='{"type": "text"} or {"type": "json_object"}',
        option_words='text, json_object, or a JSON object such as {"type": "json_object"}',
    )
    tools: list[Tool] | None = field(
        "objects", "functions that the model may call", "Functions", "NAMES",
        words=f"a list of at most {MOST_TOOLS} functions; each of another name, of 1 to 128 of A-Z a-z 0-9 _ -",
        option_words="names of Python functions, Tool objects or definitions, separated by commas",
    )
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None = field(
        "word", "which function it calls", "Functions", "NAME", choices=("none", "auto", "required"),
        words='"none", "auto", "required", or {"type": "function", "function": {"name": …}}',
        option_words="none, auto, required or the name of a function",
    )
    top_logprobs: int | None = field(
        "count", f"token probabilities with N alternatives ({MOST_ALTERNATIVES})", "Probabilities", "N", short="l",
        least=0, most=MOST_AT_EMBEDDED, implied=MOST_ALTERNATIVES, is_default=True,
        words=f"a whole number from 0 to {MOST_ALTERNATIVES} (with the model on this machine more, up to its whole "
        "vocabulary), only with logprobs: true",
        option_words=f"a whole number from 0 to {MOST_ALTERNATIVES}; with the model on this machine more, up to its "
        "whole vocabulary",
    )
    logprobs: bool | None = field(
        "flag", "token probabilities without alternatives", "Probabilities", words="true or false"
    )
    user_id: str | None = field(
        "text", "a name for whoever asks, which parts the server's cache", "Where", "ID",
        pattern=r"^[A-Za-z0-9_-]{1,512}$", words="1 to 512 of A-Z a-z 0-9 _ -", is_default=True,
    )
    extra: dict[str, Any] = field(
        "json", "more request fields, sent as they are", "Where", "JSON",
        option_words='a JSON object such as {"min_p": 0.1}, or the name of a dictionary',
    )
    stream: bool | None = field(
        "flag", "show the answer as it comes (it does), or when it is whole", "The cell", negatable=True,
        words="true or false",
    )
    stream_options: StreamOptions | None = field(
        words='{"include_usage": true or false}, only with stream: true'
    )


FIELDS: Mapping[str, Field] = {name: each for name, each in vars(RequestFields).items() if isinstance(each, Field)}
"""The fields by name, in the order in which options are shown."""

STREAMED: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
"""The fields of a streamed request; without the usage its tokens would be unknown."""

MESSAGES = "a list of at least one message, each with role system, user, assistant or tool"
LIMITS: Mapping[str, str] = {"messages": MESSAGES, **{name: each.range for name, each in FIELDS.items() if each.range}}
"""The documented limit of each field of a request, in words."""
