"""deepseek-reasoner: the model thinks first, for real, and answers in the light of it."""

from __future__ import annotations

import pytest

QUESTION = "I have 3 apples and buy 4 more. How many apples do I have?"


@pytest.fixture(scope="module")
def thought(api):
    return api.chat(QUESTION, model="deepseek-reasoner", max_tokens=60, seed=1, logprobs=True, top_logprobs=2)


def test_the_thinking_comes_beside_the_answer(thought):
    message = thought["choices"][0]["message"]
    assert message["reasoning_content"].strip() and message["content"].strip()
    assert message["content"] != message["reasoning_content"]


def test_the_thinking_has_logprobs_of_its_own(thought):
    choice = thought["choices"][0]
    for name, text in (("reasoning_content", choice["message"]["reasoning_content"]),
                       ("content", choice["message"]["content"])):
        entries = choice["logprobs"][name]
        assert b"".join(bytes(entry["bytes"]) for entry in entries).decode() == text


def test_the_thinking_is_counted_and_has_its_share_of_max_tokens(thought):
    usage = thought["usage"]
    reasoning = usage["completion_tokens_details"]["reasoning_tokens"]
    assert reasoning == len(thought["choices"][0]["logprobs"]["reasoning_content"])
    assert 0 < reasoning <= 30
    assert reasoning < usage["completion_tokens"] <= 60


def test_a_stream_brings_the_thinking_first(api):
    *chunks, _ = api.events(QUESTION, model="deepseek-reasoner", max_tokens=20, seed=1)
    kinds = []
    for chunk in chunks:
        delta = chunk["choices"][0]["delta"]
        kind = "thinking" if delta.get("reasoning_content") else "content" if delta.get("content") else None
        if kind and (not kinds or kinds[-1] != kind):
            kinds.append(kind)
    assert kinds == ["thinking", "content"]


def test_the_effort_sets_the_share(api):
    shares = {}
    for effort in ("low", "max"):
        answer = api.chat(
            "Tell me everything about the sea.", model="deepseek-reasoner", max_tokens=40, seed=3,
            reasoning_effort=effort,
        )
        shares[effort] = answer["usage"]["completion_tokens_details"]["reasoning_tokens"]
    assert shares["low"] <= 10 < shares["max"] <= 30


@pytest.mark.parametrize("fields", [
    {"model": "deepseek-chat"},
    {"model": "deepseek-reasoner", "thinking": {"type": "disabled"}},
    {"model": "deepseek-reasoner", "reasoning_effort": "none"},
])
def test_without_thinking_it_answers_directly(api, fields):
    answer = api.chat(max_tokens=3, **fields)
    assert "reasoning_content" not in answer["choices"][0]["message"]
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] == 0


def test_thinking_can_be_asked_of_the_chat_model_too(api):
    answer = api.chat(model="deepseek-chat", thinking={"type": "enabled"}, max_tokens=8, seed=1)
    assert answer["choices"][0]["message"]["reasoning_content"]


def test_temperature_is_accepted_and_ignored_while_thinking(api):
    answers = [
        api.chat(QUESTION, model="deepseek-reasoner", max_tokens=16, seed=1, temperature=temperature)["choices"]
        for temperature in (0, 2)
    ]
    assert answers[0] == answers[1]


def test_a_prefix_can_begin_the_thinking_and_the_answer(api):
    body = api.body("What is the capital of France?", model="deepseek-reasoner", max_tokens=12, seed=1)
    begun = "France is a country in Europe. Its capital is"
    body["messages"].append(
        {"role": "assistant", "content": "The capital is", "reasoning_content": begun, "prefix": True}
    )
    message = api.post(body, "/beta/chat/completions").json()["choices"][0]["message"]
    assert message["reasoning_content"].startswith(" Paris")
    assert not message["content"].startswith("The capital is")


def test_the_words_that_lead_the_model_to_think_are_not_shown_as_its_own(thought):
    assert "step by step" not in thought["choices"][0]["message"]["reasoning_content"][:25]
