"""Fill in the middle: what is sent to /beta/completions, and what comes of the answer, by the way that a chat goes."""

import json
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ds_magic
from ds_magic import (
    ChatCompletion,
    ChatRequest,
    CompletionRequest,
    DeepSeekError,
    InvalidRequestError,
    Stop,
    StreamInterruptedError,
)
from ds_magic.api.addresses import EMBEDDED
from ds_magic.api.completion_request import kind_of
from ds_magic.api.text_completion import event_as_chat
from ds_magic.branch import fork
from ds_magic.logprobs.table import LogprobTable
from ds_magic.many.entry import entry_of
from ds_magic.many.reading import completion_of, line_of
from ds_magic.run import AtTheEnd, run
from ds_magic.views.tokens.tree import BOUNDARIES
from tests.servers.completions import USAGE, filled, lists, text, with_tokens
from tests.servers.scripted import ScriptedServer, answered, chunk, event, head, refused, streamed

ROWS = (
    ("    ", -0.1, {"    ": -0.1, "\t": -3.0}),
    (" return", -4.0, {" yield": -0.5, " pass": -1.5, " return": -4.0}),
    (" n", -9999.0, {" a": -0.5, " b": -2.0}),
)


def test_only_what_was_set_is_sent_under_beta(connect):
    with ScriptedServer(answered(text("x", finish="stop"))) as server:
        connect(server).complete("def f(n):\n", "\nf(3)", max_tokens=9, temperature=0)
        connect(server).complete("def f(n):\n")
    first, second = server.requests
    assert first.path == second.path == "/beta/completions"
    assert first.json == {
        "prompt": "def f(n):\n", "suffix": "\nf(3)", "model": "deepseek-chat", "temperature": 0, "max_tokens": 9,
    }
    assert second.json == {"prompt": "def f(n):\n", "model": "deepseek-chat"}


@pytest.mark.parametrize("base", ["", "/v1", "/beta"])
def test_it_goes_to_beta_whatever_the_base_url_was(connect, base):
    with ScriptedServer(answered(text("x"))) as server:
        connect(server.url + base).complete("a")
    assert server.requests[0].path == "/beta/completions"


@pytest.mark.parametrize(("given_", "sent"), [
    ({"logprobs": 5}, 5), ({"top_logprobs": 5}, 5), ({"logprobs": True}, 0), ({"logprobs": 0}, 0),
    ({"logprobs": False}, None), ({"logprobs": 7, "top_logprobs": 3}, 3),
])  # fmt: skip
def test_logprobs_are_one_number_on_the_wire(given_, sent):
    body = CompletionRequest.of("a", **given_).to_wire()
    assert body.get("logprobs") == sent and "top_logprobs" not in body


@pytest.mark.parametrize(("fields", "says"), [
    ({"max_tokens": 4097}, "`max_tokens` is 4097, and must be a whole number from 1 to 4096"),
    ({"max_tokens": 0}, "`max_tokens` is 0"),
    ({"stop": ["x"] * 17}, "`stop` is"),
    ({"logprobs": 21}, "must be a whole number from 0 to 20"),
    ({"logprobs": -1}, "`logprobs` is -1, and must be a whole number from 0 to 20."),
    ({"top_logprobs": 1.5}, "`top_logprobs` is 1.5, and must be a whole number from 0 to 20."),
    ({"messages": []}, "`messages` is no field of a fill in the middle"),
    ({"prefix": "a"}, "`prefix` is no field of a fill in the middle"),
    ({"echo": True, "suffix": "b"}, "`echo` is True, and must be left out beside a suffix"),
    ({"echo": True, "logprobs": 1}, "`echo` is True"),
    ({"suffix": 3}, "`suffix` is 3, and must be a string"),
    ({"tools": []}, "`tools` is no field of a fill in the middle"),
    ({"thinking": True}, "`thinking` is no field"),
    ({"response_format": {"type": "json_object"}}, "`response_format` is no field"),
    ({"temprature": 1}, "did you mean `temperature`"),
])  # fmt: skip
def test_what_the_service_refuses_is_not_sent(connect, fields, says):
    with ScriptedServer(answered(text("x"))) as server, pytest.raises(InvalidRequestError) as caught:
        connect(server).complete("a", **fields)
    assert says in str(caught.value) and caught.value.remedy and not server.requests


