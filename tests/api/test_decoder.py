"""The strict parser of chunks and the lenient one say the same of whatever both take."""

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ds_magic import StreamInterruptedError
from ds_magic.api.accumulator import Accumulator
from ds_magic.api.decoder import ChunkDecoder, LenientChunk
from ds_magic.api.delta import deltas_of
from ds_magic.api.response import ChatCompletion
from ds_magic.logprobs.from_wire import read_entries
from ds_magic.logprobs.table import LogprobTable

SAID = ("index", "role", "content", "reasoning_content", "tool_calls", "logprobs", "finish_reason", "usage", "model",
        "chunk", "choice")


def read(payloads, *, lenient=False):
    """What a user gets of these chunks, as text: the completion, its lists of tokens, and each delta."""
    decoder, accumulator, deltas = ChunkDecoder(lenient=lenient), Accumulator(), []
    for payload in payloads:
        try:
            chunk = decoder.decode(payload)
        except StreamInterruptedError as error:
            deltas.append(str(error))
            continue
        if chunk is not None:
            accumulator.add(chunk, payload)
            deltas += [([getattr(delta, name) for name in SAID], bool(delta), repr(delta))
                       for delta in deltas_of(chunk, payload)]
    rest = decoder.rest()
    if rest is not None:
        accumulator.add(rest, b"")
    completion = ChatCompletion.from_wire(accumulator.wire())
    return repr((completion.model_dump(), completion.raw, deltas))


def is_strict(payload):
    return not isinstance(ChunkDecoder().decode(payload), LenientChunk)


any_text = st.text(st.characters(exclude_categories=()), max_size=4)
numbers = st.integers() | st.floats() | st.sampled_from([-9999, -9999.0, 10**30, 1e300])
json_values = st.recursive(st.none() | st.booleans() | numbers | any_text,
                           lambda inner: st.lists(inner, max_size=2) | st.dictionaries(any_text, inner, max_size=2),
                           max_leaves=5)


def mostly(strategy):
    """What belongs there, null, and once in a while anything else."""
    return st.integers(0, 29).flatmap(lambda n: st.none() if n < 4 else json_values if n == 4 else strategy)


def objects(**fields):
    """Objects with any of these fields, and now and then with one that nobody knows."""
    known = st.fixed_dictionaries({}, optional={name: mostly(each) for name, each in fields.items()})
    return st.integers(0, 19).flatmap(
        lambda n: st.builds(lambda given, name, value: {**given, name: value}, known, any_text, json_values)
        if n == 0 else known
    )


words = any_text | st.sampled_from(["a", "é", "😀", "\ufffd", ""])
bytes_of_words = st.lists(st.integers(0, 255) | st.sampled_from([256, -1, 1.0]), max_size=4)
candidate = {"token": words, "logprob": st.floats(-30, 0) | numbers, "bytes": bytes_of_words}
entries = objects(**candidate, top_logprobs=st.lists(objects(**candidate), max_size=3),
                  constrained=st.booleans(), forced=st.booleans())
lists = objects(content=st.lists(entries, max_size=2), reasoning_content=st.lists(entries, max_size=2))
pieces = st.lists(objects(index=st.integers(0, 2), id=words, type=words,
                          function=objects(name=words, arguments=words)), max_size=2)
deltas = objects(role=words, content=words, reasoning_content=words, tool_calls=pieces)
choices = objects(index=st.integers(0, 2), delta=deltas, logprobs=lists, finish_reason=words)
usages = objects(prompt_tokens=st.integers(), completion_tokens=numbers)
chunks = objects(id=words, object=words, created=st.integers(), model=words, system_fingerprint=words, usage=usages,
                 choices=st.lists(mostly(choices), max_size=2), error=json_values).map(lambda c: json.dumps(c).encode())


@pytest.mark.slow
@given(chunks)
@settings(max_examples=500)
def test_a_chunk_that_both_take_says_the_same_in_both(payload):
    try:
        assume(is_strict(payload))
    except StreamInterruptedError:
        assume(False)
    assert read([payload]) == read([payload], lenient=True)


@pytest.mark.slow
@given(st.lists(chunks | st.binary(max_size=3), max_size=12))
@settings(max_examples=200)
def test_chunks_in_a_row_add_up_to_the_same_whoever_reads_them(payloads):
    assert read(payloads) == read(payloads, lenient=True)


