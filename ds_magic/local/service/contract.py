"""Which DeepSeek is spoken here: that of the seeds' documents, or the service of today.

All that differs between the two stands in this module. A contract settles a request: it refuses what its
service refuses, and writes into the request what that service would do. Whoever answers then does just
what the request says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

from ...api.messages import AssistantMessage, Thinking
from ...api.notes import IGNORED_WHILE_THINKING, LEAST_TOP_P
from ...api.request import ChatRequest
from .refusal import Refusal

Asked = TypeVar("Asked", bound=ChatRequest)

THINKING_TEMPERATURE = 0.6
"""The temperature of thinking, whatever was asked for: there it is accepted and has no effect."""


SETTINGS = {"smollm2-135m-instruct": {"temperature": 0.2, "top_p": 0.9, "frequency_penalty": 0.5}}
"""What a model's tokens are drawn with where a request says nothing of it: at 1 a small one loses the thread.
Temperature and top_p from its model card; the penalty is ours, because at these it says the same for ever."""


class Contract(ABC):
    """What clients are promised. `own`: the name of the model that really runs here."""

    invalid: int
    """The status of a refusal where a field is not within its documented limits."""
    has_usage_chunk: bool
    """Whether `stream_options.include_usage` brings the usage in a chunk without choices."""
    tells_limits: bool
    """Whether `GET /models` says how long a context and an answer may be."""

    def __init__(self, own: str):
        self.own = own

    @property
    @abstractmethod
    def listed(self) -> tuple[str, ...]:
        """The names that `GET /models` lists, first the one to use."""

    def settled(self, request: Asked) -> Asked:
        """`request` as it is to be answered. Raises Refusal.

        `model` is the name that answers, `thinking` is set, and of what concerns sampling only what counts is left.
        """
        if "model" not in request.model_fields_set:
            raise Refusal(self.invalid, f"model is missing: one of {', '.join(self.listed)}.", "model")
        if not self.known(request.model):
            raise self.unknown(request.model)
        thinks = self._thinks(request) and request.reasoning_effort != "none"
        self._check(request, thinks)
        thinking = Thinking(type="enabled" if thinks else "disabled")
        counts = self._what_counts(request, thinks)
        if not thinks and all(getattr(request, name) is None for name in IGNORED_WHILE_THINKING):
            counts = {**counts, **SETTINGS.get(self.own, {})}
        return request.model_copy(update={"model": self._answering(request.model), "thinking": thinking, **counts})

    def known(self, name: str) -> bool:
        """Whether `name` can be asked for; not all of these are listed."""
        return name in self.listed or name in Today.aliases

    @abstractmethod
    def unknown(self, name: str, status: int = 400) -> Refusal:
        """The refusal of a model that does not exist."""

    @abstractmethod
    def _answering(self, name: str) -> str:
        """The name that an answer carries where the model `name` was asked."""

    @abstractmethod
    def _thinks(self, request: ChatRequest) -> bool:
        """Whether thinking comes first, leaving aside that no effort means no thinking."""

    @abstractmethod
    def _check(self, request: ChatRequest, thinks: bool) -> None:
        """Raise Refusal for what this service does not take."""

    @abstractmethod
    def _what_counts(self, request: ChatRequest, thinks: bool) -> dict[str, float | None]:
        """The temperature, top_p and penalties that are in force."""


class Seeds(Contract):
    """The documents of 2024 and 2025, in which thinking is another model; today's names are known, too."""

    names = ("deepseek-chat", "deepseek-coder", "deepseek-reasoner")
    invalid = 422
    has_usage_chunk = True
    tells_limits = False
    longest_name = 64

    @property
    def listed(self) -> tuple[str, ...]:
        return (self.own, *self.names, *Today.names)

    def unknown(self, name: str, status: int = 400) -> Refusal:
        return Refusal(status, f"Model Not Exist: {name[:80]!r}. There is: {', '.join(self.listed)}.", "model")

    def _answering(self, name: str) -> str:
        return self.own

    def _thinks(self, request: ChatRequest) -> bool:
        return request.thinks

    def _check(self, request: ChatRequest, thinks: bool) -> None:
        for position, tool in enumerate(request.tools or []):
            if len(tool.function.name) > self.longest_name:
                field = f"tools[{position}].function.name"
                raise Refusal(self.invalid, f"{field} has more than {self.longest_name} characters.", field)

    def _what_counts(self, request: ChatRequest, thinks: bool) -> dict[str, float | None]:
        if not thinks:
            return {}
        return {
            "temperature": THINKING_TEMPERATURE, "top_p": None, "frequency_penalty": None, "presence_penalty": None,
        }


class Today(Contract):
    """The service as documented in autumn 2026: it thinks unless told not to, and much has no effect."""

    names = ("deepseek-flash", "deepseek-v4-pro")
    aliases = {"deepseek-v4-flash": "deepseek-flash"}
    invalid = 400
    has_usage_chunk = False
    tells_limits = True
    most_tokens = 393_216

    @property
    def listed(self) -> tuple[str, ...]:
        return self.names

    def unknown(self, name: str, status: int = 400) -> Refusal:
        known = ", ".join(self.names)
        return Refusal(status, f"The supported API model names are {known}, but you passed {name[:80]}.")

    def _answering(self, name: str) -> str:
        return self.aliases.get(name, name)

    def _thinks(self, request: ChatRequest) -> bool:
        return request.thinking is None or request.thinking.type == "enabled"

    def _check(self, request: ChatRequest, thinks: bool) -> None:
        if (request.max_tokens or 0) > self.most_tokens:
            raise Refusal(
                400, f"max_tokens is {request.max_tokens}, and must be a whole number from 1 to {self.most_tokens}.",
                "max_tokens",
            )
        if thinks and request.tool_choice not in (None, "none", "auto"):
            raise Refusal(
                400, "tool_choice cannot ask for a call while the model thinks: leave it to the model (auto), or "
                "disable thinking.", "tool_choice",
            )
        if thinks and request.tools:
            self._check_replayed(request)

    def _check_replayed(self, request: ChatRequest) -> None:
        for position, message in enumerate(request.messages):
            if not isinstance(message, AssistantMessage) or message.prefix:  # a prefix is not an earlier turn
                continue
            if message.reasoning_content is None:
                field = f"messages[{position}].reasoning_content"
                raise Refusal(
                    400, f"{field} is missing: with tools, each earlier message of the assistant must be sent back "
                    "with its own reasoning_content while the model thinks.", field,
                )

    def _what_counts(self, request: ChatRequest, thinks: bool) -> dict[str, float | None]:
        in_force: dict[str, float | None] = {"top_p": None, "frequency_penalty": None, "presence_penalty": None}
        if thinks:
            in_force["temperature"] = THINKING_TEMPERATURE
            if request.top_p is not None:
                in_force["top_p"] = max(request.top_p, LEAST_TOP_P)
        return in_force
