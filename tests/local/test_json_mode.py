"""JSON mode and schemas: constrained while decoding, and said where it was."""

from __future__ import annotations

import json

import pytest

ORDER = {
    "type": "object",
    "properties": {
        "item": {"type": "string"}, "quantity": {"type": "integer"}, "colour": {"enum": ["red", "blue", "green"]}
    },
    "required": ["item", "quantity", "colour"],
}


def schema(value: dict) -> dict:
    return {"type": "json_schema", "json_schema": {"name": "order", "schema": value}}


@pytest.fixture(scope="module")
def order(api):
    return api.chat(
        "Three blue umbrellas, please.", temperature=0, response_format=schema(ORDER), logprobs=True, top_logprobs=20
    )["choices"][0]


@pytest.mark.parametrize("seed", range(4))
def test_json_mode_yields_an_object_or_an_honest_length(api, seed):
    choice = api.chat(
        "Name a fruit and its colour as JSON.", response_format={"type": "json_object"}, max_tokens=100, seed=seed
    )["choices"][0]
    if choice["finish_reason"] == "stop":
        assert isinstance(json.loads(choice["message"]["content"]), dict)
    else:
        assert choice["finish_reason"] == "length"
        assert choice["message"]["content"].startswith("{")


def test_json_mode_without_the_word_json_is_refused(refused):
    error = refused(response_format={"type": "json_object"})
    assert (error["status"], error["param"]) == (400, "response_format")
    assert "json" in error["message"]


def test_a_schema_is_kept_to_although_the_model_is_not_shown_it(order):
    value = json.loads(order["message"]["content"])
    assert value["quantity"] == 3 and value["colour"] == "blue" and "umbrella" in value["item"]


def test_tokens_that_the_schema_forced_are_marked(order):
    entries = order["logprobs"]["content"]
    marked = {entry["token"] for entry in entries if entry.get("constrained")}
    assert {"item", "quantity", "colour"} <= marked
    assert not {" umb", "rell", "3"} & marked


def test_the_value_that_the_model_chose_freely_has_its_probability(order):
    (three,) = [entry for entry in order["logprobs"]["content"] if entry["token"] == "3"]
    assert three["logprob"] > -1


def test_no_token_of_a_free_answer_is_marked(api):
    entries = api.chat(max_tokens=5, logprobs=True)["choices"][0]["logprobs"]["content"]
    assert not any("constrained" in entry for entry in entries)


def test_characters_of_several_tokens_within_json_are_accounted_for(api):
    choice = api.chat(
        "Repeat: 🎉🎊🥳", temperature=0, max_tokens=40, logprobs=True, top_logprobs=3,
        response_format=schema({"const": {"party": "🎉 é 🥳"}}),
    )["choices"][0]
    assert json.loads(choice["message"]["content"]) == {"party": "🎉 é 🥳"}
    entries = choice["logprobs"]["content"]
    assert b"".join(bytes(entry["bytes"]) for entry in entries).decode() == choice["message"]["content"]
    assert len(entries) > len(choice["message"]["content"]) / 3


@pytest.mark.parametrize("wanted", [
    {"type": "json_schema"}, {"type": "json_schema", "json_schema": {"name": "x"}},
    schema({"type": "nonsense"}), schema({"$ref": "#/nowhere"}), schema({"type": "string", "pattern": "(?=x)"}),
])
def test_a_schema_that_cannot_be_followed_is_refused(refused, wanted):
    error = refused(response_format=wanted)
    assert error["status"] in (400, 422)
    assert error["param"].startswith("response_format")


def test_a_prefix_and_json_mode_are_refused_together(refused):
    messages = [{"role": "user", "content": "json"}, {"role": "assistant", "content": "{", "prefix": True}]
    error = refused("/beta/chat/completions", messages=messages, response_format={"type": "json_object"})
    assert (error["status"], error["param"]) == (400, "messages[1].prefix")


def test_thinking_is_free_and_only_the_answer_is_json(api):
    message = api.chat(
        "Three blue umbrellas, please.", model="deepseek-reasoner", seed=1, max_tokens=100,
        response_format=schema(ORDER),
    )["choices"][0]["message"]
    assert not message["reasoning_content"].lstrip().startswith("{")
    assert set(json.loads(message["content"])) == {"item", "quantity", "colour"}
