"""Results as one page of HTML that needs nothing: with what was asked, of whom, how and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ...api.errors import InvalidRequestError
from ...api.response import ChatCompletion
from ...conversation.chats import Chat
from ...logprobs.table import LogprobTable
from ...many.answers import Answers
from ...views.tokens.explorer.page import WrittenPage, about, shown
from .document import document, keyless, write
from .lesson import shown as bundle_shown

_SEVERAL = "Answers"


def share(result: Any, path: str | Path | None = None, *, large: bool | None = None) -> WrittenPage:
    """Write a result, or a list of them, as one HTML file; returns its path, in a notebook a link to it.

    `result`: whatever has a static form: an answer, Answers and what is counted or compared of them, a table, a Chat,
    a DataFrame. It says what was asked, of whom, how and when, as far as the result knows it. Without `path` the page
    is named by its question, and is never written over another. `large`: for a projector. Raises InvalidRequestError
    for what has no static form, and where a file is in the way that is no page of ours.
    """
    results = _results(result)
    if not results:
        raise InvalidRequestError("There is nothing to share yet.", remedy="Ask something first.")
    parts = [_part(each) for each in results]
    is_alone = len(parts) == 1
    title = parts[0][0] if is_alone else f"{_SEVERAL}: {parts[0][0]}"
    body = "".join(_section(*part, level=1 if is_alone else 2) for part in parts)
    if not is_alone:
        body = f"<h1>{_SEVERAL}</h1>\n{body}"
    return write(document(title, body, large=large), keyless(title), path)


def _results(result: Any) -> Sequence[Any]:
    if isinstance(result, Chat):
        return [turn.completion for turn in result.turns]
    return list(result) if type(result) in (list, tuple) else [result]


def _part(result: Any) -> tuple[str, Iterable[tuple[str, str]], str]:
    """A result's title, what is known of it, and its picture."""
    html = bundle_shown(_bundle(result))
    if isinstance(result, ChatCompletion | LogprobTable):
        return *about(result), html
    if isinstance(result, Answers) and result.completions:
        return *_about_all(result.completions), html
    return type(result).__name__, (), html


def _about_all(answers: Sequence[ChatCompletion]) -> tuple[str, list[tuple[str, str]]]:
    """What holds of all of them; what differs stands beside each answer, or is its own."""
    title, facts = about(answers[0])
    for answer in answers[1:]:
        other, more = about(answer)
        title = title if title == other else _SEVERAL
        facts = [fact for fact in facts if fact in more]
    return title, facts


def _bundle(result: Any) -> dict[str, Any]:
    """The static form of a result by MIME type."""
    if isinstance(result, type):
        raise _formless(result)
    if (whole := getattr(result, "_repr_mimebundle_", None)) is not None and (made := whole()):
        data: dict[str, Any] = made[0] if isinstance(made, tuple) else made
        if "text/html" in data:
            return data
    if (html := getattr(result, "_repr_html_", None)) is not None and (found := html()):
        return {"text/html": found, "text/plain": repr(result)}
    raise _formless(result)


def _formless(result: Any) -> InvalidRequestError:
    return InvalidRequestError(
        f"A {type(result).__name__} has no static form to share.",
        remedy="Share an answer, a collection of answers, what is counted or compared of them, or a table.",
    )


def _section(title: str, facts: Iterable[tuple[str, str]], html: str, *, level: int) -> str:
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(shown(keyless(value)))}</dd>" for name, value in facts)
    asked = f'<dl class="asked">{listed}</dl>\n' if listed else ""
    return (
        f'<section class="answered"><h{level}>{escape(shown(keyless(title)))}</h{level}>\n{asked}{html}</section>\n'
    )
