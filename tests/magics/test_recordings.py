"""Cells that record, spare what was asked before, and replay."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import ds_magic
from ds_magic.many.journal import Journal
from tests.many.making import entry, probable
from tests.servers.scripted import ScriptedServer, refused, said, streamed, text_chunk


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cell(shell, capsys):
    """Run a cell and give what it printed."""

    def run(text, *, fails=False):
        result = shell.run_cell(text)
        shown = capsys.readouterr().out
        assert (not result.success) == fails, shown
        return shown

    run.names = shell.user_ns
    return run


@pytest.fixture
def serving(monkeypatch):
    def serve(*scripts):
        server = ScriptedServer(*scripts)
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        return server

    return serve


def test_a_lesson_is_replayed_with_no_server(cell, serving, monkeypatch):
    lesson = [
        "%%deepseek OPTIONS -l 2 -o capital\nThe capital of Australia?",
        "%%deepseek OPTIONS --chat talk -o first\nRemember: 7.",
        "%%deepseek OPTIONS --chat talk -o second\nWhich number?",
        '%%deepseek OPTIONS --prefix "It is" -o begun\nWhat is it?',
        "%%deepseek OPTIONS --no-stream --dry-run\nNever sent",
    ]
    scripts = [streamed(*probable("Can", "ber", "ra")), said("I will."), said("7"), said(" red.")]
    with serving(*scripts) as server:
        for each in lesson:
            cell(each.replace("OPTIONS", "--journal run.jsonl"))
        live = {name: cell.names[name] for name in ("capital", "first", "second", "begun")}
        assert len(server.requests) == 4 and [m["content"] for m in server.requests[2].json["messages"]] == [
            "Remember: 7.", "I will.", "Which number?"]  # fmt: skip
    monkeypatch.delenv("DEEPSEEK_BASE_URL")
    cell("%reload_ext ds_magic")
    for each in lesson:
        cell(each.replace("OPTIONS", "--replay run.jsonl --speed 0"))
    for name, answer in live.items():
        again = cell.names[name]
        assert (again.raw, again.text) == (answer.raw, answer.text) and again.recorded.is_replay
    assert cell.names["capital"].logprobs.to_pandas().equals(live["capital"].logprobs.to_pandas())


def test_rounds_of_functions_are_replayed_and_the_functions_called_anew(cell, serving):
    cell("called = []\ndef weather(city: str) -> str:\n    called.append(city)\n    return 'rain in ' + city")
    call = {"index": 0, "id": "c1", "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}  # fmt: skip
    asks = text_chunk()
    asks["choices"][0]["delta"]["tool_calls"] = [call]
    with serving(streamed(asks, text_chunk("", finish="tool_calls")), said("It rains.")):
        cell("%%deepseek --journal run.jsonl --tools weather -o a\nHow is it in Bern?")
    cell("%%deepseek --replay run.jsonl --speed 0 --tools weather -o b\nHow is it in Bern?")
    assert cell.names["called"] == ["Bern", "Bern"]
    assert str(cell.names["b"]) == "It rains." and len(cell.names["b"].rounds) == 2


def test_repairs_and_what_a_server_does_not_take_are_replayed(cell, serving):
    refusal = refused(400, "response_format is not supported", param="response_format")
    with serving(refusal, said("no JSON"), said(json.dumps({"a": 1}))):
        cell("%%deepseek --journal run.jsonl --schema dict[str,int] --repair 1 -o a\nNumbers?")
    cell("%%deepseek --replay run.jsonl --speed 0 --schema dict[str,int] --repair 1 -o b\nNumbers?")
    a, b = cell.names["a"], cell.names["b"]
    assert b.parsed == a.parsed == {"a": 1} and b.notes == a.notes


def test_the_same_notebook_again_asks_nothing(cell, serving):
    with serving(said("a"), said("b")) as server:
        for _ in range(2):
            for question in "AB":
                cell(f"%%deepseek --journal run.jsonl --cache\nQuestion {question}")
        assert len(server.requests) == 2


@pytest.mark.parametrize("view", ["text", "static"])
def test_an_output_says_that_it_is_a_recording(cell, serving, view, monkeypatch):
    monkeypatch.setenv("DS_MAGIC_VIEW", view)
    with Journal("run.jsonl").writing() as journal:
        journal.append(entry(1, text="Hello", asked={
            "messages": [{"role": "user", "content": "Hi"}], "stream": True,
            "stream_options": {"include_usage": True},
        }))  # fmt: skip
    shown = cell("%%deepseek --replay run.jsonl --speed 0\nHi")
    assert "Hello" in shown and "scripted · RECORDING 2026-11-30 · " in shown and "golden" not in shown
    assert "RECORDING 2026-11-30" in cell.names["_ds"]._repr_mimebundle_()["text/html"]


def test_a_projected_output_says_it_too(cell):
    with Journal("run.jsonl").writing() as journal:
        journal.append(entry(1))
    cell("import ds_magic\na = ds_magic.ask('question 1', replay='run.jsonl', speed=0, stream=True)")
    cell("%config DeepSeekMagics.size = 'projector'")
    try:
        assert "RECORDING 2026-11-30" in cell.names["a"]._repr_mimebundle_()["text/html"]
    finally:
        cell("%config DeepSeekMagics.size = 'normal'")


def test_an_answer_in_the_background_is_recorded_and_replayed(cell, serving):
    with serving(said("Hello")):
        cell("h = %deepseek --bg --journal run.jsonl Hi\nh.result(60)")
    cell("g = %deepseek --bg --replay run.jsonl --speed 0 Hi\nanswer = g.result(60)")
    assert str(cell.names["answer"]) == "Hello" and cell.names["answer"].recorded


def test_defaults_say_where_to_record_and_what_to_replay(cell, serving, monkeypatch):
    monkeypatch.setenv("DS_MAGIC_JOURNAL", "run.jsonl")
    with serving(said("a"), said("b")) as server:
        cell("%%deepseek\nHi")
        cell("%config DeepSeekMagics.cache = True")
        cell("%%deepseek -o again\nHi")
        cell("%%deepseek --no-cache -o anew\nHi")
        assert len(server.requests) == 2
    cell("%config DeepSeekMagics.replay = 'run.jsonl'")
    cell("%%deepseek -o replayed --speed 0\nHi")
    cell("%%deepseek -o too --speed 0 --no-cache\nHi")
    assert [str(cell.names[name]) for name in ("again", "anew", "replayed", "too")] == ["a", "b", "b", "b"]


LESSON = """
%%deepseek -m m -l 2 --prefix "It is" -o capital
The capital of Australia?
---
import ds_magic
branch = capital.fork(0, "Syd")
---
drawn = ds_magic.sample("Name a colour.", 2, model="m", concurrency=1)
alone = ds_magic.chat("Name a town.", model="m", stream=True)
asked = ds_magic.ask("Name a hill.", model="m")
---
%%deepseek -m m --sweep temperature=0,1 -o swept
Name a river.
"""


def taught(cell):
    """Run the lesson; what came of it."""
    for each in LESSON.strip().split("\n---\n"):
        cell(each)
    names = cell.names
    return [
        *(names[name].content for name in ("capital", "branch", "alone", "asked")), names["drawn"].contents,
        names["swept"].contents,
    ]


def test_a_whole_notebook_is_recorded_by_one_line_and_run_again_without_a_request(cell, serving, monkeypatch):
    scripts = [
        streamed(*probable("Can", "ber", "ra")), streamed(*probable("ney")),
        *(said(name) for name in ("red", "blue", "Bern", "Rigi", "Aare", "Rhine")),
    ]
    record = '%config DeepSeekMagics.journal = "run.jsonl"\n%config DeepSeekMagics.cache = True'
    with serving(*scripts) as server:
        cell(record)
        first = taught(cell)
        assert first[1:3] == ["Sydney", "Bern"] and len(server.requests) == 8
        cell("%reload_ext ds_magic")
        cell(record)
        assert taught(cell) == first and len(server.requests) == 8
    monkeypatch.delenv("DEEPSEEK_BASE_URL")
    cell("%reload_ext ds_magic")
    monkeypatch.setenv("DS_MAGIC_REPLAY", "run.jsonl")
    monkeypatch.setenv("DS_MAGIC_SPEED", "0")
    assert taught(cell) == first and cell.names["branch"].recorded.is_replay


def test_unloading_ends_the_recording(cell, serving, folder):
    import ds_magic

    cell('%config DeepSeekMagics.journal = "run.jsonl"')
    cell("%unload_ext ds_magic")
    with serving(said("Hi")):
        ds_magic.chat("Hi", model="m", stream=True)
    assert not (folder / "run.jsonl").exists()


def test_the_folder_of_the_weights_says_nothing_of_the_journal(cell, serving, monkeypatch):
    monkeypatch.setenv("DS_MAGIC_CACHE", "some/folder")
    with serving(said("a"), said("b")) as server:
        cell("%%deepseek --journal run.jsonl\nHi")
        cell("%%deepseek --journal run.jsonl\nHi")
        assert len(server.requests) == 2


def test_a_speed_that_is_none_is_said_to_be_the_environments(cell, monkeypatch):
    monkeypatch.setenv("DS_MAGIC_SPEED", "quick")
    assert "DS_MAGIC_SPEED is 'quick'" in cell("%deepseek Hi", fails=True)


def test_an_unknown_request_is_a_short_panel(cell):
    asked = {"messages": [{"role": "user", "content": "News of 2026-11-29, please. " + "And more. " * 300}],
             "stream": True, "stream_options": {"include_usage": True}}  # fmt: skip
    with Journal("run.jsonl").writing() as journal:
        journal.append(entry(asked=asked))
    shown = cell(f"%%deepseek --replay run.jsonl\n{asked['messages'][0]['content'].replace('29', '30')}", fails=True)
    assert "UnknownRequestError" in shown and "2026-11-30" in shown and "a date, a time or a counter" in shown
    assert len(shown.splitlines()) < 14


@pytest.mark.parametrize(("options", "says"), [
    ("--cache", "does not say where"), ("--replay a.jsonl --journal b.jsonl", "asks nobody"),
    ("--replay missing.jsonl", "cannot be read"), ("--speed 2", "`speed`"), ("--journal", "needs a value"),
])
def test_options_that_make_no_sense_are_refused(cell, options, says):
    assert says in cell(f"%deepseek {options}" + ("" if options == "--journal" else " Hi"), fails=True)


NO_NETWORK = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.posix_spawn"):
        raise SystemExit(f"no network: {event} {arguments}")
config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell(config=config)
shell.run_cell("%load_ext ds_magic")
sys.addaudithook(refuse)
shell.run_cell("%%deepseek --replay run.jsonl --speed 0\\nquestion 1").raise_error()
"""