def test_a_prompt_that_is_no_text_is_refused(connect):
    with pytest.raises(InvalidRequestError, match="`prompt` is \\['a'\\], and must be a string"):
        connect("http://127.0.0.1:9").complete(["a"])


def test_the_whole_answer_is_a_completion(connect):
    with ScriptedServer(answered(text("  return n", finish="stop", usage=USAGE, logprobs=lists(*ROWS)))) as server:
        answer = connect(server).complete("def f(n):\n", "\nf(3)", logprobs=2)
    assert str(answer) == answer.content == "  return n"
    assert (answer.finish_reason, answer.usage.completion_tokens, answer.model) == ("stop", 3, "scripted")
    assert (answer.request.prompt, answer.request.suffix) == ("def f(n):\n", "\nf(3)")
    assert answer.text == "def f(n):\n  return n\nf(3)" and not answer.interrupted
    assert repr(answer).startswith("  return n\n⟨scripted · ")


def test_a_streamed_answer_is_the_same_as_a_whole_one(connect):
    body = text("     return n", finish="stop", usage=USAGE, logprobs=lists(*ROWS))
    with ScriptedServer(with_tokens(*ROWS), answered(body)) as server:
        client = connect(server)
        with client.stream_complete("def f(n):\n", logprobs=2) as stream:
            pieces = [delta.content for delta in stream]
        whole = client.complete("def f(n):\n", logprobs=2)
    assert pieces == ["    ", " return", " n", ""] and stream.completion.raw == whole.raw
    assert stream.completion.timing.first_token is not None and server.requests[0].json["stream"] is True
    assert stream.completion.logprobs.to_pandas().equals(whole.logprobs.to_pandas())


def test_with_stream_it_is_streamed_and_collected(connect):
    with ScriptedServer(filled("a", "b")) as server:
        assert connect(server).complete("x", stream=True).content == "ab"
    assert server.requests[0].json["stream"] is True


def test_deltas_have_text_logprobs_and_the_end(connect):
    with ScriptedServer(with_tokens(ROWS[0])) as server, connect(server).stream_complete("a", logprobs=2) as stream:
        first, last = stream
    assert first.logprobs["content"][0]["token"] == "    " and first.choice["delta"]["content"] == "    "
    assert (last.finish_reason, last.usage) == ("stop", USAGE)


def test_the_legacy_lists_are_a_table(connect):
    with ScriptedServer(with_tokens(*ROWS)) as server, connect(server).stream_complete("a", logprobs=2) as stream:
        list(stream)
    table = stream.completion.logprobs
    assert isinstance(table, LogprobTable) and table.token == ["    ", " return", " n"]
    assert table.status.tolist() == ["exact", "exact", "censored"]
    assert math.isnan(table.logprob[2]) and table.raw_logprob[2] == -9999.0
    assert table.matches_content and not table.bytes_given.any() and table.bytes[1] == b" return"
    assert any("no bytes" in note for note in table.notes)


def test_the_drawn_token_beyond_those_asked_for_bounds_nothing(connect):
    """It stands among them as one more, however unlikely it is: what did not come lies below the last of the others."""
    with ScriptedServer(with_tokens(ROWS[1])) as server, connect(server).stream_complete("a", logprobs=2) as stream:
        list(stream)
    token = stream.completion.logprobs[0]
    assert [one.token for one in token.alternatives] == [" yield", " pass"]
    assert token.prob == pytest.approx(math.exp(-4)) and token.n_alternatives == 2


def test_where_halves_of_characters_may_have_fallen_together_the_drawn_token_bounds_nothing_either(connect):
    row = (" a", -9.0, {"\ufffd": -0.5, " b": -2.0, " a": -9.0})  # three were asked for, two of them the same here
    with ScriptedServer(with_tokens(row)) as server, connect(server).stream_complete("a", logprobs=3) as stream:
        list(stream)
    token = stream.completion.logprobs[0]
    assert [one.token for one in token.alternatives] == ["\ufffd", " b"] and token.prob == pytest.approx(math.exp(-9))


