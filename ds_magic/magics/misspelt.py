"""A magic that is misspelt: `%%deepsek` is answered with the name that was meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from ..api.errors import InvalidRequestError
from ..api.nearest import nearest

_FIRST = re.compile(r"\s*(%%?)([^\W\d]\w*)(?=\s|$)")
_LIKENESS = 0.8
"""Names less alike may be somebody else's: IPython says then what it always says."""


def suggest_magics(shell: Any, ours: Iterable[str]) -> Callable[[list[str]], list[str]]:
    """An input transformer that refuses a cell which begins with a magic that nobody has and that is almost of ours."""
    ours = tuple(ours)

    def suggest(lines: list[str]) -> list[str]:
        match = _FIRST.match(lines[0]) if lines else None
        if match is None:
            return lines
        percent, name = match.groups()
        manager = shell.magics_manager
        known = {*manager.magics["line"], *manager.magics["cell"], *manager.lazy_magics}
        near = None if name in known else nearest(name, ours, _LIKENESS)
        if near is None:
            return lines
        raise InvalidRequestError(
            f"There is no magic `{percent}{name}`.", remedy=f"Did you mean `{percent}{near}`?"
        )

    vars(suggest)["has_side_effects"] = True  # a terminal that asks whether a cell is complete is not refused
    return suggest
