import asyncio
import dataclasses
import datetime
import enum
import json
from typing import Annotated, Any, Literal, Optional, TypedDict

import pytest
from pydantic import BaseModel, Field

from ds_magic.api.errors import InvalidRequestError
from ds_magic.conversation.functions import ArgumentsError, FunctionTool, as_text


class Unit(enum.Enum):
    C = "celsius"
    F = "fahrenheit"


class Place(BaseModel):
    name: str
    title: str = ""


@dataclasses.dataclass
class Span:
    start: datetime.date
    days: int = 1


class Options(TypedDict, total=False):
    verbose: bool


def parameters(function):
    return FunctionTool(function).definition.function.parameters


def properties(function):
    return parameters(function)["properties"]


def test_a_function_is_described_by_its_signature_and_docstring():
    def get_weather(city: str, unit: Literal["C", "F"] = "C", days: int | None = None) -> str:
        """The weather in a city.

        Args:
            city: where,
                in English
            unit (str): of the temperature
        """

    definition = FunctionTool(get_weather).definition.function
    assert (definition.name, definition.description) == ("get_weather", "The weather in a city.")
    assert definition.parameters["required"] == ["city"]
    assert definition.parameters["properties"] == {
        "city": {"type": "string", "description": "where, in English"},
        "unit": {"type": "string", "enum": ["C", "F"], "default": "C", "description": "of the temperature"},
        "days": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
    }


def test_docstrings_of_sphinx_and_numpy_are_read_too():
    def sphinx(a: int, b: int):
        """Add.

        :param a: the first
        :param int b: the second
        :returns: the sum
        """

    def numpy(a: int, b: int):
        """Add.

        Parameters
        ----------
        a : int
            the first
        b
            the second

        Returns
        -------
        int
        """

    for function in (sphinx, numpy):
        described = {name: each["description"] for name, each in properties(function).items()}
        assert described == {"a": "the first", "b": "the second"}
        assert FunctionTool(function).definition.function.description.startswith("Add.")


def test_enums_lists_models_dataclasses_and_typed_dictionaries_are_described_and_made():
    def f(unit: Unit, places: list[Place], span: Span, options: Optional[Options] = None, *, note: str = ""):  # noqa: UP045
        return unit, places, span, options, note

    tool = FunctionTool(f)
    arguments = tool.arguments(
        json.dumps({"unit": "celsius", "places": [{"name": "Rome"}], "span": {"start": "2026-01-02"}, "note": "x"})
    )
    assert tool.call(arguments) == (Unit.C, [Place(name="Rome")], Span(datetime.date(2026, 1, 2)), None, "x")
    schema = json.dumps(parameters(f))
    assert '"celsius"' in schema and '"title": {"default": ""' in schema


def test_parameters_may_have_any_name():
    def f(schema: int, _x: int, model_config: int, json: int, self: int = 5, /):
        return schema, _x, model_config, json, self

    tool = FunctionTool(f)
    assert set(properties(f)) == {"schema", "_x", "model_config", "json", "self"}
    assert tool.call(tool.arguments('{"schema": 1, "_x": 2, "model_config": 3, "json": 4}')) == (1, 2, 3, 4, 5)


def test_a_parameter_without_an_annotation_takes_anything():
    def f(a, b=2):
        return a, b

    assert properties(f)["a"] == {}
    assert FunctionTool(f).call({"a": [1]}) == ([1], 2)


def test_fields_of_annotated_parameters_count():
    def f(n: Annotated[int, Field(ge=1, le=3, description="how many")]):
        return n

    assert properties(f)["n"] == {"type": "integer", "minimum": 1, "maximum": 3, "description": "how many"}
    with pytest.raises(ArgumentsError, match="n: "):
        FunctionTool(f).arguments('{"n": 4}')


def test_methods_and_asynchronous_functions_can_be_called():
    class Thermometer:
        def read(self, room: str) -> str:
            return f"{room}: 20"

    async def later(n: int) -> int:
        await asyncio.sleep(0)
        return n + 1

    assert FunctionTool(Thermometer().read).call({"room": "attic"}) == "attic: 20"
    assert FunctionTool(later).call({"n": 1}) == 2


def test_an_asynchronous_function_can_be_called_where_a_loop_runs():
    async def later() -> int:
        return 42

    async def notebook():
        return FunctionTool(later).call({})

    assert asyncio.run(notebook()) == 42


class Opaque:
    pass


def takes_any_number(*numbers: int):
    pass


def takes_any_names(**names: int):
    pass


def takes_opaque(thing: Opaque):
    pass


def takes_unknown(thing: "NoSuchType"):  # noqa: F821
    pass


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (takes_any_number, "`numbers`"),
        (takes_any_names, "`names`"),
        (takes_opaque, "`thing`"),
        (takes_unknown, "annotations"),
        (lambda x: x, "its name"),
        (Opaque, "not a function"),
        (42, "not a function"),
        ("f", "not a function"),
    ],
)
def test_what_cannot_be_described_is_refused_and_named(what, says):
    with pytest.raises(InvalidRequestError, match=says):
        FunctionTool(what)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not valid JSON"),
        ("[1]", "JSON object"),
        ('{"x": "y"}', "n: "),
        ('{"n": 1, "m": 2}', "m: "),
        ('{"n": "one"}', "n: "),
    ],
)
def test_arguments_are_validated_before_the_call(text, says):
    def f(n: int):
        raise AssertionError("it was called")

    with pytest.raises(ArgumentsError, match=says):
        FunctionTool(f).arguments(text)


def test_no_arguments_may_come_as_nothing():
    def f(n: int = 3):
        return n

    assert FunctionTool(f).call(FunctionTool(f).arguments("")) == 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        ({"a": datetime.date(2026, 1, 2)}, '{"a":"2026-01-02"}'),
        (Place(name="Rome"), '{"name":"Rome","title":""}'),
        (Span(datetime.date(2026, 1, 2)), '{"start":"2026-01-02","days":1}'),
        (float("nan"), "NaN"),
        ({1, 2}, "[1,2]"),
    ],
)
def test_results_become_text(value: Any, text):
    assert as_text(value) == text


def test_a_result_that_json_cannot_say_becomes_its_str():
    class Odd:
        def __str__(self):
            return "odd"

    assert as_text(Odd()) == '"odd"'
