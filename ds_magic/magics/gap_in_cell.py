"""A cell that is a text with a gap: `--fim` with a line `@gap`, or `--suffix` for what comes behind the cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..api.errors import InvalidRequestError
from ..api.fields import STREAMED
from .options import BY_KEY, DEFAULTED, request_fields
from .settings import setting

if TYPE_CHECKING:
    from ..api.completion_request import CompletionRequest
    from .deepseek import DeepSeekMagics
    from .prompt import Filler

GAP = "@gap"
_LINE = re.compile(r"(\\*)@gap[ \t]*")

_NO_MESSAGES = "there are no messages, only the text before the gap and behind it"
_IS_TEXT = "what comes is a piece of a text"
_NO_CALLS = "no functions are called there"
_CANNOT = {
    **dict.fromkeys(("system", "chat", "restart"), _NO_MESSAGES),
    "prefix": "the text before the gap is the prefix",
    **dict.fromkeys(("json", "schema", "repair", "response_format"), _IS_TEXT),
    **dict.fromkeys(("tools", "tool_choice", "strict", "max_rounds", "run_tools"), _NO_CALLS),
    **dict.fromkeys(("thinking", "reasoning_effort"), "the model does not think there"),
    "user_id": "the service takes no such name there",
    **dict.fromkeys(("guess", "vote"), "words are guessed one by one, and here the text goes on behind them"),
    "playground": "its form is one for messages",
}
"""Options that do not go with a gap, and why."""


def has_gap(values: Mapping[str, Any]) -> bool:
    """Whether the options say that a gap is to be filled."""
    return bool(values.get("fim")) or values.get("suffix") is not None


def notes_on_gap(text: str) -> list[str]:
    """What there is to say of a prompt that looks as if it had a gap."""
    is_there = GAP in text and any(line.rstrip() == GAP for line in text.split("\n"))
    return ["A line `@gap` is only text here: with `--fim` it is a gap to fill."] if is_there else []


def request_of(magics: DeepSeekMagics, text: str, values: Mapping[str, Any], fill: Filler) -> CompletionRequest:
    """The request that fills the gap of a cell. Raises InvalidRequestError."""
    from ..api.completion_request import TAKEN, CompletionRequest  # here: completion needs the rest before it is asked

    for key, why in _CANNOT.items():
        if values.get(key) not in (None, False):
            raise InvalidRequestError(
                f"`{BY_KEY[key].long}` does not go with a gap to fill: {why}.", field=key,
                remedy=f"Leave out either that, or `{'--fim' if values.get('fim') else '--suffix'}`.",
            )
    prompt, suffix = parts_of(text, values.get("suffix"), fill)
    fields: dict[str, Any] = {}
    for name in DEFAULTED:
        if name in TAKEN and (value := setting(magics, name)) is not None:
            fields |= BY_KEY[name].fields(value)
    fields |= STREAMED | request_fields({key: value for key, value in values.items() if key not in _CANNOT})
    if fields["stream"] is False:
        fields.pop("stream_options")
    if isinstance(values.get("extra"), str):
        from .objects import named_dictionary

        fields["extra"] = named_dictionary(values["extra"], fill.namespace)
    return CompletionRequest.of(prompt, suffix, **fields)


def parts_of(text: str, given: str | None, fill: Filler) -> tuple[str, str | None]:
    """What stands before the gap of a cell, and what stands behind it; None where nothing does.

    The word `@gap` stands for what is missing: the line breaks on both its sides belong to the text around it, as
    everything else does. IPython ends a cell by a line break of its own, which does not. `given`: the text behind, if
    an option has it. Each is filled for itself, so that what is filled in makes no gap.
    """
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    gaps = [at for at, line in enumerate(lines) if (found := _LINE.fullmatch(line)) and not found[1]]
    lines = [line[1:] if line.startswith("\\") and _LINE.fullmatch(line) else line for line in lines]
    if given is not None:
        if gaps:
            raise InvalidRequestError(
                "`--suffix` is what stands behind the cell, and the cell has a line `@gap` as well.",
                remedy=f"Leave out one of them. {_LITERAL}",
            )
        prompt, suffix = fill("\n".join(lines)), given or None
    else:
        _check(gaps, lines)
        [at] = gaps
        before, behind = lines[:at], lines[at + 1 :]
        prompt = fill("".join(f"{line}\n" for line in before))
        suffix = fill("".join(f"\n{line}" for line in behind)) if behind else None
    if not (prompt or suffix):
        raise InvalidRequestError(
            "There is nothing around the gap: the cell is empty.",
            remedy="Write the text in which something is missing.",
        )
    return prompt, suffix


_LITERAL = "`\\@gap` is the literal text."


def _check(gaps: list[int], lines: list[str]) -> None:
    if len(gaps) > 1:
        raise InvalidRequestError(
            f"The cell has {len(gaps)} lines `@gap`, and one gap is filled at a time.",
            remedy=f"Leave one of them. {_LITERAL}",
        )
    if not gaps:
        near = any(GAP in line for line in lines)
        where = "`@gap` stands within a line, and there it is text." if near else "The cell has no gap."
        raise InvalidRequestError(
            where,
            remedy="Write `@gap` alone on a line, from its beginning, where the text is missing; or give what stands "
            "behind the cell by `--suffix TEXT`.",
        )


def lines_with_gap(prompt: str, suffix: str | None) -> str | None:
    """The text of a cell whose gap is between these two, nothing in it to be filled; None where no line can be it."""
    if (prompt and not prompt.endswith("\n")) or (suffix is not None and not suffix.startswith("\n")):
        return None
    return as_text(prompt) + GAP + as_text(suffix or "")


def as_text(text: str) -> str:
    """`text` as it is written in a cell, so that no line of it is a gap, and nothing is filled."""
    from .prompt import only_text

    lines = only_text(text.replace("\r\n", "\n")).split("\n")
    return "\n".join(f"\\{line}" if _LINE.fullmatch(line) else line for line in lines)