def table_of(payloads):
    accumulator, decoder = Accumulator(), ChunkDecoder()
    for payload in payloads:
        accumulator.add(decoder.decode(payload), payload)
    return ChatCompletion.from_wire(accumulator.wire())


def rows_of(table):
    """The rows as text; numbers that were sent as floats, whichever way a server wrote them."""
    sent = [float(raw) if type(raw) is int else raw for raw in table.raw_logprob]
    return [repr((replace(row, raw_logprob=None), raw)) for row, raw in zip(table, sent, strict=True)]


@pytest.mark.slow
@given(st.lists(st.lists(entries | json_values, max_size=2), max_size=4))
@settings(max_examples=300)
def test_the_table_of_a_stream_is_that_of_the_same_entries_at_once(packs):
    payloads = [json.dumps({"choices": [{"delta": {}, "logprobs": {"content": pack}}]}).encode() for pack in packs]
    streamed = table_of(payloads).logprobs
    parsed = [entry for payload in payloads for entry in json.loads(payload)["choices"][0]["logprobs"]["content"]]
    if not parsed:
        assert not streamed
        return
    whole = LogprobTable.from_wire(read_entries(parsed), content="")
    assert rows_of(streamed) == rows_of(whole) and streamed.notes == whole.notes


def test_tokens_of_the_same_spelling_keep_their_own_bytes():
    other = '{"token":"\ufffd","logprob":-0.5,"bytes":[%d]}'
    entry = '{"token":"\ufffd","logprob":-1.5,"bytes":[%d],"top_logprobs":[' + other + "]}"
    choice = '{"logprobs":{"content":[%s]}}'
    payloads = [PLAIN % (choice % (entry % pair)).encode() for pair in ((240, 159), (159, 240), (240, 159))]
    assert all(map(is_strict, payloads))
    table = table_of(payloads).logprobs
    assert table.bytes == [b"\xf0", b"\x9f", b"\xf0"]
    assert table.alternatives().bytes == [b"\x9f", b"\xf0", b"\x9f"]


PLAIN = b'{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[%s],"usage":null}'


@pytest.mark.parametrize("choice", [
    b'{"index":0,"delta":{"content":"a"},"logprobs":null,"finish_reason":null}',
    b'{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"a"},"finish_reason":"stop"}',
    b'{"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-9999,"bytes":[97],'
    b'"top_logprobs":[]}]}}',
    b'{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"arguments":"{"}}]}}',
])
def test_what_deepseek_sends_is_read_strictly(choice):
    assert is_strict(PLAIN % choice)


@pytest.mark.parametrize("choice", [
    b'{"index":0,"delta":{"content":"a"},"seed":1}', b'{"index":null}', b'{"index":0,"delta":{"content":5}}',
    b'{"delta":{"content":"\\ud83d"}}', b'{"delta":{"content":"\xff"}}', b'{"logprobs":{"content":[NaN]}}', b"5",
])
def test_what_is_odd_is_read_leniently(choice):
    assert not is_strict(PLAIN % choice)


def test_after_eight_refusals_in_a_row_the_strict_parser_is_not_asked_again():
    decoder, odd, plain = ChunkDecoder(), PLAIN % b'{"seed":1}', PLAIN % b"{}"
    for _ in range(7):
        assert isinstance(decoder.decode(odd), LenientChunk)
    assert not isinstance(decoder.decode(plain), LenientChunk)
    for _ in range(8):
        decoder.decode(odd)
    assert isinstance(decoder.decode(plain), LenientChunk)


def test_numbers_of_a_stream_stand_in_the_raw_body_as_they_were_sent():
    entry = '{"token":"a","logprob":-9999,"bytes":[97],"top_logprobs":[{"token":"b","logprob":-0.25,"x":1}]}'
    payload = PLAIN % b'{"delta":{"content":"a"},"logprobs":{"content":[%s]}}' % entry.encode()
    completion = table_of([payload, payload])
    assert json.dumps(completion.raw["choices"][0]["logprobs"]["content"]) == json.dumps([json.loads(entry)] * 2)
    assert completion.choice.logprobs.content[0].top_logprobs[0].x == 1
