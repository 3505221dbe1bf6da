"""DeepSeek's contract, asked of the real server with the real model."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest
import requests

# S1's own example, as it stands in the API reference: a null in every optional field.
EXAMPLE = json.loads("""{
  "messages": [
    {"content": "You are a helpful assistant", "role": "system"},
    {"content": "Hi", "role": "user"}
  ],
  "model": "deepseek-chat",
  "frequency_penalty": 0,
  "max_tokens": 2048,
  "presence_penalty": 0,
  "response_format": {"type": "text"},
  "stop": null,
  "stream": false,
  "stream_options": null,
  "temperature": 1,
  "top_p": 1,
  "tools": null,
  "tool_choice": "none",
  "logprobs": false,
  "top_logprobs": null
}""")


def test_the_references_own_example_works_as_it_stands(api):
    response = api.post({**EXAMPLE, "max_tokens": 8})
    assert response.status_code == 200, response.text
    assert response.json()["choices"][0]["message"]["content"]


def test_an_answer_has_the_documented_shape(api, local_server):
    answer = api.chat(temperature=0, max_tokens=3)
    (choice,) = answer["choices"]
    assert answer["object"] == "chat.completion"
    assert answer["model"] == local_server.model == "smollm2-135m-instruct"
    assert "smollm2" in answer["system_fingerprint"]
    assert choice["message"] == {"role": "assistant", "content": "Hello! How"}
    assert choice["finish_reason"] == "length"
    assert choice["logprobs"] is None
    usage = answer["usage"]
    assert usage["completion_tokens"] == 3
    assert usage["prompt_tokens"] == usage["prompt_cache_hit_tokens"] + usage["prompt_cache_miss_tokens"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + 3


def test_a_stream_is_one_completion_in_chunks_and_ends_with_done(api):
    *chunks, done = api.events(temperature=0, max_tokens=200)
    assert done == "[DONE]"
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    text = "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)
    assert text.startswith("Hello! How can I")
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]


def test_without_stream_options_the_usage_comes_on_the_last_chunk(api):
    *chunks, last, _ = api.events(max_tokens=3)
    assert not any("usage" in chunk for chunk in chunks)
    assert last["choices"][0]["finish_reason"] == "length"
    assert last["usage"]["completion_tokens"] == 3


def test_include_usage_brings_it_in_a_chunk_without_choices(api):
    *chunks, last, _ = api.events(max_tokens=3, stream_options={"include_usage": True})
    assert all(chunk["usage"] is None for chunk in chunks)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 3


def test_tokens_that_were_asked_before_hit_the_cache(api):
    question = "What is the largest of all the animals that live in the sea?"
    api.chat(question, max_tokens=1)
    usage = api.chat(question, max_tokens=1)["usage"]
    assert usage["prompt_cache_miss_tokens"] == 1  # the last token is always computed
    assert usage["prompt_tokens_details"]["cached_tokens"] == usage["prompt_cache_hit_tokens"]


def test_logprobs_have_as_many_alternatives_as_asked_for(api):
    (entry, *_) = api.chat(max_tokens=1, temperature=0, logprobs=True, top_logprobs=20)["choices"][0]["logprobs"][
        "content"
    ]
    assert len(entry["top_logprobs"]) == 20
    assert entry["top_logprobs"][0]["token"] == entry["token"] == "Hello"
    assert entry["top_logprobs"][0]["logprob"] == entry["logprob"]
    values = [rival["logprob"] for rival in entry["top_logprobs"]]
    assert values == sorted(values, reverse=True)


def test_logprobs_without_a_number_of_alternatives_have_none(api):
    content = api.chat(max_tokens=2, logprobs=True)["choices"][0]["logprobs"]["content"]
    assert [entry["top_logprobs"] for entry in content] == [[], []]


def test_a_token_outside_the_top_20_has_the_documented_value(api):
    entries = api.chat(
        "Write.", temperature=2, seed=1, max_tokens=30, logprobs=True, top_logprobs=20
    )["choices"][0]["logprobs"]["content"]
    outside = [entry for entry in entries if entry["token"] not in [top["token"] for top in entry["top_logprobs"]]]
    assert outside
    assert {entry["logprob"] for entry in outside} == {-9999.0}


def test_the_tokens_bytes_are_the_text_also_within_characters(api):
    for seed in range(3):
        choice = api.chat(
            "Say 😀 twice, and many emojis 🎉🎊🥳", max_tokens=14, temperature=1.2, seed=seed, logprobs=True,
            top_logprobs=2,
        )["choices"][0]
        entries = choice["logprobs"]["content"]
        assert len(entries) == 14 or choice["finish_reason"] == "stop"
        assert b"".join(bytes(entry["bytes"]) for entry in entries).decode("utf-8", "replace") == (
            choice["message"]["content"]
        )


def test_an_emoji_is_several_tokens_each_with_its_own_alternatives(api):
    choice = api.prefixed("Repeat: 🎉🎊🥳", "🎉🎊", max_tokens=4, temperature=0, logprobs=True, top_logprobs=20)[
        "choices"
    ][0]
    parts = [entry for entry in choice["logprobs"]["content"] if b"\xf0" in bytes(entry["bytes"])]
    assert parts, choice["message"]["content"]
    assert parts[0]["bytes"] == [0xF0, 0x9F]
    assert len(parts[0]["top_logprobs"]) == 20


def test_a_character_that_the_limit_cuts_is_shown_as_one_that_is_missing(api):
    choice = api.prefixed("Repeat: 🎉🎊🥳", "🎉🎊", max_tokens=1, temperature=0, logprobs=True)["choices"][0]
    assert choice["message"]["content"] == "\ufffd"
    assert [entry["bytes"] for entry in choice["logprobs"]["content"]] == [[0xF0, 0x9F]]
    assert choice["finish_reason"] == "length"


def test_the_token_that_ends_an_answer_is_there_and_spells_nothing(api):
    last = api.chat(temperature=0, logprobs=True)["choices"][0]["logprobs"]["content"][-1]
    assert (last["token"], last["mark"], last["bytes"]) == ("", "<|im_end|>", [])


def test_two_tokens_that_spell_nothing_are_told_apart(api):
    answer = api.prefixed("Yes or no: is 2 even?", "Yes", temperature=0, max_tokens=1, logprobs=True, top_logprobs=20)
    (first,) = answer["choices"][0]["logprobs"]["content"]
    marks = [one["mark"] for one in first["top_logprobs"] if not one["token"]]
    assert marks == ["<|im_end|>", "<|im_start|>"]


def test_a_stop_string_is_not_part_of_the_text_even_over_several_tokens(api):
    choice = api.chat(temperature=0, stop=["How can I"])["choices"][0]
    assert choice["message"]["content"] == "Hello! "
    assert choice["finish_reason"] == "stop"


def test_an_answer_that_stops_before_it_begins_still_has_the_token_that_stopped_it(api):
    choice = api.chat(temperature=0, logprobs=True, top_logprobs=5, stop=["Hello"])["choices"][0]
    assert choice["message"]["content"] == "" and choice["finish_reason"] == "stop"
    (entry,) = choice["logprobs"]["content"]
    assert "Hello".startswith(entry["token"]) and len(entry["top_logprobs"]) == 5


def test_a_stop_string_ends_a_stream_too(api):
    *chunks, _ = api.events(temperature=0, stop="! How")
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks) == "Hello"


def test_a_prefix_is_continued_and_not_repeated(api):
    answer = api.prefixed("What is the capital of France?", "The capital of France is", temperature=0, max_tokens=1)
    assert answer["choices"][0]["message"]["content"] == " Paris"


def test_a_prefix_may_end_within_a_word(api):
    answer = api.prefixed("Sing.", "Twinkle, twinkle, little st", temperature=0, max_tokens=2)
    assert answer["choices"][0]["message"]["content"].startswith("ar")


def test_a_prefix_is_refused_on_the_plain_base_url(refused):
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "A", "prefix": True}]
    error = refused(messages=messages)
    assert (error["status"], error["param"]) == (400, "messages[1].prefix")
    assert "/beta" in error["message"]


def test_a_prefix_may_be_all_there_is(api):
    body = {"model": "deepseek-chat", "temperature": 0, "max_tokens": 3}
    body["messages"] = [{"role": "assistant", "content": "Once upon a", "prefix": True}]
    response = api.post(body, "/beta/chat/completions")
    assert response.json()["choices"][0]["message"]["content"].startswith(" time")


def test_numbers_that_are_whole_are_integers_however_they_are_written(api):
    assert len(api.chat(max_tokens=2.0, logprobs=True)["choices"][0]["logprobs"]["content"]) == 2


def test_a_message_of_the_assistant_without_prefix_is_not_continued(api):
    body = api.body("Count to three.", temperature=0, max_tokens=4)
    body["messages"].append({"role": "assistant", "content": "One, two,"})
    body["messages"][-1]["prefix"] = False
    prompt = api.post(body).json()["usage"]["prompt_tokens"]
    body["messages"][-1]["prefix"] = True
    continued = api.post(body, "/beta/chat/completions").json()["usage"]["prompt_tokens"]
    assert prompt > continued  # closed, and opened again


def test_the_marks_of_the_template_are_only_text_in_a_message(api):
    plain = api.chat("a b c", max_tokens=1)["usage"]["prompt_tokens"]
    marked = api.chat("a<|im_end|> b<|im_start|> c", max_tokens=1)["usage"]["prompt_tokens"]
    assert marked >= plain + 12  # spelt out, not two single tokens


def test_a_penalty_on_what_was_said_changes_it(api):
    words = {}
    for penalty in (0, 2):
        content = api.prefixed(
            "Repeat: ha ha ha ha", "ha ha ha ha ha ha", temperature=0, max_tokens=8, frequency_penalty=penalty
        )["choices"][0]["message"]["content"]
        words[penalty] = content.split().count("ha")
    assert words[0] > words[2]


@pytest.mark.parametrize("penalty", ["frequency_penalty", "presence_penalty"])
def test_a_penalty_does_not_count_what_was_asked(api, penalty):
    for value in (0, 2):
        answer = api.chat("Hello! Hello! Hello!", temperature=0, max_tokens=1, **{penalty: value})
        assert answer["choices"][0]["message"]["content"] == "Hello"


def test_a_penalty_counts_how_the_answer_was_made_to_begin(api):
    asked = ("Hi", "ha ha ha ha ha ha")
    said = [
        api.prefixed(*asked, temperature=0, max_tokens=1, frequency_penalty=value)["choices"][0]["message"]["content"]
        for value in (0, 2)
    ]
    assert said[0] == " ha" != said[1]


def test_a_penalty_does_not_keep_an_answer_in_a_long_chat_from_ending(api):
    messages = []
    for _ in range(4):
        messages += [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
    body = api.body(frequency_penalty=1, temperature=0, max_tokens=60)
    body["messages"] = [*messages, *body["messages"]]
    assert api.post(body).json()["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("model", [
    "deepseek-chat", "deepseek-coder", "smollm2-135m-instruct",
    "deepseek-flash", "deepseek-v4-pro", "deepseek-v4-flash",
])
def test_the_names_of_the_seeds_those_of_today_and_the_models_own_are_known(api, model):
    assert api.chat(model=model, max_tokens=1)["model"] == "smollm2-135m-instruct"


@pytest.mark.parametrize("prefix", ["", "/v1", "/beta"])
def test_models_lists_the_models_own_name_first(api, prefix):
    listed = api.get(f"{prefix}/models").json()
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]][:2] == ["smollm2-135m-instruct", "deepseek-chat"]


def test_an_unknown_model_is_refused_with_the_names_there_are(refused):
    error = refused(model="gpt-4")
    assert (error["status"], error["param"]) == (400, "model")
    assert "Model Not Exist" in error["message"] and "deepseek-chat" in error["message"]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer sk-0123456789abcdef", "Basic x"])
def test_a_wrong_key_is_refused_and_not_repeated(api, local_server, authorization):
    response = api.get("/models", headers={"Authorization": authorization})
    assert response.status_code == 401
    error = response.json()["error"]
    said = error.pop("message")  # the rest as DeepSeek's service has it
    assert said.startswith("Authentication Fails")
    assert error == {"type": "authentication_error", "param": None, "code": "invalid_request_error"}
    assert "sk-0123456789" not in response.text and local_server.api_key not in response.text


@pytest.mark.parametrize(("field", "value"), [
    ("messages", []), ("messages", "Hi"), ("messages", [{"role": "robot", "content": "x"}]),
    ("messages", [{"role": "user"}]), ("messages", [{"role": "tool", "content": "x", "tool_call_id": "none"}]),
    ("model", 5), ("temperature", 2.5), ("temperature", -1), ("temperature", "hot"),
    ("top_p", 1.5), ("top_p", -0.1), ("frequency_penalty", 3), ("presence_penalty", -3),
    ("max_tokens", 0), ("max_tokens", 1.5), ("stop", ["x"] * 17), ("stop", 5),
    ("top_logprobs", 21), ("top_logprobs", 5), ("logprobs", "yes"), ("stream", "yes"),
    ("stream_options", {"include_usage": True}), ("response_format", {"type": "xml"}),
    ("tools", [{"type": "function", "function": {"name": "f"}}] * 129),
    ("tools", [{"type": "function", "function": {"name": "no blanks"}}]),
    ("tools", [{"type": "function", "function": {"name": "f" * 65}}]),
    ("tool_choice", "sometimes"),
])
def test_each_limit_is_refused_with_its_field(refused, field, value):
    error = refused(**{field: value})
    assert error["status"] == 422
    assert error["param"].startswith(field)
    assert field in error["message"]


def test_too_long_a_conversation_is_refused_with_both_numbers(refused):
    error = refused(text="word " * 9000)
    assert error["status"] == 400
    assert error["param"] == "messages"
    assert "4096" in error["message"] and "9031" in error["message"]


@pytest.mark.parametrize("fields", [{"user": "someone"}, {"n": None, "seed": None}, {"metadata": {"a": [1]}}])
def test_unknown_fields_do_no_harm(api, fields):
    assert api.chat(max_tokens=1, **fields)["choices"]


def raw(api, data: bytes, **headers: str):
    return api.session.post(
        f"{api.base_url}/chat/completions", data=data, headers={"Content-Type": "application/json", **headers}
    )


@pytest.mark.parametrize("data", [
    b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"NaN", b'{"messages": ' + b"[" * 100_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
])
def test_a_body_that_is_no_json_object_is_refused(api, data):
    response = raw(api, data)
    assert response.status_code == 400
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}


def test_a_body_of_10_megabytes_is_refused(api):
    response = raw(api, b'{"messages": [{"role": "user", "content": "' + b"a" * 10_000_000 + b'"}]}')
    assert response.status_code == 413
    assert "error" in response.json()


def test_a_lone_surrogate_in_a_message_is_read_as_a_character_that_is_missing(api):
    response = raw(api, json.dumps(api.body("a \ud83d b", max_tokens=1)).encode())
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}, {"Host": "evil.example:80"},
])
def test_a_browser_page_of_another_origin_gets_no_answer(api, headers):
    response = api.get("/models", headers=headers)
    assert response.status_code == 403
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_preflight_of_a_browser_is_not_answered(api):
    response = api.session.options(f"{api.base_url}/chat/completions", headers={"Origin": "https://evil.example"})
    assert response.status_code == 403


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/", 404), ("GET", "/chat/completions", 405), ("POST", "/models", 405), ("DELETE", "/models", 405),
])
def test_what_is_not_there_is_refused_in_the_same_shape(api, method, path, status):
    response = api.session.request(method, api.base_url + path)
    assert response.status_code == status
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}


def test_the_server_listens_on_loopback_only(local_server):
    assert urlsplit(local_server.base_url).hostname == "127.0.0.1"
    port = urlsplit(local_server.base_url).port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: only asks which address would be used
        outside = probe.getsockname()[0]
    if not outside.startswith("127."):
        with pytest.raises(OSError):
            socket.create_connection((outside, port), timeout=2)


def test_a_client_that_hangs_up_frees_its_slot(api, local_server):
    address = urlsplit(local_server.base_url)
    for _ in range(12):  # three times as many as there are slots, each asking for a very long answer
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=300)
        body = json.dumps(api.body("Write a very long story.", stream=True, max_tokens=4000))
        connection.request("POST", "/chat/completions", body, {"Authorization": f"Bearer {local_server.api_key}"})
        assert connection.getresponse().read(20)
        connection.close()
    assert api.chat(max_tokens=1)["usage"]["completion_tokens"] == 1


def test_more_than_one_answer_is_refused_and_the_newer_name_of_max_tokens_is_known(local_server):
    asked = {"model": "deepseek-chat", "messages": [{"role": "user", "content": "Count to twenty."}]}
    key = {"Authorization": f"Bearer {local_server.api_key}"}

    def post(**more):
        url = f"{local_server.base_url}/chat/completions"
        return requests.post(url, json={**asked, **more}, headers=key, timeout=60)

    refused = post(n=2)
    assert refused.status_code == 400 and refused.json()["error"]["param"] == "n"
    answer = post(max_completion_tokens=3, n=1).json()
    assert answer["usage"]["completion_tokens"] == 3 and answer["choices"][0]["finish_reason"] == "length"
