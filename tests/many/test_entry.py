"""The lines of a journal: readable, stable, as the chunks came."""

import json
from pathlib import Path

import pytest

from ds_magic import Client, ServerError
from ds_magic.many.entry import HEADER, entry_of, packed, start_of, whole_of
from ds_magic.many.journal import Journal
from ds_magic.many.packed_logprobs import NONE
from ds_magic.many.reading import completion_of, line_of
from tests.many.making import entry, probable
from tests.servers.scripted import ScriptedServer, answered, completion, said, streamed, text_chunk

GOLDEN = Path(__file__).with_name("golden.jsonl")


def test_the_golden_file_is_read_and_would_be_written_just_so():
    header, *lines = GOLDEN.read_bytes().splitlines(keepends=True)
    assert header == HEADER
    assert [entry_of(line).line() for line in lines] == lines
    texts = [str(completion_of(each)) for each in Journal(GOLDEN).entries()]
    assert texts == ["Hel, lö", "whole", "Canber", ""]


def test_what_is_recorded_now_has_the_fields_of_the_golden_file(tmp_path):
    scripts = [
        said("Hel", ", lö"), answered(completion("whole")), streamed(*probable("Can", "ber")),
        answered(b"{}", "500 Oh"),
    ]
    with ScriptedServer(*scripts) as server:
        client = Client(server.url, "k", name="golden", retries=0, journal=tmp_path / "new.jsonl")
        client.chat("Hi", stream=True, temperature=0.5)
        client.chat("Hi")
        client.chat("Where?", stream=True, top_logprobs=2)
        with pytest.raises(ServerError):
            client.chat("Ho", model="m")

    def without_times(path):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines[1:]:
            line.update(at="", ms=0, ds_magic="", **({"deltas": [each[1] for each in line["deltas"]]}
                                                     if "deltas" in line else {}))
            if "error" in line:
                line["error"]["message"] = ""
        return [list(each.items()) for each in lines]

    assert without_times(tmp_path / "new.jsonl") == without_times(GOLDEN)


@pytest.mark.parametrize("payloads", [
    [text_chunk("a"), text_chunk("b"), {**text_chunk("c"), "model": "another"}, {"choices": []}, {"usage": {"a": 1}}],
    [{**text_chunk("a"), "x": None}, text_chunk("b")],
    [{"choices": []}, text_chunk("a")],
    ['{"id": 1e400, "choices": [ ]}', "no JSON", '["a list"]', '{"a": "\\ud83d"}', '"text"', "{}"],
    ['{"id":\n"a"\n, "choices": [\n]}', '{"id":"a", "b": "\\n\u2028"}'],
    [],
])  # fmt: skip
def test_chunks_come_back_as_they_came(payloads):
    came = [(each if isinstance(each, str) else json.dumps(each)).encode() for each in payloads]
    head, deltas = packed(enumerate(came))
    line = entry(head=head, deltas=deltas).line()
    assert line.count(b"\n") == 1
    back = [payload for _, payload in entry_of(line).payloads()]

    def read(payload):
        try:
            return json.loads(payload)
        except ValueError:
            return payload

    assert list(map(read, back)) == list(map(read, came))


def test_what_all_chunks_say_is_written_once():
    chunks = [json.dumps({**text_chunk("a"), "id": "constant-id"}).encode()] * 50
    head, deltas = packed(enumerate(chunks))
    assert entry(head=head, deltas=deltas).line().count(b"constant-id") == 1


def test_a_body_that_is_no_json_comes_back_word_for_word():
    for body in (b"<html>\n no", b'{"a": 1}', b'"a"', b""):
        kept = entry_of(entry(head=NONE, deltas=None, body=whole_of(body)).line())
        assert kept.body_bytes().replace(b" ", b"") == body.replace(b" ", b"")


@pytest.mark.parametrize("odd", [
    {"deltas": [[1, 5], [2, "no JSON"], [3, ["a"]], [4, None], [5, {"choices": [[]]}]]},
    {"head": {"x": 1, "choices": 3}},
    {"ms": 10**18, "at": "", "model": None}, {"at": "\u202e" * 99, "notes": ["\x1b[2J"]}, {"body": [1], "deltas": None},
    {"request": {}}, {"request": {"messages": [1, {"content": 5}], "model": 7}}, {"head": 5}, {"request": [1]},
    {"error": {"type": "Exception", "message": "x"}}, {"error": {"type": "ServerError", "message": "\u202e"}},
    {"request": {"messages": "x", "top_p": 99}}, {"deltas": []}, {"unknown": 1},
])  # fmt: skip
def test_a_line_of_anybody_is_read_or_damaged(odd):
    line = json.dumps({**json.loads(entry().line()), **odd}, separators=(",", ":")).encode() + b"\n"
    read = entry_of(line)
    if read is not None:
        assert "\x1b" not in line_of(read) and "\u202e" not in line_of(read) and repr(completion_of(read))


def test_the_beginning_of_a_line_says_its_key_and_how_it_ended_and_where():
    each = entry(ended="interrupted", backend='a "quoted" \\ name')
    start = start_of(each.line())
    assert (start.key.hex(), start.ended, start.backend) == (each.key, "interrupted", each.backend)
    assert start_of(each.line()[:-3] + b"\n") is None and start_of(b'{"key":"abc"}\n') is None
