"""ChatRequest: everything that can be asked for, checked before it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, get_type_hints

from pydantic import Field, PrivateAttr, ValidationError, create_model, field_validator

from . import fields as _fields
from . import messages as _messages
from .clean_text import heal
from .errors import FORCED_CALL, InvalidRequestError
from .fields import FIELDS, LIMITS, MOST_STOPS, MOST_TOOLS, RequestFields
from .limit_errors import broken, first_broken, shown
from .messages import (
    AssistantMessage,
    Message,
    NamedToolChoice,
    Outgoing,
    SystemMessage,
    Thinking,
    ToolMessage,
    as_message_fields,
    known_fields,
    without_unknown,
)
from .model_choice import thinks_unless_told
from .nearest import nearest
from .shorthand import as_messages, on_the_wire
from .strict import check as check_strict

JSON_INSTRUCTION = "Answer with one JSON object and nothing else."

_FILLS_A_GAP = "A gap in a text is filled by `complete(prompt, suffix=…)`, in a cell by `--fim`."
_ELSEWHERE = dict.fromkeys(("prompt", "suffix", "echo"), _FILLS_A_GAP)
_UNCHECKED = "Fields that are not listed can be sent unchecked: extra={...}, or --extra JSON."

WHOLE_NUMBERS = tuple(name for name, each in FIELDS.items() if each.kind == "count")


def _constrained(name: str, known: _fields.Field) -> Any:
    """A field of ours as pydantic's."""
    if name == "extra":
        return Field(default_factory=dict, exclude=True)
    shortest, most = (1 if name == "model" else None), (MOST_TOOLS if name == "tools" else None)
    return Field(
        default=known.default, ge=known.least, le=known.most, pattern=known.pattern or None, min_length=shortest,
        max_length=most,
    )


class Prepared(NamedTuple):
    """A request as it is sent, and what was changed in it, in sentences."""

    request: ChatRequest
    notes: list[str]


if TYPE_CHECKING:

    class _Fields(RequestFields, Outgoing):
        """The fields of `api.fields`, as a type checker sees them."""

else:
    _HINTS = get_type_hints(RequestFields, vars(_messages) | vars(_fields))
    _Fields = create_model(
        "_Fields",
        __base__=Outgoing,
        **{name: (_HINTS[name], _constrained(name, each)) for name, each in FIELDS.items()},
    )


