"""Errors for people: what happened, why, what to do next."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence

from ..api.clean_text import for_report, shortened
from ..api.errors import DeepSeekError
from .colours import for_errors

_RED, _BOLD, _DIM, _RESET = "\x1b[31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"
_BAR = "▌ "
_NARROWEST, _WIDEST = 30, 92
_CODE = re.compile("`([^`]+)`")
_LONGEST = 1_200
"""Characters of a message or a remedy that a panel shows: wrapping takes a quadratic time. The error has them all."""


def panel(error: Exception, width: int | None = None, *, is_explained: bool = True) -> list[str]:
    """The lines of an error's panel, at most `width` characters wide; with ANSI colours where they may be.

    `is_explained`: whether `%ds_why` has its traceback.
    """
    width = max(_NARROWEST, min(width or shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST))
    code = getattr(error, "status", None)
    status = f" ({code})" if code else ""
    remedy = getattr(error, "remedy", None)
    if isinstance(error, DeepSeekError | ValueError) and remedy:
        what, next_step = getattr(error, "message", str(error)), remedy
    else:
        what = f"{error} This was not foreseen: it is a mistake in ds_magic."
        next_step = "`%ds_why` shows where it happened; please report it."
    bold, dim = (_BOLD + _RED, _DIM) if for_errors() else ("", "")
    lines = [_in(bold, f"{type(error).__name__}{status}")]
    lines += _with_code(_wrapped(what, width), bold)
    if getattr(error, "partial", None) is not None:
        lines += [_in(dim, line) for line in _wrapped("What had arrived is kept in the result.", width)]
    lines += _with_code(_wrapped(next_step, width, first="→ "), bold)
    if "%ds_why" not in next_step and is_explained:
        lines.append(_in(dim, "%ds_why shows the traceback."))
    return with_bar(lines)


def with_bar(lines: Sequence[str]) -> list[str]:
    """The lines beside the bar of a panel."""
    bar = _in(_RED if for_errors() else "", _BAR)
    return [bar + line for line in lines]


def _in(colour: str, text: str) -> str:
    return f"{colour}{text}{_RESET}" if colour else text


def _with_code(lines: list[str], bold: str) -> list[str]:
    """Where there are colours, what stands in backticks is bold instead; it may go over the end of a line."""
    if not bold:
        return lines
    text = _CODE.sub(lambda found: "\n".join(_in(_BOLD, part) for part in found[1].split("\n")), "\n".join(lines))
    return text.split("\n")


def has_magics() -> bool:
    """Whether the shell of this process has our magics."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "ds_why" in shell.magics_manager.magics["line"]


def _wrapped(text: str, width: int, first: str = "  ") -> list[str]:
    from wcwidth import wrap

    lines: list[str] = []
    for paragraph in shortened(for_report(text).rstrip("\n"), _LONGEST).split("\n"):
        lines += wrap(
            paragraph,
            width - len(_BAR),
            initial_indent="  " if lines else first,
            subsequent_indent="  ",
            replace_whitespace=False,
            break_on_hyphens=False,
        ) or [""]
    return lines
