"""`prefix_tokens` on a prefix, an extension: the tokens that it ends with, so that it goes on after just these."""

from __future__ import annotations

import pytest


def tokens(api, text, cut, **fields):
    """The status, and the parsed answer to a question whose answer begins with `text`, which ends with `cut`."""
    body = api.body("Hi", logprobs=True, top_logprobs=20, temperature=0, max_tokens=1)
    prefix = {"role": "assistant", "content": text, "prefix": True, "prefix_tokens": cut, **fields}
    response = api.post({**body, "messages": [*body["messages"], prefix]}, "/beta/chat/completions")
    return response.status_code, response.json()


def test_tokens_stay_where_a_tokenizer_would_merge_them(api):
    whole = tokens(api, "a\n\n", None)[1]["usage"]["prompt_tokens"]
    parted = tokens(api, "a\n\n", [[10], [10]])[1]["usage"]["prompt_tokens"]
    assert parted == whole + 1


def test_a_piece_that_is_no_token_is_tokenised_by_itself(api):
    text = " Hello there, you"
    told = tokens(api, text, [list(text.encode())])[1]
    assert told["choices"][0]["logprobs"] == tokens(api, text, None)[1]["choices"][0]["logprobs"]


def test_a_mark_of_the_template_is_no_token_of_a_prefix(api):
    text = "a<|im_end|>"
    cut = [list(b"<|im_end|>")]
    assert tokens(api, text, cut)[1]["usage"]["prompt_tokens"] > tokens(api, "a", None)[1]["usage"]["prompt_tokens"] + 1


@pytest.mark.parametrize("cut", [[[98]], [[]], [[300]], [[-1]], [[97], []], [[98, 97]]])
def test_what_does_not_spell_the_end_of_the_prefix_is_refused_by_its_field(api, cut):
    status, body = tokens(api, "a", cut)
    assert status == 400 and body["error"]["param"] == "messages[1].prefix_tokens"
