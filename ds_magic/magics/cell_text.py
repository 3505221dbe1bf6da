"""From a request to the text of a cell that asks it: what `line` and `prompt` read is written here."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..api.addresses import DEEPSEEK, DEEPSEEK_URL, EMBEDDED, base_url_of, given_url, is_deepseek, place
from ..api.clean_text import heal_surrogates
from ..api.completion_request import CompletionRequest
from ..api.errors import InvalidRequestError
from ..api.messages import SystemMessage
from ..api.request import JSON_INSTRUCTION
from ..api.served import local_model
from ..backend import current_key, default_model, known
from ..local.models.names import asked
from .gap_in_cell import as_text, lines_with_gap
from .keys_in_cells import holds_key
from .options import BY_KEY, DEFAULTED, OPTIONS, Option
from .prompt import begins_message, is_role, only_text, trimmed
from .settings import setting
from .typeset import plain_roles

if TYPE_CHECKING:
    from ..api.request import ChatRequest
    from ..api.response import ChatCompletion

_BRIEF = 80
"""Characters of instructions that stand on the line; longer ones get a block of their own."""
_PLAIN = re.compile(r"[\w./:@+-]+")
"""A value that needs no quotes."""
_ADDRESS = re.compile(r"[\w./:%+\[\]-]+")
"""An address that can be told: without somebody's name and password, among others."""
_ESCAPES = str.maketrans({"\n": r"\n", "\t": r"\t", "\r": r"\r", "\0": r"\0"})
_READ_AS_ESCAPE = re.compile(r"\\(?=[ntr0\\\"'\n\t\r\0]|\Z)")
_NOT_IN_A_LINE = re.compile("[\x7f-\x9f\u2028\u2029]")


def cell_of(
    request: ChatRequest, server: str | None = None, options: Mapping[str, Any] | None = None,
    local_model: str | None = None,
) -> str:
    """The text of a `%%deepseek` cell that makes this request.

    `server`: who is to be asked, named as by a completion's `backend`; the cell says so where it would ask another one.
    `options`: what stands on its line besides, by `Option.key`. `local_model`: how the model on this machine was named
    that is to answer.
    Only what is set is said, and what no option can say stands in `--extra`. A function is called by its name, which
    must be that of a variable where the cell runs. Left out is what a cell cannot say: the tokens of a prefix, thoughts
    of several lines, blank lines around a message, an empty suffix; line ends are LF. Raises InvalidRequestError where
    too little would be left: for a conversation in which functions were called, for names that cannot be written, and
    for keys.
    """
    request.encode()  # refuses what is no JSON
    values, unsaid = _values(request)
    values |= _where(server, local_model) | dict(options or {})
    if values.get("model") == _model_anyway(server, local_model):
        del values["model"]
    if isinstance(request, CompletionRequest):
        return _of_gap(request, values, unsaid)
    messages = _as_asked(request)
    if isinstance(messages[0], SystemMessage) and _is_for_the_line(messages[0]):
        values["system"] = messages.pop(0).content
    if request.prefix is not None and not _attributes(messages[-1]) and _is_typable(request.prefix):
        values["prefix"] = messages.pop().content
    blocks = [_block(message, number, request.replays_reasoning) for number, message in enumerate(messages)]
    return _cell(values, unsaid | request.extra, blocks)


def _of_gap(request: CompletionRequest, values: dict[str, Any], unsaid: dict[str, Any]) -> str:
    """The cell that fills a gap: a line where the text around it has line breaks there, else its end."""
    text = lines_with_gap(request.prompt, request.suffix)
    if text is None or not (request.prompt or request.suffix):
        suffix = request.suffix or ""
        if not _is_typable(suffix):
            raise _unsayable("this suffix")
        values["suffix"], text = suffix, as_text(request.prompt)
    else:
        values["fim"] = True
    # A cell is ended by a line break that is none of the text.
    return _cell(values, unsaid | request.extra, [text + "\n"] if text.endswith("\n") else [text] if text else [])


def _cell(values: Mapping[str, Any], extra: dict[str, Any], blocks: list[str]) -> str:
    """The cell with these options and blocks. Raises InvalidRequestError where a key is in it."""
    said = {**values, "extra": extra} if extra else values
    typed = [_typed(option, said[option.key]) for option in OPTIONS if option.key in said]
    cell = heal_surrogates("\n".join([" ".join(["%%deepseek", *typed]), *blocks]))
    if holds_key(cell):
        raise _unsayable("an API key: one that holds a key is refused")
    return cell


