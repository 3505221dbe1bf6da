"""From rows to answers: their order, what fails, what waits, and how it ends."""

import dataclasses
import itertools
import pickle
import signal
import threading

import pytest

import ds_magic
from ds_magic import (
    APIConnectionError,
    AuthenticationError,
    InvalidRequestError,
    RateLimitError,
    ServerError,
    Stop,
    StreamInterruptedError,
)
from ds_magic.conversation.turn import turn_for
from ds_magic.many.pace import Limits
from ds_magic.many.runner import Runner
from ds_magic.many.task import Asking, Outcome, asked
from ds_magic.stop import interrupts_heard
from tests.many.scripted_answers import asked_of, echo
from tests.servers.scripted import (
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


def refusing(status, after="0"):
    return answered({"error": {"message": "full"}}, f"{status} No", Retry_After=after)


class Told:
    """A listener that keeps what it is told, and calls `then` with each."""

    def __init__(self, then=lambda progress: None):
        self.all, self.closed, self.then = [], 0, then

    def progress(self, progress):
        self.all.append(progress)
        self.then(progress)

    def close(self):
        self.closed += 1


def askings(client, texts, **fields):
    return (Asking({"text": text}, turn_for(client, text, stream=False, **fields)) for text in texts)


def numbers(count):
    return [str(number) for number in range(count)]


def test_answers_come_in_the_order_of_the_rows_whatever_order_they_end_in(connect):
    second = threading.Event()

    def script(connection):
        text = connection.request.json["messages"][-1]["content"]
        if text == "0":
            connection.wait(second)
        echo(connection)
        if text == "3":
            second.set()

    with ScriptedServer(script) as server:
        rows = list(Runner(connect(server)).run(askings(connect(server), numbers(12))))
    assert [row.content for row in rows] == numbers(12)


def test_rows_are_read_no_further_than_they_are_asked(connect):
    read = []

    def texts():
        for number in itertools.count():
            read.append(number)
            yield str(number)

    with ScriptedServer(echo) as server:
        results = Runner(connect(server), limits=Limits(concurrency=4)).run(askings(connect(server), texts()))
        first = [next(results) for _ in range(20)]
        assert [row.content for row in first] == numbers(20) and len(read) <= 20 + 2 * 4 + 1
        results.close()


def test_a_failure_is_a_row_and_the_others_are_none_the_worse(connect):
    def script(connection):
        text = connection.request.json["messages"][-1]["content"]
        (refused(400, "no such thing") if text == "3" else echo)(connection)

    with ScriptedServer(script) as server:
        rows = list(Runner(connect(server)).run(askings(connect(server), numbers(8))))
    assert [row.content for row in rows] == ["0", "1", "2", "", "4", "5", "6", "7"]
    assert isinstance(rows[3].error, InvalidRequestError) and rows[3].factors == {"text": "3"}


def test_what_had_arrived_of_a_row_that_failed_is_kept(connect):
    with ScriptedServer(streamed(text_chunk("Half"), done=False)) as server:
        (row,) = ds_magic.sample("Go.", 1, client=connect(server))
    assert isinstance(row.error, StreamInterruptedError) and row.content == "Half" and not row.ok


@dataclasses.dataclass
class Unmakeable:
    """What no answer can be made into."""

    x: int

    def __post_init__(self):
        raise RuntimeError("mine")


def test_a_mistake_in_what_the_user_wrote_is_a_row_too(connect):
    with ScriptedServer(answered(completion('{"x": 1}'))) as server:
        rows = ds_magic.sample("Go.", 2, client=connect(server), stream=False, schema=Unmakeable)
    assert ["mine" in str(row.error) for row in rows] == [True, True]


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_for_want_of_room_is_waited_for_by_all_and_asked_again(status, connect):
    """Two run, and one of them is refused for a second: nobody asks until the second is over."""
    is_refused, other_runs, asked_when = threading.Event(), threading.Event(), {}

    def script(connection):
        text = connection.request.json["messages"][-1]["content"]
        if text == "0" and not is_refused.is_set():
            is_refused.set()
            connection.wait(other_runs)
            return refusing(status, "1")(connection)
        if text == "1":
            other_runs.set()
            connection.wait(paused)
        echo(connection)

    paused = threading.Event()
    counted = []

    def then(progress):
        if progress.paused and not paused.is_set():
            asked_when["begins"] = len(server.requests)
            paused.set()
        elif progress.paused:
            counted.append(len(server.requests))

    with ScriptedServer(script) as server:
        told = Told(then)
        runner = Runner(connect(server), limits=Limits(concurrency=2), listener=told)
        rows = list(runner.run(askings(connect(server), numbers(6))))
        assert [row.content for row in rows] == numbers(6)
        assert counted and set(counted) == {asked_when["begins"]} == {2}, "row 1 ended in the pause, and none began"
        assert len(server.requests) == 7 and "0" in asked_of(server)[2:4]
    assert told.all[0].reason == "full" and told.all[0].allowed == 1 and told.closed == 1


def test_the_client_does_not_try_again_beside_the_runner(connect):
    with ScriptedServer(refusing(429), echo) as server:
        client = connect(server)
        rows = list(Runner(client).run(askings(client, ["a"])))
        assert rows[0].content == "a" and len(server.requests) == 2 and client.retries == 4


def test_a_server_error_is_tried_again_for_its_row_alone(connect):
    failures = itertools.count()

    def script(connection):
        text = connection.request.json["messages"][-1]["content"]
        (refused(500) if text == "0" and next(failures) < 2 else echo)(connection)

    with ScriptedServer(script) as server:
        told = Told()
        rows = list(Runner(connect(server), listener=told).run(askings(connect(server), numbers(5))))
        assert [row.content for row in rows] == numbers(5) and len(server.requests) == 7
    assert not any(each.paused for each in told.all)


def test_a_row_that_keeps_failing_is_given_up_after_the_clients_number_of_tries(connect):
    def script(connection):
        text = connection.request.json["messages"][-1]["content"]
        (refusing(500) if text == "0" else echo)(connection)

    with ScriptedServer(script) as server:
        rows = list(Runner(connect(server, retries=2)).run(askings(connect(server), numbers(3))))
        assert isinstance(rows[0].error, ServerError) and asked_of(server).count("0") == 3
    assert [row.content for row in rows[1:]] == ["1", "2"]


def test_a_server_that_refuses_everybody_is_left_alone(connect):
    with ScriptedServer(refusing(429)) as server:
        client = connect(server, retries=2)
        with pytest.raises(RateLimitError):
            ds_magic.sample("Go.", 1000, client=client, concurrency=1)
        assert len(server.requests) == 3
    with ScriptedServer(refused(500)) as server:
        client = connect(server, retries=0)
        with pytest.raises(ServerError):
            ds_magic.sample("Go.", 1000, client=client, concurrency=1)
        assert len(server.requests) == 8


def test_a_server_that_is_away_is_tried_as_often_as_by_a_client_and_no_row_more(connect):
    told = Told()
    with ScriptedServer(echo) as server:
        client = connect(server, retries=2)
    with pytest.raises(APIConnectionError):
        ds_magic.sample("Go.", 1000, client=client, concurrency=4, listener=told)
    assert sum(bool(each.paused) for each in told.all) <= 2 * 4 and told.all[-1].failed <= 4


def test_a_wait_that_is_too_long_for_one_answer_is_not_for_many_but_hours_are(connect):
    with ScriptedServer(refusing(429, "601")) as server:
        with pytest.raises(RateLimitError):
            ds_magic.sample("Go.", 50, client=connect(server), concurrency=1)
        assert len(server.requests) == 1


def test_a_wrong_key_is_not_tried_for_every_row(connect):
    with ScriptedServer(refused(401)) as server:
        with pytest.raises(AuthenticationError):
            ds_magic.sample("Go.", 500, client=connect(server), concurrency=2)
        assert len(server.requests) <= 2


def test_what_was_answered_before_the_balance_was_used_up_is_returned(connect):
    with ScriptedServer(echo, echo, refused(402)) as server:
        answers = ds_magic.sample("Go.", 50, client=connect(server), concurrency=1, stream=False)
        assert len(server.requests) == 3
    assert [row.content for row in answers] == ["Go.", "Go.", ""] and "47 of 50 rows were not asked" in answers.notes[0]


def test_nothing_new_is_begun_when_the_budget_is_used_up(connect):
    with ScriptedServer(answered(completion("a"))) as server:  # each is 4 tokens
        answers = ds_magic.sample("Go.", 50, client=connect(server), stream=False, token_budget=12, concurrency=1)
        assert len(answers) == len(server.requests) == 3
    assert answers.notes == ("The budget of 12 tokens is used up. 47 of 50 rows were not asked.",)


def test_a_budget_is_kept_where_the_server_counts_no_tokens(connect):
    with ScriptedServer(answered(completion("a" * 396, usage=None))) as server:
        answers = ds_magic.sample("Stop", 50, client=connect(server), stream=False, token_budget=200, concurrency=1)
    assert len(answers) == 2, "400 letters count as 100 tokens"


def calling(content=None):
    body = completion(content, finish="tool_calls")
    call = {"id": "c", "type": "function", "function": {"name": "double", "arguments": '{"n": 4}'}}
    body["choices"][0]["message"]["tool_calls"] = [call]
    return answered(body)


def test_stop_ends_it_with_what_is_there(connect):
    stop, runs = Stop(), threading.Event()

    def script(connection):
        runs.set()
        assert connection.wait_until_closed()
        return "close"

    with ScriptedServer(echo, echo, echo, script) as server:
        threading.Thread(target=lambda: (runs.wait(60), stop.set())).start()
        answers = ds_magic.sample("Go.", 50, client=connect(server), stop=stop, concurrency=1, stream=False)
        assert len(server.requests) == 4
    assert [row.content for row in answers] == ["Go."] * 3
    assert answers.notes == ("It was stopped. 47 of 50 rows were not asked.",)


def test_what_had_begun_to_come_when_it_was_stopped_is_a_row_marked_as_not_whole(connect):
    stop = Stop()

    def double(n: int) -> int:
        """Twice n."""
        stop.set()
        return 2 * n

    with ScriptedServer(calling("Let me see.")) as server:
        (row,) = ds_magic.sample(
            "Go.", 50, client=connect(server), stop=stop, concurrency=1, tools=[double], stream=False
        )
    assert row.content == "Let me see." and row.answer.interrupted and not row.ok


def test_a_stop_that_is_set_already_asks_nothing(connect):
    stop = Stop()
    stop.set()
    with ScriptedServer(echo) as server:
        assert len(ds_magic.sample("Go.", 5, client=connect(server), stop=stop)) == 0 and not server.requests


def test_an_interrupt_returns_what_is_done(connect, monkeypatch):
    monkeypatch.setattr("ds_magic.stop._last_interrupt", float("-inf"))

    def script(connection):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        connection.wait_until_closed()
        return "close"

    with ScriptedServer(said("a"), said("b"), script) as server:
        answers = ds_magic.sample("Go.", 50, client=connect(server), concurrency=1)
        assert len(server.requests) == 3
    assert [row.content for row in answers] == ["a", "b"] and "48 of 50" in answers.notes[0]


def test_an_interrupt_while_a_row_is_put_away_loses_none(connect, monkeypatch):
    monkeypatch.setattr("ds_magic.stop._last_interrupt", float("-inf"))
    kept = []

    def keep(row):
        kept.append(row.content)
        if len(kept) == 3:
            signal.raise_signal(signal.SIGINT)

    with ScriptedServer(echo) as server:
        runner = Runner(connect(server), kept=keep, limits=Limits(concurrency=1))
        with interrupts_heard(runner.interrupt):
            rows = list(runner.run(askings(connect(server), numbers(9)), 9))
    assert [row.content for row in rows] == kept == ["0", "1", "2"] and runner.notes
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_ends_rows_that_take_their_time(connect, monkeypatch):
    monkeypatch.setattr("ds_magic.stop._last_interrupt", float("-inf"))

    def texts():
        yield "a"
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it went on")

    with ScriptedServer(echo) as server:
        answers = ds_magic.map("{{ x }}", texts(), client=connect(server), stream=False, concurrency=1)
    assert answers.contents == ("a",) and answers.notes == ("It was stopped.",)


def test_a_second_interrupt_is_raised(connect, monkeypatch):
    monkeypatch.setattr("ds_magic.stop._last_interrupt", float("inf"))

    def script(connection):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        connection.wait_until_closed()
        return "close"

    with ScriptedServer(script) as server, pytest.raises(KeyboardInterrupt):
        ds_magic.sample("Go.", 50, client=connect(server), concurrency=1)


def test_rows_that_break_off_leave_what_was_asked(connect):
    def texts():
        yield from ["a", "b"]
        raise OSError("the disk is gone")

    with ScriptedServer(echo) as server:
        answers = ds_magic.map("{{ text }}", texts(), client=connect(server), stream=False)
    assert [row.content for row in answers] == ["a", "b"] and "the disk is gone" in answers.notes[0]


def test_a_row_is_kept_before_it_counts_as_done(connect):
    kept, told = [], Told(lambda progress: counts.append((progress.done, len(kept))))
    counts = []
    with ScriptedServer(echo) as server:
        list(Runner(connect(server), kept=kept.append, listener=told).run(askings(connect(server), numbers(5)), 5))
    assert counts == [(n, n) for n in range(1, 6)] and told.all[-1].total == 5


def test_a_turn_with_functions_is_not_asked_anew_after_its_functions_were_called(connect):
    calls = []

    def double(n: int) -> int:
        """Twice n."""
        calls.append(n)
        return 2 * n

    with ScriptedServer(calling(), refusing(503), echo) as server:
        (row,) = ds_magic.sample("Twice 4?", 1, tools=[double], client=connect(server), stream=False)
        assert len(server.requests) == 3
    assert row.content == "8" and calls == [4]


def test_a_turn_with_functions_that_fails_is_a_failure_and_its_functions_are_not_called_again(connect):
    calls = []

    def double(n: int) -> int:
        """Twice n."""
        calls.append(n)
        return 2 * n

    with ScriptedServer(calling(), refusing(503)) as server:
        (row,) = ds_magic.sample("Twice 4?", 1, tools=[double], client=connect(server, retries=1), stream=False)
        assert len(server.requests) == 3, "the call, and two tries to tell what it gave"
    assert row.error is not None and row.error.status == 503 and calls == [4]


def test_what_goes_to_a_worker_and_what_comes_back_pickles_and_is_small(connect):
    with ScriptedServer(answered(completion("a"))) as server:
        client = connect(server)
        turn = turn_for(client, "Go.", stream=False, temperature=0)
        sent = pickle.dumps(turn)
        outcome = asked(pickle.loads(sent), client, Stop())
        came = pickle.dumps(outcome)
    assert len(sent) < 2000 and len(came) < 3000 and pickle.loads(came).answer.content == "a"


def test_an_error_with_what_had_arrived_pickles(connect):
    with ScriptedServer(answered(completion("no"))) as server:
        client = connect(server)
        outcome = asked(turn_for(client, "Go.", stream=False, schema=dict), client, Stop())
    error = pickle.loads(pickle.dumps(Outcome(*outcome))).error
    assert (type(error), error.reason, error.remedy) == (
        type(outcome.error), outcome.error.reason, outcome.error.remedy)
    assert error.partial.content == "no" and str(error) == str(outcome.error)


def test_what_a_server_says_once_is_said_once(connect):
    with ScriptedServer(echo) as server:
        client = connect(server)
        client.announce("Only once.")
        answers = ds_magic.sample("Go.", 3, client=client, concurrency=1, stream=False)
        assert client.chat("Go.").notes == []
    assert [row.answer.notes for row in answers] == [["Only once."], [], []]


def test_what_runs_is_ended_when_nobody_wants_the_results_any_more(connect):
    runs, is_closed = threading.Event(), threading.Event()

    def script(connection):
        if connection.request.json["messages"][-1]["content"] == "a":
            return said("whole")(connection)
        connection.send(head() + chunk(event(text_chunk("b"))))
        runs.set()
        assert connection.wait_until_closed()
        is_closed.set()
        return "close"

    with ScriptedServer(script) as server:
        client = connect(server)
        results = Runner(client, limits=Limits(concurrency=2)).run(Asking({}, turn_for(client, text)) for text in "ab")
        assert next(results).content == "whole" and runs.wait(60)
        results.close()
        assert is_closed.wait(60)
