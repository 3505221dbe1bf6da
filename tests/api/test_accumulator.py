"""Deltas add up to what an unstreamed answer would have been."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_magic.api.accumulator import Accumulator
from ds_magic.api.clean_text import heal_surrogates
from ds_magic.api.decoder import ChunkDecoder, leniently
from ds_magic.api.delta import deltas_of
from ds_magic.api.loose_json import SurrogateJoiner, parse_json
from ds_magic.api.response import ChatCompletion
from tests.servers.scripted import text_chunk


def added(*chunks):
    """The completion that the chunks add up to."""
    accumulator = Accumulator()
    for chunk in chunks:
        payload = chunk if isinstance(chunk, bytes) else json.dumps(chunk).encode()
        accumulator.add(leniently(parse_json(payload)[0]), payload)
    return ChatCompletion.from_wire(accumulator.wire())


def of_choice(**choice):
    return {"choices": [choice]}


def call(index=None, **piece):
    function = {name: piece.pop(name) for name in ("name", "arguments") if name in piece}
    where = {} if index is None else {"index": index}
    return of_choice(index=0, delta={"tool_calls": [{**where, **piece, "function": function}]})


def calls_of(completion):
    return [(each.id, each.function.name, each.function.arguments) for each in completion.tool_calls]


def test_content_and_reasoning_are_appended_and_empty_or_null_means_nothing():
    completion = added(text_chunk(""), text_chunk(reasoning="b"), text_chunk("a", reasoning=None), text_chunk(None),
                       text_chunk(reasoning="c"), text_chunk("d"), text_chunk("", reasoning=""))
    assert (completion.content, completion.reasoning_content) == ("ad", "bc")


def test_no_content_at_all_is_null_and_nothing_is_empty():
    completion = added(text_chunk(""))
    assert completion.choice.message.content is None and completion.content == ""
    assert completion.reasoning_content is None and completion.tool_calls == []


def test_the_first_id_and_model_and_fingerprint_stand():
    head = {"id": "1", "model": "m", "created": 1, "system_fingerprint": "f"}
    other = {"id": "2", "model": "n", "created": 2, "system_fingerprint": "g"}
    completion = added(head, other)
    assert completion.model_dump(include=set(head)) == head


def test_an_empty_head_of_a_first_chunk_does_not_stand():
    completion = added({"id": "", "model": "", "created": 0, "choices": []}, {"id": "2", "model": "n", "created": 2})
    assert (completion.id, completion.model, completion.created) == ("2", "n", 2)


def test_the_last_usage_that_is_not_null_wins():
    assert added({"usage": {"prompt_tokens": 1}}, {"usage": {"prompt_tokens": 2}}, {"usage": None}, {}
                 ).usage.prompt_tokens == 2


def test_a_role_is_set_once():
    completion = added(*(of_choice(delta={"role": role}) for role in ("assistant", "assistant", None, "user")))
    assert completion.choice.message.role == "assistant"


def test_a_finish_reason_is_kept_whatever_it_says_and_later_empty_ones_do_not_undo_it():
    completion = added(of_choice(finish_reason=None), of_choice(finish_reason="tired"), of_choice(finish_reason=""))
    assert completion.finish_reason == "tired"


def test_choices_are_merged_by_index():
    completion = added(of_choice(index=1, delta={"content": "b"}), of_choice(delta={"content": "a"}),
                       of_choice(index=1, delta={"content": "c"}), of_choice(index="x", delta={"content": "d"}))
    assert [(each.index, each.message.content) for each in completion.choices] == [(0, "ad"), (1, "bc")]


def test_tool_calls_are_merged_by_index_whatever_the_first_is():
    completion = added(call(1, id="one", type="function", name="f", arguments=""), call(1, arguments='{"a"'),
                       call(3, id="two", name="g", arguments="{"), call(1, arguments=":1}"), call(3, arguments="}"))
    assert calls_of(completion) == [("one", "f", '{"a":1}'), ("two", "g", "{}")]


def test_ids_types_and_names_may_be_repeated_in_each_chunk():
    piece = {"id": "one", "type": "function", "name": "f"}
    assert calls_of(added(*(call(0, **piece, arguments=each) for each in "{}"))) == [("one", "f", "{}")]


def test_without_an_index_a_new_id_begins_a_new_call():
    completion = added(call(id="one", name="f", arguments="{"), call(arguments="}"), call(id="two", name="g"),
                       call(id="one", arguments=" "))
    assert calls_of(completion) == [("one", "f", "{} "), ("two", "g", "")]


def test_a_call_without_id_or_index_is_a_call():
    assert calls_of(added(call(name="f", arguments="{}"))) == [(None, "f", "{}")]


def test_arguments_that_are_no_string_become_one():
    assert calls_of(added(call(0, name="f", arguments={"a": 1}))) == [(None, "f", '{"a": 1}')]


def test_unknown_fields_are_kept():
    completion = added({"service_tier": "x", **of_choice(delta={"audio": 1}, seed=2)}, {"service_tier": None})
    assert (completion.service_tier, completion.choice.seed, completion.choice.message.audio) == ("x", 2, 1)


def test_both_lists_of_logprobs_are_added_up():
    def entry(token):
        return {"token": token, "logprob": -1.0, "bytes": list(token.encode()), "top_logprobs": []}

    completion = added(text_chunk("a", logprobs={"content": [entry("a")], "reasoning_content": None}),
                       text_chunk("bc", logprobs={"content": [entry("b"), entry("c")]}),
                       text_chunk(reasoning="r", logprobs={"reasoning_content": [entry("r")]}),
                       text_chunk("", logprobs={"content": []}))
    lists = completion.choice.logprobs
    assert [each.token for each in lists.content] == ["a", "b", "c"]
    assert [each.token for each in lists.reasoning_content] == ["r"]
    assert len(completion.logprobs) == 3 and len(completion.reasoning_logprobs) == 1


def test_logprobs_stay_with_their_choice_however_choices_are_packed():
    def choice(index, token):
        return {"index": index, "delta": {}, "logprobs": {"content": [{"token": token, "logprob": -1.0}]}}

    completion = added({"choices": [choice(0, "a"), choice(1, "b"), choice(0, "c"), choice("odd", "d")]})
    tokens = [[each.token for each in one.logprobs.content] for one in completion.choices]
    assert tokens == [["a", "c", "d"], ["b"]]
    assert [len(one.logprobs.content) for one in completion.choices] == [3, 1]


def test_a_pair_of_surrogates_split_over_arguments_is_joined():
    completion = added(b'{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\\ud83d"}}]}}]}',
                       b'{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\\ude00"}}]}}]}')
    assert completion.tool_calls[0].function.arguments == "😀"


pieces = st.lists(st.tuples(
    st.sampled_from(["content", "reasoning_content", "arguments"]),
    st.text(st.characters(exclude_categories=()), max_size=4),
), max_size=20)


@given(pieces)
def test_any_text_in_any_deltas_adds_up_to_what_an_unstreamed_answer_says(pieces):
    accumulator, decoder, shown = Accumulator(), ChunkDecoder(), {"content": "", "reasoning_content": ""}

    def take(chunk, payload=b""):
        accumulator.add(chunk, payload)
        for delta in deltas_of(chunk, payload):
            for name in shown:
                shown[name] += getattr(delta, name) or ""

    for name, text in pieces:
        delta = {name: text}
        if name == "arguments":
            delta = {"tool_calls": [{"index": 1, "id": "c", "function": {"name": "f", "arguments": text}}]}
        payload = json.dumps({"id": "1", "choices": [{"index": 0, "delta": delta}]}).encode()
        take(decoder.decode(payload), payload)
    rest = decoder.rest()
    if rest is not None:
        take(rest)

    def whole(name):
        return heal_surrogates("".join(text for each, text in pieces if each == name))

    message = {"role": "assistant", "content": whole("content") or None}
    if whole("reasoning_content"):
        message["reasoning_content"] = whole("reasoning_content")
    if any(name == "arguments" for name, _ in pieces):
        function = {"name": "f", "arguments": whole("arguments")}
        message["tool_calls"] = [{"id": "c", "type": "function", "function": function}]
    unstreamed = ChatCompletion.from_wire({"choices": [{"index": 0, "message": message}]})
    assert shown == {"content": whole("content"), "reasoning_content": whole("reasoning_content")}
    if pieces:
        assert ChatCompletion.from_wire(accumulator.wire()).choice == unstreamed.choice


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["index", "delta", "content", "function", "arguments", "tool_calls", "logprobs", "id", "name",
                         "role", "token", "model_config", "_request"]), inner, max_size=4),
    max_leaves=12,
)


def sometimes(strategy):
    return strategy | json_values


def objects(**fields):
    return st.fixed_dictionaries({}, optional={name: sometimes(each) for name, each in fields.items()})


tool_calls = st.lists(sometimes(objects(index=st.integers(), id=json_values, function=objects(
    name=json_values, arguments=json_values))), max_size=2)
deltas = objects(role=json_values, content=json_values, reasoning_content=json_values, tool_calls=tool_calls)
logprobs = objects(content=st.lists(sometimes(objects(token=json_values, logprob=json_values, bytes=json_values,
                                                      top_logprobs=json_values)), max_size=2))
choices = st.lists(sometimes(objects(index=json_values, delta=deltas, finish_reason=json_values, logprobs=logprobs)),
                   max_size=3)
chunks = objects(id=json_values, created=json_values, model=json_values, choices=choices, usage=json_values,
                 system_fingerprint=json_values)


@pytest.mark.slow
@given(st.lists(chunks, max_size=4))
@settings(max_examples=300)
def test_any_json_in_any_place_of_a_chunk_crashes_nothing(given_chunks):
    given_chunks = [chunk for chunk in given_chunks if isinstance(chunk, dict)]
    joiner = SurrogateJoiner()
    for chunk in json.loads(json.dumps(given_chunks)):
        joiner.heal(chunk)
    joiner.rest()
    for chunk in given_chunks:
        for delta in deltas_of(leniently(chunk), b""):
            for name in ("index", "role", "content", "reasoning_content", "tool_calls", "logprobs", "finish_reason",
                         "usage", "model"):
                getattr(delta, name)
            assert repr(delta) and bool(delta) in (True, False)
    completion = added(*given_chunks)
    str(completion).encode()
    repr(completion).encode()
    completion.model_dump_json()
    for choice in completion.choices:
        for lists in filter(None, (choice.logprobs and choice.logprobs.content,)):
            assert len(list(lists)) == len(lists)
    assert repr(completion.logprobs)
