"""The field `score`, an extension: the log-probabilities of given texts instead of an answer."""

from __future__ import annotations

import pytest


def test_a_choice_for_each_text_in_their_order_with_what_was_read(api):
    body = api.chat("Is 7 prime?", score=["Yes", "No, it is"], logprobs=True, top_logprobs=2)
    assert [choice["message"]["content"] for choice in body["choices"]] == ["Yes", "No, it is"]
    tokens = [token for choice in body["choices"] for token in choice["logprobs"]["content"]]
    assert body["usage"]["completion_tokens"] == len(tokens) > 2
    assert all(token["logprob"] < 0 and len(token["top_logprobs"]) == 2 for token in tokens)


def test_scores_are_the_same_after_anything_and_in_any_order(api):
    once = api.chat("Is 7 prime?", score=["Yes", "No"])["choices"]
    api.chat("Tell me about the sea.", max_tokens=5)
    again = api.chat("Is 7 prime?", score=["No", "Yes"])["choices"]
    assert [each["logprobs"] for each in once] == [each["logprobs"] for each in again[::-1]]


def test_what_was_read_before_counts_as_cached(api):
    asked = {"score": ["Yes"], "logprobs": True}
    api.chat("Is 7 a prime number, or is it not?", **asked)
    usage = api.chat("Is 7 a prime number, or is it not?", **asked)["usage"]
    assert usage["prompt_tokens"] - 2 <= usage["prompt_cache_hit_tokens"] <= usage["prompt_tokens"]


def test_a_mark_of_the_template_is_scored_as_text(api):
    tokens = api.chat("Hi", score=["<|im_end|>"])["choices"][0]["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == "<|im_end|>" and len(tokens) > 1


@pytest.mark.parametrize(("fields", "param"), [
    ({"score": "yes"}, "score"), ({"score": []}, "score"), ({"score": ["yes", ""]}, "score"),
    ({"score": [1]}, "score"), ({"score": ["a"] * 65}, "score"), ({"score": ["a"], "stream": True}, "stream"),
    ({"score": ["a"], "thinking": {"type": "enabled"}}, "thinking"),
    ({"score": ["a"], "tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
    ({"score": ["a"], "messages": [{"role": "user", "content": "json"}],
      "response_format": {"type": "json_object"}}, "response_format"),
])
def test_what_cannot_be_scored_is_refused_by_its_field(refused, fields, param):
    error = refused(**fields)
    assert (error["status"], error["param"]) == (400, param)


def test_texts_that_do_not_fit_are_refused_with_both_numbers(refused):
    error = refused(score=["word " * 9000])
    assert error["status"] == 400 and "maximum context length" in error["message"]


def test_a_score_needs_the_key(api):
    response = api.post(api.body(score=["a"]), headers={"Authorization": "Bearer wrong"})
    assert response.status_code == 401
