"""A completion's facts in words, the same on every kind of screen."""

from __future__ import annotations

from collections.abc import Iterator

from ...api.clean_text import on_one_line
from ...api.completion_request import CompletionRequest
from ...api.response import ChatCompletion
from ...api.served import local_model

FINISHES = {
    "content_filter": "content filter",
    "tool_calls": "called a tool",
    "insufficient_system_resource": "the server ran out of resources",
}
"""Finish reasons in words; `length` is said with its limit, and unknown ones as they are."""


def ending(completion: ChatCompletion, finish_reason: str | None = None) -> str | None:
    """Why the answer ended, in words, where it did not simply stop: cut off, filtered, interrupted."""
    if completion.interruption:
        return f"{on_one_line(completion.interruption)}: this answer is partial"
    reason = finish_reason or completion.finish_reason
    if not reason or reason == "stop":
        return None
    if reason == "length":
        limit = completion.request and completion.request.max_tokens
        if limit:
            return f"cut off at max_tokens = {limit:,}"
        came = completion.usage and completion.usage.completion_tokens
        return f"cut off at {came:,} tokens, the server's own limit: --max-tokens asks for more" if came else (
            "cut off at the limit of the length"
        )
    return FINISHES.get(reason) or on_one_line(reason, 80)


def question_of(completion: ChatCompletion) -> str:
    """What was asked last; where a gap was filled, what stands before it."""
    if isinstance(completion.request, CompletionRequest):
        return completion.request.prompt
    said = completion.request.messages if completion.request is not None else ()
    return next((str(one.content or "") for one in reversed(said) if one.role == "user"), "")


def figures(completion: ChatCompletion) -> list[str]:
    """Tokens, times and settings that nobody asked for, as far as they are known."""
    return [*_tokens(completion), *_times(completion), *_own_settings(completion)]


def _tokens(completion: ChatCompletion) -> Iterator[str]:
    usage = completion.usage
    if usage is None:
        return
    if usage.prompt_tokens is not None:
        cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
        yield f"{counted(usage.prompt_tokens)} in{cached}"
    if usage.completion_tokens is not None:
        reasoning = f" ({usage.reasoning_tokens:,} reasoning)" if usage.reasoning_tokens else ""
        yield f"{usage.completion_tokens:,} out{reasoning}"


def _times(completion: ChatCompletion) -> Iterator[str]:
    timing = completion.timing
    if timing is None:
        return
    yield f"first after {seconds(timing.first_token)}" if timing.first_token is not None else seconds(timing.total)
    if timing.tokens_per_second:
        yield f"{timing.tokens_per_second:,.3g} tokens/s" if timing.tokens_per_second < 100 else (
            f"{timing.tokens_per_second:,.0f} tokens/s"
        )


def facts(completion: ChatCompletion) -> list[str]:
    """The model, where it ran or that it is a recording, the file that was chosen for it, and the figures."""
    named = (completion.model, *answered_by(completion), _chosen(completion))
    return [on_one_line(name, 80) for name in named if name] + figures(completion)


def _chosen(completion: ChatCompletion) -> str | None:
    """The file of a model of the hub, where only its repository was named."""
    asked, file = local_model(completion), completion.provenance.model_file
    return file if asked and asked.startswith("hf:") and file and file not in asked else None


def answered_by(completion: ChatCompletion) -> list[str | None]:
    """Where it ran; of a recording, that it is one, and of which day."""
    return [completion.backend] if completion.recorded is None else [*completion.recorded.names]


def _own_settings(completion: ChatCompletion) -> Iterator[str]:
    """What the server drew the tokens with, of its own accord, and says so."""
    asked, used = completion.request, completion.provenance
    for name, usual in (("temperature", 1), ("top_p", 1), ("frequency_penalty", 0), ("presence_penalty", 0)):
        value = getattr(used, name)
        if asked is not None and getattr(asked, name) is None and value not in (None, usual):
            yield f"{name} {value:g}"


def small_print(completion: ChatCompletion) -> list[str]:
    """What stands in the one dim line under an answer: facts, that it ended by itself, what a probability is not."""
    reason = completion.finish_reason
    by_itself = ["stop"] if reason == "stop" and not completion.interruption else []
    called = [FINISHES["tool_calls"]] if reason == "tool_calls" else []
    said = [*facts(completion), *by_itself, *called]
    if completion.logprobs:
        from ..tokens.numbers import OF_A_CHOICE

        said.append(OF_A_CHOICE)
    return said


def summary(completion: ChatCompletion) -> str:
    """Everything that one line under the answer says, in plain text."""
    end = ending(completion) if completion.finish_reason != "tool_calls" or completion.interruption else None
    return " · ".join([*small_print(completion), *([end] if end else [])])


def thought(completion_tokens: int | None, thinking_seconds: float | None) -> str:
    """The heading of the reasoning: how long and how much, as far as it is known."""
    title = "Reasoning" if thinking_seconds is None else f"Thought for {seconds(thinking_seconds)}"
    return title if not completion_tokens else f"{title} · {counted(completion_tokens)}"


def counted(tokens: int) -> str:
    """`1 token`, `1,234 tokens`."""
    return f"{tokens:,} token{'' if tokens == 1 else 's'}"


def seconds(value: float) -> str:
    """`0.42 s`, `3.1 s`, `12 s`, `2 min 05 s`."""
    if value < 1:
        return f"{value:.2f} s"
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60:02} s"


def nothing(completion: ChatCompletion) -> str:
    """What stands in place of an answer without text."""
    if completion.interrupted:
        return "Nothing had arrived."
    if completion.reasoning_content:
        return "Nothing was answered after the reasoning."
    return "The answer is only white space." if completion.content else "The answer is empty."