def test_the_drawn_token_among_the_likeliest_stays(connect):
    row = (" a", -0.5, {" a": -0.5, " b": -2.0, " c": -3.0})  # a server that sends one more than was asked for
    with ScriptedServer(with_tokens(row)) as server, connect(server).stream_complete("a", logprobs=2) as stream:
        list(stream)
    assert [one.token for one in stream.completion.logprobs[0].alternatives] == [" a", " b", " c"]


@pytest.mark.parametrize(("sent", "tokens"), [
    ({"tokens": ["a", "b"], "token_logprobs": [-1.0], "top_logprobs": []}, ["a", "b"]),
    ({"tokens": ["a"], "token_logprobs": [-1.0, -2.0], "top_logprobs": [None, {}]}, ["a"]),
    ({"tokens": ["a", "b"], "token_logprobs": [None, -1.0], "top_logprobs": None}, ["a", "b"]),
    ({"tokens": [None, 3, "b"], "token_logprobs": "no", "top_logprobs": {"x": 1}}, ["", "", "b"]),
    ({"tokens": ["a"], "token_logprobs": [-1], "top_logprobs": [{"b": None, "c": "x", "d": -2}]}, ["a"]),
    ({"tokens": ["a"]}, ["a"]),
])  # fmt: skip
@pytest.mark.parametrize("is_streamed", [True, False])
def test_ragged_and_null_lists_are_read_as_far_as_they_go(connect, sent, tokens, is_streamed):
    body = text("ab", logprobs=sent, finish="stop")
    script = streamed(body) if is_streamed else answered(body)
    with ScriptedServer(script) as server:
        answer = connect(server).complete("x", logprobs=2, stream=is_streamed)
    assert answer.content == "ab" and answer.logprobs.token == tokens
    assert set(answer.logprobs.status.tolist()) <= {"exact", "missing", "degenerate"}


@pytest.mark.parametrize("sent", [None, {}, [], "x", {"tokens": "ab"}, {"tokens": {"a": 1}}])
def test_lists_that_are_none_are_no_table(connect, sent):
    with ScriptedServer(streamed(text("ab", logprobs=sent, finish="stop"))) as server:
        answer = connect(server).complete("x", logprobs=2, stream=True)
    assert answer.content == "ab" and not answer.logprobs


@pytest.mark.parametrize("choice", [
    None, 3, {"text": None}, {"text": 7}, {"index": "x", "text": "a"}, {"delta": {"content": "a"}}, {"message": None},
])  # fmt: skip
def test_odd_choices_cost_no_more_than_themselves(connect, choice):
    odd = {"choices": [choice]}
    with ScriptedServer(streamed(odd, text("!", finish="stop"))) as server:
        assert connect(server).complete("x", stream=True).content.endswith("!")


def test_a_server_that_does_not_stream_is_understood(connect):
    script = answered(text("     return n", finish="stop", logprobs=lists(*ROWS)))
    with ScriptedServer(script) as server, connect(server).stream_complete("x", logprobs=2) as stream:
        assert [delta.content for delta in stream] == ["     return n"]
    assert stream.completion.logprobs.token == [" " * 4, " return", " n"]
    assert len(stream.completion.choice.logprobs.content) == 3


def test_half_a_character_waits_for_its_other_half(connect):
    halves = [b'data: {"choices": [{"index": 0, "text": "%s"}]}\n\n' % half for half in (b"\\ud83d", b"\\ude00")]
    with ScriptedServer(streamed(*halves)) as server:
        assert connect(server).complete("x", stream=True).content == "\U0001f600"


NAMES = st.sampled_from(("choices", "text", "logprobs", "tokens", "token_logprobs", "top_logprobs", "index", "x"))
SCALARS = st.none() | st.booleans() | st.floats() | st.text()


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_whatever_stands_in_an_event_it_is_read_or_left_as_it_is(value):
    read = event_as_chat(json.dumps(value).encode(), 2)
    assert isinstance(json.loads(read), type(value))


@pytest.mark.parametrize("payload", [b"[DONE]", b"", b"{", b"{" * 100_000, b'{"error": {"message": "no"}}', b"[1]"])
def test_what_is_no_answer_passes_as_it_came(payload):
    read = event_as_chat(payload, None)
    assert read == payload or json.loads(read) == json.loads(payload)


