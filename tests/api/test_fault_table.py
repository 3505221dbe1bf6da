"""What each fault of a server, streamed or not, is raised as, what is kept, and that nothing is left behind.

The table is printed when the tests have ended.
"""

import json
import pickle
import threading
import time

import pytest

from ds_magic import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    Client,
    DeepSeekError,
    InsufficientBalanceError,
    InvalidRequestError,
    RateLimitError,
    ServerError,
    ServerOverloadedError,
    StreamInterruptedError,
)
from ds_magic.api.timeouts import Timeouts
from tests.servers.scripted import (
    DONE,
    LAST_CHUNK,
    THREAD,
    ScriptedServer,
    answered,
    chunk,
    completion,
    event,
    head,
    open_sockets,
    refused,
    text_chunk,
    timers,
)

KEY = "sk-0a1b2c3d4e5f60718293a4b5c6d7e8f9"
IDLE = 0.15
"""Seconds of silence that are too many, where a fault is one of time."""
PATIENCE = 60
"""The same elsewhere: a busy machine may take its time."""
BEGUN = {True: event(text_chunk("a")), False: b'{"choices": [{"index": 0, "message": {"content": "a"'}
WHOLE = {True: BEGUN[True] + DONE, False: json.dumps(completion("a")).encode()}


def sends(*parts, then="close"):
    """A script that sends `parts` (functions are told whether the answer streams) and ends by `then`."""

    def fault(streams):
        def script(connection):
            for part in parts:
                connection.send(part(streams) if callable(part) else part)
            return then(connection) if callable(then) else then

        return script

    return fault


def begun(streams):
    return head() + chunk(BEGUN[streams])


def whole(streams):
    return head() + chunk(WHOLE[streams]) + LAST_CHUNK


def reset(connection):
    connection.reset()


def stalls(connection):
    connection.wait_until_closed()


def goes_on(piece, pause=0.0):
    """Sends `piece` again and again until nobody listens: the socket's error ends the script."""

    def on(connection):
        never = threading.Event()
        while not (pause and never.wait(pause)):
            connection.send(piece)

    return on


def any_of(script):
    return lambda streams: script


def event_of_200_mb(streams):
    opening = b'data: {"choices": [{"delta": {"content": "' if streams else b'{"choices": [{"message": {"content": "'
    return sends(head() + chunk(opening), then=lambda connection: [
        connection.send(chunk(b"a" * (1 << 20))) for _ in range(200)])(streams)


INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
REFUSAL = head("401 No", "application/json")

FAULTS = {
    "103 before the answer": (sends(INTERIM, INTERIM, whole, then=None), None, False),
    "100 and 102 before the answer": (sends(CONTINUE, b"HTTP/1.1 102 Wait\r\n\r\n", whole, then=None), None, False),
    "endless 100": (sends(then=goes_on(CONTINUE)), APIConnectionError, False),
    "dripped 100": (sends(then=goes_on(CONTINUE, 0.02)), APITimeoutError, False),
    "dripped status": (sends(b"HTTP/1.1 200 O", then=goes_on(b"K", 0.02)), APITimeoutError, False),
    "dripped headers": (sends(b"HTTP/1.1 200 OK\r\n", then=goes_on(b"A: b\r\n", 0.02)), APITimeoutError, False),
    "endless headers": (sends(b"HTTP/1.1 200 OK\r\n", then=goes_on(b"A: b\r\n")), APIConnectionError, False),
    "an endless header": (sends(b"HTTP/1.1 200 OK\r\nA: ", then=goes_on(b"b" * 4096)), APIConnectionError, False),
    "no HTTP": (sends(b"220 smtp\r\n\r\n"), APIConnectionError, False),
    "reset before headers": (sends(then=reset), APIConnectionError, False),
    "closed before headers": (sends(), APIConnectionError, False),
    "silence before headers": (sends(then=stalls), APITimeoutError, False),
    "reset in the body": (sends(begun, then=reset), StreamInterruptedError, True),
    "closed between chunks": (sends(begun), StreamInterruptedError, True),
    "cut in a chunk": (sends(begun, b"ff\r\ndata: {"), StreamInterruptedError, True),
    "cut in the size of a chunk": (sends(begun, b"f"), StreamInterruptedError, True),
    "cut behind a chunk": (sends(lambda streams: begun(streams)[:-2]), StreamInterruptedError, True),
    "a chunk of no size": (sends(begun, b"zz\r\n"), StreamInterruptedError, True),
    "shorter than its length": (sends(lambda streams: head(framing=999) + BEGUN[streams]),
                                StreamInterruptedError, True),
    "no [DONE], half a JSON": (sends(begun, LAST_CHUNK, then=None), StreamInterruptedError, True),
    "silence in the body": (sends(begun, then=stalls), APITimeoutError, True),
    "dripped trailers": (sends(begun, b"0\r\n", then=goes_on(b"A: b\r\n", 0.02)), APITimeoutError, True),
    "damaged gzip": (sends(head(content_encoding="gzip"), chunk(b"abc"), then=None), StreamInterruptedError, False),
    "HTML": (any_of(answered(b"<html>hello", content_type="text/html")), APIConnectionError, False),
    "garbage for JSON": (sends(begun, chunk(b"data: {nope}\n\n"), LAST_CHUNK, then=None),
                         StreamInterruptedError, True),
    "an error in the body": (sends(lambda streams: begun(True) + chunk(event({"error": "no"})) if streams else
                                   head(framing=15) + b'{"error": "no"}', then=None),
                             {True: StreamInterruptedError, False: ServerError}, True),
    "200 MB in one event": (event_of_200_mb, StreamInterruptedError, False),
    "a dripped refusal": (sends(REFUSAL, then=goes_on(chunk(b"x"), 0.02)), AuthenticationError, False),
    "an endless refusal": (sends(REFUSAL, then=goes_on(chunk(b"x" * 4096))), AuthenticationError, False),
    "a refusal cut off": (sends(REFUSAL, b"ff\r\n{"), AuthenticationError, False),
    "a redirect loop": (any_of(answered(b"", "307 Go", Location="/chat/completions")), APIConnectionError, False),
    "a key echoed": (any_of(refused(401, f"bad {KEY}", code=[KEY], param={"k": KEY})), AuthenticationError, False),
    **{str(status): (any_of(refused(status)), kind, False) for status, kind in {
        400: InvalidRequestError, 401: AuthenticationError, 402: InsufficientBalanceError, 404: InvalidRequestError,
        422: InvalidRequestError, 429: RateLimitError, 500: ServerError, 503: ServerOverloadedError}.items()},
}
"""By name: the script, as a function of whether the answer streams; the class raised; whether a stream had begun."""


