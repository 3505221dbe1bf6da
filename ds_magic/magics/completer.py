"""Completion on the magic line, of options and their values, and in the prompt below it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..api.errors import DeepSeekError
from .line import parse
from .options import COMPANIONS, OPTIONS, SEVERAL, VARIED, Option, spelled
from .prompt_completer import SHELLS_OWN, in_prompt, names_to_fill, starting
from .server_meant import ServerMeant

if TYPE_CHECKING:
    from .deepseek import DeepSeekMagics

_CELL = re.compile(r"\s*^([ \t]*)%%deepseek(?=\s|$)", re.MULTILINE)
_LINE = re.compile(r"^(?:\s*%%|\s*(?:[\w.\[\]'\", ]+=\s*)?%)deepseek\s+(.*)$")
_COMPANION = re.compile(r"^\s*(?:\w+\s*=\s*)?%(ds_\w+)\s+(\S*)$")
_CONFIG = re.compile(r"^\s*%config\s+DeepSeekMagics\.local_model\s*=\s*[\"']([^\"'\s]*)$")
_MODELS_TIMEOUT = 3.0
_ROWS = ("DataFrame", "Series", "list", "tuple", "dict", "ndarray")


Matcher: TypeAlias = Callable[[Any], dict[str, Any]]


class _Nothing(list[Any]):
    """No completions, and nobody else's either: IPython lets a matcher silence the others only if it is not empty."""

    def __len__(self) -> int:
        return 1


def matcher_of(magics: DeepSeekMagics) -> Matcher:
    """A matcher for IPython's completer that knows the options, and the names in the user's namespace."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    def ds_magic_matcher(context: Any) -> dict[str, Any]:
        try:
            found = completions(magics, context.full_text, context.cursor_line, context.text_until_cursor)
        except Exception:
            # Completion must never disturb typing.
            found = None
        if found is None:
            return {"completions": []}
        word, texts = found
        return {
            "completions": [SimpleCompletion(text=text, type="param") for text in texts] or _Nothing(),
            "matched_fragment": word,
            "suppress": True,
            "ordered": True,
        }

    matcher: Matcher = context_matcher(identifier="ds_magic", priority=100)(ds_magic_matcher)
    return matcher


def completions(
    magics: DeepSeekMagics, cell: str, line_number: int, before_cursor: str
) -> tuple[str, list[str]] | None:
    """The word at the cursor and what may stand in its place; None where that is not ours to say."""
    magic = _CELL.match(cell)
    if magic is not None and line_number > cell.count("\n", 0, magic.end()):
        said = cell[magic.end() :].partition("\n")[0]
        return in_prompt(magics.user_ns, before_cursor.removeprefix(magic[1]), has_gap=_says_fim(said))
    if cell.startswith("%%") and line_number > 0:
        return None
    companion = _COMPANION.match(before_cursor)
    if companion:
        return companion[2], starting(companion[2], _of_companion(magics, companion[1]))
    match = _LINE.match(before_cursor)
    if match is None:
        if (config := _CONFIG.match(before_cursor)) is None:
            return None
        return config[1], starting(config[1], _local_models())
    line = match[1]
    place = names_to_fill(magics.user_ns, line)
    if place is not None:
        return place
    word = re.split(r"\s", line)[-1]
    before = line[: len(line) - len(word)]
    spelling, equals, piece = word.partition("=")
    if equals and (option := spelled(spelling)) and option.kind != "flag":
        return piece, _values(magics, option, piece)
    words = before.split()
    option = spelled(words[-1]) if words else None
    if option and option.kind != "flag" and option.implied is None and _is_over(before.rstrip()[: -len(words[-1])]):
        last = piece if equals else word
        return _last_name(last, option), _values(magics, option, last)
    if not _is_over(before) or (word and not word.startswith("-")):
        return word, []  # in the prompt, which is no Python
    return word, starting(word, (spelling for option in OPTIONS for spelling in reversed(option.spellings)))


def _says_fim(line: str) -> bool:
    try:
        return any(given.option.key == "fim" for given in parse(line).given)
    except DeepSeekError:
        return False


def _is_over(before: str) -> bool:
    """Whether an option may follow: everything before is options with their values."""
    try:
        return not parse(before).prompt
    except DeepSeekError:
        return False


def _values(magics: DeepSeekMagics, option: Option, piece: str) -> list[str]:
    last = _last_name(piece, option)
    return starting(last, _candidates(magics, option))


def _last_name(piece: str, option: Option) -> str:
    return piece.rpartition(",")[2] if option.kind == "objects" else piece


def _candidates(magics: DeepSeekMagics, option: Option) -> Iterable[str]:
    names = {
        name: value
        for name, value in magics.user_ns.items()
        if not name.startswith("_") and name not in SHELLS_OWN
    }
    if option.name == "model":
        return _models(magics)
    if option.name == "local-model":
        return _local_models()
    if option.name == "tools":
        return [name for name, value in names.items() if _is_tool(value)]
    if option.name == "schema":
        return [name for name, value in names.items() if _is_schema(value)]
    if option.name == "chat":
        return [*magics.chats, *(name for name, value in names.items() if type(value).__name__ == "Chat")]
    if option.name == "tool-choice":
        return [*option.choices, *(name for name, value in names.items() if _is_tool(value))]
    if option.name == "output":
        return [name for name, value in names.items() if type(value).__name__ == "ChatCompletion"]
    if option.name == "sweep":
        return [f"{each.name}=" for each in OPTIONS if each.kind in VARIED and each.key not in SEVERAL]
    if option.name == "map":
        return [name for name, value in names.items() if type(value).__name__ in _ROWS]
    if option.name in ("journal", "replay"):
        return sorted(path.name for path in Path().glob("*.jsonl"))
    if option.name == "extra":
        return [name for name, value in names.items() if isinstance(value, dict)]
    return option.choices


def _models(magics: DeepSeekMagics) -> list[str]:
    """The server's models; without starting the embedded server, and without waiting long."""
    from ..local import launch

    meant = ServerMeant(magics, {})
    if meant.is_embedded and launch.running(meant.local_model) is None:
        return []
    return ServerMeant(magics, {"timeout": _MODELS_TIMEOUT}).client().offered()


def _local_models() -> list[str]:
    """What `--local-model` finds on this machine, and GGUF files of this folder."""
    from ..local.models.listing import names

    return [*names(), *sorted(path.name for path in Path().glob("*.gguf"))]


def _is_tool(value: Any) -> bool:
    if isinstance(value, dict):
        return "function" in value
    return inspect.isroutine(value) or type(value).__name__ == "Tool"


def _is_schema(value: Any) -> bool:
    if isinstance(value, dict):
        return "properties" in value or "type" in value or "$ref" in value
    if isinstance(value, type):
        # Pydantic models, dataclasses, TypedDicts and enums that have something in them.
        marks = ("model_fields", "__dataclass_fields__", "__required_keys__", "__optional_keys__", "_member_map_")
        return any(getattr(value, mark, None) for mark in marks)
    return type(value).__module__ in ("typing", "types") and hasattr(value, "__origin__")


def _of_companion(magics: DeepSeekMagics, name: str) -> Iterable[str]:
    from .help import TOPICS

    if name == "ds_chats":
        return list(magics.chats)
    if name == "ds_share":
        return [*COMPANIONS[name], *(each for each in magics.results.variables if each in magics.user_ns)]
    if name == "ds_help":
        return [*TOPICS, "options", *(option.long for option in OPTIONS)]
    return COMPANIONS.get(name, ())