def test_a_refusal_says_what_the_server_says(connect):
    with ScriptedServer(refused(400, "suffix too long")) as server, pytest.raises(InvalidRequestError) as caught:
        connect(server).complete("x")
    assert "suffix too long" in str(caught.value)


def test_a_server_without_beta_is_named_as_such(connect):
    with ScriptedServer(refused(404, "Not Found")) as server, pytest.raises(InvalidRequestError) as caught:
        connect(server).complete("x")
    assert "/beta" in caught.value.remedy


def test_what_had_come_when_the_stream_broke_is_kept(connect):
    broken = streamed(text("half", logprobs=lists(("half", -1.0, {}))), done=False)
    with ScriptedServer(broken) as server, pytest.raises(StreamInterruptedError) as caught:
        connect(server).complete("x", "y", logprobs=0, stream=True)
    partial = caught.value.partial
    assert partial.content == "half" and partial.interrupted and partial.request.suffix == "y"
    assert partial.logprobs.token == ["half"]


def test_it_is_tried_again_where_a_chat_is(connect):
    with ScriptedServer(refused(503), answered(text("x"))) as server:
        assert connect(server).complete("a").content == "x"
    assert len(server.requests) == 2


def test_it_is_closed_from_within(connect):
    def script(connection):
        connection.send(head() + chunk(event(text("a"))))
        connection.wait_until_closed()

    with ScriptedServer(script) as server, connect(server).stream_complete("x") as stream:
        assert next(stream).content == "a"
    assert stream.completion.interrupted and stream.completion.content == "a"


def test_a_stop_ends_it_and_keeps_what_came(connect):
    def script(connection):
        connection.send(head() + chunk(event(text("half"))))
        connection.wait_until_closed()

    class Stopping(AtTheEnd):
        def delta(self, delta):
            stop.set()

        def finish(self, completion, error):
            self.completion = completion

    stop, observer = Stop(), Stopping()
    with ScriptedServer(script) as server:
        answer = run(connect(server), CompletionRequest.of("a\n", "\nb", stream=True), [observer], stop=stop)
    assert answer is observer.completion and answer.interruption == "stopped" and answer.text == "a\nhalf\nb"


def test_a_journal_has_it_and_replays_it(connect, tmp_path):
    path = tmp_path / "run.jsonl"
    with ScriptedServer(with_tokens(*ROWS)) as server:
        asked = connect(server, journal=path).complete("def f(n):\n", "\nf(3)", logprobs=2, stream=True)
        again = connect(server, journal=path, cache=True).complete("def f(n):\n", "\nf(3)", logprobs=2, stream=True)
        assert len(server.requests) == 1
    played = ds_magic.Client(replay=path, speed=0).complete("def f(n):\n", "\nf(3)", logprobs=2, stream=True)
    for answer in (again, played):
        assert answer.content == asked.content and answer.recorded is not None
        assert answer.logprobs.to_pandas().equals(asked.logprobs.to_pandas())


def test_a_journal_tells_it_from_a_chat_and_from_other_gaps(connect, tmp_path):
    with ScriptedServer(filled("x")) as server:
        client = connect(server, journal=tmp_path / "run.jsonl", cache=True)
        client.complete("a", stream=True)
        client.complete("a", "b", stream=True)
        client.complete("ab", stream=True)
    assert len(server.requests) == 3


def test_a_key_in_the_answer_is_not_recorded(connect, key, tmp_path):
    with ScriptedServer(filled(key[:9], key[9:])) as server:
        connect(server, journal=tmp_path / "run.jsonl").complete("a", stream=True)
    written = (tmp_path / "run.jsonl").read_text()
    assert "The answer spelt out the API key" in written and key[9:] not in written


def test_a_journal_lists_it(connect, tmp_path):
    with ScriptedServer(filled("x", " y")) as server:
        connect(server, journal=tmp_path / "run.jsonl").complete("What stands before", "behind", stream=True)
    [_, line] = (tmp_path / "run.jsonl").read_bytes().splitlines(keepends=True)
    entry = entry_of(line)
    assert line_of(entry).endswith("What stands before → x y")
    assert completion_of(entry).text == "What stands beforex ybehind"


