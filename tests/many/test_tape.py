"""Recording, sparing what was asked before, and replaying: through a client, by the same decoder."""

import json
import signal
import subprocess
import sys
import threading

import pytest

import ds_magic
import ds_magic.stop as stop_module
from ds_magic import Client, InvalidRequestError, StreamInterruptedError
from ds_magic.api.recorded import Recorded
from ds_magic.api.request import ChatRequest
from ds_magic.api.spent import SPENT
from ds_magic.conversation.turn import Seats, Turn
from ds_magic.magics.background import Background
from ds_magic.many.entry import HEADER, whole_of
from ds_magic.many.journal import Journal, journal_at
from ds_magic.many.journal_errors import JournalError, UnknownRequestError
from ds_magic.many.packed_logprobs import NONE
from ds_magic.many.played import Pace, Played
from ds_magic.many.reading import completion_of
from ds_magic.many.tape import MOST_COMPARED, RecordingTape
from ds_magic.run import run
from ds_magic.stop import Stop
from tests.many.making import KEY, entry, probable
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

PATIENCE = 60


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.jsonl"


class Noted:
    """An observer that keeps what it is shown."""

    def __init__(self, on_delta=None):
        self.backend, self.events, self.deltas, self.ended = None, [], [], None
        self._on_delta = on_delta or (lambda: None)

    def start(self, request, backend):
        self.backend = backend

    def event(self, event):
        self.events.append(str(event))

    def delta(self, delta):
        self.deltas.append((delta.index, delta.content, delta.reasoning_content, delta.finish_reason, delta.logprobs))
        self._on_delta()

    def finish(self, completion, error):
        self.ended = completion, error


def asked(client, text="Hi", *, on_delta=None, stop=None, **fields):
    observer = Noted(on_delta)
    request = ChatRequest.build(text, **{"stream": True, **fields})
    try:
        return run(client, request, [observer], stop=stop), observer
    except ds_magic.DeepSeekError as error:
        return error, observer


def entries(path):
    return list(Journal(path).entries())


def half(connection):
    connection.send(head() + chunk(event(text_chunk("Half"))))
    connection.wait_until_closed()


def test_a_replay_is_the_live_run_again(path):
    with ScriptedServer(streamed(*probable("Can", "ber", "ra"))) as server:
        live, seen = asked(Client(server.url, "k", journal=path), logprobs=True, top_logprobs=2)
    again, seen_again = asked(Client(replay=path, speed=0), logprobs=True, top_logprobs=2)
    assert seen_again.deltas == seen.deltas and len(seen.deltas) == 5
    assert again.raw == live.raw and again.request.to_wire() == live.request.to_wire()
    assert again.logprobs.to_pandas().equals(live.logprobs.to_pandas()) and len(again.logprobs) == 3
    assert (again.finish_reason, again.interrupted, again.backend) == ("stop", False, live.backend)
    assert again.timing.first_token == pytest.approx(live.timing.first_token, abs=0.002)
    assert again.timing.total == pytest.approx(live.timing.total, abs=0.002)


def test_an_answer_in_one_piece_is_replayed_in_one_piece(path):
    with ScriptedServer(answered(completion("whole")), answered(completion("unasked"))) as server:
        client = Client(server.url, "k", journal=path)
        live = [client.chat("Hi"), client.chat("Hi", stream=True)]
    client = Client(replay=path, speed=0)
    assert [client.chat("Hi").raw, client.chat("Hi", stream=True).raw] == [each.raw for each in live]


def test_an_answer_that_took_no_millisecond_is_replayed_without_a_rate(path):
    with Journal(path).writing() as journal:
        body = whole_of(json.dumps(completion("whole")).encode())
        asked_whole = {"messages": [{"role": "user", "content": "Hi"}]}
        journal.append(entry(asked=asked_whole, ms=(0, 0), head=NONE, deltas=None, body=body))
    again = Client(replay=path, speed=0).chat("Hi")
    assert (again.content, again.timing.total, again.timing.tokens_per_second) == ("whole", 0, None)


