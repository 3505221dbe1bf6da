"""Answers as typed objects: the schema for the request, and the object that came of it."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import PydanticUserError, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.loose_json import whole_number
from .functions import problems, without_titles
from .typed_dicts import describable

if TYPE_CHECKING:
    from ..api.response import ChatCompletion

_WRAPPED = "value"
"""The key under which a value that is no object is asked for: JSON mode gives objects only."""


class SchemaUse(NamedTuple):
    """Whether a schema is sent as `response_format`, and whether the prompt tells of it."""

    sent: bool
    told: bool

    @classmethod
    def at(cls, *, is_embedded: bool, is_deepseek: bool) -> SchemaUse:
        """How a server is best told of a schema.

        The embedded model is constrained to it, and so small that it would only echo one that it is shown.
        DeepSeek has JSON mode only. Other servers may take it or pass it over, and are told as well.
        """
        return cls(sent=is_embedded or not is_deepseek, told=not is_embedded)


class UnfitAnswerError(DeepSeekError):
    """The answer is not the JSON that was asked for; `partial` is the whole completion, `reason` says what is wrong."""

    partial: ChatCompletion

    default_remedy = "Run it again, ask for repairs with `--repair 2`, or say in the prompt what the JSON looks like."

    def __init__(self, message: str, *, reason: str, partial: ChatCompletion, **known: Any):
        super().__init__(message, partial=partial, **known)
        self.reason = reason


class AnySchema:
    """JSON mode without a schema: any JSON object will do."""

    name = "JSON"

    @property
    def fields(self) -> list[str]:
        """The names that the object will have, as far as they are known."""
        return []

    def instructions(self, use: SchemaUse) -> str | None:
        """What the prompt must say; nothing, since JSON mode itself adds what it needs."""
        return None

    def response_format(self, use: SchemaUse) -> dict[str, Any]:
        """The `response_format` to send."""
        return {"type": "json_object"}

    def value_of(self, parsed: Any) -> Any:
        """The value that was asked for. Raises ValueError with the reason where `parsed` does not fit."""
        return parsed


class Schema(AnySchema):
    """The type of an answer: a pydantic model, dataclass, TypedDict, annotation, or a JSON Schema.

    `name` is for messages. Raises InvalidRequestError for what has no JSON Schema.
    """

    def __init__(self, kind: Any, name: str):
        self.name = name
        self._adapter: TypeAdapter[Any] | None = None
        if isinstance(kind, Mapping):
            self.schema = dict(kind)
            _check_schema(self.schema, name)
        else:
            self.schema, self._adapter = _described(kind, name)
        self._is_wrapped = not _is_object(self.schema)
        if self._is_wrapped:
            self.schema = self._wrapped(kind)
        if self._adapter is not None:
            self.schema = without_titles(self.schema)

    @property
    def fields(self) -> list[str]:
        """The names of the object's fields."""
        root = self.schema
        if "$ref" in root:
            root = root.get("$defs", {}).get(str(root["$ref"]).rsplit("/", 1)[-1], {})
        return [str(name) for name in root.get("properties", {})]

    def instructions(self, use: SchemaUse) -> str | None:
        """What the prompt must say for the model to know the schema."""
        if not use.told:
            return None
        return (
            "Answer with one JSON object that fits this JSON Schema, and nothing else:\n"
            + json.dumps(self.schema, ensure_ascii=False)
        )

    def response_format(self, use: SchemaUse) -> dict[str, Any]:
        """JSON mode; the schema itself where it is sent."""
        if use.sent:
            return {"type": "json_schema", "json_schema": {"name": "answer", "schema": self.schema}}
        return {"type": "json_object"}

    def value_of(self, parsed: Any) -> Any:
        """The typed object in parsed JSON. Raises ValueError with the place and the reason."""
        if self._adapter is None:
            _validate(parsed, self.schema)
        if self._is_wrapped:
            if not isinstance(parsed, dict) or _WRAPPED not in parsed:
                raise ValueError(f"there is no `{_WRAPPED}` in it")
            parsed = parsed[_WRAPPED]
        if self._adapter is None:
            return parsed
        try:
            # Validated as JSON, so that what JSON spells as a string (a date, an enum) is taken.
            return self._adapter.validate_json(json.dumps(parsed))
        except ValidationError as error:
            raise ValueError(problems(error)) from None

    def _wrapped(self, kind: Any) -> dict[str, Any]:
        if self._adapter is not None:
            fields: dict[str, Any] = {_WRAPPED: (describable(kind), ...)}
            wrapped: dict[str, Any] = create_model("Answer", **fields).model_json_schema()
            return wrapped
        inner = dict(self.schema)
        definitions = {name: inner.pop(name) for name in ("$defs", "definitions") if name in inner}
        return {"type": "object", "properties": {_WRAPPED: inner}, "required": [_WRAPPED], **definitions}


