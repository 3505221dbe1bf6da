"""`ds-magic serve --today`: DeepSeek's service as it is today, asked of the real model."""

from __future__ import annotations

import json

import pytest

SUM = "What is 17 plus 25?"
DIRECTLY = {"thinking": {"type": "disabled"}}
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
CALL = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 17, "b": 25}'}}


@pytest.fixture(scope="module")
def api(todays):
    """Also what `refused` posts to."""
    return todays


def reply(answer: dict) -> dict:
    return answer["choices"][0]["message"]


def rounds(**reasoning: str | None) -> list[dict]:
    """A conversation in which one turn of the assistant called nothing, and one called a function."""
    return [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!", **reasoning},
        {"role": "user", "content": SUM},
        {"role": "assistant", "content": "", "reasoning_content": "I add them.", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
    ]


def test_the_program_names_a_model_of_today(api):
    assert api.model == "deepseek-flash"


def test_todays_models_are_listed_with_the_room_they_have(api):
    data = api.get("/models").json()["data"]
    assert [model["id"] for model in data] == ["deepseek-flash", "deepseek-v4-pro"]
    assert all(model["context_window"] == model["max_output_tokens"] == 4096 for model in data)


@pytest.mark.parametrize(("asked", "answers"), [
    ("deepseek-flash", "deepseek-flash"), ("deepseek-v4-pro", "deepseek-v4-pro"),
    ("deepseek-v4-flash", "deepseek-flash"),
])
def test_an_answer_says_which_model_answered(api, asked, answers):
    answer = api.chat(model=asked, max_tokens=1, **DIRECTLY)
    assert answer["model"] == answers
    assert "smollm2" in answer["system_fingerprint"]


@pytest.mark.parametrize("model", ["deepseek-chat", "deepseek-reasoner", "smollm2-135m-instruct", "gpt-4"])
def test_retired_and_unknown_models_are_refused_in_the_services_words(api, model):
    response = api.post(api.body(model=model))
    assert response.status_code == 400
    assert response.json() == {"error": {
        "message": f"The supported API model names are deepseek-flash, deepseek-v4-pro, but you passed {model}.",
        "type": "invalid_request_error", "param": None, "code": "invalid_request_error",
    }}


def test_a_request_without_a_model_is_refused(refused):
    error = refused(model=None)
    assert (error["status"], error["param"]) == (400, "model")


def test_it_thinks_unless_told_not_to(api):
    answer = api.chat(SUM, max_tokens=12, seed=1)
    assert reply(answer)["reasoning_content"] and reply(answer)["content"]
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


@pytest.mark.parametrize("fields", [
    DIRECTLY, {"reasoning_effort": "none"}, {"reasoning_effort": "max", **DIRECTLY},
    {"reasoning_effort": "none", "thinking": {"type": "enabled"}},
])
def test_told_not_to_it_answers_directly(api, fields):
    assert "reasoning_content" not in reply(api.chat(max_tokens=2, **fields))


@pytest.mark.parametrize("tokens", [1, 2, 3])
def test_also_a_very_short_answer_is_an_answer(api, tokens):
    assert reply(api.chat(max_tokens=tokens, seed=1))["content"]


@pytest.mark.parametrize(("words", "tokens"), [
    (("low", "minimal"), 5), (("high", "medium", "xhigh"), 10), (("max", "ultra"), 15),
])
def test_other_words_for_an_effort_mean_the_same(api, words, tokens):
    for word in words:
        answer = api.chat("Tell me everything about the sea.", max_tokens=20, seed=3, reasoning_effort=word)
        assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] == tokens, word


@pytest.mark.parametrize("effort", ["extreme", "", 3])
def test_another_effort_is_refused_by_name(refused, effort):
    error = refused(reasoning_effort=effort)
    assert (error["status"], error["param"]) == (400, "reasoning_effort")


def test_the_thinking_and_the_answer_have_logprobs(api):
    choice = api.chat(SUM, max_tokens=6, seed=1, logprobs=True, top_logprobs=2)["choices"][0]
    assert len(choice["logprobs"]["reasoning_content"]) == 3
    assert choice["logprobs"]["content"]


