"""Python functions as tools: described by a JSON Schema, called with validated arguments."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, PydanticUserError, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError
from pydantic.fields import FieldInfo
from pydantic_core import to_json

from ..api.errors import InvalidRequestError
from ..api.loose_json import parse_json
from ..api.messages import FUNCTION_NAME, FunctionDefinition, Tool
from .typed_dicts import describable


class ArgumentsError(ValueError):
    """What the model sent as arguments does not fit the function; the message is for the model."""


class FunctionTool:
    """A Python function that a model may call.

    `name`, `definition` (a Tool for the wire, its schema from the signature, annotations and
    docstring). `arguments(text)` validates what the model sent, `call(arguments)` runs the function, also
    one defined with `async def`. Raises InvalidRequestError for what cannot be described, naming it.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)
        if not callable(function) or inspect.isclass(function):
            raise _refused(self.name, "it is not a function")
        if not re.fullmatch(FUNCTION_NAME.strip("^$"), self.name):
            raise _refused(self.name, "its name may only hold letters, digits, _ and -, at most 128")
        self._parameters = _parameters_of(function, self.name)
        description, described = _documentation(function, self._parameters)
        self._model = _model_of(self.name, function, self._parameters, described)
        self.definition = Tool(
            function=FunctionDefinition(
                name=self.name, description=description or None, parameters=_schema_of(self._model, self.name)
            )
        )

    def __repr__(self) -> str:
        return f"FunctionTool({self.name}{inspect.signature(self.function)})"

    def arguments(self, text: str) -> dict[str, Any]:
        """The validated arguments in a JSON text, by parameter name. Raises ArgumentsError."""
        try:
            given = parse_json(text.encode("utf-8", "replace"))[0] if text.strip() else {}
        except ValueError as error:
            raise ArgumentsError(f"The arguments are not valid JSON: {error}") from None
        if not isinstance(given, dict):
            raise ArgumentsError(f"The arguments must be a JSON object, not {type(given).__name__}.")
        try:
            validated = self._model.model_validate(given)
        except ValidationError as error:
            raise ArgumentsError(f"The arguments do not fit: {problems(error)}") from None
        return {
            parameter: getattr(validated, field)
            for field, parameter in _fields(self._parameters)
            if field in validated.model_fields_set
        }

    def call(self, arguments: Mapping[str, Any]) -> Any:
        """What the function returns; a coroutine is run to its end."""
        positional, named = [], dict(arguments)
        for name, parameter in self._parameters.items():
            if parameter.kind is parameter.POSITIONAL_ONLY and name in named:
                positional.append(named.pop(name))
        result = self.function(*positional, **named)
        return _finished(result) if inspect.isawaitable(result) else result


def problems(error: ValidationError) -> str:
    """What pydantic found wrong, in one line: place and reason of each."""
    told = []
    for each in error.errors(include_url=False, include_context=False)[:5]:
        place = ".".join(str(part) for part in each["loc"])
        told.append(f"{place}: {each['msg']}" if place else each["msg"])
    return "; ".join(told)


def as_text(value: Any) -> str:
    """A function's result as the text that the model reads: strings as they are, anything else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return to_json(value, fallback=str, inf_nan_mode="constants").decode("utf-8", "replace")
    except Exception:
        return str(value)


def _parameters_of(function: Callable[..., Any], name: str) -> dict[str, inspect.Parameter]:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise _refused(name, "Python does not know its parameters") from None
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise _refused(name, f"`{parameter.name}` stands for any number of arguments, which no schema can name")
    return dict(parameters)


def _fields(parameters: Mapping[str, inspect.Parameter]) -> list[tuple[str, str]]:
    """Field and parameter names: a parameter may be called `schema` or `_x`, a field of a model may not."""
    return [(f"argument_{position}", name) for position, name in enumerate(parameters)]


def _model_of(
    name: str, function: Callable[..., Any], parameters: Mapping[str, inspect.Parameter], described: Mapping[str, str]
) -> type[BaseModel]:
    try:
        hints = get_type_hints(inspect.unwrap(function), include_extras=True)
    except Exception as error:
        raise _refused(name, f"its annotations cannot be read ({type(error).__name__}: {error})") from None
    fields: dict[str, Any] = {}
    for field, parameter_name in _fields(parameters):
        parameter = parameters[parameter_name]
        annotation = describable(hints.get(parameter_name, Any))
        _check_describable(annotation, name, parameter_name)
        default: Any = ... if parameter.default is parameter.empty else parameter.default
        if isinstance(default, FieldInfo):
            fields[field] = (annotation, FieldInfo.merge_field_infos(default, alias=parameter_name))
            continue
        if parameter_name in described:
            fields[field] = (annotation, Field(default, alias=parameter_name, description=described[parameter_name]))
        else:  # no description, rather than None: that would take the place of one in the annotation
            fields[field] = (annotation, Field(default, alias=parameter_name))
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


def _check_describable(annotation: Any, name: str, parameter: str) -> None:
    try:
        TypeAdapter(annotation).json_schema()
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError) as error:
        shown = getattr(annotation, "__name__", str(annotation))
        reason = str(error).splitlines()[0]
        raise _refused(name, f"the type `{shown}` of `{parameter}` has no JSON Schema ({reason})") from None


def _schema_of(model: type[BaseModel], name: str) -> dict[str, Any]:
    try:
        schema = model.model_json_schema(by_alias=True)
    except PydanticUserError as error:
        # A default that is no JSON value, such as a function.
        raise _refused(name, str(error).splitlines()[0]) from None
    schema.setdefault("properties", {})
    plain: dict[str, Any] = without_titles(schema)
    return plain


def without_titles(schema: Any, of_names: bool = False) -> Any:
    """The schema without pydantic's titles, which only cost tokens; a property called `title` stays."""
    if isinstance(schema, list):
        return [without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_titles(value, of_names=key in ("properties", "$defs") and not of_names)
        for key, value in schema.items()
        if of_names or key != "title"
    }


def _documentation(function: Callable[..., Any], parameters: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """What the docstring says of the function, and of each parameter (Google's, NumPy's and Sphinx's styles)."""
    from docstring_parser import ParseError, parse

    text = inspect.getdoc(function) or ""
    try:
        read = parse(text)
    except ParseError:
        return text, {}
    told = {each.arg_name.lstrip("*"): " ".join((each.description or "").split()) for each in read.params}
    return (read.description or "").strip(), {name: said for name, said in told.items() if said and name in parameters}


def _finished(awaitable: Any) -> Any:
    """What an awaitable gives; in a loop of its own, since a notebook's kernel has one running."""
    import threading

    async def wait() -> Any:
        return await awaitable

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(wait())
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            outcome["value"] = asyncio.run(wait())
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def _refused(name: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"`{name}` cannot be a tool: {reason}.",
        field="tools",
        remedy="Use a function with named, annotated parameters, or give its definition as a JSON Schema yourself.",
    )