def test_a_recording_says_that_it_is_one_and_of_which_day(path):
    with Journal(path).writing() as journal:
        journal.append(entry(1))
    again, seen = asked(Client(replay=path, speed=0), "question 1")
    assert seen.backend == "RECORDING" and "RECORDING 2026-11-30" in repr(again)
    assert again.recorded == Recorded("golden", "scripted", "2026-11-30T12:00:00Z", is_replay=True)
    assert "golden" not in repr(again)


def test_the_mark_of_a_recording_is_saved_and_pickled_with_the_answer(path, tmp_path):
    import pickle

    with Journal(path).writing() as journal:
        journal.append(entry(1))
    again, _ = asked(Client(replay=path, speed=0), "question 1")
    loaded = ds_magic.ChatCompletion.load(again.save(tmp_path / "answer.json"))
    assert loaded.recorded == pickle.loads(pickle.dumps(again)).recorded == again.recorded is not None


@pytest.mark.parametrize(("speed", "waits"), [(1, [0.1, 0.3]), (4, [0.025, 0.075]), (0, [])])
def test_the_pace_is_that_of_the_recording(speed, waits):
    passed, waited = [0.0], []

    def wait(gone, seconds):
        waited.append(seconds)
        passed[0] += seconds

    pace = Pace(speed, clock=lambda: passed[0], wait=wait)
    played = Played(entry(ms=(100, 400)), "", Recorded("golden", None, "", True), pace)
    times = []
    while played.read():
        times.append(round(1000 * (played.clock() - played.sent_at)))
    assert waited == pytest.approx(waits) and times == [100, 400, 400]


def test_a_replay_that_waits_is_stopped_at_once(path):
    with Journal(path).writing() as journal:
        journal.append(entry(1, text="Half", ms=(0, 10_000_000)))
    came = threading.Event()
    turn = Turn(ChatRequest.build("question 1", stream=True))
    client = Client(replay=path)
    handle = Background(lambda stop: turn.answer(client, Seats(Noted(came.set)), stop)).begin()
    assert came.wait(PATIENCE)
    handle.stop()
    assert (handle.result(PATIENCE).content, handle.result().interruption) == ("Half", "stopped")


def test_what_was_asked_before_is_not_asked_again_and_is_marked_so(path):
    with ScriptedServer(said("first"), said("second")) as server:
        asked(Client(server.url, "k", journal=path))
        again, seen = asked(Client(server.url, "k", journal=path, cache=True))
        other, _ = asked(Client(server.url, "k", journal=path, cache=True), temperature=0.5)
        assert len(server.requests) == 2
    assert (again.content, other.content) == ("first", "second")
    assert again.recorded and not again.recorded.is_replay and "asked before, " in repr(again)
    assert other.recorded is None and [delta[1] for delta in seen.deltas if delta[1]] == ["first"]
    assert len(entries(path)) == 2


def test_without_cache_the_same_is_asked_again(path):
    with ScriptedServer(said("first"), said("second")) as server:
        client = Client(server.url, "k", journal=path)
        assert [asked(client)[0].content for _ in range(2)] == ["first", "second"]
    assert asked(Client(replay=path, speed=0))[0].content == "second"


def test_each_sample_of_a_request_is_an_exchange_of_its_own(path):
    with ScriptedServer(said("first"), said("second")) as server:
        client, journal = Client(server.url, "k"), journal_at(path)
        for _ in range(2):
            tapes = [RecordingTape(journal, cache=True, sample=sample) for sample in range(2)]
            assert [asked(client.through(tape))[0].content for tape in tapes] == ["first", "second"]
        assert len(server.requests) == 2


def test_an_answer_of_another_model_on_this_machine_is_none_from_before(path):
    with ScriptedServer(said("small"), said("large")) as server:
        for model in ("small", "large", "large"):
            client = Client(
                server.url, "k", model=model, name="embedded model", locate=lambda: (server.url, "k"), journal=path,
                cache=True,
            )
            assert asked(client)[0].content == model
        assert len(server.requests) == 2
    assert asked(Client(replay=path, speed=0))[0].content == "large"


def test_who_names_the_model_for_a_client_asks_that_model(path):
    with ScriptedServer(said("a"), said("b")) as server:
        for model in "ab":
            asked(Client(server.url, "k", model=model, journal=path))
    for model in "ab":
        assert asked(Client(replay=path, speed=0, model=model))[0].content == model
    assert isinstance(asked(Client(replay=path, speed=0))[0], UnknownRequestError)