def test_json_mode_binds_the_answer_and_not_the_thinking(api):
    message = reply(api.chat(
        "Name a fruit as JSON.", seed=1, max_tokens=40, response_format={"type": "json_object"}, reasoning_effort="low"
    ))
    assert message["content"].startswith("{")
    assert not message["reasoning_content"].lstrip().startswith("{")


def test_a_prefix_begins_the_answer_after_a_thought_of_its_own(api):
    message = reply(api.prefixed("What is the capital of France?", "The capital of France is", max_tokens=8, seed=1))
    assert message["reasoning_content"] and message["content"]
    assert not message["content"].startswith("The capital")


def test_a_prefix_goes_with_tools(api):
    message = reply(api.prefixed(SUM, "The sum is", max_tokens=4, seed=1, tools=[ADD]))
    assert message["content"] and "tool_calls" not in message


def test_the_temperature_has_no_effect_while_it_thinks(api):
    cold, hot = (api.chat(SUM, max_tokens=8, seed=1, temperature=value)["choices"] for value in (0, 2))
    assert cold == hot


def test_the_temperature_counts_where_it_does_not_think(api):
    cold, hot = (api.chat(SUM, max_tokens=8, seed=1, temperature=value, **DIRECTLY)["choices"] for value in (0, 2))
    assert cold != hot


def test_top_p_has_no_effect_where_it_does_not_think(api):
    narrow, whole = (
        api.chat(SUM, max_tokens=8, seed=1, temperature=2, top_p=value, **DIRECTLY)["choices"] for value in (0.01, 1)
    )
    assert narrow == whole


def test_a_small_top_p_is_raised_while_it_thinks(api):
    few, least = (
        api.chat("Tell me of the sea.", max_tokens=16, seed=1, top_p=value)["choices"] for value in (0.01, 0.95)
    )
    assert few == least


def test_penalties_have_no_effect(api):
    with_, without = (
        api.chat("Say ha ha ha ha ha.", max_tokens=12, temperature=0, frequency_penalty=value, presence_penalty=value,
                 **DIRECTLY)["choices"]
        for value in (2, 0)
    )
    assert with_ == without


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "add"}}])
def test_a_call_cannot_be_asked_for_while_it_thinks(refused, choice):
    error = refused(tools=[ADD], tool_choice=choice)
    assert (error["status"], error["param"]) == (400, "tool_choice")


def test_a_call_can_be_asked_for_where_it_does_not_think(api):
    message = reply(api.chat(SUM, tools=[ADD], tool_choice="required", temperature=0, **DIRECTLY))
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"a": 17, "b": 25}


def test_left_to_the_model_a_function_can_be_called_after_a_thought(api):
    for seed in range(8):
        message = reply(api.chat(SUM, tools=[ADD], max_tokens=60, seed=seed, reasoning_effort="low"))
        if "tool_calls" in message:
            assert message["reasoning_content"]
            assert set(json.loads(message["tool_calls"][0]["function"]["arguments"])) == {"a", "b"}
            return
    raise AssertionError("in none of 8 turns a function was called")


@pytest.mark.parametrize("reasoning", [{}, {"reasoning_content": None}])
def test_with_tools_also_a_turn_that_called_nothing_must_bring_its_thinking(refused, reasoning):
    error = refused(messages=rounds(**reasoning), tools=[ADD])
    assert (error["status"], error["param"]) == (400, "messages[1].reasoning_content")


@pytest.mark.parametrize("thought", ["", "They greet me."])
def test_with_its_thinking_or_an_empty_one_the_conversation_goes_on(api, thought):
    answer = api.chat(messages=rounds(reasoning_content=thought), tools=[ADD], max_tokens=12, seed=1)
    assert reply(answer)["reasoning_content"]


@pytest.mark.parametrize("fields", [{}, {"tools": []}, {"tools": [ADD], **DIRECTLY}])
def test_without_tools_or_without_thinking_it_need_not(api, fields):
    assert api.chat(messages=rounds(), max_tokens=2, **fields)


def test_without_tools_earlier_thinking_is_ignored(api):
    prompts = [
        api.chat(messages=rounds(**reasoning), max_tokens=1)["usage"]["prompt_tokens"]
        for reasoning in ({}, {"reasoning_content": "They greet me, so I greet them."})
    ]
    assert prompts[0] == prompts[1]


