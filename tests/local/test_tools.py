"""Functions: chosen by the model, called with arguments that fit their schema."""

from __future__ import annotations

import json

import pytest

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
            "required": ["city", "unit"],
        },
    },
}
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
            "required": ["a", "b"],
        },
    },
}
MAIL = {"type": "function", "function": {"name": "send_email", "description": "Send an email to somebody"}}
NOW = {"type": "function", "function": {"name": "now"}}
SUM = "What is 17 plus 25?"


def named(name: str) -> dict:
    return {"type": "function", "function": {"name": name}}


def test_a_function_is_called_with_arguments_that_fit_its_schema(api):
    answer = api.chat("What is the weather in Paris?", tools=[WEATHER], tool_choice="required", temperature=0)
    (choice,) = answer["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert (call["type"], call["function"]["name"]) == ("function", "get_weather")
    arguments = json.loads(call["function"]["arguments"])
    assert arguments["city"] == "Paris"
    assert arguments["unit"] in ("celsius", "fahrenheit")


def test_arguments_fit_the_schema_at_any_temperature(api):
    for seed in range(4):
        answer = api.chat(SUM, tools=[ADD], tool_choice="required", temperature=2, seed=seed, max_tokens=400)
        arguments = json.loads(answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"])
        assert set(arguments) == {"a", "b"}
        assert all(isinstance(value, int | float) for value in arguments.values())


def test_a_named_function_is_the_one_that_is_called(api):
    answer = api.chat(SUM, tools=[WEATHER, ADD], tool_choice=named("add"), temperature=0)
    (call,) = answer["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"a": 17, "b": 25}


def test_with_none_nothing_is_called(api):
    (choice,) = api.chat(SUM, tools=[ADD], tool_choice="none", max_tokens=4)["choices"]
    assert "tool_calls" not in choice["message"]
    assert choice["message"]["content"]


def test_with_auto_the_model_decides(api):
    asked = {"tools": [WEATHER, ADD, MAIL], "temperature": 0}
    calls = api.chat(SUM, max_tokens=60, **asked)["choices"][0]
    greets = api.chat("Hello!", max_tokens=8, **asked)["choices"][0]
    assert calls["finish_reason"] == "tool_calls"
    assert greets["finish_reason"] in ("stop", "length")
    assert greets["message"]["content"]


def test_a_function_without_parameters_is_called_with_none(api):
    answer = api.chat("What time is it?", tools=[NOW], tool_choice="required", max_tokens=4)
    (call,) = answer["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "now", "arguments": "{}"}


def test_a_call_is_streamed_in_pieces_by_its_index(api):
    *chunks, _ = api.events(SUM, tools=[ADD], tool_choice="required", temperature=0)
    pieces = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert [piece["index"] for piece in pieces] == [0] * len(pieces)
    assert pieces[0]["id"] and pieces[0]["function"] == {"name": "add", "arguments": ""}
    assert not any("id" in piece or "name" in piece["function"] for piece in pieces[1:])
    assert len(pieces) > 4
    assert json.loads("".join(piece["function"]["arguments"] for piece in pieces)) == {"a": 17, "b": 25}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_several_functions_can_be_called_in_one_turn(api):
    for seed in range(8):
        message = api.chat(
            "What is the weather in Paris, and what is 17 plus 25?", tools=[WEATHER, ADD], tool_choice="required",
            temperature=1, seed=seed, max_tokens=500,
        )["choices"][0]["message"]
        names = [call["function"]["name"] for call in message["tool_calls"]]
        assert len(set(names)) == len(names)
        if len(names) == 2:
            assert len({call["id"] for call in message["tool_calls"]}) == 2
            return
    raise AssertionError("in none of 8 turns two functions were called")


def test_parallel_tool_calls_false_means_one(api):
    for seed in range(4):
        message = api.chat(
            "What is the weather in Paris, and what is 17 plus 25?", tools=[WEATHER, ADD], tool_choice="required",
            temperature=1, seed=seed, parallel_tool_calls=False,
        )["choices"][0]["message"]
        assert len(message["tool_calls"]) == 1


def test_what_a_function_returned_is_taken_into_the_next_round(api):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    body = api.body("What is the weather in Paris?", temperature=0, max_tokens=1, tools=[WEATHER], tool_choice="none")
    body["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "It is snowing."},
    ]
    told = api.post(body).json()["usage"]["prompt_tokens"]
    body["messages"][-1]["content"] += " It is very cold, and the roads are closed."
    assert api.post(body).json()["usage"]["prompt_tokens"] >= told + 8


def round_of(api, question, name, arguments, result, *after, **fields):
    """The next message, and why it ended, when a call of the function `name` has its result."""
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}
    body = api.body(question, temperature=0, max_tokens=80, **fields)
    body["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": result}, *after,
    ]
    response = api.post(body)
    assert response.status_code == 200, response.text
    (choice,) = response.json()["choices"]
    return choice["message"], choice["finish_reason"]


@pytest.mark.parametrize("arguments", ['{"a": 17, "b": 25}', '{"b":25.0,"a":17}'])
def test_a_call_that_has_its_result_is_not_made_again(api, arguments):
    message, reason = round_of(api, SUM, "add", arguments, "42", tools=[ADD], tool_choice="auto")
    assert "tool_calls" not in message
    assert message["content"] and reason in ("stop", "length")


def test_a_function_without_parameters_that_has_its_result_is_not_called_again(api):
    message, _ = round_of(api, "What time is it?", "now", "", "12:30", tools=[NOW])
    assert "tool_calls" not in message and message["content"]


def test_a_function_is_called_again_with_other_arguments(api):
    only = {"type": "object", "properties": {"a": {"enum": [17]}, "b": {"enum": [25]}}, "required": ["a", "b"]}
    add = {"type": "function", "function": {**ADD["function"], "parameters": only}}
    message, reason = round_of(api, SUM, "add", '{"a": 1, "b": 2}', "3", tools=[add])
    assert reason == "tool_calls"
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"a": 17, "b": 25}


def test_a_call_is_made_again_when_the_user_asks_again_or_it_is_required(api):
    once = (SUM, "add", '{"a": 17, "b": 25}', "42")
    again = [{"role": "assistant", "content": "42"}, {"role": "user", "content": SUM}]
    assert round_of(api, *once, *again, tools=[ADD])[1] == "tool_calls"
    assert round_of(api, *once, tools=[ADD], tool_choice="required")[1] == "tool_calls"


def test_a_call_that_the_limit_cuts_is_an_honest_length(api):
    (choice,) = api.chat("Weather?", tools=[WEATHER], tool_choice="required", max_tokens=4)["choices"]
    assert choice["finish_reason"] == "length"
    with pytest.raises(ValueError):
        json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"])


def test_128_functions_are_taken(api):
    tools = [{"type": "function", "function": {"name": f"f{number}"}} for number in range(128)]
    answer = api.chat(tools=tools, tool_choice=named("f127"), max_tokens=4)
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "f127"


@pytest.mark.parametrize(("fields", "param"), [
    ({"tools": [ADD, ADD]}, "tools"),
    ({"tools": [ADD], "tool_choice": named("subtract")}, "tool_choice"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "nonsense"}}}]},
     "tools[0].function.parameters"),
])
def test_tools_that_cannot_be_called_are_refused(refused, fields, param):
    error = refused(**fields)
    assert (error["status"], error["param"]) == (400, param)


def test_thinking_and_functions_go_together(api):
    message = api.chat(
        SUM, model="deepseek-reasoner", tools=[ADD], tool_choice="required", seed=1, max_tokens=100
    )["choices"][0]["message"]
    assert message["reasoning_content"]
    assert set(json.loads(message["tool_calls"][0]["function"]["arguments"])) == {"a", "b"}
