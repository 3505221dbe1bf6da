"""What an answer took, tokens and time, and the models that a server offers."""

from __future__ import annotations

from dataclasses import dataclass

from .lenient import Incoming, Lenient, Text


class CompletionTokensDetails(Incoming):
    """How many of the completion's tokens were reasoning."""

    reasoning_tokens: Lenient[int] = None


class PromptTokensDetails(Incoming):
    """Other servers' form of the cache figures."""

    cached_tokens: Lenient[int] = None


class Usage(Incoming):
    """Token counts. prompt_tokens = prompt_cache_hit_tokens + prompt_cache_miss_tokens."""

    prompt_tokens: Lenient[int] = None
    completion_tokens: Lenient[int] = None
    total_tokens: Lenient[int] = None
    prompt_cache_hit_tokens: Lenient[int] = None
    prompt_cache_miss_tokens: Lenient[int] = None
    prompt_tokens_details: Lenient[PromptTokensDetails] = None
    completion_tokens_details: Lenient[CompletionTokensDetails] = None

    @property
    def cached_tokens(self) -> int | None:
        """Tokens of the prompt that came from the server's cache, by whichever name it uses."""
        if self.prompt_cache_hit_tokens is not None:
            return self.prompt_cache_hit_tokens
        return self.prompt_tokens_details and self.prompt_tokens_details.cached_tokens

    @property
    def reasoning_tokens(self) -> int | None:
        """Tokens of the completion that were reasoning."""
        return self.completion_tokens_details and self.completion_tokens_details.reasoning_tokens


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds until the first token and in all, and tokens a second, as measured here.

    `first_token` is None where nothing came or nothing was streamed; `tokens_per_second` counts the
    tokens after the first over the time after it, and is None where the server gave no count.
    """

    first_token: float | None
    total: float
    tokens_per_second: float | None = None


class Model(Incoming):
    """A model that the server offers."""

    id: Text = ""
    owned_by: Lenient[str] = None
    context_window: Lenient[int] = None
    max_output_tokens: Lenient[int] = None

    def __str__(self) -> str:
        return self.id