def test_a_replayed_cell_uses_no_network_and_starts_no_server(folder, monkeypatch):
    asked = {"messages": [{"role": "user", "content": "question 1"}], "stream": True,
             "stream_options": {"include_usage": True}}  # fmt: skip
    with Journal("run.jsonl").writing() as journal:
        journal.append(entry(asked=asked, text="replayed"))
    monkeypatch.delenv("DEEPSEEK_BASE_URL")
    monkeypatch.setenv("DS_MAGIC_VIEW", "text")
    monkeypatch.setenv("PYTHONPATH", str(Path(ds_magic.__file__).parents[1]))
    done = subprocess.run([sys.executable, "-c", NO_NETWORK], capture_output=True, text=True)
    assert done.returncode == 0 and "replayed" in done.stdout and "RECORDING" in done.stdout, done


def test_how_long_a_replay_thought_is_not_told_as_the_models_time(cell, serving, monkeypatch):
    monkeypatch.setenv("DS_MAGIC_VIEW", "static")
    with serving(streamed(text_chunk(reasoning="Hm."), text_chunk("Yes."), text_chunk("", finish="stop"))):
        live = cell("%%deepseek --journal run.jsonl\nHi")
    again = cell("%%deepseek --replay run.jsonl --speed 0\nHi")
    assert "Thought for" in live and "Thought for" not in again and "Hm." in again


def test_a_journal_stays_where_it_was_when_the_folder_changes(cell, serving, folder, monkeypatch):
    (folder / "elsewhere").mkdir()
    with serving(said("a"), said("b")):
        cell("%%deepseek --journal run.jsonl\nHi")
        monkeypatch.chdir("elsewhere")
        cell("%%deepseek --journal run.jsonl\nHi")
    assert len(list(Journal(folder / "run.jsonl").entries())) == 1
    assert len(list(Journal(folder / "elsewhere/run.jsonl").entries())) == 1
