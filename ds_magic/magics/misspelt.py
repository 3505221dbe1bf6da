"""A magic that is misspelt: `%%deepsek` is answered with the name that was meant, and a blank of a slide is a blank."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from ..api.errors import InvalidRequestError
from ..api.nearest import nearest

_FIRST = re.compile(r"\s*(%%?)([^\W\d]\w*)(?=\s|$)")
_LATER = re.compile(r"[ \t]*(?:[^\W\d][\w., ]{0,200}=[ \t]*)?(%)([^\W\d]\w*)(?=\s|$)")
"""A line magic, alone or assigned."""
_LIKENESS = 0.8
"""Names less alike may be somebody else's: IPython says then what it always says."""


def suggest_magics(shell: Any, ours: Iterable[str]) -> Callable[[list[str]], list[str]]:
    """An input transformer that refuses a cell with a magic that nobody has and that is almost of ours."""
    ours = tuple(ours)

    def suggest(lines: list[str]) -> list[str]:
        first = _FIRST.match(lines[0]) if lines else None
        if first and first[2] in ours:
            # IPython ends the name at a plain blank only, and text that was copied may have another.
            rest = lines[0][first.end() :]
            if rest[:1] not in ("", " ", "\t", "\n", "\r"):
                lines = [f"{lines[0][: first.end()]} {rest[1:]}", *lines[1:]]
        if first and first[1] == "%%":
            refuse_misspelt(first)
            return lines
        for line in lines:
            if "%" in line and (found := _LATER.match(line)):
                refuse_misspelt(found)
        return lines

    def refuse_misspelt(found: re.Match[str]) -> None:
        percent, name = found.groups()
        manager = shell.magics_manager
        known = {*manager.magics["line"], *manager.magics["cell"], *manager.lazy_magics}
        near = None if name in known else nearest(name, ours, _LIKENESS)
        if near is not None:
            raise InvalidRequestError(
                f"There is no magic `{percent}{name}`.", remedy=f"Did you mean `{percent}{near}`?"
            )

    vars(suggest)["has_side_effects"] = True  # a terminal that asks whether a cell is complete is not refused
    return suggest
