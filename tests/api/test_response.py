"""Responses are read leniently: what is missing or odd becomes None, what is unknown is kept."""

import copy
import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_magic import ChatCompletion, ChatRequest, InvalidRequestError
from tests.servers.scripted import ScriptedServer, answered, completion

S1_RESPONSE = b"""{
  "id": "930c60df-bf64-41c9-a88e-3ec75f81e00e",
  "choices": [
    {
      "finish_reason": "stop",
      "index": 0,
      "message": {
        "content": "Hello! How can I help you today?",
        "role": "assistant"
      }
    }
  ],
  "created": 1705651092,
  "model": "deepseek-chat",
  "object": "chat.completion",
  "usage": {
    "completion_tokens": 10,
    "prompt_tokens": 16,
    "total_tokens": 26
  }
}
"""
"""The example of the documentation, byte for byte."""

BODY = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "m", "system_fingerprint": "f", "tier": {"a": 1},
    "choices": [{
        "index": 0, "finish_reason": "tool_calls", "seed": 5,
        "message": {
            "role": "assistant", "content": "a", "reasoning_content": "r", "audio": None,
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{"}, "x": 1}],
        },
        "logprobs": {
            "content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [
                {"token": "a", "logprob": -0.5, "bytes": [97]}, {"token": "b", "logprob": -9999.0, "bytes": None}]}],
            "reasoning_content": [{"token": "r", "logprob": -1, "bytes": None}],
        },
    }],
    "usage": {
        "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "prompt_cache_hit_tokens": 1,
        "prompt_cache_miss_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 1}, "cost": 0.1,
    },
}


def test_the_documentations_own_example_is_read_as_it_stands(connect):
    with ScriptedServer(answered(S1_RESPONSE)) as server:
        answer = connect(server).chat("Hi")
    assert answer.content == "Hello! How can I help you today?" and answer.finish_reason == "stop"
    assert answer.usage.total_tokens == 26 and not answer.logprobs and answer.system_fingerprint is None
    assert not answer.interrupted and answer.created == 1705651092


def test_every_documented_field_is_modelled_and_unknown_ones_are_kept():
    answer = ChatCompletion.from_wire(copy.deepcopy(BODY))
    assert answer.content == str(answer) == "a" and answer.reasoning_content == "r"
    assert answer.finish_reason == "tool_calls" and answer.tool_calls[0].function.arguments == "{"
    assert answer.usage.cached_tokens == 1 and answer.usage.reasoning_tokens == 1
    assert (answer.tier, answer.choice.seed, answer.tool_calls[0].x, answer.usage.cost) == ({"a": 1}, 5, 1, 0.1)
    token = answer.choice.logprobs.content[0]
    assert (token.token, token.logprob, token.bytes) == ("a", -0.5, [97])
    assert token.top_logprobs[1].logprob == -9999.0
    assert len(answer.logprobs) == len(answer.reasoning_logprobs) == 1


def test_other_servers_figures_of_the_cache_are_found():
    answer = ChatCompletion.from_wire({"usage": {"prompt_tokens_details": {"cached_tokens": 7}}})
    assert answer.usage.cached_tokens == 7 and answer.usage.reasoning_tokens is None


def test_nothing_at_all_is_an_empty_completion():
    answer = ChatCompletion.from_wire({})
    assert answer.content == str(answer) == repr(answer) == "" and answer.is_empty
    assert (answer.finish_reason, answer.usage, answer.logprobs, answer.timing) == (None, None, None, None)


def test_the_repr_begins_with_the_content():
    assert repr(ChatCompletion.from_wire(completion("Hello"), backend="here")).startswith("Hello\n")


@pytest.mark.parametrize("content", ["", "not json", '{"a": 1}'])
def test_parsed_is_the_json_value_where_json_was_asked_for(content):
    request = ChatRequest.build("json", response_format={"type": "json_object"})
    expected = {"a": 1} if content.startswith("{") else None
    assert ChatCompletion.from_wire(completion(content), request=request).parsed == expected
    assert ChatCompletion.from_wire(completion(content)).parsed is None


def test_a_completion_survives_pickling_copying_and_json_also_after_its_table_was_made():
    answer = ChatCompletion.from_wire(copy.deepcopy(BODY), request=ChatRequest.build("Hi"), backend="here", notes=["n"])
    assert len(answer.logprobs) == 1
    for again in (pickle.loads(pickle.dumps(answer)), copy.deepcopy(answer)):
        assert again == answer and again.request == answer.request and again.notes == ["n"]
    written = json.loads(answer.model_dump_json())
    assert written["choices"][0]["logprobs"]["content"] == BODY["choices"][0]["logprobs"]["content"]
    assert ChatCompletion.from_wire(written) == ChatCompletion.from_wire(copy.deepcopy(BODY))


