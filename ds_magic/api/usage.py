"""What an answer cost: tokens as the server counts them, seconds as measured here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .lenient import Count, Incoming, Lenient


class CompletionTokensDetails(Incoming):
    """How many of the completion's tokens were reasoning."""

    reasoning_tokens: Count = None


class PromptTokensDetails(Incoming):
    """Other servers' form of the cache figures."""

    cached_tokens: Count = None


class Usage(Incoming):
    """Token counts. prompt_tokens = prompt_cache_hit_tokens + prompt_cache_miss_tokens."""

    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    prompt_cache_hit_tokens: Count = None
    prompt_cache_miss_tokens: Count = None
    prompt_tokens_details: Lenient[PromptTokensDetails] = None
    completion_tokens_details: Lenient[CompletionTokensDetails] = None

    @classmethod
    def of(cls, figures: Any) -> Usage | None:
        """The usage that a server sent, or None where it is none."""
        return cls.model_validate(figures) if isinstance(figures, dict) else None

    @property
    def cached_tokens(self) -> int | None:
        """Tokens of the prompt that came from the server's cache, by whichever name it uses."""
        if self.prompt_cache_hit_tokens is not None:
            return self.prompt_cache_hit_tokens
        return self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else None

    @property
    def reasoning_tokens(self) -> int | None:
        """Tokens of the completion that were reasoning."""
        return self.completion_tokens_details.reasoning_tokens if self.completion_tokens_details else None


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds until the first token and in all, and tokens a second, as measured here.

    `first_token` is None where nothing came or nothing was streamed; `tokens_per_second` counts the
    tokens after the first over the time after it, and is None where the server gave no count.
    """

    first_token: float | None
    total: float
    tokens_per_second: float | None = None

    @classmethod
    def measured(cls, sent_at: float, first_at: float | None, last_at: float, usage: Any) -> Timing:
        """The timing of a stream, from when it was sent, when its first token came and when its last bytes did."""
        tokens, rate = _completion_tokens(usage), None
        if tokens is not None and tokens > 1 and first_at is not None and last_at > first_at:
            rate = (tokens - 1) / (last_at - first_at)
        first_token = None if first_at is None else first_at - sent_at
        return cls(first_token=first_token, total=last_at - sent_at, tokens_per_second=rate)

    @classmethod
    def of_whole(cls, total: float, usage: Any) -> Timing:
        """The timing of an answer that came at once, `total` seconds after it was asked for."""
        tokens = _completion_tokens(usage)
        rate = tokens / total if tokens is not None and total > 0 else None  # a recording may say 0 ms
        return cls(first_token=None, total=total, tokens_per_second=rate)


def _completion_tokens(usage: Any) -> int | None:
    counted = Usage.of(usage)
    return counted.completion_tokens if counted is not None else None
