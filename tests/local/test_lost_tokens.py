"""A model that says bytes that are no UTF-8: llama.cpp passes over many of its tokens, and each is told anyway."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.local.tiny_models import write_model
from tests.local.tiny_server import serve

pytestmark = pytest.mark.model


@pytest.fixture(scope="module", params=[0, 1])
def babbler(request, tmp_path_factory):
    """A model of random weights, which says any byte."""
    path = tmp_path_factory.mktemp("models") / "babbler.gguf"
    with serve(write_model(path, marks=["<think>"], words=["the", "they"], seed=request.param)) as api:
        yield api


@given(seed=st.integers(0, 2**31), tokens=st.integers(1, 24), temperature=st.sampled_from([0, 0.7, 1, 2]))
@settings(max_examples=40, deadline=None)
def test_each_token_of_a_text_that_is_no_utf_8_is_told(babbler, seed, tokens, temperature):
    answer = babbler.chat(
        logprobs=True, top_logprobs=2, seed=seed, max_tokens=tokens, temperature=temperature, frequency_penalty=0
    )
    (choice,) = answer["choices"]
    entries = choice["logprobs"]["content"] if choice["logprobs"] else []
    assert len(entries) == answer["usage"]["completion_tokens"]
    said = b"".join(bytes(entry["bytes"]) for entry in entries)
    assert said.decode("utf-8", "replace") == choice["message"]["content"]
    if choice["finish_reason"] == "length":
        assert len(entries) == tokens
