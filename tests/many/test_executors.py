"""Asked from elsewhere: by threads, processes, dask and ipyparallel; what dies there, and what stays here."""

import json
import multiprocessing
import os
import pickle
import queue
import signal
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import psutil
import pytest

import ds_magic
from ds_magic import Client, InvalidRequestError, Stop, StreamInterruptedError, Timeouts
from ds_magic.api.secret import Secret
from ds_magic.many.elsewhere import MOST_TRIES, Elsewhere, ExecutorGoneError, WorkerLostError
from ds_magic.many.entry import packed
from ds_magic.many.journal import Journal
from ds_magic.many.parcel import Parcel, delivered
from tests.many.making import KEY
from tests.many.scripted_answers import asked_of, echo
from tests.servers.scripted import (
    DONE,
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
)


def processes(count):
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


def numbers(count):
    return [str(number) for number in range(count)]


@pytest.fixture
def client():
    """Makes clients of a scripted server with a key that can be looked for."""
    clients = []

    def make(server, **options):
        clients.append(Client(server.url, KEY, on_event=lambda event: None, **options))
        return clients[-1]

    yield make
    for each in clients:
        each.close()


class Gate:
    """A script that answers what is a number below `free`, and holds all others until it is opened."""

    def __init__(self, free, full):
        self.free, self.full = free, full
        self.lock, self.held, self.is_full, self.opened = threading.Lock(), set(), threading.Event(), threading.Event()

    def __call__(self, connection):
        if int(connection.request.json["messages"][-1]["content"]) >= self.free:
            with self.lock:
                self.held.add(connection.socket.getpeername()[1])
                if len(self.held) == self.full:
                    self.is_full.set()
            connection.wait(self.opened)
        echo(connection)

    def held_by(self, pid):
        """How many of those that are held a process waits for."""
        ports = {each.laddr.port for each in psutil.Process(pid).net_connections() if each.laddr}
        return len(self.held & ports)


class Background:
    """A call in a thread, so that a test can do something meanwhile."""

    def __init__(self, call, *args, **options):
        self.future = Future()
        self.thread = threading.Thread(target=lambda: self.future.set_result(call(*args, **options)), daemon=True)
        self.thread.start()

    def result(self):
        return self.future.result(PATIENCE)


class Forgetful(ThreadPoolExecutor):
    """Forgets the first that it is given: with `is_cancelled` it says so, else nothing ever comes of it."""

    def __init__(self, forgets=1, *, is_cancelled=False):
        super().__init__(4)
        self.forgets, self.is_cancelled, self.given = forgets, is_cancelled, []

    def submit(self, function, *args):
        self.given.append(args)
        if len(self.given) > self.forgets:
            return super().submit(function, *args)
        future = Future()
        if self.is_cancelled:
            future.cancel()
        return future


@pytest.mark.slow
@pytest.mark.parametrize("make", [ThreadPoolExecutor, processes])
def test_the_workers_of_any_executor_ask_and_functions_and_schemas_stay_here(make, client):
    calls = []

    def weather(city: str) -> str:
        calls.append((city, os.getpid()))
        return "rain"

    class Report(dict):  # nobody else could unpickle it
        pass

    wanted = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bonn"}'}}
    call = completion(None, "tool_calls")
    call["choices"][0]["message"]["tool_calls"] = [wanted]

    def script(connection):
        asked = connection.request.json
        told = answered(completion('{"x": 1}')) if asked.get("response_format") else echo
        (answered(call) if asked.get("tools") and asked["messages"][-1]["role"] == "user" else told)(connection)

    with ScriptedServer(script) as server, make(2) as executor:
        run = {"client": client(server), "stream": False, "executor": executor}
        assert ds_magic.map("{{ n }}", numbers(6), **run).contents == tuple(numbers(6))
        (called,) = ds_magic.sample("Weather?", 1, tools=[weather], **run)
        assert called.content == "rain" and calls == [("Bonn", os.getpid())]
        (typed,) = ds_magic.sample("Go.", 1, schema=dict[str, int], **run)
        assert typed.parsed == {"x": 1}
        assert executor.submit(int).result() == 0, "the executor is its owner's"


