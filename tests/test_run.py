"""A request through a client to its observers, and interrupts for real."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ds_magic import ChatRequest, Client, DeepSeekError, InvalidRequestError, StreamInterruptedError
from ds_magic.api.events import Note, Retrying
from ds_magic.run import run
from ds_magic.stop import TWICE_SECONDS
from tests.servers.scripted import (
    PATIENCE,
    ScriptedServer,
    answered,
    chunk,
    completion,
    event,
    head,
    refused,
    said,
    streamed,
    text_chunk,
)

ROOT = Path(__file__).parents[1]
HI = ChatRequest.build("Hi")


class Recorder:
    """An observer that keeps what it is told, and fails where it is asked to."""

    def __init__(self, fails_in=None, error=ZeroDivisionError):
        self.told = []
        self.fails_in = fails_in
        self.error = error

    def _take(self, name, *what):
        self.told.append((name, *what))
        if name == self.fails_in:
            raise self.error

    def start(self, request, backend):
        self._take("start", request, backend)

    def event(self, event):
        self._take("event", event)

    def delta(self, delta):
        self._take("delta", delta.content)

    def finish(self, completion, error):
        self._take("finish", completion, error)

    @property
    def names(self):
        return [each[0] for each in self.told]

    @property
    def end(self):
        (end,) = [each[1:] for each in self.told if each[0] == "finish"]
        return end


def client_of(server, **options):
    return Client(server.url, "k", name="scripted", **options)


def test_each_observer_is_told_of_the_start_each_delta_and_the_end():
    observers = [Recorder(), Recorder()]
    with ScriptedServer(said("a", "b")) as server:
        answer = run(client_of(server), HI, observers)
    for observer in observers:
        deltas = [("delta", text) for text in ("", "a", "b", "")]
        assert observer.told == [("start", HI, "scripted"), *deltas, ("finish", answer, None)]
    assert answer.content == "ab" and observers[0].end[0] is answer


def test_a_request_that_says_so_is_not_streamed():
    observer = Recorder()
    with ScriptedServer(answered(completion("a"))) as server:
        answer = run(client_of(server), ChatRequest.build("Hi", stream=False), [observer])
        assert server.requests[0].json["stream"] is False
    assert observer.names == ["start", "finish"] and answer.content == "a"


def test_waits_and_notes_are_told():
    observer = Recorder()
    slow_down = answered({"error": "no"}, "429 No", Retry_After="0")
    with ScriptedServer(slow_down, said("a")) as server:
        run(client_of(server), ChatRequest.build("Hi", response_format={"type": "json_object"}), [observer])
    assert [type(each[1]) for each in observer.told if each[0] == "event"] == [Note, Retrying]


def test_an_error_reaches_every_observer_with_what_had_come_and_is_raised():
    observers = [Recorder(), Recorder()]
    script = streamed(text_chunk("a"), done=False)
    with ScriptedServer(script) as server, pytest.raises(StreamInterruptedError) as caught:
        run(client_of(server), HI, observers)
    for observer in observers:
        partial, error = observer.end
        assert error is caught.value and partial == error.partial and partial.content == "a" and partial.interrupted


@pytest.mark.parametrize("stream", [None, False])
def test_an_error_before_anything_came_leaves_nothing(stream):
    observer = Recorder()
    with ScriptedServer(refused(400)) as server, pytest.raises(InvalidRequestError):
        run(client_of(server), ChatRequest.build("Hi", model="m", stream=stream), [observer])
    assert observer.end[0] is None and isinstance(observer.end[1], InvalidRequestError)


def test_a_refusal_before_sending_finishes_the_observers():
    observer = Recorder()
    with pytest.raises(DeepSeekError):
        run(Client("https://api.deepseek.com", ""), HI, [observer])
    assert observer.names == ["start", "finish"] and observer.end[0] is None


@pytest.mark.parametrize("stage", ["start", "event", "delta", "finish"])
@pytest.mark.parametrize("stream", [None, False])
def test_an_observer_that_fails_takes_nothing_from_the_others(stage, stream):
    if stage == "delta" and stream is False:
        return
    before, failing, after = Recorder(), Recorder(stage), Recorder()
    answer = said("a", "b") if stream is None else answered(completion("ab"))
    slow_down = answered({"error": "no"}, "429 No", Retry_After="0")
    with ScriptedServer(slow_down, answer) as server, pytest.raises(ZeroDivisionError):
        run(client_of(server), ChatRequest.build("Hi", stream=stream), [before, failing, after])
    for observer in (before, failing, after):
        assert observer.names.count("finish") == 1
    if stage == "finish":
        assert before.end[0].content == after.end[0].content == "ab"
        assert not after.end[0].interrupted


def test_what_had_come_is_kept_when_an_observer_fails_half_way():
    class FailsAtB(Recorder):
        def delta(self, delta):
            super().delta(delta)
            if delta.content == "b":
                raise ZeroDivisionError

    keeper = Recorder()
    with ScriptedServer(said("a", "b", "c")) as server, pytest.raises(ZeroDivisionError):
        run(client_of(server), HI, [FailsAtB(), keeper])
    assert keeper.end[0].content == "ab" and keeper.end[0].interrupted and keeper.end[1] is None


def test_an_interrupt_while_an_observer_works_ends_the_answer_and_keeps_what_came():
    closed = threading.Event()

    def script(connection):
        connection.send(head() + chunk(event(text_chunk("a"))))
        assert connection.wait_until_closed()
        closed.set()

    observer = Recorder("delta", KeyboardInterrupt)
    with ScriptedServer(script) as server:
        answer = run(client_of(server), HI, [observer])
        assert closed.wait(PATIENCE)
    assert answer.content == "a" and answer.interruption == "stopped" and observer.end == (answer, None)


PROGRAM = """
import io, signal, sys, traceback
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background jobs start without
sys.path[:0] = sys.argv[1:2]
from ds_magic import Client, ChatRequest
from ds_magic import stop as module
from ds_magic.run import run
module.TWICE_SECONDS = 60.0  # a machine that is busy may not come to the second interrupt within a second