def paths(value, path=()):
    """The paths of all values in a JSON value, its own included."""
    yield path
    for name, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(item, (*path, name))


PATHS = list(paths(BODY))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.text(st.characters(exclude_categories=()), max_size=3)
        | st.sampled_from(["content", "request", "logprobs", "model_config", "_request", "__class__", "choices"]),
        inner, max_size=3),
    max_leaves=8,
)


def replaced(body, path, value):
    if not path:
        return value
    body = copy.deepcopy(body)
    holder = body
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    return body


def use(answer):
    """Everything that a view reads of a completion."""
    repr(answer)
    answer.as_message()
    answer.model_dump()
    for name in ("content", "reasoning_content", "tool_calls", "finish_reason", "parsed", "is_empty", "logprobs",
                 "reasoning_logprobs", "usage", "model", "id", "created"):
        getattr(answer, name)
    if answer.usage:
        assert answer.usage.cached_tokens is None or isinstance(answer.usage.cached_tokens, int)
        assert answer.usage.reasoning_tokens is None or isinstance(answer.usage.reasoning_tokens, int)
    for choice in answer.choices:
        lists = choice.logprobs and [choice.logprobs.content, choice.logprobs.reasoning_content]
        for tokens in lists or ():
            for token in tokens or ():
                assert isinstance(token.token, str) and isinstance(token.top_logprobs, list)


@pytest.mark.slow
@given(st.sampled_from(PATHS), json_values)
@settings(max_examples=400)
def test_any_json_value_in_any_field_crashes_nothing(path, value):
    use(ChatCompletion.from_wire(replaced(BODY, path, value)))


def test_half_a_character_in_the_name_of_a_tokens_field_costs_no_token():
    entries = [{"token": "a", "\ud83d": 1}]
    answer = ChatCompletion.from_wire(replaced(BODY, ("choices", 0, "logprobs", "content"), entries))
    assert answer.choices[0].logprobs.content[0].token == "a"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)) or "body")
def test_any_field_may_be_null_missing_or_deep(path):
    deep = json.loads("[" * 500 + "]" * 500)
    for value in (None, "", 0, [], {}, [None], deep, {"a": deep}, "\ud83d", float("nan"), 10**30):
        use(ChatCompletion.from_wire(replaced(BODY, path, value)))
    if path and isinstance(path[-1], str):
        body = copy.deepcopy(BODY)
        holder = body
        for part in path[:-1]:
            holder = holder[part]
        del holder[path[-1]]
        use(ChatCompletion.from_wire(body))


def test_the_first_choice_is_that_of_the_lowest_index():
    said = [{"index": 1, "message": {"content": "B"}}, {"index": 0, "message": {"content": "A"}}]
    assert ChatCompletion.from_wire({"choices": said}).content == "A"


def test_content_in_parts_is_joined():
    parts = [{"type": "text", "text": "A"}, {"type": "image_url"}, {"type": "text", "text": "B"}]
    assert ChatCompletion.from_wire({"choices": [{"message": {"content": parts}}]}).content == "AB"


def test_a_repr_cannot_steer_a_terminal():
    assert "\x1b" not in repr(ChatCompletion.from_wire({"choices": [{"message": {"content": "a\x1b[2Jb"}}]}))


@pytest.mark.parametrize(("fields", "says"), [({}, "`-l`"), ({"logprobs": True}, "--local")])
@pytest.mark.parametrize("use", [
    len, list, lambda table: table[0], lambda table: table.to_pandas(), lambda table: table.perplexity,
    lambda table: "a" in table,
])
def test_logprobs_that_are_not_there_say_what_to_do_when_they_are_used(fields, says, use, connect):
    with ScriptedServer(answered(S1_RESPONSE)) as server:
        answer = connect(server).chat("Hi", **fields)
    for table in (answer.logprobs, answer.reasoning_logprobs):
        with pytest.raises(InvalidRequestError) as caught:
            use(table)
        assert "no token probabilities" in str(caught.value) and says in caught.value.remedy


def test_logprobs_that_are_not_there_are_false_equal_to_none_and_as_harmless(connect):
    with ScriptedServer(answered(S1_RESPONSE)) as server:
        answer = connect(server).chat("Hi")
    assert not answer.logprobs and answer.logprobs == None and answer.logprobs != []  # noqa: E711
    assert "`-l`" in repr(answer.logprobs) and not hasattr(answer.logprobs, "_repr_html_")
    assert pickle.loads(pickle.dumps(copy.deepcopy(answer.logprobs))) == answer.logprobs


def test_an_empty_table_is_a_table(connect):
    body = completion("")
    body["choices"][0]["logprobs"] = {"content": []}
    with ScriptedServer(answered(body)) as server:
        assert len(connect(server).chat("Hi", logprobs=True).logprobs) == 0
