"""Streams on real sockets: every framing, text handed on at once, and each way in which one can end."""

import gzip
import json
import threading
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ds_magic import APIConnectionError, DeepSeekError, InvalidRequestError, ServerError, StreamInterruptedError
from ds_magic.api.events import Queued
from tests.servers.scripted import (
    DONE,
    LAST_CHUNK,
    PATIENCE,
    ScriptedServer,
    answered,
    chunk,
    completion,
    event,
    head,
    said,
    streamed,
    text_chunk,
    timers,
)

S1_HEAD = b'"created": 1718345013, "id": "1f633d8bfc032625086f14113c411638", "model": "deepseek-chat"'
S1_STREAM = (
    b'data: {"id": "1f633d8bfc032625086f14113c411638", "choices": [{"index": 0, "delta": {"content": "", "role": "assi'
    b'stant"}, "finish_reason": null, "logprobs": null}], "created": 1718345013, "model": "deepseek-chat", "system_fin'
    b'gerprint": "fp_a49d71b8a1", "object": "chat.completion.chunk", "usage": null}\n\n'
    + b"".join(
        b'data: {"choices": [{"delta": {"content": "%s", "role": "assistant"}, "finish_reason": null, "index": 0, "log'
        b'probs": null}], %s, "object": "chat.completion.chunk", "system_fingerprint": "fp_a49d71b8a1"}\n\n'
        % (word, S1_HEAD)
        for word in (b"Hello", b"!", b" How", b" can", b" I", b" assist", b" you", b" today", b"?")
    )
    + b'data: {"choices": [{"delta": {"content": "", "role": null}, "finish_reason": "stop", "index": 0, "logprobs": n'
    b'ull}], ' + S1_HEAD + b', "object": "chat.completion.chunk", "system_fingerprint": "fp_a49d71b8a1", "usage": {"co'
    b'mpletion_tokens": 9, "prompt_tokens": 17, "total_tokens": 26}}\n\ndata: [DONE]\n\n'
)
"""The example of the documentation, byte for byte."""


