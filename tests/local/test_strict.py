"""Strict functions at the embedded server: refused as the service would, and followed to the letter."""

from __future__ import annotations

import json

import pytest

SUM = "What is 17 plus 25?"
NUMBER = {"type": "integer"}
DIRECTLY = {"thinking": {"type": "disabled"}}


def tool(name="add", strict=True, **schema):
    schema = {"type": "object", "properties": {"a": NUMBER, "b": NUMBER}, "required": ["a", "b"],
              "additionalProperties": False} | schema  # fmt: skip
    function = {"name": name, "description": "Add two numbers", "parameters": schema, "strict": strict}
    return {"type": "function", "function": function}


@pytest.fixture(params=["api", "todays"])
def either(request):
    """What asks the server of the seeds, and that of today."""
    return request.getfixturevalue(request.param)


def asked(api, path, tools):
    fields = {"max_tokens": 40, "temperature": 0, "tool_choice": "required", **DIRECTLY}
    return api.post(api.body(SUM, tools=tools, **fields), path)


@pytest.mark.parametrize(("tools", "field", "why"), [
    ([tool(), tool("sub", strict=False)], "tools[1].function.strict", "all must be, or none"),
    ([tool(required=["a"])], "tools[0].function.parameters", "`b` is not required"),
    ([tool(additionalProperties=True)], "tools[0].function.parameters", "additionalProperties"),
    ([tool(properties={"a": NUMBER, "b": {"type": "string", "maxLength": 3}})],
     "tools[0].function.parameters.properties.b", "maxLength"),
])
def test_what_cannot_be_strict_is_refused_with_the_field(either, tools, field, why):
    response = asked(either, "/beta/chat/completions", tools)
    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (400, field) and why in error["message"]


def test_strict_functions_are_called_with_just_their_arguments(either):
    message = asked(either, "/beta/chat/completions", [tool()]).json()["choices"][0]["message"]
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"a": 17, "b": 25}


def test_outside_beta_strict_promises_nothing_and_is_no_trouble(either):
    response = asked(either, "/v1/chat/completions", [tool(required=["a"]), tool("sub", strict=False)])
    assert response.status_code == 200 and response.json()["choices"][0]["message"]["tool_calls"]