def ask(url, streams, idle=PATIENCE):
    """The error that a client of its own, closed again, raises; None where it has an answer."""
    error = None
    with Client(url, KEY, model="m", retries=0, timeout=Timeouts(idle=idle), on_event=lambda event: None) as client:
        try:
            assert client.chat("Hi", stream=streams).content == "a"
        except DeepSeekError as caught:
            error = caught
    return error


def idle_of(fault):
    return IDLE if fault.startswith(("dripped", "a dripped", "silence")) else PATIENCE


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_its_error_with_a_remedy_and_leaves_nothing(fault, streams, row):
    make, kind, begins = FAULTS[fault]
    kind = kind[streams] if isinstance(kind, dict) else kind
    other_threads, other_sockets = threading.enumerate(), open_sockets()
    began = time.perf_counter()
    with ScriptedServer(make(streams)) as server:
        error = ask(server.url, streams, idle_of(fault))
        seconds = time.perf_counter() - began
        sockets = server.open_sockets_of_clients(other_sockets)
    timers()  # those that were cancelled have ended then
    threads = sum(each.name != THREAD and each not in other_threads for each in threading.enumerate())
    row(
        "Faults", fault=fault, streamed="yes" if streams else "no", raised=type(error).__name__ if error else "-",
        remedy="yes" if error and error.remedy else "-", partial="kept" if error and error.partial else "-",
        sockets=sockets, threads=threads, seconds=f"{seconds:.2f}",
    )
    assert type(error) is (kind or type(None)), error
    assert (sockets, threads) == (0, 0)
    if error is not None:
        assert error.remedy and (error.partial is not None) is (begins and streams)
        assert error.partial is None or error.partial.content == "a" and error.partial.interrupted
        assert "base 16" not in str(error) and KEY[5:15] not in f"{error} {vars(error)}"
        assert KEY[5:15].encode() not in pickle.dumps(error)


@pytest.mark.parametrize(("fault", "said"), [
    ("dripped headers", "began to answer, and did not come to the end of its headers in 0.15 s"),
    ("silence before headers", "sent nothing for 0.15 s"),
    ("endless 100", "sent 100 interim answers and no other"),
    ("no HTTP", "no answer of HTTP: 220 smtp"),
    ("closed between chunks", "was lost: it ended too early"),
    ("cut in the size of a chunk", "was lost: it ended too early"),
    ("200 MB in one event", "longer than 128 MB"),
])
def test_an_error_says_what_the_server_did(fault, said):
    with ScriptedServer(FAULTS[fault][0](True)) as server:
        assert said in str(ask(server.url, True, idle_of(fault)))


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_a_connection_that_is_refused_is_its_error(streams, row):
    with ScriptedServer(refused(400)) as server:
        pass
    began = time.perf_counter()
    error = ask(server.url, streams)
    row("Faults", fault="refused connection", streamed="yes" if streams else "no", raised=type(error).__name__,
        remedy="yes" if error.remedy else "-", partial="-", seconds=f"{time.perf_counter() - began:.2f}")
    assert type(error) is APIConnectionError and error.remedy and error.partial is None


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("body", [chunk(b"x" * 4096), b"ff\r\n"], ids=["endless", "silent"])
def test_the_body_of_a_redirect_is_not_waited_for(streams, body):
    there = sends(head("307 Go", location="/there/chat/completions"), then=goes_on(body, 0.01))(streams)
    with ScriptedServer(there, sends(whole, then=None)(streams)) as server:
        assert ask(server.url, streams) is None
        assert [each.path for each in server.requests] == ["/chat/completions", "/there/chat/completions"]