def test_what_a_server_refuses_or_breaks_off_is_what_it_is_here(client):
    scripts = (
        answered({"error": {"message": "full"}}, "429 No", Retry_After="0"), echo,
        answered({"error": {"message": "no such thing"}}, "400 No"),
        streamed(text_chunk("Half"), done=False), said("whole", "ly"),
    )
    with ScriptedServer(*scripts) as server, ThreadPoolExecutor(2) as executor:
        rows = ds_magic.map("{{ n }}", numbers(4), client=client(server), executor=executor, concurrency=1)
    assert [row.content for row in rows] == ["0", "", "Half", "wholely"]
    assert isinstance(rows[1].error, InvalidRequestError) and "no such thing" in str(rows[1].error)
    assert isinstance(rows[2].error, StreamInterruptedError) and rows[3].answer.usage.completion_tokens == 2


def test_a_stream_that_is_kept_open_behind_its_end_keeps_no_worker(client):
    def unended(connection):
        connection.send(head())
        for each in (text_chunk("a"), text_chunk("", finish="stop")):
            connection.send(chunk(event(each)))
        connection.send(chunk(DONE))
        connection.wait_until_closed()
        return "close"

    with ThreadPoolExecutor(1) as executor, ScriptedServer(unended) as server:
        patient = client(server, timeout=Timeouts(idle=None))
        rows = Background(ds_magic.sample, "Go.", 2, client=patient, executor=executor).result()
    assert rows.contents == ("a", "a")


def test_the_journal_is_written_here_and_what_is_whole_in_it_goes_to_no_worker(client, tmp_path):
    run = {"journal": tmp_path / "run.jsonl", "cache": True}
    with ScriptedServer(echo) as server:
        with ThreadPoolExecutor(2) as executor:
            first = ds_magic.map("{{ n }}", numbers(5), client=client(server), executor=executor, **run)
        again = ds_magic.map("{{ n }}", numbers(6), client=client(server), executor=executor, **run)
    assert first.contents == tuple(numbers(5)) and len(server.requests) == 5
    assert [row.content for row in again] == [*numbers(5), ""] and isinstance(again[5].error, ExecutorGoneError)
    assert all(row.answer.recorded for row in again[:5])


def test_a_request_that_was_lost_is_given_to_another_worker_and_one_that_is_lost_each_time_is_a_row(client):
    with ScriptedServer(echo) as server:
        with Forgetful(2, is_cancelled=True) as executor:
            assert ds_magic.sample("Go.", 1, client=client(server), executor=executor).contents == ("Go.",)
        with Forgetful(3, is_cancelled=True) as executor:
            rows = ds_magic.map("{{ n }}", numbers(3), client=client(server), executor=executor, concurrency=1)
        ids = [parcel.name for (parcel,) in executor.given]
    assert isinstance(rows[0].error, WorkerLostError) and [row.content for row in rows] == ["", "1", "2"]
    assert len(set(ids)) == 5, "an executor that takes tasks of one name for one task asks each all the same"


@pytest.mark.slow
def test_a_future_that_never_comes_is_asked_again_when_its_time_is_over(client):
    with ScriptedServer(echo) as server, Forgetful() as executor:
        far = client(server, timeout=Timeouts(total=1)).beginning(Elsewhere(executor, slack=0.5).begin)
        assert Background(far.chat, "Go.").result().content == "Go." and len(executor.given) == 2


def test_the_time_of_a_request_is_counted_from_when_it_stands_in_the_queue_no_longer():
    class Slow(Executor):
        def submit(self, function, *args):
            return Future()

    now, arrived = [0.0], queue.SimpleQueue()
    elsewhere = Elsewhere(Slow(), clock=lambda: now[0])
    (first, _), (second, future), (third, _) = (elsewhere.give(a_parcel(), arrived) for _ in range(3))
    now[0] = 5.0
    future.set_result(None)  # so that the first has long begun, and the third may begin now
    assert [elsewhere.left(each, 60) for each in (first, third)] == [55, 60] and arrived.get() == (second, future)


