"""The whole distribution of a place: `top_logprobs` beyond the documented 20, an extension of this server."""

from __future__ import annotations

import math
from functools import cache

import pytest

from ds_magic import InvalidRequestError
from ds_magic.backend import resolve

VOCABULARY = 49_152
PREFIX = "Once upon a time, there was a little"
FIELDS = {"max_tokens": 1, "logprobs": True, "temperature": 1, "seed": 1}


@cache
def place(api, alternatives: int):
    """The first token after PREFIX with so many alternatives."""
    answer = api.prefixed("Tell a story.", PREFIX, top_logprobs=alternatives, **FIELDS)
    return answer["choices"][0]["logprobs"]["content"][0]


def test_every_token_has_a_probability_and_together_they_are_1(api):
    numbers = [one["logprob"] for one in place(api, VOCABULARY)["top_logprobs"]]
    assert len(numbers) == VOCABULARY and numbers == sorted(numbers, reverse=True)
    # llama.cpp adds up in float32.
    assert math.fsum(map(math.exp, numbers)) == pytest.approx(1, abs=5e-4)


def test_the_first_20_are_what_they_are_without_the_others(api):
    whole, documented = place(api, VOCABULARY), place(api, 20)
    assert whole["top_logprobs"][:20] == documented["top_logprobs"]
    assert len(documented["top_logprobs"]) == 20 and whole["token"] == documented["token"]


def test_a_token_that_would_be_below_the_first_20_has_its_number(api):
    rare = {**FIELDS, "temperature": 2, "seed": 5}
    found = [api.prefixed("Tell a story.", PREFIX, top_logprobs=n, **rare)["choices"][0]["logprobs"]["content"][0]
             for n in (20, VOCABULARY)]
    assert found[0]["token"] == found[1]["token"] and found[0]["logprob"] == -9999.0
    assert found[1]["logprob"] > -60 and found[1]["logprob"] < found[1]["top_logprobs"][19]["logprob"]


def test_more_than_there_are_is_all_of_them(api):
    assert len(place(api, 60_000)["top_logprobs"]) == VOCABULARY


def test_a_stream_brings_the_same(api):
    *events, done = api.events("Hi", top_logprobs=1000, max_tokens=3, logprobs=True, temperature=0)
    streamed = [entry for event in events for choice in event["choices"] if choice["logprobs"]
                for entry in choice["logprobs"]["content"]]
    whole = api.chat("Hi", top_logprobs=1000, max_tokens=3, logprobs=True, temperature=0)
    assert done == "[DONE]" and streamed == whole["choices"][0]["logprobs"]["content"]
    assert [len(entry["top_logprobs"]) for entry in streamed] == [1000] * 3


def test_tokens_within_a_character_have_as_many(api):
    question = "Write ten emoji of animals and flags: \U0001f98a\U0001f1e8\U0001f1ed"
    drawn = {"max_tokens": 40, "temperature": 1.2, "seed": 3}
    answer = api.chat(question, top_logprobs=300, logprobs=True, **drawn)
    entries = answer["choices"][0]["logprobs"]["content"]
    assert any("\ufffd" in entry["token"] for entry in entries)
    assert {len(entry["top_logprobs"]) for entry in entries} == {300}


@pytest.mark.parametrize(("fields", "most"), [
    ({"max_tokens": 300, "top_logprobs": VOCABULARY}, "max_tokens to 10 or less, or top_logprobs to 1666"),
    ({"top_logprobs": 20_000}, "max_tokens to 25 or less"),
])
def test_what_would_fill_a_memory_is_refused_with_what_is_possible(api, fields, most):
    response = api.post(api.body(logprobs=True, **fields))
    error = response.json()["error"]
    assert response.status_code == 422 and error["param"] == "top_logprobs" and most in error["remedy"]
    assert len(error["message"]) < 200


def test_scores_come_with_20_at_most(refused):
    error = refused(score=["yes"], logprobs=True, top_logprobs=21)
    assert error["param"] == "top_logprobs" and "20" in error["message"]


def test_a_client_of_this_machine_asks_for_it_and_the_table_leaves_nothing_open(local_server):
    client = resolve(local=True)
    table = client.chat("Tell a story.", prefix=PREFIX, top_logprobs=VOCABULARY, max_tokens=1, seed=1).logprobs
    assert table.n_alternatives.tolist() == [VOCABULARY] and table.status.tolist() == ["exact"]
    assert table.entropy_low[0] == table.entropy_high[0] and table.rest_mass[0] < 5e-4


def test_too_much_is_an_error_for_a_notebook_too_and_nothing_is_left_out(local_server):
    from ds_magic.api.request import ChatRequest
    from ds_magic.conversation.degrade import run_as_supported

    client = resolve(local=True)
    request = ChatRequest.build("Hi", model=client.model, top_logprobs=VOCABULARY)
    with pytest.raises(InvalidRequestError, match="14,745,600 alternatives") as caught:
        run_as_supported(client, request, lambda: [])
    assert "max_tokens to 10 or less" in caught.value.remedy