@pytest.mark.parametrize("script", [said("a"), refused(400), half])
def test_when_an_exchange_is_over_others_may_write(path, script):
    stop = Stop()
    with ScriptedServer(script) as server:
        client = Client(server.url, "k", journal=path, cache=True)
        for _ in range(2):
            asked(client, stop=stop, on_delta=stop.set if script is half else None)
            with Journal(path).writing():
                pass


def test_a_stream_that_nobody_reads_lets_go_of_the_journal(path):
    with ScriptedServer(half) as server:
        stream = Client(server.url, "k", journal=path).stream("Hi")
        with stream, pytest.raises(JournalError):
            Journal(path).acquire()
        Journal(path).acquire()
    assert [each.ended for each in entries(path)] == ["interrupted"]


def test_an_answer_of_another_server_is_none_from_before(path):
    for text in ("here", "there"):
        with ScriptedServer(said(text)) as server:
            assert asked(Client(server.url, "k", journal=path, cache=True))[0].content == text


def test_a_recording_is_on_nobodys_bill(path):
    with ScriptedServer(said("a")) as server:
        asked(Client(server.url, "k", journal=path))
        SPENT.clear()
        asked(Client(server.url, "k", journal=path, cache=True))
    asked(Client(replay=path, speed=0))
    assert not SPENT.sums


def test_a_stopped_answer_is_recorded_as_such_replayed_as_such_and_asked_again(path):
    stop = Stop()
    with ScriptedServer(half, said("whole")) as server:
        live, _ = asked(Client(server.url, "k", journal=path), on_delta=stop.set, stop=stop)
        assert [each.ended for each in entries(path)] == ["interrupted"]
        again, _ = asked(Client(replay=path, speed=0))
        assert (again.content, again.interruption) == (live.content, live.interruption) == ("Half", "stopped")
        assert asked(Client(server.url, "k", journal=path, cache=True))[0].content == "whole"
    assert asked(Client(replay=path, speed=0))[0].content == "whole"


def test_an_interrupt_from_the_keyboard_is_no_failure(path):
    def interrupt():
        raise KeyboardInterrupt

    def interrupts_the_reader(connection):
        connection.send(head() + chunk(event(text_chunk("Half"))))
        connection.wait(came)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        connection.send(chunk(b": \n\n"))  # wakes a reader that the signal missed on its way to wait
        connection.wait_until_closed()

    came = threading.Event()
    with ScriptedServer(half, interrupts_the_reader) as server:
        asked(Client(server.url, "k", journal=path), on_delta=interrupt)
        stop_module._last_interrupt = float("-inf")  # it is none of two in a second
        asked(Client(server.url, "k", journal=path), on_delta=came.set)
    assert [each.ended for each in entries(path)] == ["interrupted"] * 2


@pytest.mark.parametrize(("script", "kind", "content"), [
    (refused(402, "no money"), ds_magic.InsufficientBalanceError, None),
    (streamed(text_chunk("Half"), {"error": {"message": "broken"}}), StreamInterruptedError, "Half"),
    (streamed(text_chunk("Half"), done=False), StreamInterruptedError, "Half"),
    (answered(b"<html>no</html>", content_type="text/html"), ds_magic.DeepSeekError, None),
    (lambda connection: connection.reset(), ds_magic.APIConnectionError, None),
])
def test_an_error_is_recorded_replayed_as_it_was_and_asked_again(path, script, kind, content):
    with ScriptedServer(script, said("whole")) as server:
        live, _ = asked(Client(server.url, "k", journal=path, retries=0))
        assert [each.ended for each in entries(path)] == ["failed"]
        again, _ = asked(Client(replay=path, speed=0))
        assert type(again) is type(live) and isinstance(live, kind)
        assert (again.partial and again.partial.content) == (live.partial and live.partial.content) == content
        if script.__name__ != "<lambda>" and content is None and "html" not in str(live):
            assert (str(again), again.remedy, again.status) == (str(live), live.remedy, live.status)
        assert asked(Client(server.url, "k", journal=path, cache=True))[0].content == "whole"


