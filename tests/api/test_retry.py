"""What is tried again, when, and what is told."""

import time
from email.utils import formatdate

import pytest

from ds_magic import (
    APIConnectionError,
    InvalidRequestError,
    RateLimitError,
    ServerError,
    ServerOverloadedError,
    StreamInterruptedError,
)
from ds_magic.api.events import Retrying
from ds_magic.api.retry import parse_retry_after, wait_before
from tests.servers.scripted import ScriptedServer, answered, chunk, completion, event, head, refused, said, text_chunk


def soon(status, message="no", **headers):
    """A refusal that asks for no wait."""
    return answered({"error": {"message": message}}, f"{status} No", Retry_After=headers.pop("after", "0"), **headers)


def test_waits_are_random_up_to_a_bound_that_doubles_from_half_a_second_to_ten():
    for attempt, bound in enumerate((0.5, 1, 2, 4, 8, 10, 10), 1):
        waits = [wait_before(attempt, None) for _ in range(200)]
        assert 0 <= min(waits) < 0.2 * bound and 0.8 * bound < max(waits) <= bound


def test_retry_after_is_honoured_up_to_a_minute():
    assert (wait_before(1, 0.0), wait_before(4, 60.0), wait_before(1, 60.1)) == (0.0, 60.0, None)


def test_retry_after_is_read_as_whole_seconds_or_as_a_date():
    assert parse_retry_after("3") == 3 and parse_retry_after(" 0 ") == 0 and parse_retry_after("9" * 5000) > 60
    assert 25 < parse_retry_after(formatdate(time.time() + 30, usegmt=True)) <= 30
    assert parse_retry_after(formatdate(time.time() - 30, usegmt=True)) == 0


@pytest.mark.parametrize("form", ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"])
def test_retry_after_may_be_a_date_of_the_oldest_forms_which_are_in_utc(form, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert 25 < parse_retry_after(time.strftime(form, time.gmtime(time.time() + 30))) <= 30
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("odd", [
    None, "", "soon", "nan", "inf", "1_0", "0.5", "-1", "+1", "1e1", "٣", "１０", "1 0", "Wed, 99 Nov 2026", "\x00",
    "Wed, 1_0 Nov 2026 10:00:00 GMT", "Wed, 10 Nov 2026 1_0:00:00 GMT",
])
def test_anything_else_asks_for_no_wait(odd):
    assert parse_retry_after(odd) is None


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("streaming", [True, False])
def test_a_refusal_that_may_pass_is_tried_again_and_told(status, streaming, connect):
    told = []
    with ScriptedServer(soon(status), soon(status), said("a") if streaming else answered(completion("a"))) as server:
        answer = connect(server, on_event=told.append).chat("Hi", stream=streaming)
        assert answer.content == "a" and len(server.requests) == 3
    assert [(type(each), each.wait, each.attempt, each.of) for each in told] == [
        (Retrying, 0.0, 1, 4), (Retrying, 0.0, 2, 4)]
    assert told[0].error.status == status and "1 of 4" in str(told[0])


def test_a_date_in_retry_after_is_waited_for(connect):
    told = []
    past = formatdate(time.time() - 5, usegmt=True)
    with ScriptedServer(soon(503, after=past), answered(completion())) as server:
        connect(server, on_event=told.append).chat("Hi")
    assert [each.wait for each in told] == [0.0]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
def test_a_refusal_of_the_request_is_not_tried_again(status, connect):
    with ScriptedServer(soon(status)) as server:
        with pytest.raises(Exception) as caught:
            connect(server, model="m").chat("Hi")
        assert caught.value.status == status
        assert [request.path for request in server.requests if request.method == "POST"] == ["/chat/completions"]


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimitError), (500, ServerError), (503, ServerOverloadedError)])
def test_after_four_retries_the_refusal_is_raised(status, kind, connect):
    with ScriptedServer(soon(status, "still no")) as server:
        with pytest.raises(kind, match="still no"):
            connect(server).chat("Hi")
        assert len(server.requests) == 5
        with pytest.raises(kind):
            connect(server, retries=0).chat("Hi")
        assert len(server.requests) == 6


