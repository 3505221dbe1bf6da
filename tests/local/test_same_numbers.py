"""The same request has the same numbers to the last digit, whatever else runs or ran."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

LONG = "The sea is wide, and the ships on it are many. " * 12
MESSAGES = [
    [{"role": "user", "content": "Tell me about the sea."}],
    [{"role": "user", "content": LONG + "What is it about?"}],
    [{"role": "user", "content": LONG + "How many ships?"}],
    [{"role": "system", "content": "You are a poet."}, {"role": "user", "content": "Bread"}],
    [{"role": "user", "content": "Tell me about the sea."}, {"role": "assistant", "content": "It is wide and salty."},
     {"role": "user", "content": "And the ships?"}],
]
REQUESTS = [
    {"messages": messages, "logprobs": True, "top_logprobs": 20, "max_tokens": 12, **drawn}
    for messages in MESSAGES for drawn in ({"temperature": 0}, {"temperature": 1, "top_p": 1, "seed": 7})
]


@pytest.fixture
def ask(api):
    def ask(request: dict[str, Any]) -> Any:
        response = api.post({"model": api.model, **request})
        assert response.status_code == 200, response.text
        return response.json()["choices"][0]

    return ask


def test_one_after_the_other_in_any_order_and_all_at_once(ask):
    first = [ask(request) for request in REQUESTS]
    assert [ask(request) for request in reversed(REQUESTS)] == first[::-1]
    with ThreadPoolExecutor(len(REQUESTS)) as pool:
        for _ in range(2):
            assert list(pool.map(ask, REQUESTS)) == first


def test_beside_answers_of_other_lengths_and_after_answers_that_were_left(ask, api):
    request = REQUESTS[1]
    alone = ask(request)
    others = [{**other, "max_tokens": 3 + 9 * number} for number, other in enumerate(REQUESTS[2:])]
    with ThreadPoolExecutor(8) as pool:
        running = pool.map(ask, others)
        assert [ask(request) for _ in range(3)] == [alone] * 3
        list(running)
    left = api.post({"model": api.model, **REQUESTS[3], "max_tokens": 200, "stream": True}, stream=True)
    next(left.iter_content(1))
    left.close()
    assert ask(request) == alone


def test_a_seed_gives_the_same_text_with_and_without_log_probabilities(ask):
    question = "Write ten emoji of animals and flags: \U0001f98a\U0001f1e8\U0001f1ed"
    emoji = {"messages": [{"role": "user", "content": question}], "max_tokens": 40, "temperature": 1.2}
    for seed in range(4):
        with_them = ask({**emoji, "seed": seed, "logprobs": True, "top_logprobs": 5})
        assert ask({**emoji, "seed": seed})["message"] == with_them["message"]


def test_defaults_that_are_left_out_and_that_are_spelled_out_are_the_same_request(ask):
    left_out = {"messages": MESSAGES[0], "seed": 3, "max_tokens": 20}
    own = {"temperature": 0.2, "top_p": 0.9, "frequency_penalty": 0.5, "presence_penalty": 0}
    spelled_out = {**left_out, **own, "stream": False, "n": 1}
    assert ask(left_out) == ask(spelled_out)
