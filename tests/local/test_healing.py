"""A prefix that ends within a word goes on as the word that it was cut from."""

from __future__ import annotations

import math
from collections import Counter

import pytest


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


def rivals(choice):
    """The alternatives at the first token and their probabilities."""
    return {each["token"]: math.exp(each["logprob"]) for each in choice["logprobs"]["content"][0]["top_logprobs"]}


def test_the_end_of_a_line_goes_on_with_the_indentation_of_the_next(api):
    asked = api.prefixed(
        "Write a Python function that multiplies.", "def multiply(a, b):\n", temperature=0, max_tokens=5,
        logprobs=True, top_logprobs=5,
    )["choices"][0]
    assert asked["message"]["content"] == "    return a * b"[: len(asked["message"]["content"])]
    assert asked["logprobs"]["content"][0]["token"] == "   "


def test_what_may_complete_a_word_has_the_proportions_that_the_whole_words_have(api):
    whole, cut = rivals(first(api, "Hamlet was written by")), rivals(first(api, "Hamlet was written by S"))
    known = {name: p for name, p in whole.items() if name.startswith(" S") and name != " S"}
    assert len(known) >= 3 and sum(known.values()) < 0.1
    for name, p in known.items():
        assert cut[name[2:]] / cut["hakespeare"] == pytest.approx(p / known[" Shakespeare"], rel=1e-3)
    assert 0.9 < sum(cut.values()) <= 1.001 and all(cut)


def test_a_word_in_another_place_is_completed_anew(api):
    said = [first(api, f"{begin} William Shake", max_tokens=1) for begin in ("Hamlet was written by", "To")]
    assert rivals(said[0]) != rivals(said[1])


def test_a_word_that_hardly_any_token_begins_with_goes_on(api):
    cut = rivals(first(api, "Hamlet was written by zq"))
    assert len(cut) == 20 and sum(cut.values()) < 1.001


def test_a_completion_is_drawn_as_it_is_asked_for(api):
    prefix = "Hamlet was written by S"
    shares = rivals(first(api, prefix))

    def drawn(seed, **fields):
        return first(api, prefix, max_tokens=1, seed=seed, **fields)["message"]["content"]

    counts = Counter(drawn(seed, temperature=1) for seed in range(120))
    for text in ("h", "hakespeare", "ir"):
        spread = math.sqrt(120 * shares[text] * (1 - shares[text]))
        assert abs(counts[text] - 120 * shares[text]) < 4 * spread, counts
    assert [drawn(seed, temperature=1) for seed in range(9)] == [drawn(seed, temperature=1) for seed in range(9)]
    assert {drawn(seed, temperature=1, top_p=0.5) for seed in range(30)} == {"h", "hakespeare"}


@pytest.mark.parametrize(("stop", "said"), [("s", ""), ("pear", "s"), ("re", "spea")])
def test_a_stop_string_is_found_in_what_completes_a_word(api, stop, said):
    choice = first(api, "Hamlet was written by William Shake", stop=[stop])
    assert (choice["message"]["content"], choice["finish_reason"]) == (said, "stop")


def test_a_cut_word_is_completed_beside_a_stop_string_that_does_not_come(api):
    stopped, free = (first(api, "It was William Shake", max_tokens=1, **more) for more in ({"stop": "e!"}, {}))
    assert stopped == free and free["message"]["content"] == "speare"


def test_a_prefix_that_ends_in_a_blank_goes_on_as_one_without(api):
    cut, whole = (first(api, prefix) for prefix in ("Hamlet was written by ", "Hamlet was written by"))
    assert cut["message"]["content"] == whole["message"]["content"].lstrip()


def test_no_part_of_a_character_completes_a_prefix(api):
    choice = api.prefixed("Привет, как дела?", "Это ", logprobs=True, top_logprobs=20, max_tokens=1)["choices"][0]
    assert len(rivals(choice)) == 20 and not any("\ufffd" in name for name in rivals(choice))


def test_a_whole_word_has_the_numbers_that_follow_it(api):
    tokens = first(api, "Hamlet was written by")["logprobs"]["content"]
    assert tokens[0]["token"] == " William" and 0.5 < math.exp(tokens[0]["logprob"]) < 0.9


def test_what_completes_a_word_counts_as_a_token_of_the_answer(api):
    body = api.prefixed("Who wrote Hamlet?", "It was William Shake", temperature=0, max_tokens=1)
    assert body["choices"][0]["message"]["content"] == "speare"
    assert (body["usage"]["completion_tokens"], body["choices"][0]["finish_reason"]) == (1, "length")
