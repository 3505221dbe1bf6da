"""A model of random weights with marks for thoughts and calls: nothing that it says is lost or told twice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.local.hermes import DISABLED, ENABLED, HERMES, MARKS
from tests.local.test_own_calls import ADD, SUBTRACT
from tests.local.tiny_models import write_model
from tests.local.tiny_server import serve

pytestmark = pytest.mark.model


@pytest.fixture(scope="module", params=[[], ["--today"]], ids=["seeds", "today"])
def babbler(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "babbler.gguf"
    with serve(write_model(path, HERMES, marks=MARKS, words=["the", "they"], seed=2), *request.param) as api:
        yield api


def tokens_of(choice, name):
    """The bytes and the log-probability of each token of one of its lists."""
    entries = (choice["logprobs"] or {}).get(name) or []
    return [(entry["bytes"], entry["logprob"]) for entry in entries]


def gathered(chunks):
    """What the deltas of a stream make together: a message, its logprobs and why it ended."""
    texts, lists, calls, reason = {}, {}, {}, None
    for choice in (chunk["choices"][0] for chunk in chunks):
        for name in ("content", "reasoning_content"):
            texts[name] = texts.get(name, "") + (choice["delta"].get(name) or "")
            lists[name] = lists.get(name, []) + tokens_of(choice, name)
        for piece in choice["delta"].get("tool_calls", []):
            call = calls.setdefault(piece["index"], ["", ""])
            call[0] += piece["function"].get("name", "")
            call[1] += piece["function"]["arguments"]
        reason = choice["finish_reason"] or reason
    return texts, lists, list(calls.values()), reason


def whole(choice):
    message = choice["message"]
    texts = {name: message.get(name) or "" for name in ("content", "reasoning_content")}
    lists = {name: tokens_of(choice, name) for name in ("content", "reasoning_content")}
    calls = [[call["function"]["name"], call["function"]["arguments"]] for call in message.get("tool_calls", [])]
    return texts, lists, calls, choice["finish_reason"]


@given(
    seed=st.integers(0, 2**31), tokens=st.integers(1, 60), thinking=st.sampled_from([ENABLED, DISABLED]),
    tools=st.sampled_from([{}, {"tools": [ADD, SUBTRACT]}, {"tools": [ADD]}]),
    stop=st.sampled_from([None, ["a"], ["<", "the"]]),
)
@settings(max_examples=60, deadline=None)
def test_a_stream_and_a_whole_answer_tell_every_token(babbler, seed, tokens, thinking, tools, stop):
    asked = {"seed": seed, "max_tokens": tokens, "stop": stop, "logprobs": True, "top_logprobs": 2}
    asked |= {**thinking, **tools}
    answer = babbler.chat(**asked)
    told = whole(answer["choices"][0])
    *chunks, done = babbler.events(**asked)
    assert done == "[DONE]"
    (texts, lists, *rest), (streamed, streamed_lists, *also) = told, gathered(chunks)
    assert (streamed, also) == (texts, rest)
    calls, reason = rest
    for name, entries in lists.items():
        assert [spelt for spelt, _ in streamed_lists[name]] == [spelt for spelt, _ in entries]
        # In a model of 32-bit numbers the last digits are not always the same.
        own = [logprob for _, logprob in entries]
        assert [logprob for _, logprob in streamed_lists[name]] == pytest.approx(own, abs=1e-3)
    for name, text in texts.items():
        said = b"".join(bytes(spelt) for spelt, _ in lists[name]).decode("utf-8", "replace")
        assert said.startswith(text) if stop and name == "content" else said == text
    assert sum(map(len, lists.values())) <= answer["usage"]["completion_tokens"] <= tokens
    assert reason in ("stop", "length", "tool_calls") and (reason != "tool_calls" or calls)
    if reason == "tool_calls":
        assert all(set(json.loads(arguments)) == {"a"} for _, arguments in calls)
