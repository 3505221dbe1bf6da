"""What of an answer was given to the model, told apart from what it wrote."""

from __future__ import annotations

import re

from ...api.response import ChatCompletion
from .markdown import markdown_to_html

PREFIX = "opacity:.7;border-bottom:1px dotted"


def given_of(completion: ChatCompletion) -> str:
    """What of the text shown was given to the model: the prefix, in a branch also what it shares and its token."""
    branch = completion.branch
    if branch is None:
        return completion.prefix
    return branch.base + completion.content[: branch.char + len(branch.instead)]


_TAG_OR_TEXT = re.compile(r"<[^>]*>|[^<]+")
_CHARACTER = re.compile(r"&[#\w]+;|.", re.DOTALL)


def prefix_length(prefix: str) -> int:
    """How many characters of text the prefix is once it is formatted."""
    return text_length(markdown_to_html(prefix).rstrip())


def text_length(html: str) -> int:
    """How many characters of text the HTML holds."""
    return len(_characters(html))


def visible_length(prefix: str, html: str) -> int:
    """How many characters of the text in `html` are the prefix's: marks of Markdown do not count."""
    ours, whole = _characters(markdown_to_html(prefix)), _characters(html)
    while ours and ours[-1].isspace():
        ours.pop()
    same = 0
    while same < min(len(ours), len(whole)) and ours[same] == whole[same]:
        same += 1
    return same


def _characters(html: str) -> list[str]:
    runs = (run for run in _TAG_OR_TEXT.findall(html) if not run.startswith("<"))
    return [character for run in runs for character in _CHARACTER.findall(run)]


def mark_prefix(html: str, length: int) -> str:
    """`html` with its first `length` characters of text set apart."""
    out: list[str] = []
    position = 0
    for match in _TAG_OR_TEXT.finditer(html):
        run = match.group()
        if position >= length:
            out.append(html[match.start() :])
            break
        if run.startswith("<") or run.isspace():
            out.append(run)
            position += 0 if run.startswith("<") else len(run)
            continue
        characters = _CHARACTER.findall(run)
        ours = "".join(characters[: length - position])
        out.append(f'<span style="{PREFIX}" title="given as the prefix">{ours}</span>')
        out.append("".join(characters[length - position :]))
        position += len(characters)
    return "".join(out)