class ChatRequest(_Fields):
    """One request for a chat completion; each field is spelt and limited as on the wire, and declared in `api.fields`.

    Fields that are None are not sent. `extra` is sent beside the others, unchecked, and wins over them.
    Build it with `ChatRequest.build`, which raises InvalidRequestError rather than pydantic's error.
    """

    path: ClassVar[str] = "/chat/completions"

    messages: list[Message] = Field(min_length=1)
    _replays: bool = PrivateAttr(default=True)

    @field_validator(*WHOLE_NUMBERS, mode="before")
    @classmethod
    def _numpy_integers(cls, value: Any) -> Any:
        return int(value) if hasattr(value, "__index__") and not isinstance(value, bool) else value

    @field_validator("stop", mode="before")
    @classmethod
    def _list_of_stops(cls, value: Any) -> Any:
        if isinstance(value, tuple):
            value = list(value)
        if isinstance(value, list) and len(value) > MOST_STOPS:
            raise ValueError(f"{len(value)} stop strings")
        return value

    @classmethod
    def build(
        cls, messages: Any, *, system: str | None = None, prefix: str | None = None, **fields: Any
    ) -> ChatRequest:
        """A checked request.

        `messages`: a string (one user message), a message, or a list of strings, mappings and message
        objects (also completions, which stand for what the model said). `system` comes before them, and
        the answer begins with `prefix`. `fields`: request fields by their wire names; None means not set,
        `top_logprobs` alone implies `logprobs`, and `thinking` may be true or false. Raises
        InvalidRequestError with the field, the value and the limit.
        """
        return cls._checked(as_messages(messages, system=system, prefix=prefix), on_the_wire(fields))

    @classmethod
    def _checked(cls, messages: list[Any], fields: Mapping[str, Any]) -> ChatRequest:
        unknown = [name for name in fields if name not in cls.model_fields or name == "messages"]
        if unknown:
            near = nearest(unknown[0], cls.model_fields)
            hint = f"; did you mean `{near}`?" if near else ""
            raise InvalidRequestError(
                f"There is no request field `{unknown[0]}`{hint}",
                field=unknown[0],
                remedy=_ELSEWHERE.get(unknown[0], _UNCHECKED),
            )
        try:
            request = cls.model_validate({**fields, "messages": messages})
        except ValidationError as error:
            failure = first_broken(error)
        else:
            request._check_across_fields()
            return request
        raise failure

    def changed(self, **fields: Any) -> ChatRequest:
        """This request with some fields set otherwise, checked as by `build`."""
        given = {name: getattr(self, name) for name in self.model_fields_set if name != "messages"}
        return self.build(self.messages, **{**given, **fields})

    def followed_by(self, messages: Iterable[Any], **fields: Any) -> ChatRequest:
        """This request with `messages` behind its own, but for a prefix, which has done its work; `fields` changed."""
        given = {name: getattr(self, name) for name in self.model_fields_set if name != "messages"}
        kept = [message for message in self.messages if not getattr(message, "prefix", None)]
        return self.build([*kept, *messages], **{**given, **fields})

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> ChatRequest:
        """The request that a parsed JSON body asks for, as a server reads it.

        Nulls count as not set; unknown fields of the body go to `extra`, those of what is in it are dropped.
        Raises InvalidRequestError naming the field.
        """
        if not isinstance(body, Mapping):
            raise InvalidRequestError("The body of a request must be a JSON object.")
        known = {name: value for name, value in body.items() if name in cls.model_fields and name != "extra"}
        unknown = {name: value for name, value in body.items() if name not in known}
        messages = known.pop("messages", None)
        if not isinstance(messages, list):
            raise broken("messages", messages)
        known = {
            name: without_unknown(value, cls.model_fields[name].annotation)
            for name, value in known.items()
            if value is not None
        }
        return cls._checked([known_fields(as_message_fields(each)) for each in messages], {**known, "extra": unknown})

    def _check_across_fields(self) -> None:
        if self.top_logprobs is not None and not self.logprobs:
            raise broken("top_logprobs", self.top_logprobs)
        if self.stream_options is not None and not self.stream:
            raise broken("stream_options", self.stream_options.model_dump(exclude_none=True))
        called: set[str] = set()
        for position, message in enumerate(self.messages):
            where = f"messages[{position}]"
            if isinstance(message, AssistantMessage):
                called.update(call.id for call in message.tool_calls or ())
                if message.prefix and message is not self.messages[-1]:
                    raise InvalidRequestError(
                        f"`{where}.prefix` is true, and only the last message can be a prefix.",
                        field=f"{where}.prefix", value=True, limit="only on the last message",
                    )
                if message.content is None and not message.tool_calls:
                    raise InvalidRequestError(
                        f"`{where}.content` is missing: an assistant message needs content or tool_calls.",
                        field=f"{where}.content", limit="a string",
                    )
            if isinstance(message, ToolMessage) and message.tool_call_id not in called:
                raise InvalidRequestError(
                    f"`{where}.tool_call_id` is {message.tool_call_id!r}, which no earlier message called.",
                    field=f"{where}.tool_call_id", value=message.tool_call_id, limit="the id of an earlier call",
                )

    def to_wire(self) -> dict[str, Any]:
        """The JSON body: only what was set, surrogates healed, `extra` last.

        Raises InvalidRequestError where `extra` or a tool's schema holds what JSON cannot say.
        """
        body: dict[str, Any] = {
            "messages": [_message_to_wire(message, self.replays_reasoning) for message in self.messages]
        }
        for name in FIELDS:
            value = getattr(self, name)
            if name != "extra" and value is not None:
                body[name] = _to_wire(value)
        body.update(self.extra)
        healed: dict[str, Any] = heal(body)
        return healed

    def encode(self) -> bytes:
        """The JSON body as UTF-8 bytes."""
        try:
            return json.dumps(self.to_wire(), ensure_ascii=False, allow_nan=False).encode("utf-8")
        except (TypeError, ValueError, RecursionError) as error:
            reason = str(error)
        raise InvalidRequestError(
            f"The request cannot be written as JSON: {reason}",
            remedy="Use strings, numbers, lists and dictionaries only in `extra` and in tools' parameters.",
        )

    @property
    def thinks(self) -> bool:
        """Whether the model was asked to think before it answers."""
        if self.is_told_not_to_think:
            return False
        return self.thinking is not None or self.reasoning_effort is not None or self.model.endswith("reasoner")

    @property
    def is_told_not_to_think(self) -> bool:
        """Whether thinking was switched off."""
        is_off = self.thinking is not None and self.thinking.type == "disabled"
        return is_off or self.reasoning_effort == "none"

    @property
    def may_think(self) -> bool:
        """Whether the model may think, asked or not: newer ones do unless it is switched off."""
        return self.thinks or (not self.is_told_not_to_think and thinks_unless_told(self.model))

    @property
    def forces_a_call(self) -> bool:
        """Whether `tool_choice` is "required", or names a function."""
        return self.tool_choice not in (None, "none", "auto")

    @property
    def replays_reasoning(self) -> bool:
        """Whether what the model thought in earlier turns goes along: it does with tools."""
        return self._replays and bool(self.tools)

    def without_replay(self) -> ChatRequest:
        """This request for a server that takes no reasoning back."""
        request = self.model_copy()
        request._replays = False
        return request

    @property
    def prefix(self) -> str | None:
        """The text that the answer was made to begin with, or None."""
        last = self.messages[-1]
        return (last.content or "") if isinstance(last, AssistantMessage) and last.prefix else None

    @property
    def behind(self) -> str:
        """The text that stands behind the answer: in a chat there is none."""
        return ""

    @property
    def needs_beta(self) -> bool:
        """Whether the request uses what is served under `/beta` only: a prefix, or strict functions."""
        return self.prefix is not None or any(tool.function.strict for tool in self.tools or ())

    def prepared(self) -> Prepared:
        """The request as it should be sent, with notes on what was added.

        JSON mode without the word "json" in a message may make the model write blanks until its limit,
        so an instruction is added. Raises InvalidRequestError for what the service is known to refuse.
        """
        names = [tool.function.name for tool in self.tools or ()]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise InvalidRequestError(
                f"`tools` has two functions with the name {twice!r}.", field="tools", value=twice,
                limit=LIMITS["tools"], remedy="Rename one.",
            )
        check_strict(self.tools or ())
        is_known = self.thinking is not None or self.model.startswith("deepseek")
        if self.forces_a_call and self.thinks and is_known:
            raise InvalidRequestError(
                f"`tool_choice` is {shown(_written_choice(self.tool_choice))}, and a model that thinks cannot be made "
                "to call a function.",
                field="tool_choice",
                remedy=FORCED_CALL,
            )
        if self.response_format and self.response_format.type == "json_object" and not self._says_json():
            note = f"JSON mode needs the word “json” in a message: added “{JSON_INSTRUCTION}”"
            return Prepared(self.model_copy(update={"messages": self._messages_asking_for_json()}), [note])
        return Prepared(self, [])

    def suited_to_model(self) -> Prepared:
        """The request as its model takes it, now that it is known which one it is.

        One that thinks of its own accord refuses a call that is forced: thinking is switched off then.
        """
        if self.forces_a_call and self.may_think and not self.thinks:
            note = "Thinking was switched off for this request: `tool_choice` does not go with it."
            return Prepared(self.model_copy(update={"thinking": Thinking(type="disabled")}), [note])
        return Prepared(self, [])

    def read_events(self, payloads: list[bytes]) -> list[bytes]:
        """The data of a stream's events, in the form of chat completions: as it came."""
        return payloads

    def read_body(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body of an answer, in the same form."""
        return body

    def _says_json(self) -> bool:
        return any("json" in (message.content or "").lower() for message in self.messages)

    def _messages_asking_for_json(self) -> list[Any]:
        first, *rest = self.messages
        if isinstance(first, SystemMessage):
            return [first.model_copy(update={"content": f"{first.content}\n\n{JSON_INSTRUCTION}"}), *rest]
        return [SystemMessage(content=JSON_INSTRUCTION), first, *rest]


def _message_to_wire(message: Any, replays: bool) -> dict[str, Any]:
    """`message` as JSON. What the model thought goes with a prefix, and with `replays` in every earlier turn."""
    fields: dict[str, Any] = message.model_dump(exclude_none=True)
    if isinstance(message, AssistantMessage):
        fields.setdefault("content", None)
        if replays and not message.prefix:
            fields.setdefault("reasoning_content", "")
        elif not message.prefix:
            fields.pop("reasoning_content", None)
    return fields


def _written_choice(choice: Any) -> Any:
    return choice.function.name if isinstance(choice, NamedToolChoice) else choice


def _to_wire(value: Any) -> Any:
    """A field's value for JSON. A schema's own nulls stay: only fields of ours that are None are left out."""
    if isinstance(value, Outgoing):
        return {
            name: _to_wire(getattr(value, name))
            for name in type(value).model_fields
            if getattr(value, name) is not None
        }
    if isinstance(value, list):
        return [_to_wire(each) for each in value]
    return value
