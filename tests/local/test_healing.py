"""A prefix that ends within a word goes on as the word that it was cut from."""

from __future__ import annotations

import math


def first(api, prefix, **fields):
    fields = {"logprobs": True, "top_logprobs": 20, "temperature": 0, "max_tokens": 3, **fields}
    body = api.prefixed("Who wrote Hamlet?", prefix, **fields)
    return body["choices"][0]


def test_a_cut_word_goes_on_with_the_probability_of_the_word(api):
    choice = first(api, "Hamlet was written by William Shake")
    token = choice["logprobs"]["content"][0]
    assert choice["message"]["content"].startswith("speare") and token["token"] == "speare"
    assert math.exp(token["logprob"]) > 0.98
    whole = first(api, "Hamlet was written by William Shakespeare")
    assert choice["logprobs"]["content"][1] == whole["logprobs"]["content"][0]


def test_a_prefix_that_ends_in_a_blank_goes_on_as_one_without(api):
    cut, whole = (first(api, prefix) for prefix in ("Hamlet was written by ", "Hamlet was written by"))
    assert cut["message"]["content"] == whole["message"]["content"].lstrip()


def test_a_whole_word_has_the_numbers_that_follow_it(api):
    tokens = first(api, "Hamlet was written by")["logprobs"]["content"]
    assert tokens[0]["token"] == " William" and 0.5 < math.exp(tokens[0]["logprob"]) < 0.9


def test_what_completes_a_word_counts_as_a_token_of_the_answer(api):
    body = api.prefixed("Who wrote Hamlet?", "It was William Shake", temperature=0, max_tokens=1)
    assert body["choices"][0]["message"]["content"] == "speare"
    assert (body["usage"]["completion_tokens"], body["choices"][0]["finish_reason"]) == (1, "length")