def test_stopped_it_begins_nothing_more_and_gives_back_what_is_done(client):
    gate, stop = Gate(free=2, full=2), Stop()
    with ScriptedServer(gate) as server, ThreadPoolExecutor(2) as executor:
        run = Background(
            ds_magic.map, "{{ n }}", numbers(20), client=client(server), executor=executor, stop=stop, concurrency=4
        )
        assert gate.is_full.wait(PATIENCE)
        stop.set()
        rows = run.result()  # while the workers still wait
        gate.opened.set()
        assert executor.submit(int).result() == 0
    done = tuple(sorted(text for text in asked_of(server) if int(text) < 2))
    assert done and rows.contents == done and f"{20 - len(done)} of 20 rows were not asked" in rows.notes[0]
    assert len(server.requests) == len(done) + 2, "what waited in the executor was taken back"


@pytest.mark.slow
def test_a_pool_that_breaks_ends_the_run_with_what_is_there_and_the_next_asks_what_is_missing(client, tmp_path):
    gate, run = Gate(free=3, full=2), {"journal": tmp_path / "run.jsonl", "cache": True, "concurrency": 2}
    with ScriptedServer(gate) as server:
        with processes(2) as executor:
            first = Background(ds_magic.map, "{{ n }}", numbers(9), client=client(server), executor=executor, **run)
            assert gate.is_full.wait(PATIENCE)
            for each in multiprocessing.active_children():
                each.kill()
            rows = first.result()
        gate.opened.set()
        assert [row.content for row in rows] == ["0", "1", "2", "", ""]
        (note,) = rows.notes
        assert "broken" in note and "Make a new executor" in note and "4 of 9 rows were not asked" in note
        with processes(1) as executor:
            again = ds_magic.map("{{ n }}", numbers(9), client=client(server), executor=executor, **run)
    assert again.contents == tuple(numbers(9)) and len(server.requests) == 3 + 2 + 6


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    """A client of three workers, each a process with two threads."""
    distributed = pytest.importorskip("distributed")
    folder = str(tmp_path_factory.mktemp("dask"))
    options = {"n_workers": 3, "threads_per_worker": 2, "dashboard_address": ":0", "local_directory": folder}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as dask:
        yield dask


@pytest.mark.slow
def test_a_dask_worker_that_is_killed_costs_what_it_waited_for_and_the_key_is_nowhere(client, dask, tmp_path):
    gate, path = Gate(free=6, full=6), tmp_path / "run.jsonl"
    with ScriptedServer(gate) as server:
        run = {"client": client(server), "executor": dask.get_executor(), "journal": path, "cache": True}
        first = Background(ds_magic.map, "{{ n }}", numbers(24), concurrency=24, **run)
        assert gate.is_full.wait(PATIENCE)
        while "memory" in dask.run_on_scheduler(states):
            """What has come is let go: a worker that dies takes none of it along, to be asked again."""
        shown = [dask.run_on_scheduler(scheduler_shown), dask.processing(), dask.call_stack()]
        pid = min(dask.run(os.getpid).values())
        held = gate.held_by(pid)
        os.kill(pid, signal.SIGKILL)
        gate.opened.set()
        rows = first.result()
        again = ds_magic.map("{{ n }}", numbers(24), concurrency=24, **run)
        dask.submit(int, a_parcel(), pure=False).exception()  # a worker's log says what fails with what
        shown += [dask.cluster.get_logs(), rows, again, path.read_text()]
        assert dask.get_executor().submit(int).result() == 0
    assert held == 2 and rows.contents == again.contents == tuple(numbers(24)) and not rows.notes
    assert 24 <= len(server.requests) <= 24 + held and sorted(set(asked_of(server)), key=int) == numbers(24)
    entries = list(Journal(path).entries())
    assert len(entries) == len({each.key for each in entries}) == 24 and {each.ended for each in entries} == {"whole"}
    told = "\n".join(map(repr, shown))
    assert "delivered" in told and "Compute Failed" in told and KEY[3:] not in told
    assert {each.headers["authorization"] for each in server.requests} == {f"Bearer {KEY}"}


@pytest.mark.slow
def test_what_dask_cancels_as_it_does_all_when_it_is_restarted_is_asked_again(client, dask):
    from distributed import Future

    gate = Gate(free=3, full=6)
    with ScriptedServer(gate) as server:
        run = {"client": client(server), "executor": dask.get_executor(), "concurrency": 12}
        first = Background(ds_magic.map, "{{ n }}", numbers(12), **run)
        assert gate.is_full.wait(PATIENCE)
        dask.cancel([Future(key, dask) for key in list(dask.futures)])
        gate.opened.set()
        rows = first.result()
    assert rows.contents == tuple(numbers(12)) and not rows.notes