def as_said(request: ChatRequest) -> ChatRequest:
    """`request` as the cell asks it: without what `cell_of` leaves out."""
    messages = list(request.messages)
    if not messages:
        return request
    system = messages[:1] if isinstance(messages[0], SystemMessage) and _is_for_the_line(messages[0]) else []
    last = messages[-1]
    is_on_the_line = request.prefix is not None and not _attributes(last) and _is_typable(request.prefix)
    prefix = [last] if is_on_the_line else []
    blocks = messages[len(system) : len(messages) - len(prefix)]
    said = [each.model_copy(update=_left(each, request.replays_reasoning)) for each in blocks]
    return request.model_copy(update={"messages": [*system, *said, *prefix]})


def _left(message: Any, replays: bool) -> dict[str, Any]:
    """What is left of a message in a block of its own, where that is something else."""
    left: dict[str, Any] = {"content": trimmed(_with_lf(message.content or "").split("\n"))}
    thoughts = getattr(message, "reasoning_content", None)
    if thoughts and not any(each.startswith("reasoning=") for each in _attributes(message, replays)):
        left["reasoning_content"] = None
    return left


def set_for_every_cell() -> dict[str, Any]:
    """What `%config` and the environment set for every cell here: fields by their wire names, and `system`.

    Nothing where no magics are loaded. Raises InvalidRequestError for what cannot be in the environment.
    """
    from IPython import get_ipython

    from .deepseek import DeepSeekMagics

    shell = get_ipython()
    magics = DeepSeekMagics.of(shell) if shell is not None else None
    if magics is None:
        return {}
    found = {name: setting(magics, name) for name in (*DEFAULTED, "system")}
    return {name: value for name, value in found.items() if value is not None}


def asking(answer: ChatCompletion) -> str:
    """The text of a cell that asks what `answer` was asked; where it called functions, what was asked before that.

    Raises InvalidRequestError as `cell_of`, and where it is not known what was asked.
    """
    first = answer.rounds[0].completion if answer.rounds else answer
    if first.request is None:
        raise InvalidRequestError("It is not known what was asked: this answer has no request.")
    return cell_of(first.request, first.backend, local_model=local_model(first))