class Observer:
    def start(self, request, backend): print("start", flush=True)
    def event(self, event): print("event", flush=True)
    def delta(self, delta): print("delta", delta.content, flush=True)
    def finish(self, completion, error):
        print("finish", repr(completion and completion.content), error, flush=True)

for stream in sys.argv[4:]:
    try:
        request = ChatRequest.build("Hi", stream=stream == "streamed")
        answer = run(Client(sys.argv[2], sys.argv[3]), request, [Observer()])
    except KeyboardInterrupt as interrupt:
        from IPython.core.ultratb import VerboseTB
        shown = io.StringIO()
        VerboseTB(theme_name="nocolor", ostream=shown)(type(interrupt), interrupt, interrupt.__traceback__)
        written = shown.getvalue() + traceback.format_exc()
        print("raised", "Authorization" in written or "Bearer" in written, flush=True)
    else:
        print("returned", repr(answer.content), answer.interruption, flush=True)
"""

KEY = "sk-0a1b2c3d4e5f60718293a4b5c6d7e8f9"


class Script:
    """A program in a process of its own, that is read line by line and interrupted as by Ctrl-C."""

    def __init__(self, server, *streams):
        command = [sys.executable, "-c", PROGRAM, str(ROOT), server.url, KEY, *streams]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "DEEPSEEK_BASE_URL": ""}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def lines(self, count):
        return [self.process.stdout.readline().strip() for _ in range(count)]

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)


def asked_and_silent(asked, *sent):
    def script(connection):
        for data in sent:
            connection.send(data)
        asked.release()
        connection.wait_until_closed()

    return script


@pytest.mark.parametrize(("stream", "sent", "lines", "content"), [
    ("streamed", [head() + chunk(event(text_chunk("a")))], ["start", "delta a"], "a"),
    ("streamed", [head()], ["start"], ""),
    ("streamed", [], ["start"], ""),
    ("whole", [], ["start"], ""),
    ("whole", [head(framing=100) + b"{"], ["start"], ""),
])
def test_interrupted_once_what_came_is_kept(stream, sent, lines, content):
    asked = threading.Semaphore(0)
    with ScriptedServer(asked_and_silent(asked, *sent)) as server, Script(server, stream) as program:
        assert program.lines(len(lines)) == lines
        assert asked.acquire(timeout=PATIENCE)
        program.interrupt()
        assert program.lines(2) == [f"finish {content!r} None", f"returned {content!r} stopped"]


def test_twice_means_within_a_second():
    assert TWICE_SECONDS == 1.0


def test_interrupted_twice_everything_stops_and_what_came_is_kept():
    asked = threading.Semaphore(0)
    script = asked_and_silent(asked, head() + chunk(event(text_chunk("a"))))
    with ScriptedServer(script) as server, Script(server, "streamed", "streamed") as program:
        assert program.lines(2) == ["start", "delta a"]
        program.interrupt()
        assert program.lines(2) == ["finish 'a' None", "returned 'a' stopped"]
        assert program.lines(2) == ["start", "delta a"]
        program.interrupt()
        assert program.lines(2) == ["finish 'a' None", "raised False"]


@pytest.mark.parametrize("stream", ["streamed", "whole"])
def test_interrupted_twice_while_the_headers_are_awaited_no_traceback_shows_the_key(stream):
    asked = threading.Semaphore(0)
    with ScriptedServer(asked_and_silent(asked)) as server, Script(server, stream, stream) as program:
        for last in ("returned '' stopped", "raised False"):
            assert program.lines(1) == ["start"]
            assert asked.acquire(timeout=PATIENCE)
            program.interrupt()
            assert program.lines(2)[1] == last
