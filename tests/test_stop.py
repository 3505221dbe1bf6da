"""Stop: wherever an answer waits, it ends at once, and keeps what came."""

import threading

import pytest

from ds_magic import ChatRequest, Client, Stop
from ds_magic.conversation.tools import Toolbox
from ds_magic.conversation.turn import Seats, Turn
from ds_magic.magics.background import Background
from ds_magic.run import AtTheEnd, run
from tests.servers.scripted import (
    PATIENCE,
    ScriptedServer,
    answered,
    chunk,
    completion,
    event,
    head,
    said,
    text_chunk,
)

HI = ChatRequest.build("Hi", model="m")
WHOLE = ChatRequest.build("Hi", model="m", stream=False)


def silent_after(asked, *sent):
    """A script that sends something, says so, and is silent until the client hangs up."""

    def script(connection):
        for data in sent:
            connection.send(data)
        asked.release()
        assert connection.wait_until_closed()

    return script


def in_thread(work):
    """The thread that does `work`, begun, and the list that its result goes to."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()
    return thread, results


def calling(name="wait"):
    body = completion(None, finish="tool_calls")
    function = {"name": name, "arguments": "{}"}
    body["choices"][0]["message"]["tool_calls"] = [{"id": "c", "type": "function", "function": function}]
    return answered(body)


@pytest.mark.parametrize(("request_", "sent", "content"), [
    (HI, [], ""), (HI, [head()], ""), (HI, [head(), chunk(b": keep-alive\n\n")], ""),
    (HI, [head(), chunk(event(text_chunk("a")))], "a"),
    (WHOLE, [], ""), (WHOLE, [head(framing=100) + b"{"], ""),
], ids=["headers", "first byte", "queued", "stall", "whole: headers", "whole: body"])
@pytest.mark.parametrize("threads", [1, 3])
def test_wherever_it_waits_an_answer_ends_and_keeps_what_came(request_, sent, content, threads):
    asked, stop = threading.Semaphore(0), Stop()
    with ScriptedServer(silent_after(asked, *sent)) as server:
        thread, results = in_thread(lambda: run(Client(server.url, "k"), request_, [], stop=stop))
        assert asked.acquire(timeout=PATIENCE)
        stoppers = [threading.Thread(target=stop.set) for _ in range(threads)]
        for each in stoppers:
            each.start()
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert results[0].interruption == "stopped" and content.startswith(results[0].content)


def test_between_two_deltas_the_second_is_not_shown():
    stop, shown = Stop(), []

    class Stopper(AtTheEnd):
        def delta(self, delta):
            shown.append(delta.content)
            stop.set()

        def finish(self, completion, error):
            shown.append((completion.content, error))

    with ScriptedServer(said("a", "b", "c")) as server:
        answer = run(Client(server.url, "k"), HI, [Stopper()], stop=stop)
    assert answer.interrupted and shown == ["", ("", None)]


@pytest.mark.parametrize("request_", [HI, WHOLE])
def test_what_is_stopped_before_it_began_is_not_sent(request_):
    stop = Stop()
    stop.set()
    with ScriptedServer(said("a")) as server:
        answer = run(Client(server.url, "k"), request_, [], stop=stop)
        assert server.requests == server.looks == []
    assert answer.interruption == "stopped" and answer.is_empty


def test_a_stop_ends_every_answer_that_it_is_given_to():
    asked, stop = threading.Semaphore(0), Stop()
    with ScriptedServer(silent_after(asked, head(), chunk(event(text_chunk("a"))))) as server:
        client = Client(server.url, "k")
        running = [in_thread(lambda: run(client, HI, [], stop=stop)) for _ in range(3)]
        for _ in running:
            assert asked.acquire(timeout=PATIENCE)
        stop.set()
        for thread, _ in running:
            thread.join(PATIENCE)
    assert [results[0].interruption for _, results in running] == ["stopped"] * 3


@pytest.mark.parametrize("count", [1, 2])
def test_a_call_of_a_function_is_not_waited_for(count):
    began, stop, never = threading.Semaphore(0), Stop(), threading.Event()

    def wait() -> str:
        """Wait for what does not come."""
        began.release()
        never.wait(PATIENCE)
        return "over"

    def script(connection):
        body = completion("So far.", finish="tool_calls")
        function = {"name": "wait", "arguments": "{}"}
        calls = [{"id": f"c{i}", "type": "function", "function": function} for i in range(count)]
        body["choices"][0]["message"]["tool_calls"] = calls
        return answered(body)(connection)

    toolbox = Toolbox([wait])
    asked = ChatRequest.build("Hi", model="m", stream=False, tools=toolbox.definitions)
    with ScriptedServer(script) as server:
        turn = Turn(asked, toolbox=toolbox)
        thread, results = in_thread(lambda: turn.answer(Client(server.url, "k"), stop=stop))
        assert began.acquire(timeout=PATIENCE)
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive() and len(server.requests) == 1
    never.set()
    assert results[0].content == "So far." and "function" in results[0].interruption


def test_two_in_the_background_are_stopped_each_by_itself():
    asked = threading.Semaphore(0)
    with ScriptedServer(silent_after(asked, head(), chunk(event(text_chunk("a"))))) as server:
        client = Client(server.url, "k")
        first, second = (Background(lambda stop: Turn(HI).answer(client, Seats(), stop)).begin() for _ in range(2))
        assert asked.acquire(timeout=PATIENCE) and asked.acquire(timeout=PATIENCE)
        first.stop()
        first.stop()
        assert first.result(PATIENCE).interruption == "stopped" and not second.done()
        second.stop()
        assert second.result(PATIENCE).interrupted and first.done() and second.done()


def test_what_is_held_is_let_go_when_nobody_else_needs_it():
    stop = Stop()
    with ScriptedServer(said("a")) as server:
        client = Client(server.url, "k")
        for _ in range(50):
            run(client, HI, [], stop=stop)
    assert len(stop._held) <= 1
    assert "not set" in repr(stop)