def states(dask_scheduler):
    return [each.state for each in dask_scheduler.tasks.values()]


def scheduler_shown(dask_scheduler):
    """What the scheduler calls its tasks, and says of them."""
    return [(repr(each), repr(each.run_spec)) for each in dask_scheduler.tasks.values()]


@pytest.mark.slow
def test_the_engines_of_ipyparallel_ask(client, tmp_path, monkeypatch):
    ipyparallel = pytest.importorskip("ipyparallel")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    quick = {"controller_args": ["--HeartMonitor.period=200"]}  # of which an engine's registration takes some
    with ScriptedServer(echo) as server, ipyparallel.Cluster(n=1, log_level=40, **quick) as engines:
        run = {"client": client(server), "executor": engines.executor(), "stream": False}
        assert ds_magic.sample("Go.", 2, **run).contents == ("Go.", "Go.")
        assert ds_magic.map("{{ n }}", numbers(12), **run).contents == tuple(numbers(12))
        assert engines.executor().submit(int).result() == 0


def a_parcel(**fields):
    known = {
        "name": "n", "base_url": "http://127.0.0.1:1", "server": "127.0.0.1:1", "key": Secret(KEY), "method": "POST",
        "url": "http://127.0.0.1:1/chat/completions", "body": b"{}", "timeouts": Timeouts(), "retries": 0,
    }
    return Parcel(**{**known, **fields})


def test_a_parcel_shows_no_key_and_has_it_when_it_arrives():
    parcel = a_parcel()
    assert KEY[3:] not in f"{parcel} {parcel!r} {vars(parcel)} {delivered(parcel)!r}"
    assert pickle.loads(pickle.dumps(parcel)) == parcel and parcel.key.reveal() == KEY


def test_what_comes_of_an_answer_with_probabilities_is_no_larger_than_its_line_in_a_journal():
    def entry(number):
        tops = [{"token": f" word{number * rank}", "bytes": list(b" word%d" % (number * rank)),
                 "logprob": -rank - 1 / (number + 3)} for rank in range(20)]
        return {**tops[0], "top_logprobs": tops}

    chunks = [text_chunk("a", logprobs={"content": [entry(number)]}) for number in range(200)]
    wire = [json.dumps(each).encode() for each in chunks]
    _, deltas = packed((1, each) for each in wire)
    with ScriptedServer(streamed(*chunks)) as server:
        came = delivered(a_parcel(base_url=server.url, url=f"{server.url}/chat/completions"))
    size = len(pickle.dumps(came))
    assert size < sum(len(bytes(each)) for _, each in deltas) < sum(map(len, wire)) / 2
    assert b"".join(piece for _, piece in pickle.loads(pickle.dumps(came)).pieces()).count(b"top_logprobs") == 200


def test_a_worker_asks_with_the_callers_key_or_with_none_whatever_its_environment_says(client, monkeypatch):
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-of-the-worker-0123456789")
    with ScriptedServer(echo) as server, ThreadPoolExecutor(1) as executor:
        for each in (client(server), Client(server.url, "")):
            ds_magic.sample("Go.", 1, client=each, executor=executor)
    assert [each.headers.get("authorization") for each in server.requests] == [f"Bearer {KEY}", None]


def test_of_the_embedded_server_neither_address_nor_key_travels():
    here = Client("http://127.0.0.1:1", "local-key", model="m", name="embedded model", on_event=print)
    with Forgetful(MOST_TRIES, is_cancelled=True) as executor:
        ds_magic.sample("Go.", 1, client=here, executor=executor)
    parcel = executor.given[0][0]
    assert (parcel.base_url, parcel.key, parcel.url) == ("", None, "/chat/completions")


@pytest.mark.parametrize("executor", [4, "dask", object()])
def test_what_is_no_executor_is_said_before_anything_is_asked(executor, client):
    with ScriptedServer(echo) as server, pytest.raises(InvalidRequestError, match="executor"):
        ds_magic.sample("Go.", 1, client=client(server), executor=executor)
    assert server.requests == []
