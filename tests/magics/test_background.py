"""Background: a handle on an answer, in a plain script."""

import threading

import pytest

from ds_magic import Client
from ds_magic.api.errors import InvalidRequestError
from ds_magic.api.request import ChatRequest
from ds_magic.conversation.turn import Seats, Turn
from ds_magic.magics.background import Background
from tests.servers.scripted import ScriptedServer, chunk, event, head, refused, said, text_chunk

PATIENCE = 60


class Watcher:
    """An observer that says when the first piece came."""

    def __init__(self):
        self.calls, self.came = [], threading.Event()

    def start(self, request, backend):
        self.calls.append(("start", threading.current_thread()))

    def event(self, event):
        pass

    def delta(self, delta):
        self.came.set()

    def finish(self, completion, error):
        self.calls.append(("finish", completion and completion.content))


def begun(server, *observers):
    client = Client(server.url, "k")
    turn = Turn(ChatRequest.build("q", stream=True))
    return Background(lambda stop: turn.answer(client, Seats(*observers), stop)).begin()


def endless(connection):
    connection.send(head())
    connection.send(chunk(event(text_chunk("Half"))))
    connection.wait_until_closed()


def test_the_result_is_waited_for():
    with ScriptedServer(said("Hel", "lo")) as server:
        handle = begun(server)
        assert handle.result(PATIENCE).content == "Hello"
        assert handle.done()
        assert "done" in repr(handle)


def test_the_observers_are_started_and_finished_once():
    watcher = Watcher()
    with ScriptedServer(said("Hello")) as server:
        begun(server, watcher).result(PATIENCE)
    assert [call[0] for call in watcher.calls] == ["start", "finish"] and watcher.calls[-1][1] == "Hello"


def test_stop_keeps_what_came_and_ends_the_connection():
    watcher = Watcher()
    with ScriptedServer(endless) as server:
        handle = begun(server, watcher)
        assert watcher.came.wait(PATIENCE)
        assert not handle.done()
        handle.stop()
        answer = handle.result(PATIENCE)
    assert answer.content == "Half"
    assert answer.interruption == "stopped"
    assert "stopped" in repr(handle)


def test_a_result_that_takes_too_long_is_a_timeout():
    with ScriptedServer(endless) as server:
        handle = begun(server)
        with pytest.raises(TimeoutError):
            handle.result(0.01)
        handle.stop()
        handle.result(PATIENCE)


def test_a_failure_is_raised_where_the_result_is_asked_for():
    with ScriptedServer(refused(400, "no such thing")) as server:
        handle = begun(server)
        with pytest.raises(InvalidRequestError, match="no such thing"):
            handle.result(PATIENCE)
        assert "failed" in repr(handle)
