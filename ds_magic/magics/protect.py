"""Keeps IPython from reading a prompt as Python: for a request for help, or for a session with `>>>` in it."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Callable

from IPython.core.inputtransformer2 import (
    PromptStripper,
    assemble_continued_line,
    find_end_of_continued_line,
    make_tokens_by_line,
)

_MAGIC = "deepseek"
_LONG_BLANK = re.compile(r"[ \t]{100,}")


def protect_cells(lines: list[str]) -> list[str]:
    """An input transformer: a cell `%%deepseek …` becomes a call before IPython takes prompts of a session out of it.

    One of a single line gets a body of a blank line, which IPython would refuse to be without.
    """
    if not lines or not re.match(rf"%%{_MAGIC}(\s|$)", lines[0]):
        return lines
    line, body = lines[0].rstrip()[len(f"%%{_MAGIC} ") :], "".join(lines[1:]) or "\n"
    return [f"get_ipython().run_cell_magic({_MAGIC!r}, {line!r}, {body!r})\n"]


def place_of_protection(transformers: list[Callable[[list[str]], list[str]]]) -> int:
    """Where `protect_cells` stands among a shell's transformers: before the first that takes prompts out."""
    return next((at for at, each in enumerate(transformers) if isinstance(each, PromptStripper)), 0)


def protect_questions(lines: list[str]) -> list[str]:
    """An input transformer: lines `%deepseek …` and `x = %deepseek …` become calls before IPython reads them.

    `%deepseek?` stays a request for help. A call that stands alone ends in a semicolon, since its view
    has shown the answer already. Text in strings and cells of other magics are left alone.
    """
    if not any(f"%{_MAGIC}" in line for line in lines) or lines[0].startswith(("%%", "get_ipython().run_cell_magic(")):
        return lines
    while True:
        place = _find(lines)
        if place is None:
            return lines
        lines = _as_call(lines, *place)


for _each in (protect_cells, protect_questions):
    vars(_each)["has_side_effects"] = True  # a terminal asks whether a cell is complete, and a call always is


def _find(lines: list[str]) -> tuple[int, int, bool] | None:
    """Line, column and whether it is assigned, of the first magic line that is not a request for help."""
    for tokens in make_tokens_by_line(list(map(_with_short_blanks, lines))):
        tokens = [token for token in tokens if token.type not in (tokenize.INDENT, tokenize.DEDENT)]
        for at, assigned in ((0, False), *((i + 1, True) for i, token in enumerate(tokens) if token.string == "=")):
            if at + 1 >= len(tokens):
                continue
            percent, name = tokens[at], tokens[at + 1]
            if percent.string == "%" and name.string == _MAGIC and percent.end == name.start:
                line, column = percent.start[0] - 1, percent.start[1]
                rest = lines[line][column + 1 + len(_MAGIC) :]
                if rest.rstrip() in ("?", "??") or (rest[:1] and not rest[0].isspace()):
                    continue
                return line, column, assigned
    return None


def _with_short_blanks(line: str) -> str:
    """Python's tokenizer takes a quadratic time in blanks that end in what is no Python, such as a question mark."""
    before, magic, rest = line.partition(f"%{_MAGIC}")
    return before + magic + _LONG_BLANK.sub(" ", rest)


def _as_call(lines: list[str], line: int, column: int, assigned: bool) -> list[str]:
    end = find_end_of_continued_line(lines, line)
    text = assemble_continued_line(lines, (line, column), end)
    _, _, rest = text.partition(_MAGIC)
    call = f"get_ipython().run_line_magic({_MAGIC!r}, {rest[1:]!r}){'' if assigned else ';'}\n"
    return [*lines[:line], lines[line][:column] + call, *lines[end + 1 :]]
