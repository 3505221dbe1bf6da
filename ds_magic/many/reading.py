"""What a recorded exchange says, read by the same decoder as when it came, and a line about it."""

from __future__ import annotations

import contextlib
from typing import Any

from ..api.clean_text import on_one_line
from ..api.completion_request import kind_of
from ..api.errors import DeepSeekError
from ..api.events import unheard
from ..api.recorded import Recorded
from ..api.request import ChatRequest
from ..api.response import ChatCompletion
from ..api.stream import Stream
from .entry import Entry
from .played import Pace, Played

WORDS = 32
"""Characters of a question and of its answer that a line shows."""


def completion_of(entry: Entry) -> ChatCompletion:
    """The completion of an exchange, as it was in the end; interrupted where it was, or where it failed."""
    played = Played(entry, "", Recorded(entry.backend, entry.model, entry.at, is_replay=True), Pace(0))
    stream = Stream(
        lambda stream: stream.adopt(played), _request(entry), backend=entry.backend, notes=list(entry.notes or ()),
        on_event=unheard, masked=str,
    )
    with contextlib.suppress(DeepSeekError):
        for _ in stream:
            pass
    return stream.completion


def question_of(entry: Entry) -> str:
    """The last text that was asked."""
    asked = entry.asked
    if isinstance(prompt := asked.get("prompt"), str):
        return prompt
    messages = asked.get("messages")
    texts = [each.get("content") for each in messages if isinstance(each, dict)] if isinstance(messages, list) else []
    return next((text for text in reversed(texts) if isinstance(text, str)), "")


def line_of(entry: Entry) -> str:
    """When, which model, how many tokens, how it ended, and the first words of question and answer."""
    answer = completion_of(entry)
    tokens = answer.usage.completion_tokens if answer.usage else None
    said = on_one_line(answer.content, WORDS) or ("calls " + answer.tool_calls[0].function.name
                                                  if answer.tool_calls else "")
    ended = answer.finish_reason or "" if entry.ended == "whole" else entry.ended
    if entry.error is not None and not said:
        said = on_one_line(entry.error.message, 2 * WORDS)
    known: list[Any] = [
        on_one_line(entry.at.replace("T", " ").removesuffix("Z"), 24),
        on_one_line(answer.model or entry.model or "?", 24),
        "" if tokens is None else f"{tokens:,}",
        on_one_line(ended, 14),
    ]
    when, model, count, how = known
    return f"{when}  {model:<24} {count:>6}  {how:<14}  {on_one_line(question_of(entry), WORDS)} → {said}"


def _request(entry: Entry) -> ChatRequest:
    asked = {**entry.asked, **({"model": entry.model} if entry.model else {})}
    try:
        return kind_of(asked).from_wire(asked)
    except DeepSeekError:  # of a later version, or with something in `extra` that looks like a field
        return ChatRequest.build(question_of(entry) or "?", model=entry.model)
