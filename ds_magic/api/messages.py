"""The four kinds of message, tools and tool calls: strict, as they go out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

FUNCTION_NAME = r"^[A-Za-z0-9_-]{1,128}$"


class Outgoing(BaseModel):
    """What goes out: no unknown fields, no silent conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, validate_default=False)


class FunctionCall(Outgoing):
    """The function that the model called: its name and its arguments, a string that should be JSON."""

    name: str
    arguments: str


class ToolCall(Outgoing):
    """A call that the model made, sent back as part of the conversation."""

    id: str
    type: Literal["function"] = "function"
    function: FunctionCall


class Spoken(Outgoing):
    """A message. Its content may be given as a list of text parts, as other clients do: it goes out as one text."""

    @field_validator("content", mode="before", check_fields=False)
    @classmethod
    def _joined(cls, content: Any) -> Any:
        return "".join(map(_text_of, content)) if isinstance(content, list) else content


def _text_of(part: Any) -> str:
    fields = part if isinstance(part, Mapping) else {}
    if fields.get("type") != "text":
        raise ValueError(f"it has a part of type {fields.get('type')!r:.60}, and only parts of type 'text' can be read")
    text = fields.get("text")
    if not isinstance(text, str):
        raise ValueError("it has a part of type 'text' whose text is not a string")
    return text


class SystemMessage(Spoken):
    """Instructions for the whole conversation."""

    role: Literal["system"] = "system"
    content: str
    name: str | None = None


class UserMessage(Spoken):
    """What the user says."""

    role: Literal["user"] = "user"
    content: str
    name: str | None = None


class AssistantMessage(Spoken):
    """What the model said, or with `prefix` (last message only) how its answer must begin.

    `reasoning_content` goes out with `prefix`, where it is the start of the thinking, and in every earlier turn of a
    request with tools, where newer models require it; elsewhere it is left out, since older servers refuse it.
    `prefix_tokens`, for the embedded server alone: the tokens that a prefix ends with, each as its bytes.
    """

    role: Literal["assistant"] = "assistant"
    content: str | None = None
    name: str | None = None
    prefix: bool | None = None
    prefix_tokens: list[list[int]] | None = None
    reasoning_content: str | None = None
    tool_calls: list[ToolCall] | None = None


class ToolMessage(Spoken):
    """What a function returned; `tool_call_id` is the id of an earlier call."""

    role: Literal["tool"] = "tool"
    content: str
    tool_call_id: str


Message = Annotated[
    SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]

_KINDS: dict[str, type[Outgoing]] = {
    "system": SystemMessage,
    "user": UserMessage,
    "assistant": AssistantMessage,
    "tool": ToolMessage,
}


class FunctionDefinition(Outgoing):
    """A function that the model may call. `parameters` is a JSON Schema object; `strict` is beta."""

    name: str = Field(pattern=FUNCTION_NAME)
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Outgoing):
    """A tool that the model may use; only functions exist."""

    type: Literal["function"] = "function"
    function: FunctionDefinition


class FunctionName(Outgoing):
    """The name of a function."""

    name: str = Field(pattern=FUNCTION_NAME)


class NamedToolChoice(Outgoing):
    """A `tool_choice` that names the function to call."""

    type: Literal["function"] = "function"
    function: FunctionName


class ResponseFormat(Outgoing):
    """`text`, `json_object`, or, on servers that take a schema, `json_schema`."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: dict[str, Any] | None = None


class StreamOptions(Outgoing):
    """`include_usage`: ask for a last chunk with the usage. Only with `stream: true`."""

    include_usage: bool | None = None


class Thinking(Outgoing):
    """`enabled` or `disabled`: whether the model thinks before it answers."""

    type: Literal["enabled", "disabled"]

    @field_validator("type", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value


def as_message_fields(message: Any) -> Any:
    """`message` as something the message models can validate.

    Takes a mapping, one of our messages, a message or a completion that came from a server. Fields that
    are null count as not set, and a `developer` is the system, so that messages of other clients go through.
    """
    if hasattr(message, "as_message"):
        message = message.as_message()
    if isinstance(message, BaseModel):
        message = message.model_dump(exclude_none=True)
    if not isinstance(message, Mapping):
        return message
    fields = {name: value for name, value in message.items() if value is not None}
    if fields.get("role") == "developer":
        fields["role"] = "system"
    if isinstance(fields.get("tool_calls"), Iterable) and not isinstance(fields["tool_calls"], str | Mapping):
        fields["tool_calls"] = [_as_tool_call(call) for call in fields["tool_calls"]] or None
    return fields


def _as_tool_call(call: Any) -> Any:
    if isinstance(call, BaseModel):
        call = call.model_dump(exclude_none=True)
    if not isinstance(call, Mapping):
        return call
    fields = {name: value for name, value in call.items() if value is not None and name != "index"}
    function = fields.get("function")
    if isinstance(function, Mapping) and isinstance(function.get("arguments"), Mapping):
        fields["function"] = {**function, "arguments": json.dumps(function["arguments"], ensure_ascii=False)}
    return fields


def known_fields(message: Any) -> Any:
    """`message` without the fields that its kind of message does not have."""
    role = message.get("role") if isinstance(message, Mapping) else None
    kind = _KINDS.get(role) if isinstance(role, str) else None
    return message if kind is None else without_unknown(message, kind)


def without_unknown(value: Any, annotation: Any) -> Any:
    """A value of this type without fields that are null or that it does not have, nor what stands in it.

    Other clients send more than DeepSeek knows, and it passes that over.
    """
    kind = _kind_in(annotation)
    if kind is None:
        return value
    if isinstance(value, list):
        return [without_unknown(each, kind) for each in value]
    if not isinstance(value, Mapping):
        return value
    known = kind.model_fields
    return {
        name: without_unknown(each, known[name].annotation)
        for name, each in value.items()
        if name in known and each is not None
    }


def _kind_in(annotation: Any) -> type[Outgoing] | None:
    """The kind of object that a type is, or is a list or one choice of."""
    if isinstance(annotation, type) and issubclass(annotation, Outgoing):
        return annotation
    return next((kind for each in get_args(annotation) if (kind := _kind_in(each))), None)
