"""CompletionRequest: what goes on from a prompt, and fits before a suffix. Served under `/beta`, without messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from .clean_text import heal
from .errors import InvalidRequestError
from .fields import FIELDS, MOST_ALTERNATIVES
from .limit_errors import shown
from .messages import Message, without_unknown
from .request import ChatRequest
from .shorthand import on_the_wire
from .text_completion import as_chat, event_as_chat

TAKEN = (
    "model", "temperature", "top_p", "max_tokens", "stop", "frequency_penalty", "presence_penalty", "seed",
    "top_logprobs", "logprobs", "extra", "stream", "stream_options",
)  # fmt: skip
"""The fields of a chat request that this one has, too; the others are for messages, or for thinking."""

MOST_TOKENS = 4096
_ALTERNATIVES = f"a whole number from 0 to {MOST_ALTERNATIVES}"


class CompletionRequest(ChatRequest):
    """One request for what stands between `prompt` and `suffix`; a ChatRequest without messages.

    Build it with `CompletionRequest.of`. `logprobs` and `top_logprobs` are as for a chat; on the wire they are one
    number. `echo`: whether the prompt comes back before the answer.
    """

    path: ClassVar[str] = "/completions"

    messages: list[Message] = Field(default_factory=list)
    prompt: str
    suffix: str | None = None
    echo: bool | None = None

    @classmethod
    def of(cls, prompt: str, suffix: str | None = None, **fields: Any) -> CompletionRequest:
        """A checked request.

        `fields`: request fields by their wire names; None means not set. `logprobs` is the number of alternatives, or
        true for none; `top_logprobs` says the same. Raises InvalidRequestError with the field, the value and the limit.
        """
        for name, text in (("prompt", prompt), ("suffix", suffix)):
            if not isinstance(text, str) and (name, text) != ("suffix", None):
                raise _refused(name, text, "a string", f"Give the text that stands {_SIDES[name]} the gap.")
        if not isinstance(fields.get("echo"), bool | None):
            raise _refused("echo", fields["echo"], "true or false")
        fields = on_the_wire({**fields, "suffix": suffix})
        for name in fields:
            if (name in FIELDS and name not in TAKEN) or name in _FOR_MESSAGES:
                raise InvalidRequestError(
                    f"`{name}` is no field of a fill in the middle: it has no messages, and the model does not think.",
                    field=name, remedy=f"Leave `{name}` out, or ask in a chat.",
                )
        for name in ("top_logprobs", "logprobs"):
            asked = fields.get(name)
            if asked is None or (name == "logprobs" and isinstance(asked, bool)):
                continue
            if not hasattr(asked, "__index__") or isinstance(asked, bool) or not 0 <= asked <= MOST_ALTERNATIVES:
                raise _refused(name, asked, _ALTERNATIVES)
            fields = {"top_logprobs": asked, **fields, "logprobs": fields.get("logprobs") is not False}
        checked = cls._checked([], {**fields, "prompt": prompt})
        assert isinstance(checked, cls)
        return checked

    def changed(self, **fields: Any) -> CompletionRequest:
        """This request with some fields set otherwise, checked as by `of`."""
        given = {name: getattr(self, name) for name in self.model_fields_set if name != "messages"}
        return self.of(**{**given, **fields})

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> CompletionRequest:
        """The request that a parsed JSON body asks for: nulls count as not set, unknown fields go to `extra`."""
        set_ = {name: value for name, value in body.items() if value is not None}
        known = {name: value for name, value in set_.items() if name in _ON_THE_WIRE}
        unknown = {name: value for name, value in set_.items() if name not in known}
        if isinstance(known.get("logprobs"), bool):  # no flag, as a chat's is
            raise _refused("logprobs", known["logprobs"], _ALTERNATIVES)
        if "stream_options" in known:
            known["stream_options"] = without_unknown(
                known["stream_options"], cls.model_fields["stream_options"].annotation
            )
        return cls.of(**{"prompt": None, **known, "extra": unknown})

    def _check_across_fields(self) -> None:
        super()._check_across_fields()
        if (self.max_tokens or 0) > MOST_TOKENS:
            raise _refused("max_tokens", self.max_tokens, f"a whole number from 1 to {MOST_TOKENS}")
        if self.echo and (self.suffix is not None or self.logprobs):
            raise _refused("echo", True, "left out beside a suffix, and beside logprobs")

    def to_wire(self) -> dict[str, Any]:
        """The JSON body: only what was set, surrogates healed, `extra` last."""
        number = (self.top_logprobs or 0) if self.logprobs else None
        own = {"prompt": self.prompt, "suffix": self.suffix, "echo": self.echo, "logprobs": number}
        others = {name: value for name, value in super().to_wire().items() if name not in _OF_A_CHAT}
        said = {name: value for name, value in own.items() if value is not None}
        body: dict[str, Any] = heal({**said, **others, **self.extra})
        return body

    @property
    def prefix(self) -> str | None:
        """What stands before the answer: the prompt, unless the answer repeats it."""
        return None if self.extra.get("echo", self.echo) else self.prompt

    @property
    def behind(self) -> str:
        """What stands behind the answer: the suffix."""
        return self.suffix or ""

    @property
    def needs_beta(self) -> bool:
        """It is served under `/beta` only."""
        return True

    @property
    def thinks(self) -> bool:
        """Nothing is thought before a gap is filled."""
        return False

    @property
    def may_think(self) -> bool:
        """Nor unasked."""
        return False

    def read_events(self, payloads: list[bytes]) -> list[bytes]:
        """The data of events, as a stream of chat completions has it."""
        return [event_as_chat(payload, self.top_logprobs) for payload in payloads]

    def read_body(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body of an answer, as a chat completion has it."""
        return as_chat(body, "message", self.top_logprobs)


_OF_A_CHAT = ("messages", "logprobs", "top_logprobs")
_ON_THE_WIRE = frozenset(("prompt", "suffix", "echo", *TAKEN)) - {"extra", "top_logprobs"}
_FOR_MESSAGES = ("messages", "system", "prefix")
_SIDES = {"prompt": "before", "suffix": "behind"}


def kind_of(fields: Mapping[str, Any]) -> type[ChatRequest]:
    """Which kind of request has these fields, be they those of a wire."""
    return CompletionRequest if "prompt" in fields else ChatRequest


def _refused(field: str, value: Any, limit: str, remedy: str = "") -> InvalidRequestError:
    return InvalidRequestError(
        f"`{field}` is {shown(value)}, and must be {limit}.", field=field, value=value, limit=limit,
        remedy=remedy or f"Change `{field}`.",
    )