@pytest.mark.parametrize("after", ["61", formatdate(time.time() + 3600, usegmt=True)], ids=["seconds", "date"])
def test_a_wait_of_more_than_a_minute_is_not_waited_for(after, connect):
    with ScriptedServer(soon(429, after=after)) as server:
        with pytest.raises(RateLimitError) as caught:
            connect(server).chat("Hi")
        assert len(server.requests) == 1 and caught.value.retry_after > 60


def test_a_reset_before_the_answer_is_tried_again(connect):
    told = []

    def reset(connection):
        connection.reset()

    with ScriptedServer(reset, said("a")) as server:
        answer = connect(server, on_event=told.append).chat("Hi", stream=True)
        assert answer.content == "a" and len(server.requests) == 2
    assert "reset" in str(told[0])


def test_a_close_before_the_answer_is_tried_again(connect):
    with ScriptedServer(lambda connection: "close", answered(completion("a"))) as server:
        assert connect(server).chat("Hi").content == "a"


def test_a_refused_connection_is_tried_again(connect):
    told = []
    with ScriptedServer(said("a")) as server:
        pass
    with pytest.raises(APIConnectionError, match="refused"):
        connect(server, retries=1, on_event=told.append).chat("Hi")
    assert len(told) == 1 and told[0].of == 1


def test_a_name_that_is_not_known_is_not_tried_again(connect):
    told = []
    with pytest.raises(APIConnectionError, match="not known|resolve"):
        connect("http://no-such-host.invalid", on_event=told.append).chat("Hi")
    assert told == []


@pytest.mark.parametrize("ends", ["reset", "close"])
def test_nothing_is_tried_again_once_text_was_delivered(ends, connect):
    def break_off(connection):
        connection.send(head() + chunk(event(text_chunk("a"))))
        connection.reset() if ends == "reset" else None
        return "close"

    with ScriptedServer(break_off, said("b")) as server:
        with pytest.raises(StreamInterruptedError), connect(server).stream("Hi") as stream:
            list(stream)
        assert len(server.requests) == 1


def test_an_answer_that_began_is_not_asked_for_again_when_it_is_not_streamed(connect):
    def break_off(connection):
        connection.send(head(framing=100, content_type="application/json") + b'{"id"')
        return "close"

    with ScriptedServer(break_off, answered(completion())) as server:
        with pytest.raises(StreamInterruptedError):
            connect(server).chat("Hi")
        assert len(server.requests) == 1


def test_the_key_is_masked_in_what_is_told_of_a_retry(connect, key):
    told = []
    with ScriptedServer(soon(429, f"too many for key {key[5:15]}"), answered(completion())) as server:
        connect(server, on_event=told.append).chat("Hi")
    assert key[5:15] not in str(told[0]) + repr(told[0]) and "****" in str(told[0])


def test_without_a_listener_waits_are_logged(caplog, key):
    from ds_magic import Client

    with ScriptedServer(soon(429), answered(completion())) as server, caplog.at_level("WARNING", "ds_magic"):
        Client(server.url, key).chat("Hi")
    assert "Trying again" in caplog.text


def test_refusals_of_a_redirect_loop_are_not_tried_again(connect):
    def around(connection):
        connection.send(head("307 Go", framing=0, Location="/chat/completions"))

    with ScriptedServer(around) as server:
        with pytest.raises(APIConnectionError):
            connect(server).chat("Hi")
        assert len(server.requests) < 40


def test_a_listener_that_fails_ends_the_request(connect):
    def fail(told):
        raise ZeroDivisionError

    with ScriptedServer(soon(429), said("a")) as server:
        with pytest.raises(ZeroDivisionError):
            connect(server, on_event=fail).chat("Hi")
        assert len(server.requests) == 1


def test_an_unknown_address_says_so(connect):
    with ScriptedServer(refused(404)) as server, pytest.raises(InvalidRequestError) as caught:
        connect(server).chat("Hi")
    assert "base URL" in caught.value.remedy