def test_a_finish_that_is_a_failure_is_asked_again(path):
    with ScriptedServer(said("Half", finish="insufficient_system_resource"), said("whole")) as server:
        client = Client(server.url, "k", journal=path, cache=True)
        assert [asked(client)[0].content for _ in range(2)] == ["Half", "whole"]


def test_notes_of_the_way_are_recorded(path):
    models = answered({"data": [{"id": "another"}]})
    with ScriptedServer(refused(404, "model not found", code="model_not_found"), said("a"), models=models) as server:
        live, _ = asked(Client(server.url, "k", journal=path))
    again, seen = asked(Client(replay=path, speed=0))
    assert live.notes and again.notes == live.notes and again.request.model == live.request.model == "another"
    assert seen.events == live.notes


def test_no_key_and_no_header_is_in_the_file(path, monkeypatch):
    monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
    spelt = [text_chunk(KEY[:9]), text_chunk(KEY[9:]), text_chunk("", finish="stop")]
    scripts = [
        said(f"Your key is {KEY}."), answered(completion(KEY)), refused(401, f"{KEY} is wrong"), streamed(*spelt),
        streamed(text_chunk("a"), {"error": {"message": KEY}}),
        answered(b'{"choices": [{"message": {"content": "\\u0073%s"}}]}' % KEY[1:].encode()),
    ]
    with ScriptedServer(*scripts) as server:
        client = Client(server.url, journal=path)
        for number in range(len(scripts)):
            asked(client, f"question {number}", stream=number not in (1, 5))
        assert all(each.headers["authorization"] == f"Bearer {KEY}" for each in server.requests)
    written = path.read_text()
    assert len(entries(path)) == len(scripts) and "****" in written
    for secret in (KEY, KEY[:9] + '"', KEY[9:], KEY[1:], "Bearer", "uthorization"):
        assert secret not in written


@pytest.mark.parametrize("key", [KEY, "sk-aaaabbbbccccddddeeee1"])
def test_a_request_that_holds_a_key_is_not_sent(path, key):
    with ScriptedServer(said("a")) as server:
        with pytest.raises(InvalidRequestError, match="holds an API key"):
            Client(server.url, KEY, journal=path).chat(f"My key: {key}")
        assert server.requests == [] and not path.exists()


def test_a_replay_needs_no_key_and_no_name_of_a_model(path, monkeypatch):
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    monkeypatch.delenv("DEEPSEEK_BASE_URL", raising=False)
    with Journal(path).writing() as journal:
        journal.append(entry(1, backend="DeepSeek", key=_key("DeepSeek", 1), model="deepseek-flash"))
    client = Client(replay=path, speed=0)
    assert asked(client, "question 1")[0].request.model == "deepseek-flash"
    assert client.is_deepseek and client.server == "DeepSeek" and client.name == "RECORDING"
    with pytest.raises(InvalidRequestError, match="no list of models"):
        client.models()


def _key(server, number):
    from ds_magic.many.canonical import key_of

    return key_of(entry(number).asked, server)


NO_NETWORK = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.posix_spawn"):
        raise SystemExit(f"no network: {event} {arguments}")
import ds_magic
sys.addaudithook(refuse)
print(ds_magic.ask("question 1", replay=sys.argv[1], speed=0, stream=True))
try:
    ds_magic.ask("question 2", replay=sys.argv[1], stream=True)
except ds_magic.DeepSeekError as error:
    print(type(error).__name__)
