"""`/completions` over HTTP: texts that go on, and gaps that the real model is led to fill by words."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from ds_magic import Client
from ds_magic.api.notes import LED_BY_WORDS

COUNT = "1, 2, 3, 4, 5, 6, 7,"
CAPITAL = {"prompt": "The capital of France is ", "suffix": ", and it lies on the Seine."}
LISTS = ("tokens", "token_logprobs", "text_offset", "top_logprobs")


@pytest.fixture(scope="module")
def ask(api):
    def post(prompt: str = COUNT, path: str = "/beta/completions", **fields: Any) -> Any:
        return api.post({"model": api.model, "prompt": prompt, "max_tokens": 6, "temperature": 0, **fields}, path)

    return post


@pytest.fixture(scope="module")
def text(ask):
    """The only choice of an answer."""

    def choice(prompt: str = COUNT, **fields: Any) -> dict[str, Any]:
        response = ask(prompt, **fields)
        assert response.status_code == 200, response.text
        (choice,) = response.json()["choices"]
        return choice

    return choice


@pytest.fixture(scope="module")
def chunks(ask):
    """The chunks of a streamed answer, which ends with `[DONE]`."""

    def events(prompt: str = COUNT, **fields: Any) -> list[dict[str, Any]]:
        response = ask(prompt, stream=True, **fields)
        assert response.headers["Content-Type"].startswith("text/event-stream")
        *datas, done = [line[6:] for line in response.text.split("\n") if line.startswith("data: ")]
        assert done == "[DONE]"
        return [json.loads(data) for data in datas]

    return events


@pytest.fixture
def refused_text(ask):
    def post(**fields: Any) -> tuple[int, str, str]:
        response = ask(**fields)
        error = response.json()["error"]
        return response.status_code, error["param"], error["message"]

    return post


def joined(streamed: list[dict[str, Any]]) -> dict[str, Any]:
    """A choice put together from its chunks."""
    choices = [chunk["choices"][0] for chunk in streamed if chunk["choices"]]
    told = [choice["logprobs"] for choice in choices if choice["logprobs"]]
    return {
        "index": 0, "text": "".join(choice["text"] for choice in choices),
        "logprobs": {name: [entry for each in told for entry in each[name]] for name in LISTS} if told else None,
        "finish_reason": choices[-1]["finish_reason"],
    }


def without_circumstances(text: str) -> str:
    """The text of a response without what differs from one to the next."""
    text = re.sub(r'"id": "[^"]+", "created": \d+', '"id": "1", "created": 1', text)
    text = re.sub(r'"system_fingerprint": "[^"]+"', '"system_fingerprint": "fp"', text)
    return re.sub(r',"provenance":{[^}]*}', "", text)


HEAD = '{"id": "1", "created": 1, "model": "smollm2-135m-instruct", "system_fingerprint": "fp"'
USAGE = (
    '"usage":{"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23, "prompt_cache_hit_tokens": %s, '
    '"prompt_cache_miss_tokens": %s, "prompt_tokens_details": {"cached_tokens": %s}, "completion_tokens_details": '
    '{"reasoning_tokens": 0}}'
)


def test_a_whole_answer_byte_by_byte(ask):
    response = ask(max_tokens=3)
    assert response.headers["Content-Type"].startswith("application/json")
    cached = response.json()["usage"]["prompt_cache_hit_tokens"]
    assert without_circumstances(response.text) == (
        HEAD + ', "object": "text_completion","choices":[{"index":0,"text":" 8,","logprobs":null,'
        '"finish_reason":"length"}],' + USAGE % (cached, 20 - cached, cached) + "}"
    )


def test_a_streamed_answer_byte_by_byte(ask):
    ask(max_tokens=3)
    response = ask(max_tokens=3, stream=True)
    chunk = "data: " + HEAD + ', "object": "text_completion","choices":[{"index":0,"text":%s,"logprobs":null,'
    assert without_circumstances(response.text) == (
        chunk % '" "' + '"finish_reason":null}]}\n\n'
        + chunk % '"8"' + '"finish_reason":null}]}\n\n'
        + chunk % '","' + '"finish_reason":null}]}\n\n'
        + chunk % '""' + '"finish_reason":"length"}],' + USAGE % (19, 1, 19) + "}\n\n"
        + "data: [DONE]\n\n"
    )


@pytest.mark.parametrize("path", ["/completions", "/v1/completions", "/beta/completions"])
def test_it_is_there_under_each_base_url(text, path):
    assert text(path=path)["text"].startswith(" 8, 9")


def test_an_answer_says_once_how_it_was_made(ask, chunks):
    whole = ask(seed=3, temperature=0.5).json()
    first, *others = chunks(seed=3, temperature=0.5)
    assert first["provenance"] == whole["provenance"]
    assert (whole["provenance"]["seed"], whole["provenance"]["temperature"]) == (3, 0.5)
    assert "sha256" in whole["provenance"] and "gap" not in whole["provenance"]
    assert not any("provenance" in chunk for chunk in others)


def test_include_usage_brings_it_in_a_chunk_without_choices(chunks):
    *others, last = chunks(stream_options={"include_usage": True})
    assert last["choices"] == [] and last["usage"]["completion_tokens"] == 6
    assert all(chunk["usage"] is None for chunk in others)


@pytest.mark.parametrize("fields", [{"temperature": 0}, {"temperature": 1.2, "seed": 5}], ids=["greedy", "seeded"])
@pytest.mark.parametrize("suffix", [None, CAPITAL["suffix"]], ids=["on", "gap"])
def test_a_stream_is_the_whole_answer_in_parts(text, chunks, fields, suffix):
    asked = {"prompt": CAPITAL["prompt"], "suffix": suffix, "logprobs": 3, "max_tokens": 8, **fields}
    text(**asked)  # the same tokens of the prompt are in the cache for both
    assert joined(chunks(**asked)) == text(**asked)


def test_logprobs_are_lists_of_the_tokens_and_their_places(text):
    choice = text(logprobs=2)
    told = choice["logprobs"]
    assert list(told) == list(LISTS)
    assert "".join(told["tokens"]) == choice["text"] and len(told["tokens"]) == 6
    starts = [len(COUNT + "".join(told["tokens"][:at])) for at in range(6)]
    assert told["text_offset"] == starts
    for token, logprob, top in zip(told["tokens"], told["token_logprobs"], told["top_logprobs"], strict=True):
        assert top[token] == logprob == max(top.values())  # the likeliest, at temperature 0
        assert len(top) == 2


def test_the_drawn_token_is_there_beside_the_likeliest_ones(text):
    told = text("I like", logprobs=1, max_tokens=12, temperature=1.5, seed=2)["logprobs"]
    sizes = set()
    for token, logprob, top in zip(told["tokens"], told["token_logprobs"], told["top_logprobs"], strict=True):
        if logprob > -9999:
            assert top[token] == logprob
        sizes.add(len(top))
    assert sizes == {1, 2}


def test_no_alternatives_is_the_drawn_token_alone(text):
    told = text(logprobs=0)["logprobs"]
    assert [{token: logprob} for token, logprob in zip(told["tokens"], told["token_logprobs"], strict=True)] == (
        told["top_logprobs"]
    )


def test_a_token_outside_the_top_20_has_the_documented_value_and_no_entry(text):
    told = text("I like", logprobs=5, max_tokens=40, temperature=2, top_p=1, seed=1)["logprobs"]
    far = [at for at, logprob in enumerate(told["token_logprobs"]) if logprob == -9999.0]
    assert far
    assert all(told["tokens"][at] not in told["top_logprobs"][at] for at in far)
    assert all(logprob > -9999 for top in told["top_logprobs"] for logprob in top.values())


def test_a_character_of_several_tokens_is_shown_by_the_last_of_them(text):
    prompt = "\U0001f98a\U0001f98a\U0001f98a\U0001f98a\U0001f98a\U0001f98a"
    choice = text(prompt, logprobs=3, max_tokens=9)
    told = choice["logprobs"]
    assert choice["text"].startswith("\U0001f98a")
    assert "".join(told["tokens"]) == choice["text"]
    first = told["tokens"].index("\U0001f98a")
    assert first > 0 and set(told["tokens"][:first]) == {""}
    assert told["text_offset"][: first + 2] == [6] * (first + 1) + [7]  # in characters, not in bytes
    for token, logprob, top in zip(told["tokens"], told["token_logprobs"], told["top_logprobs"], strict=True):
        assert top[token] == logprob


def test_echo_gives_the_prompt_back(text, chunks):
    assert text(echo=True)["text"] == COUNT + text()["text"]
    streamed = chunks(echo=True)
    assert streamed[0]["choices"][0]["text"] == COUNT and "provenance" in streamed[0]
    assert joined(streamed) == text(echo=True)


def test_a_stop_string_ends_the_text_also_over_several_tokens(text, chunks):
    stopped = text(stop=["9, 1"], max_tokens=30)
    assert stopped["text"] == " 8, " and stopped["finish_reason"] == "stop"
    assert joined(chunks(stop="9, 1", max_tokens=30)) == stopped


def test_a_prompt_may_end_within_a_word(text):
    choice = text("To be, or not to be, wrote William Shake", logprobs=1, max_tokens=2)
    assert choice["text"].startswith("speare")
    assert choice["logprobs"]["tokens"][0] == "speare"
    assert choice["logprobs"]["top_logprobs"][0]["speare"] == choice["logprobs"]["token_logprobs"][0] > -1


def test_marks_of_the_template_are_only_text_in_a_prompt(ask):
    as_text = ask("<|im_start|>user\nHi<|im_end|>").json()["usage"]["prompt_tokens"]
    assert as_text > 12


def test_a_text_may_begin_from_nothing(ask):
    body = ask("").json()
    assert body["usage"]["prompt_tokens"] == 1 and body["choices"][0]["text"]


@pytest.mark.parametrize(("prompt", "suffix", "fills"), [
    (CAPITAL["prompt"], CAPITAL["suffix"], "Paris"),
    ("The play was written by William Shake", " in London around 1600.", "speare"),
    ("Berlin is the capital of ", ". It has four million people.", "Germany"),
    ("def multiply(a, b):\n    ", "\n\nprint(multiply(2, 3))\n", "return a * b"),
    ("def multiply(a, b):\n", "\n\nprint(multiply(2, 3))\n", "    return a * b"),
    ("total = 0\nfor n in [1, 2, 3]:\n    ", "\nassert total == 6\n", "total += n"),
    ("<ul>\n  <li>One</li>\n  ", "\n  <li>Three</li>\n</ul>\n", "<li>Two</li>"),
    ("January\nFebruary\n", "\nApril\n", "March"),
])
def test_a_gap_is_filled_and_ends_where_its_suffix_follows(text, prompt, suffix, fills):
    choice = text(prompt, suffix=suffix, max_tokens=30)
    assert (choice["text"], choice["finish_reason"]) == (fills, "stop")


def test_the_numbers_of_a_gap_are_those_of_the_words_that_led_to_it(api, text):
    """A chat with the same words, and what stands before the gap as the prefix, has the same numbers to the last
    digit: nothing is made up for a gap, and text and chat are drawn by one engine."""
    told = text(**CAPITAL, logprobs=5)["logprobs"]
    question = f"This is the end of a text:\n{CAPITAL['suffix']}\n\nWrite the whole text."
    chat = api.prefixed(
        question, CAPITAL["prompt"], max_tokens=6, temperature=0, logprobs=True, top_logprobs=5
    )["choices"][0]["logprobs"]["content"][: len(told["tokens"])]
    assert told["tokens"] == [entry["token"] for entry in chat]
    assert told["token_logprobs"] == [entry["logprob"] for entry in chat]
    rivals = [{rival["token"]: rival["logprob"] for rival in entry["top_logprobs"]} for entry in chat]
    assert told["top_logprobs"] == rivals


def test_what_follows_a_gap_may_be_nothing_but_blanks(ask):
    for suffix in ("\n", " " * 30000):
        assert ask("The capital of France is", suffix=suffix, max_tokens=3).status_code == 200


def test_it_says_that_a_gap_was_asked_for_by_words(ask, chunks):
    assert ask(**CAPITAL).json()["provenance"]["gap"] == "words"
    assert chunks(**CAPITAL)[0]["provenance"]["gap"] == "words"


@pytest.mark.parametrize("stream", [False, True])
def test_our_client_says_it_too(local_server, stream):
    with Client(base_url=local_server.base_url, api_key=local_server.api_key, model="deepseek-chat") as client:
        gap = client.complete(**CAPITAL, stream=stream, temperature=0, logprobs=5, max_tokens=12)
        on = client.complete(COUNT, stream=stream, temperature=0, max_tokens=3)
    assert (gap.content, gap.notes) == ("Paris", [LED_BY_WORDS])
    assert [row.token for row in gap.logprobs] == ["Paris"]
    assert (on.content, on.notes) == (" 8,", [])


def test_an_empty_suffix_is_none(text, ask):
    assert text(suffix="") == text(suffix=None) == text()
    assert "gap" not in ask(suffix="").json()["provenance"]


@pytest.mark.parametrize(("field", "value"), [
    ("prompt", None), ("prompt", 3), ("prompt", ["a"]), ("suffix", 3), ("suffix", ["a"]), ("echo", "yes"), ("echo", 1),
    ("logprobs", True), ("logprobs", False), ("logprobs", 21), ("logprobs", -1), ("logprobs", 1.5),
    ("logprobs", "2"),
    ("max_tokens", 0), ("max_tokens", 4097), ("temperature", 2.5), ("top_p", 1.1), ("frequency_penalty", 3),
    ("presence_penalty", -3), ("stop", ["a"] * 17), ("stop", 3), ("stream", "perhaps"), ("seed", "x"),
    ("stream_options", {"include_usage": True}),
])
def test_each_limit_is_refused_with_its_field(refused_text, field, value):
    status, param, message = refused_text(**{field: value})
    assert (status, param) == (422, field) and field in message


@pytest.mark.parametrize("other", [{"suffix": "x"}, {"logprobs": 0}])
def test_echo_goes_with_neither_a_suffix_nor_logprobs(refused_text, other):
    status, param, message = refused_text(echo=True, **other)
    assert (status, param) == (422, "echo") and next(iter(other)) in message


def test_more_than_one_answer_and_an_unknown_model_are_refused(refused_text):
    assert refused_text(n=2)[:2] == (400, "n")
    assert refused_text(model="gpt-3")[:2] == (400, "model")


@pytest.mark.parametrize("fields", [{"prompt": "word " * 5000}, {"suffix": "word " * 5000}])
def test_too_long_a_prompt_is_refused_with_both_numbers(refused_text, fields):
    status, param, message = refused_text(**fields)
    assert (status, param) == (400, "prompt")
    assert "4096" in message and re.search(r"your prompt resulted in 50\d\d tokens", message)


def test_a_whole_number_may_be_written_as_a_float_and_unknown_fields_do_no_harm(text):
    unknown = {"user": "ada", "tools": 3, "messages": "x", "best_of": 1, "thinking": "x"}
    assert text(logprobs=1.0, max_tokens=2.0, **unknown)["text"] == " 8"


def test_a_failure_that_was_asked_for_comes_here_too(api, ask):
    body = {"model": api.model, "prompt": COUNT, "temperature": 0, "max_tokens": 6}
    headers = {"X-DS-Fault": "aborted=2"}
    response = api.post(body, "/beta/completions", headers=headers)
    assert response.headers["X-DS-Fault"] == "aborted=2"
    assert response.json()["choices"][0] == {"index": 0, "text": " 8", "logprobs": None, "finish_reason": "aborted"}
    refusal = api.post(body, "/beta/completions", headers={"X-DS-Fault": "503"})
    assert refusal.status_code == 503


def test_a_client_that_hangs_up_frees_its_slot(api, ask, local_server):
    address = urlsplit(local_server.base_url)
    for _ in range(12):  # three times as many as there are slots, each asking for a very long text
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=300)
        body = json.dumps({"model": api.model, "prompt": COUNT, "stream": True, "max_tokens": 4000})
        connection.request("POST", "/completions", body, {"Authorization": f"Bearer {local_server.api_key}"})
        assert connection.getresponse().read(20)
        connection.close()
    assert ask(max_tokens=1).json()["usage"]["completion_tokens"] == 1


@pytest.fixture
def client(local_server) -> openai.OpenAI:
    return openai.OpenAI(base_url=local_server.base_url + "/beta", api_key=local_server.api_key, max_retries=0)


def test_the_openai_client_gets_a_gap_filled_with_its_logprobs(client):
    answer = client.completions.create(model="deepseek-chat", **CAPITAL, logprobs=3, temperature=0, max_tokens=12)
    (choice,) = answer.choices
    assert answer.object == "text_completion" and choice.text.startswith("Paris")
    assert choice.logprobs.tokens[0] == "Paris" and choice.logprobs.text_offset[0] == len(CAPITAL["prompt"])
    assert len(choice.logprobs.top_logprobs[0]) == 3


def test_the_openai_client_gets_a_stream_of_the_same(client):
    asked = {"model": "deepseek-chat", **CAPITAL, "logprobs": 3, "temperature": 0, "max_tokens": 12}
    whole = client.completions.create(**asked).choices[0]
    streamed = [chunk.choices[0] for chunk in client.completions.create(**asked, stream=True)]
    assert "".join(choice.text for choice in streamed) == whole.text
    assert [token for choice in streamed if choice.logprobs for token in choice.logprobs.tokens] == (
        whole.logprobs.tokens
    )
    assert streamed[-1].finish_reason == whole.finish_reason


def test_the_openai_client_reads_a_refusal(client):
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.completions.create(model="deepseek-chat", prompt="a", echo=True, suffix="b")
    assert caught.value.param == "echo"