def in_pieces(data, framing="chunked", content_type="text/event-stream", size=None, **headers):
    """A script that sends `data` in pieces of `size` bytes under a framing: chunked, close, length."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)] if size else [data]

    def script(connection):
        connection.send(head("200 OK", content_type, len(data) if framing == "length" else framing, **headers))
        for piece in pieces:
            connection.send(chunk(piece) if framing == "chunked" else piece)
        if framing == "chunked":
            connection.send(LAST_CHUNK)
        return "close" if framing == "close" else None

    return script


def read(connect, script, **options):
    """The texts of the deltas and the completion of one streamed request."""
    with ScriptedServer(script) as server, connect(server, **options).stream("Hi") as stream:
        return [delta.content for delta in stream], stream.completion


def failing(connect, script, kind=StreamInterruptedError):
    with (
        ScriptedServer(script) as server,
        pytest.raises(kind) as caught,
        connect(server, retries=0).stream("Hi") as stream,
    ):
        list(stream)
    return caught.value


def assert_is_s1(answer):
    assert answer.content == "Hello! How can I assist you today?" and answer.finish_reason == "stop"
    assert answer.usage.total_tokens == 26 and answer.choice.message.role == "assistant"
    assert answer.id == "1f633d8bfc032625086f14113c411638" and answer.system_fingerprint == "fp_a49d71b8a1"
    assert not answer.interrupted


@pytest.mark.parametrize("framing", ["chunked", "close", "length"])
@pytest.mark.parametrize("size", [None, 1, 7, 1000])
def test_the_documentations_own_example_streams_under_every_framing(framing, size, connect):
    texts, answer = read(connect, in_pieces(S1_STREAM, framing, size=size))
    assert_is_s1(answer)
    assert texts == ["", "Hello", "!", " How", " can", " I", " assist", " you", " today", "?", ""]


@pytest.mark.parametrize("framing", ["chunked", "close", "length"])
@pytest.mark.parametrize("size", [None, 1, 50])
@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_stream_is_read_under_every_framing(framing, size, coding, compress, connect):
    _, answer = read(connect, in_pieces(compress(S1_STREAM), framing, size=size, Content_Encoding=coding))
    assert_is_s1(answer)


@pytest.mark.parametrize("framing", ["chunked", "close", "length", "gzip-chunked", "gzip-close"])
def test_text_is_handed_on_as_soon_as_the_socket_has_it(framing, connect):
    received = [threading.Event() for _ in range(3)]
    compressor = zlib.compressobj(wbits=31) if framing.startswith("gzip") else None
    framing = framing.removeprefix("gzip-")

    def coded(data, flush=zlib.Z_SYNC_FLUSH):
        return compressor.compress(data) + compressor.flush(flush) if compressor else data

    def framed(data):
        return chunk(data) if framing == "chunked" else data

    def script(connection):
        bodies = [event(text_chunk(str(number))) for number in range(3)]
        length = len(b"".join(bodies) + DONE)
        headers = {"Content_Encoding": "gzip"} if compressor else {}
        connection.send(head(framing=length if framing == "length" else framing, **headers))
        for body, was_received in zip(bodies, received, strict=True):
            connection.send(framed(coded(body)))
            connection.wait(was_received)
        connection.send(framed(coded(DONE, zlib.Z_FINISH)) + (LAST_CHUNK if framing == "chunked" else b""))
        return "close"

    with ScriptedServer(script) as server, connect(server).stream("Hi") as stream:
        for delta, was_received in zip(stream, received, strict=False):
            was_received.set()
            assert delta.content in "012"
        list(stream)
    assert stream.completion.content == "012" and not stream.completion.interrupted


def test_the_first_half_of_an_event_does_not_hold_back_what_came_before(connect):
    received = threading.Event()

    def script(connection):
        whole, half = event(text_chunk("a")), event(text_chunk("b"))
        connection.send(head() + chunk(whole + half[:20]))
        connection.wait(received)
        connection.send(chunk(half[20:] + DONE) + LAST_CHUNK)

    with ScriptedServer(script) as server, connect(server).stream("Hi") as stream:
        assert next(stream).content == "a"
        received.set()
        assert [delta.content for delta in stream] == ["b"]


def test_a_stream_is_read_whole_however_its_chunks_cut_characters(connect):
    data = event(text_chunk("x")) + 'data: {"choices":[{"delta":{"content":"é€😀\u2028\x85"}}]}\n\n'.encode() + DONE
    for size in (1, 2, 3):
        _, answer = read(connect, in_pieces(data, size=size))
        assert answer.content == "xé€😀\u2028\x85"


def test_a_queue_is_told_once_and_its_comments_and_blank_lines_are_skipped(connect):
    told = []
    waiting = [b": keep-alive\n\n"] * 3 + [b"\n\n", b"\r\n"]
    texts, answer = read(connect, streamed(*waiting, text_chunk("a"), b": keep-alive\n\n", text_chunk("b")),
                         on_event=told.append)
    assert texts == ["a", "b"] and not answer.interrupted
    assert [type(each) for each in told] == [Queued]


def test_a_stream_that_does_not_wait_tells_of_no_queue(connect):
    told = []
    read(connect, streamed(text_chunk("a"), b": keep-alive\n\n", b"\n"), on_event=told.append)
    assert told == []


def test_an_end_without_done_is_an_error_that_holds_what_had_come(connect):
    error = failing(connect, streamed(text_chunk("a"), text_chunk("b", reasoning="r"), done=False))
    assert error.partial.content == "ab" and error.partial.reasoning_content == "r"
    assert error.partial.interrupted and f"{error.partial.interruption}." == str(error)
    assert error.remedy


@pytest.mark.parametrize("done", [b"data: [DONE]", b"data: [DONE]\n", b"data:[DONE]\r\n\r\n", b"data: [DONE] \n\n"])
def test_done_is_known_in_all_its_forms(done, connect):
    _, answer = read(connect, streamed(text_chunk("a"), done, done=False))
    assert answer.content == "a" and not answer.interrupted


def test_an_unterminated_last_event_is_not_delivered(connect):
    error = failing(connect, streamed(text_chunk("a"), event(text_chunk("b"))[:-1], done=False))
    assert error.partial.content == "a"


def test_an_empty_stream_is_an_error_without_a_partial_result(connect):
    for script in (streamed(done=False), streamed(text_chunk(""), done=False)):
        assert failing(connect, script).partial is None


def test_what_follows_done_is_ignored_and_the_connection_is_used_again(connect):
    script = streamed(text_chunk("a"), DONE, text_chunk("b"), b"garbage\n\n", done=False)
    with ScriptedServer(script) as server:
        client = connect(server)
        for _ in range(3):
            with client.stream("Hi") as stream:
                assert [delta.content for delta in stream] == ["a"]
            assert stream.completion.content == "a" and not stream.completion.interrupted
        assert server.connections == 1 and len(server.requests) == 3


def test_a_connection_that_stays_open_behind_done_does_not_hold_the_answer(connect):
    def script(connection):
        connection.send(head() + chunk(event(text_chunk("a"))) + chunk(DONE))
        assert connection.wait_until_closed()

    with ScriptedServer(script) as server:
        with connect(server).stream("Hi") as stream:
            assert [delta.content for delta in stream] == ["a"]
        assert not stream.completion.interrupted


def test_an_error_in_the_stream_is_raised_with_what_had_come(connect):
    wrong = {"error": {"message": "too hot", "type": "server_error", "code": "x", "param": "p"}}
    error = failing(connect, streamed(text_chunk("a"), wrong, text_chunk("b")))
    assert "too hot" in str(error) and error.partial.content == "a"
    assert (error.type, error.code, error.field) == ("server_error", "x", "p")
    assert failing(connect, streamed({"error": "bare"})).partial is None


def test_an_error_that_is_null_is_none(connect):
    assert read(connect, streamed({**text_chunk("a"), "error": None}))[0] == ["a"]


@pytest.mark.parametrize("data", [b"data: {not json}\n\n", b"data: <html>\n\n", b"data: " + b"[" * 100_000 + b"\n\n"])
def test_an_event_that_is_not_json_is_an_error_with_what_had_come(data, connect):
    error = failing(connect, streamed(text_chunk("a"), data))
    assert error.partial.content == "a" and len(str(error)) < 400


def test_events_that_are_no_objects_are_skipped(connect):
    texts, _ = read(connect, streamed(b"data: 5\n\ndata: []\n\ndata:\n\ndata: null\n\n", text_chunk("a")))
    assert texts == ["a"]


def test_lone_surrogates_become_marks_and_pairs_split_over_chunks_become_their_character(connect):
    def raw(text):
        return b'data: {"choices":[{"index":0,"delta":{"content":"' + text + b'"}}]}\n\n'

    texts, answer = read(connect, streamed(raw(rb"a\ud83d"), raw(b""), raw(rb"\ude00b"), raw(rb"\ude00c\ud83dd"),
                                           raw(rb"e\ud83d")))
    assert "".join(texts) == answer.content == "a😀b\ufffdc\ufffdde\ufffd"
    assert not any("\ud800" <= character <= "\udfff" for text in texts for character in text)


def test_200_levels_of_nesting_are_read(connect):
    deep = b'{"x":' * 200 + b"1" + b"}" * 200
    data = b'data: {"choices":[{"delta":{"content":"a"}}],"deep":' + deep + b"}\n\n"
    _, answer = read(connect, streamed(data))
    assert answer.content == "a" and answer.deep["x"]["x"]


def test_invalid_utf8_is_replaced(connect):
    _, answer = read(connect, streamed(b'data: {"choices":[{"delta":{"content":"a\xffb"}}]}\n\n'))
    assert answer.content == "a\ufffdb"


def test_usage_is_found_in_all_three_places(connect):
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    with_null = streamed({**text_chunk("a"), "usage": None}, {"choices": [], "usage": usage})
    absent = streamed(text_chunk("a"), text_chunk("", finish="stop", usage=usage))
    early = streamed({**text_chunk("a"), "usage": usage}, {**text_chunk("b"), "usage": None})
    for script in (with_null, absent, early):
        assert read(connect, script)[1].usage.total_tokens == 3


def test_several_choices_are_told_apart(connect):
    chunks = [{"choices": [{"index": index, "delta": {"content": text}}]} for index, text in ((1, "b"), (0, "a"))]
    both = {"choices": [{"index": 0, "delta": {"content": "A"}}, {"index": 1, "delta": {"content": "B"}}]}
    with ScriptedServer(streamed(*chunks, both)) as server, connect(server).stream("Hi") as stream:
        assert [(delta.index, delta.content) for delta in stream] == [(1, "b"), (0, "a"), (0, "A"), (1, "B")]
    assert [choice.message.content for choice in stream.completion.choices] == ["aA", "bB"]


def test_tool_calls_arrive_as_pieces_and_end_as_calls(connect):
    def piece(index, **fields):
        return {"choices": [{"delta": {"tool_calls": [{"index": index, "id": "one", "function": fields}]}}]}

    script = streamed(piece(1, name="f", arguments=""), piece(1, arguments='{"a":'), piece(1, arguments="1}"))
    with ScriptedServer(script) as server, connect(server).stream("Hi") as stream:
        assert all(delta.tool_calls for delta in stream)
    (call,) = stream.completion.tool_calls
    assert (call.id, call.function.name, call.function.arguments) == ("one", "f", '{"a":1}')


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json", "text/plain", "text/html", ""])
def test_a_stream_is_read_under_any_content_type_and_at_once(content_type, connect):
    received = threading.Event()

    def script(connection):
        connection.send(head(content_type=content_type) + chunk(event(text_chunk("a"))))
        connection.wait(received)
        connection.send(chunk(DONE) + LAST_CHUNK)

    with ScriptedServer(script) as server, connect(server).stream("Hi") as stream:
        assert next(stream).content == "a"
        received.set()
        assert list(stream) == []
    assert not stream.completion.interrupted


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "text/html", "text/event-stream"])
def test_json_instead_of_a_stream_is_one_delta(content_type, connect):
    body = json.dumps(completion("Hello 😀", usage={"completion_tokens": 1}), indent=1).encode()
    told = []
    script = streamed(b"\n\n", b"\n", body[:40], body[40:], done=False)

    def as_type(connection):
        connection.send(head(content_type=content_type))
        sent, connection.send = connection.send, lambda data: sent(data) if not data.startswith(b"HTTP") else None
        script(connection)

    texts, answer = read(connect, as_type, on_event=told.append)
    assert texts == ["Hello 😀"] and answer.content == "Hello 😀" and answer.usage.completion_tokens == 1
    assert not answer.interrupted and [type(each) for each in told] == [Queued]


def test_json_with_choices_that_are_none_is_read(connect):
    for choices in (5, None, [], [5], "x"):
        assert read(connect, answered({"choices": choices}))[1].content == ""


def test_an_error_object_instead_of_a_stream_is_raised(connect):
    for content_type in ("application/json", "text/event-stream"):
        script = answered({"error": {"message": "no", "code": 422}}, content_type=content_type)
        assert failing(connect, script, InvalidRequestError).status == 422
        assert failing(connect, answered({"error": "no"}, content_type=content_type), ServerError).status == 500


@pytest.mark.parametrize("ask", ["chat", "stream"])
@pytest.mark.parametrize("body", [b"<html><body>Welcome!</body></html>" * 50, b"", b"   ", b"5", b"data"])
def test_what_is_not_of_this_api_is_an_error_that_shows_a_little_of_it(ask, body, connect):
    script = answered(body, content_type="text/html")
    with ScriptedServer(script) as server, pytest.raises(APIConnectionError) as caught:
        list(getattr(connect(server), ask)("Hi"))
    assert "base URL" in caught.value.remedy and len(str(caught.value)) < 400


def test_json_that_is_cut_off_is_an_interruption(connect):
    error = failing(connect, answered(b'{"id": "c", "choi', content_type="application/json"))
    assert error.partial is None


@pytest.mark.slow
@pytest.mark.parametrize("framing", ["chunked", "close", "length"])
def test_a_recorded_stream_cut_at_any_byte_loses_nothing_that_was_whole(framing, connect):
    data = event(text_chunk("a")) + b": keep-alive\r\n\r\n" + event(text_chunk("é😀", finish="stop")) + DONE
    whole_events = [data.index(b"\n\n") + 2, len(data) - len(DONE)]

    def script(connection):
        cut = len(server.requests) - 1
        connection.send(head(framing=len(data) if framing == "length" else framing))
        if framing == "chunked":
            connection.send(chunk(data)[: cut + chunk(data).index(b"\r\n") + 2])
        else:
            connection.send(data[:cut])
        return "close"

    with ScriptedServer(script) as server:
        client = connect(server, retries=0)
        for cut in range(len(data)):
            stream = client.stream("Hi")
            ended = data[:cut].endswith((b"[DONE]", b"[DONE]\n")) and cut > whole_events[1]
            texts = []
            try:
                texts = [delta.content for delta in stream]
                failed = False
            except DeepSeekError as error:
                failed = True
                assert isinstance(error, StreamInterruptedError)
            expected = "".join(["a", "é😀"][: sum(cut >= end for end in whole_events)])
            assert stream.completion.content == expected, cut
            if framing == "close":
                assert failed is not ended, cut
            elif not ended:
                assert failed, cut
            assert failed or "".join(texts) == expected


RECORDED = b"".join([event(text_chunk("", reasoning="r")), b": keep-alive\n\n", event(text_chunk("a\u2028")), DONE])


@given(st.lists(st.tuples(st.integers(0, len(RECORDED)), st.binary(max_size=3), st.integers(0, 3)), max_size=4),
       st.sampled_from(["chunked", "close", "length"]), st.integers(1, 200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_stream_ends_in_an_answer_or_in_one_of_our_errors(connect, damage, framing, size):
    data = RECORDED
    for place, put, drop in damage:
        data = data[:place] + put + data[place + drop :]
    with ScriptedServer(in_pieces(data, framing, size=size)) as server:
        stream = connect(server, retries=0).stream("Hi")
        try:
            list(stream)
        except DeepSeekError as error:
            assert error.remedy and str(error).encode()
            assert error.partial is None or error.partial.interrupted
        repr(stream.completion).encode()


@pytest.mark.parametrize("garbage", [
    b"", b"\x00" * 100, b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 abc\r\n\r\n", b"SSH-2.0-x\r\n",
    b"HTTP/1.1 200 OK\r\nA" * 300,
    head() + b"zz\r\n", head() + b"ffffffffffffffff\r\na", head() + b"-1\r\n", head(framing=5) + b"ab",
    head(Content_Encoding="gzip") + chunk(b"no gzip"),
    head(Content_Encoding="gzip") + chunk(gzip.compress(RECORDED)[:40]),
    head("204 No", framing=0), head("206 Part", framing=2) + b"{}", head("304 Not"), head("302 Go", framing=0),
    head("999 Odd", framing=2) + b"{}",
])
@pytest.mark.parametrize("ask", ["chat", "stream"])
def test_a_server_that_speaks_no_http_gets_one_of_our_errors(garbage, ask, connect):
    def script(connection):
        connection.send(garbage)
        return "close"

    with ScriptedServer(script) as server, pytest.raises(DeepSeekError) as caught:
        list(getattr(connect(server, retries=0), ask)("Hi"))
    assert caught.value.remedy


def test_timing_is_measured_from_the_try_that_was_answered(connect):
    _, answer = read(connect, said("a", "b", "c"))
    assert 0 < answer.timing.first_token <= answer.timing.total < PATIENCE
    assert answer.timing.tokens_per_second is None or answer.timing.tokens_per_second > 0


def test_an_early_exit_keeps_what_had_come_and_closes_the_connection(connect):
    closed = threading.Event()

    def script(connection):
        connection.send(head() + chunk(event(text_chunk("a"))))
        assert connection.wait_until_closed()
        closed.set()

    with ScriptedServer(script) as server:
        with connect(server).stream("Hi") as stream:
            for _ in stream:
                break
        assert closed.wait(PATIENCE)
    assert stream.completion.content == "a" and stream.completion.interrupted
    assert stream.completion.interruption == "stopped" and list(stream) == []


def test_a_stream_that_was_entered_and_never_read_closes_its_connection(connect):
    closed = threading.Event()

    def script(connection):
        connection.send(head())
        assert connection.wait_until_closed()
        closed.set()

    with ScriptedServer(script) as server:
        before = server.open_sockets_of_clients()
        with connect(server, timeout=1000).stream("Hi") as stream:
            pass
        assert closed.wait(PATIENCE) and server.open_sockets_of_clients() <= before and stream.completion.interrupted
        assert timers() == []


def test_a_stream_closed_before_it_began_sends_nothing(connect):
    with ScriptedServer(said("a")) as server:
        stream = connect(server).stream("Hi")
        stream.close()
        assert list(stream) == [] and stream.completion.interrupted and server.requests == []


def test_an_exception_in_the_reader_closes_the_connection(connect):
    closed = threading.Event()

    def script(connection):
        connection.send(head() + chunk(event(text_chunk("a"))))
        assert connection.wait_until_closed()
        closed.set()

    with ScriptedServer(script) as server:
        with pytest.raises(ZeroDivisionError), connect(server).stream("Hi") as stream:
            for _ in stream:
                raise ZeroDivisionError
        assert closed.wait(PATIENCE)


@pytest.mark.parametrize("tokens", [10**400, -(10**400), -1, 2**63], ids=["huge", "hugely less", "less", "2^63"])
def test_an_absurd_count_of_tokens_costs_neither_the_answer_nor_its_time(connect, tokens):
    usage = {"prompt_tokens": tokens, "completion_tokens": tokens, "total_tokens": tokens}
    with ScriptedServer(said("a", "b", usage=usage), answered(completion("ab", usage=usage))) as server:
        client = connect(server)
        with client.stream("Hi") as stream:
            assert "".join(delta.content or "" for delta in stream) == "ab"
        for answer in (stream.completion, client.chat("Hi", stream=False)):
            assert answer.content == "ab" and answer.timing.total > 0 and answer.timing.tokens_per_second is None
            assert answer.usage.prompt_tokens is None and answer.raw["usage"]["prompt_tokens"] == tokens