def test_it_is_saved_loaded_and_pickled(connect, tmp_path):
    with ScriptedServer(with_tokens(*ROWS)) as server:
        answer = connect(server).complete("def f(n):\n", "\nf(3)", logprobs=2, stream=True)
    loaded = ChatCompletion.load(answer.save(tmp_path / "answer.json"))
    for each in (loaded, pickle.loads(pickle.dumps(answer))):
        assert each == answer and each.request == answer.request and each.text == answer.text
        assert isinstance(each.request, CompletionRequest)
        assert each.logprobs.to_pandas().equals(answer.logprobs.to_pandas())


def test_a_request_is_read_back_from_its_wire():
    request = CompletionRequest.of("a", "b", logprobs=3, temperature=0, stop=["x"], extra={"more": 1})
    body = json.loads(request.encode())
    assert kind_of(body) is CompletionRequest and kind_of({"messages": []}) is ChatRequest
    assert CompletionRequest.from_wire(body).to_wire() == request.to_wire()
    with pytest.raises(InvalidRequestError, match="`prompt` is null"):
        CompletionRequest.from_wire({})


def test_a_request_is_changed_and_stays_what_it_is():
    changed = CompletionRequest.of("a", "b", logprobs=3).changed(prompt="c", temperature=1)
    assert isinstance(changed, CompletionRequest)
    assert changed.to_wire() | {"model": "m"} == {
        "prompt": "c", "suffix": "b", "model": "m", "temperature": 1, "logprobs": 3,
    }


def test_for_a_retired_model_todays_fills_the_gap_and_nothing_is_said_of_thinking(connect):
    gone = refused(400, "The supported API model names are deepseek-flash, but you passed deepseek-reasoner.")
    listed = answered({"data": [{"id": "deepseek-flash"}]})
    with ScriptedServer(gone, answered(text("b", finish="stop", usage=USAGE)), models=listed) as server:
        filled = connect(server).complete("a", model="deepseek-reasoner")
    assert server.requests[-1].json == {"prompt": "a", "model": "deepseek-flash"}
    assert filled.notes == ["This server has no deepseek-reasoner any more: deepseek-flash answers."]


def test_a_branch_goes_on_from_the_tokens_that_filled_the_gap(connect):
    after = with_tokens((" x", -0.2, {" x": -0.2}))
    with ScriptedServer(with_tokens(*ROWS), after) as server:
        client = connect(server)
        answer = client.complete("def f(n):\n", "\nf(3)", logprobs=2, stream=True, temperature=0)
        branch = fork(answer, 1, rank=1, client=client)
    assert server.requests[1].path == "/beta/completions"
    asked = server.requests[1].json
    assert (asked["prompt"], asked["suffix"]) == ("def f(n):\n     yield", "\nf(3)")
    assert branch.content == "     yield x" and branch.text == "def f(n):\n     yield x\nf(3)"
    assert branch.parent is answer and branch.branch.base == "def f(n):\n"
    assert branch.logprobs.token == ["    ", " yield", " x"] and branch.logprobs.forced.tolist() == [True, True, False]


def test_a_branch_says_that_its_tokens_may_fall_otherwise_also_where_a_chat_has_its_own(connect):
    with ScriptedServer(with_tokens(*ROWS), filled("x")) as server:
        client = connect(server, name=EMBEDDED)
        answer = client.complete("a", logprobs=2, stream=True)
        assert BOUNDARIES in fork(answer, 1, rank=1, client=client).notes


def test_no_note_of_a_chat_stands_on_it(connect):
    with ScriptedServer(filled("x")) as server:
        answer = connect(server).complete("return ", stream=True)
    assert answer.notes == []


def test_an_error_never_shows_the_key(connect, key):
    with ScriptedServer(streamed(b"data: " + key.encode() + b"\n\n")) as server, pytest.raises(DeepSeekError) as caught:
        connect(server).complete("x", stream=True)
    assert key not in str(caught.value)


def test_the_environments_server_completes(monkeypatch):
    with ScriptedServer(answered(text("x")), filled("y")) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        assert ds_magic.complete("a", "b").content == "x"
        with ds_magic.stream_complete("a") as stream:
            assert "".join(delta.content or "" for delta in stream) == "y"
    assert [each.path for each in server.requests] == ["/beta/completions"] * 2
