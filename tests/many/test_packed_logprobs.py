"""Token probabilities in a line: small, and as they came."""

import json

import pytest
from msgspec import Raw

from ds_magic.many.entry import entry_of, packed, whole_of
from ds_magic.many.packed_logprobs import NONE, packed_logprobs, unpacked_logprobs
from tests.many.making import entry, probable
from tests.servers.scripted import completion, text_chunk


def token(text, logprob=-0.5, data=0, **fields):
    return {"token": text, "logprob": logprob, "bytes": list(text.encode()) if data == 0 else data, **fields}


def chunk_with(*entries, **fields):
    return text_chunk("a", logprobs={"content": list(entries)}, **fields)


def back(payload):
    """A chunk after it was written and read."""
    head, deltas = packed([(0, json.dumps(payload, separators=(",", ":")).encode())])
    ((_, read),) = entry_of(entry(head=head, deltas=deltas).line()).payloads()
    return json.loads(read)


def test_an_entry_is_two_short_lists():
    chunk = chunk_with(token("a", -0.25, top_logprobs=[token("a", -0.25), token("ö", -1e-9)]))
    ((_, written),) = packed([(0, json.dumps(chunk).encode())])[1]
    assert b'"logprobs":{"content":[[["a",-0.25],[["a",-0.25],["\xc3\xb6",-1e-09]]]]}' in bytes(written)
    assert back(chunk) == chunk


@pytest.mark.parametrize("chunk", [
    *probable("Can", "ber"),
    chunk_with(token("\ufffd", data=[226, 130], top_logprobs=[token("x", data=None), token("", data=[])])),
    chunk_with(token("a", -9999.0, top_logprobs=[])),
    chunk_with(token("a", top_logprobs=[]), token("b", None, top_logprobs=[token("c", "odd")])),
    text_chunk("a", logprobs={"content": None, "reasoning_content": [token("a", top_logprobs=[token("b")])]}),
    chunk_with({"token": "a", "logprob": -1}), chunk_with(token("a", top_logprobs=[token("b")], more=1)),
    chunk_with(token("a")), chunk_with([["a", -0.5], [["b", -1]]]), chunk_with([["a", -0.5, None], []]),
    text_chunk("a", logprobs={"refusal": [token("a", top_logprobs=[])]}), text_chunk("a", logprobs={}),
    {"choices": [None, {"logprobs": {"content": [token("a", top_logprobs=[])]}, "index": 3, "odd": {"x": 1}}]},
    {"choices": "top_logprobs"},
])  # fmt: skip
def test_whatever_came_comes_back(chunk):
    assert back(chunk) == chunk


def test_of_a_body_too():
    body = completion("a")
    body["choices"][0]["logprobs"] = {"content": [token("a", top_logprobs=[token("b")])]}
    data = json.dumps(body).encode()
    kept = entry_of(entry(head=NONE, deltas=None, body=whole_of(data)).line())
    assert json.loads(kept.body_bytes()) == body and b'[["a",-0.5],[["b",-0.5]]]' in bytes(kept.body)


def test_twenty_alternatives_take_a_third_of_what_came():
    others = [token(f" something{number}", round(-0.1234567 * number, 7)) for number in range(20)]
    choices = json.dumps(chunk_with(token(" word", top_logprobs=others))["choices"], separators=(",", ":")).encode()
    small = packed_logprobs(Raw(choices))
    assert 3 * len(bytes(small)) < len(choices)
    assert json.loads(bytes(unpacked_logprobs(small))) == json.loads(choices)