def parse_answer(completion: ChatCompletion, schema: AnySchema) -> Any:
    """The object that the answer is, also bound to `completion.parsed`.

    Raises UnfitAnswerError with the text, the place and the reason where it is not JSON, was cut off, is
    blank, or does not fit.
    """
    text = completion.text
    if not text.strip():
        raise _unfit(completion, "The answer is blank.", "it is blank")
    try:
        parsed = json.loads(text, parse_int=whole_number)
    except json.JSONDecodeError as error:
        cut = completion.finish_reason == "length"
        what = "The answer was cut off, at max_tokens." if cut else "The answer is not JSON."
        reason = f"line {error.lineno}, column {error.colno}: {error.msg}"
        remedy = "Allow more with `--max-tokens`." if cut else None
        raise _unfit(completion, what, reason, _around(text, error.pos), remedy) from None
    except RecursionError:
        raise _unfit(completion, "The answer is nested too deep.", "it is nested too deep", text) from None
    if not isinstance(parsed, dict):
        raise _unfit(completion, "The answer is not a JSON object.", f"it is {type(parsed).__name__}", text)
    try:
        value = schema.value_of(parsed)
    except ValueError as error:
        raise _unfit(completion, f"The answer does not fit {schema.name}.", str(error), text) from None
    completion.parsed = value
    return value


def repair_messages(unfit: ChatCompletion, reason: str) -> list[dict[str, Any]]:
    """What a request for a repair adds to the conversation: the answer, and what is wrong with it."""
    said = {**unfit.as_message(), "content": unfit.text, "tool_calls": None}
    return [
        {name: value for name, value in said.items() if value is not None},
        {"role": "user", "content": f"That is not right: {reason}. Answer again with the corrected JSON only."},
    ]


def _unfit(
    completion: ChatCompletion, what: str, reason: str, text: str = "", remedy: str | None = None
) -> UnfitAnswerError:
    shown = text if len(text) <= 400 else text[:399] + "…"
    message = "\n".join(filter(None, [what, f"Reason: {reason}." if text else "", shown]))
    return UnfitAnswerError(message, reason=reason, partial=completion, remedy=remedy)


def _around(text: str, position: int) -> str:
    """The text around a position, the place marked."""
    before, after = text[max(0, position - 160) : position], text[position : position + 80]
    start = "…" if position > 160 else ""
    end = "…" if position + 80 < len(text) else ""
    return f"{start}{before}⟨here⟩{after}{end}"


def _described(kind: Any, name: str) -> tuple[dict[str, Any], TypeAdapter[Any]]:
    is_type = isinstance(kind, type) or typing.get_origin(kind) is not None or dataclasses.is_dataclass(kind)
    if not is_type and not _is_annotation(kind):
        raise InvalidRequestError(
            f"`--schema {name}`: `{name}` is a {type(kind).__name__}, which is no type.",
            remedy="Name a pydantic model, dataclass, TypedDict, annotation such as list[int], or JSON Schema.",
        )
    try:
        adapter = TypeAdapter(describable(kind))
        return adapter.json_schema(), adapter
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError) as error:
        reason = str(error).splitlines()[0]
    raise InvalidRequestError(
        f"`--schema {name}`: `{name}` has no JSON Schema: {reason}.", remedy="Use types that JSON can say."
    )


def _is_annotation(kind: Any) -> bool:
    return type(kind).__module__ in ("typing", "types") and not callable(getattr(kind, "__code__", None))


def _is_object(schema: Mapping[str, Any]) -> bool:
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return _is_object(schema.get("$defs", schema.get("definitions", {})).get(name, {}))
    return schema.get("type") == "object" or "properties" in schema


def _check_schema(schema: Mapping[str, Any], name: str) -> None:
    jsonschema = _jsonschema()
    try:
        jsonschema.validators.validator_for(schema).check_schema(schema)
        return
    except jsonschema.SchemaError as error:
        reason = error.message
    raise InvalidRequestError(f"`--schema {name}` is not a JSON Schema: {reason}.", remedy="Change it.")


def _validate(value: Any, schema: Mapping[str, Any]) -> None:
    jsonschema = _jsonschema()
    validator = jsonschema.validators.validator_for(schema)(schema)
    errors = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))
    if errors:
        told = (f"{'.'.join(map(str, error.path))}: {error.message}".removeprefix(": ") for error in errors[:5])
        raise ValueError("; ".join(told))


def _jsonschema() -> Any:
    try:
        import jsonschema

        return jsonschema
    except ImportError:
        pass
    raise InvalidRequestError(
        "A JSON Schema needs the package jsonschema to be checked, and it is not installed.",
        remedy="`%pip install jsonschema`, or name a pydantic model or a dataclass instead.",
    )