@pytest.mark.parametrize(("length", "status"), [(128, 200), (129, 400)])
def test_the_name_of_a_function_has_at_most_128_characters(api, length, status):
    tools = [{"type": "function", "function": {"name": "f" * length}}]
    assert api.post(api.body(tools=tools, max_tokens=1)).status_code == status


def test_two_functions_of_one_name_are_refused(refused):
    assert refused(tools=[ADD, ADD])["status"] == 400


def test_a_schema_that_is_none_is_refused_as_all_else(refused):
    error = refused(response_format={"type": "json_schema"})
    assert (error["status"], error["param"]) == (400, "response_format.json_schema")


@pytest.mark.parametrize("tokens", [0, 393_217])
def test_max_tokens_outside_its_limits_is_refused_by_name(refused, tokens):
    error = refused(max_tokens=tokens)
    assert (error["status"], error["param"]) == (400, "max_tokens")
    assert "max_tokens" in error["message"]


def test_the_largest_max_tokens_is_taken(api):
    assert api.chat(max_tokens=393_216, temperature=0, stop=[" "], **DIRECTLY)


def test_stream_options_without_stream_are_refused(refused):
    error = refused(stream_options={"include_usage": True})
    assert (error["status"], error["param"]) == (400, "stream_options")


@pytest.mark.parametrize("user", ["someone_1-2", "a" * 512])
def test_a_user_id_is_taken(api, user):
    assert api.chat(max_tokens=1, user_id=user, **DIRECTLY)


@pytest.mark.parametrize("user", ["", "a b", "é", "a\n", "a" * 513, 7])
def test_another_user_id_is_refused(refused, user):
    error = refused(user_id=user)
    assert (error["status"], error["param"]) == (400, "user_id")


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": True}}])
def test_the_usage_rides_on_the_last_chunk_whether_or_not_it_was_asked_for(api, options):
    *chunks, last, done = api.events(max_tokens=3, seed=1, **options)
    assert done == "[DONE]"
    assert not any(chunk.get("usage") for chunk in chunks)
    (choice,) = last["choices"]
    assert choice["finish_reason"] in ("length", "stop") and not choice["delta"].get("content")
    assert last["usage"]["prompt_tokens_details"]["cached_tokens"] == last["usage"]["prompt_cache_hit_tokens"]


def test_the_thinking_is_streamed_first(api):
    *chunks, _ = api.events(SUM, max_tokens=8, seed=1)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    kinds = ["thought" if delta.get("reasoning_content") else "content" for delta in deltas
             if delta.get("reasoning_content") or delta.get("content")]
    assert kinds == sorted(kinds, reverse=True) and set(kinds) == {"thought", "content"}


def text(api, **fields):
    return api.post(
        {"model": api.model, "prompt": "1, 2, 3, 4, 5, 6, 7,", "max_tokens": 6, **fields}, "/beta/completions"
    )


def test_a_text_goes_on_without_a_thought(api):
    body = text(api, temperature=0).json()
    assert (body["model"], body["object"]) == ("deepseek-flash", "text_completion")
    assert body["choices"][0]["text"] == " 8, 9,"
    assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] == 0


def test_the_usage_of_a_text_comes_on_the_last_chunk_whether_asked_for_or_not(api):
    for fields in ({}, {"stream_options": {"include_usage": True}}):
        response = text(api, stream=True, **fields)
        *_, last, done = [line[6:] for line in response.text.split("\n") if line.startswith("data: ")]
        assert done == "[DONE]"
        assert json.loads(last)["usage"]["completion_tokens"] == 6 and json.loads(last)["choices"]


def test_the_temperature_of_a_text_counts(api):
    cold, hot = (text(api, seed=1, temperature=value).json()["choices"] for value in (0, 2))
    assert cold != hot


@pytest.mark.parametrize(("field", "value"), [
    ("max_tokens", 4097), ("logprobs", -1), ("logprobs", True), ("prompt", None), ("stream_options", {}),
])
def test_a_text_that_the_service_would_not_take_is_a_bad_request(api, field, value):
    response = text(api, **{field: value})
    assert (response.status_code, response.json()["error"]["param"]) == (400, field)


@pytest.mark.parametrize("other", [{"suffix": "x"}, {"logprobs": 2}])
def test_echo_of_a_text_goes_with_neither_a_suffix_nor_logprobs(api, other):
    response = text(api, echo=True, **other)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "echo")