"""


def test_a_replay_uses_no_network_and_starts_no_server(path):
    with Journal(path).writing() as journal:
        journal.append(entry(1, text="replayed"))
    done = subprocess.run([sys.executable, "-c", NO_NETWORK, str(path)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("replayed\nUnknownRequestError\n", "")


def test_an_unknown_request_shows_the_nearest_and_what_differs(path):
    with Journal(path).writing() as journal:
        journal.append(entry(1))
    error, seen = asked(Client(replay=path), "question 2", temperature=0.5)
    assert isinstance(error, UnknownRequestError) and seen.ended == (None, error)
    assert "`messages[0].content`" in str(error) and "`temperature` is 0.5, and was not set" in str(error)


def test_a_model_that_nobody_named_may_be_named_in_a_replay_but_no_other(path):
    with Journal(path).writing() as journal:
        journal.append(entry(1))
    client = Client(replay=path, speed=0)
    assert str(asked(client, "question 1", model="scripted")[0]) == "Hello"
    assert isinstance(asked(client, "question 1", model="another")[0], UnknownRequestError)


def test_of_a_batch_that_is_unknown_only_the_first_are_compared_until_one_is_known(path):
    with Journal(path).writing() as journal:
        journal.append(entry(1))
    client = Client(replay=path, speed=0)
    errors = [str(asked(client.of_sample(n), "question 2")[0]) for n in range(MOST_COMPARED + 2)]
    assert ["differs:" in error for error in errors] == [True] * MOST_COMPARED + [False] * 2
    assert str(asked(client, "question 1")[0]) == "Hello"
    assert "differs:" in str(asked(client, "question 2")[0])


FULL = """
import resource, sys
import ds_magic
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
answer = ds_magic.Client(sys.argv[1], "k", journal=sys.argv[2]).chat("Hi", stream=True)
print(answer, *answer.notes)
"""


def test_an_answer_is_not_lost_where_it_cannot_be_recorded(path):
    with ScriptedServer(said("Hello")) as server:
        command = [sys.executable, "-c", FULL, server.url, str(path)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.startswith("Hello Not recorded: run.jsonl cannot be written: ")
    assert entries(path) == [] and Journal(path).torn == 0


def test_who_writes_is_asked_before_anything_is_sent(path):
    other = Journal(path)
    with ScriptedServer(said("a")) as server, other.writing():
        error, _ = asked(Client(server.url, "k", journal=path))
        assert isinstance(error, JournalError) and server.requests == []


@pytest.mark.parametrize(("options", "says"), [
    ({"replay": "x", "journal": "y"}, "asks nobody"), ({"cache": True}, "does not say where"),
    ({"speed": 2}, "`speed`"), ({"replay": "x", "speed": -1}, "`speed`"), ({"replay": "missing"}, "cannot be read"),
])
def test_options_that_contradict_each_other_are_refused(options, says):
    with pytest.raises(ds_magic.DeepSeekError, match=says):
        Client("http://127.0.0.1:9", "k", **options)


def test_what_a_line_says_is_the_answer(path):
    with ScriptedServer(streamed(*probable("Can", "ber", "ra")), refused(400)) as server:
        live, _ = asked(Client(server.url, "k", journal=path), logprobs=True)
        asked(Client(server.url, "k", journal=path))
    kept, failed = map(completion_of, entries(path))
    assert kept.raw == live.raw and kept.timing.total == pytest.approx(live.timing.total, abs=0.002)
    assert failed.interrupted and failed.is_empty


@pytest.mark.parametrize(("extra", "says"), [
    ({"x": object()}, "cannot be written as JSON"), ({"x": float("nan")}, "cannot be written as JSON"),
])
def test_what_json_cannot_say_is_refused_as_ever(path, extra, says):
    with pytest.raises(InvalidRequestError, match=says):
        Client("http://127.0.0.1:9", "k", journal=path).chat("Hi", extra=extra)
    assert not path.exists()


@pytest.mark.parametrize("odd", [
    {"at": "\u202e" * 20}, {"notes": ["\x1b[2J"]}, {"model": "\u202e"}, {"ms": 10**17}, {"notes": ["a"] * 3},
])
def test_a_recording_of_anybody_is_shown_clean(path, odd):
    from ds_magic.views.answer.static import mimebundle

    line = json.loads(entry(1).line())
    path.write_bytes(HEADER + json.dumps({**line, **odd}, separators=(",", ":")).encode() + b"\n")
    again, _ = asked(Client(replay=path, speed=0), "question 1")
    shown = repr(again) + "".join(map(str, mimebundle(again).values()))
    assert "Hello" in shown and "\u202e" not in shown and "\x1b" not in shown


def test_a_written_page_of_a_recording_says_that_it_is_one(path, tmp_path):
    with ScriptedServer(streamed(*probable("Can", "ber", "ra"))) as server:
        asked(Client(server.url, "k", journal=path), logprobs=True, top_logprobs=2)
    again, _ = asked(Client(replay=path, speed=0), logprobs=True, top_logprobs=2)
    page = again.to_html(tmp_path / "page.html")
    assert "scripted at RECORDING " in (tmp_path / "page.html").read_text() and page