def _values(request: ChatRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """What options say of the fields, by `Option.key`; and the fields that none can say, by their wire names."""
    values: dict[str, Any] = {}
    unsaid: dict[str, Any] = {}
    wire = request.model_copy(update={"extra": {}}).to_wire()
    passed_over = {"messages", "prompt", "suffix", "stream_options", *({"model"} - request.model_fields_set)}
    for name, value in wire.items():
        if name in passed_over:
            continue
        said = _said(name, value)
        if said is None:
            unsaid[name] = value
        else:
            values |= said
    if "top_logprobs" in values:
        values.pop("logprobs", None)
    return values, unsaid


def _said(name: str, value: Any) -> dict[str, Any] | None:
    """What options say of a field's value, by `Option.key`; None where none can say it."""
    match name:
        case "model":
            return {name: value} if _PLAIN.fullmatch(value) else None
        case "stop":
            stops = [value] if isinstance(value, str) else value
            return {name: stops} if stops and all(map(_is_typable, stops)) else None
        case "logprobs":
            if value is not True and value is not False:  # of a fill in the middle it is the number of alternatives
                return {"top_logprobs": value}
            return {name: True} if value else None
        case "stream":  # which a cell does anyway
            return {} if value else {name: False}
        case "thinking":
            return {name: value["type"] == "enabled"}
        case "response_format":
            return {"json": True} if value == {"type": "json_object"} else {name: value}
        case "tools":
            named = [_variable(tool["function"]["name"]) for tool in value]
            is_strict = all(tool["function"].get("strict") for tool in value)
            return {name: named, **({"strict": True} if is_strict else {})} if value else None
        case "tool_choice":
            word = value if isinstance(value, str) else value["function"]["name"]
            return {name: word} if BY_KEY[name].fields(word) == {name: value} else None
    return {name: value}


def _variable(function: str) -> str:
    if not function.isidentifier() or keyword.iskeyword(function):
        raise _unsayable(f"the function `{function}`, which is no name of a variable")
    return function


def _where(server: str | None, local_model: str | None) -> dict[str, Any]:
    """The options that have `server` asked: none where it would be anyway, or where its address is not known."""
    is_embedded_meant = not (given_url(None) or current_key())
    if server == EMBEDDED and local_model and local_model != asked():
        return {"local_model": local_model}
    if server == EMBEDDED:
        return {} if is_embedded_meant else {"local": True}
    meant = base_url_of()
    if server is None or (not is_embedded_meant and server == (DEEPSEEK if is_deepseek(meant) else place(meant))):
        return {}
    client = known(server)
    url = client.base_url if client is not None else DEEPSEEK_URL if server == DEEPSEEK else ""
    return {"base_url": url} if _ADDRESS.fullmatch(url) else {}


def _model_anyway(server: str | None, local_model: str | None) -> str:
    """The model of a request to `server` that names none, as far as it is known."""
    client = known(server, local_model)
    return client.model if client is not None else default_model(DEEPSEEK_URL if server == DEEPSEEK else None)


def _as_asked(request: ChatRequest) -> list[Any]:
    """The request's messages without what JSON mode adds to them by itself."""
    first, *rest = messages = list(request.messages)
    if not isinstance(first, SystemMessage) or not first.content.endswith(JSON_INSTRUCTION):
        return messages
    content = first.content.removesuffix(JSON_INSTRUCTION).removesuffix("\n\n")
    asked = [first.model_copy(update={"content": content}), *rest] if content else rest
    again = request.model_copy(update={"messages": asked}).prepared().request if asked else None
    return asked if again is not None and again.messages == messages else messages


def _is_for_the_line(system: SystemMessage) -> bool:
    """Whether instructions stand on the line: those that are brief, and those that a block would change."""
    content = system.content
    is_brief = len(content) <= _BRIEF and "\n" not in content
    is_changed = "\r" in content or trimmed(content.split("\n")) != content
    return bool(content) and not system.name and (is_brief or is_changed) and _is_typable(content)


def _is_typable(text: str) -> bool:
    """Whether a text can stand on a line: more than those that have escapes end one."""
    return len(_quoted(text).splitlines()) == 1


def _typed(option: Option, value: Any) -> str:
    """The option with its value, as one types it."""
    match option.kind:
        case "flag":
            return option.long if value else f"--no-{option.name}"
        case "text":
            typed = [_quoted(each) for each in (value if option.repeatable else [value])]
        case "word":
            typed = [value if _ADDRESS.fullmatch(value) else _quoted(value)]
        case "number" | "count":
            typed = [repr(value).removesuffix(".0")]
        case "objects":
            typed = [",".join(value)]
        case "json":
            typed = ["text" if value == {"type": "text"} else _json(value)]
        case _:
            typed = [value]
    return " ".join(f"{option.long} {each}" for each in typed)


def _quoted(text: str) -> str:
    """A text as the value of an option: nothing in it is an escape, a place to be filled, or its end."""
    if _PLAIN.fullmatch(text):
        return text
    quote = "'" if '"' in text and "'" not in text else '"'
    escaped = _READ_AS_ESCAPE.sub(r"\\\\", only_text(text)).translate(_ESCAPES)
    return quote + escaped.replace(quote, f"\\{quote}") + quote


def _json(value: Any) -> str:
    """A value as JSON on one line, in which nothing is filled: two such braces stand in strings only."""
    text = json.dumps(value, ensure_ascii=False).replace("{{", r"{\u007b")
    return _NOT_IN_A_LINE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _block(message: Any, number: int, replays: bool) -> str:
    """A message below the line; the first needs no role where it is the user's."""
    if message.role == "tool" or getattr(message, "tool_calls", None):
        raise _unsayable("that functions were called")
    # Line ends first: they may make a line of a role.
    lines = only_text(_with_lf(message.content or "")).split("\n")
    text = trimmed([f"\\{line}" if begins_message(line.lstrip("\\")) else line for line in lines])
    attributes = _attributes(message, replays)
    if number == 0 and message.role == "user" and not attributes and text:
        return text
    prefix = ["prefix"] if getattr(message, "prefix", None) else []
    return "\n".join([" ".join([f"@{message.role}", *prefix, *attributes]), *([text] if text else [])])


def _with_lf(text: str) -> str:
    return re.sub("\r\n?", "\n", text)


def _attributes(message: Any, replays: bool = False) -> list[str]:
    """The attributes of a message: its name, and what the model thought where that goes along."""
    written = []
    if message.name:
        if (name := _attribute("name", message.name)) is None:
            raise _unsayable(f"the name {message.name!r:.60}")
        written.append(name)
    thoughts = getattr(message, "reasoning_content", None)
    if thoughts and (message.prefix or replays) and (reasoning := _attribute("reasoning", thoughts)) is not None:
        written.append(reasoning)
    return written


def _attribute(name: str, value: str) -> str | None:
    """An attribute as it is typed; None where no quotes can hold its value."""
    if _PLAIN.fullmatch(value):
        return f"{name}={value}"
    text = only_text(value)
    for quote in "\"'":
        typed = f"{name}={quote}{text}{quote}"
        line = f"@assistant {typed}"
        if quote not in text and not re.search("[\r\n]", text) and plain_roles(line, is_role)[0] == line:
            return typed
    return None


def _unsayable(what: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"No cell can say {what}.", remedy="Ask it in Python: `ds_magic.chat(answer.request.messages, …)`."
    )
