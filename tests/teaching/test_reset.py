"""Everything of ours set back."""

import threading

import pytest
from IPython.core.interactiveshell import InteractiveShell

from ds_magic.magics.deepseek import DeepSeekMagics
from ds_magic.views import size
from tests.servers.scripted import chunk, event, head, said, text_chunk

PATIENCE = 60


@pytest.fixture
def run(ask, shell, capsys):  # noqa: F811
    """Run a cell that must not fail; gives what it printed."""

    def run(cell):
        capsys.readouterr()
        shell.run_cell(cell, store_history=True).raise_error()
        return capsys.readouterr().out

    run.server, run.names = ask.server, shell.user_ns
    return run


def test_chats_usage_defaults_and_variables_are_as_after_loading(run, shell):  # noqa: F811
    run("%config DeepSeekMagics.temperature = 0.5\n%config DeepSeekMagics.size = 'projector'")
    run("%deepseek --chat lesson -o answer Hi")
    run("%%deepseek --times 2 -o many\nHi")
    told = run("%ds_reset")
    assert "Set back: 3 variables (_ds, answer, many), 1 conversation (lesson), 3 answers in %ds_usage, " in told
    assert "2 defaults (temperature, size)" in told or "2 defaults (size, temperature)" in told
    assert not {"_ds", "answer", "many"} & run.names.keys() and size.font_size() == ""
    assert "no conversations" in run("%ds_chats") and "Nothing has been asked" in run("%ds_usage")
    run("%deepseek Hi")
    assert "temperature" not in run.server.requests[-1].json


def test_a_default_of_a_file_or_of_the_environment_is_in_force_again(bare_shell, ask, shell, run, monkeypatch):  # noqa: F811
    shell.run_cell("%unload_ext ds_magic")
    shell.config.DeepSeekMagics.max_tokens = 7
    shell.run_cell("%load_ext ds_magic")
    monkeypatch.setenv("DS_MAGIC_TEMPERATURE", "0.25")
    run("%config DeepSeekMagics.max_tokens = 9\n%config DeepSeekMagics.temperature = 1")
    run("%ds_reset\n%deepseek Hi")
    assert [run.server.requests[-1].json[name] for name in ("max_tokens", "temperature")] == [7, 0.25]
    run("%reload_ext ds_magic\n%deepseek Hi")
    assert run.server.requests[-1].json["max_tokens"] == 7


def test_a_variable_that_is_the_users_by_now_stays(run):
    run("%deepseek -o mine Hi\nkept = mine")
    run("mine = 5\n_ds = 'x'")
    assert "variable" not in run("%ds_reset")
    assert (run.names["mine"], run.names["_ds"], str(run.names["kept"])) == (5, "x", "Hello world")


def test_a_second_time_there_is_nothing_left(run):
    run("%deepseek Hi")
    run("%ds_reset")
    assert run("%ds_reset") == "There was nothing to set back.\n"
    run("%deepseek -o answer Hi")
    assert "answer" in run.names and "answer" in run("%ds_reset")


def test_files_stay(run, folder):
    run("%deepseek --journal run.jsonl -o answer Hi")
    run("%ds_share answer page.html\n%ds_reset")
    assert {"run.jsonl", "page.html"} <= {each.name for each in folder.iterdir()}


def test_what_was_answered_before_is_shared_no_more(run, folder):
    run("%deepseek Hi")
    run("%ds_reset")
    run.server.scripts = [said("again")]
    run("%deepseek Anew?")
    run("%ds_share page.html")
    assert "Anew?" in (folder / "page.html").read_text() and "Hello world" not in (folder / "page.html").read_text()


class Endless:
    """A script that begins an answer and never ends it."""

    def __init__(self):
        self.came = threading.Event()

    def __call__(self, connection):
        connection.send(head() + chunk(event(text_chunk("Half"))))
        self.came.set()
        connection.wait_until_closed()


def test_an_answer_in_the_background_is_stopped_and_bound_to_nothing(run):
    run.server.scripts = [endless := Endless()]
    run("handle = %deepseek --bg -o late --chat talk Hi")
    assert endless.came.wait(PATIENCE)
    run("late = 5")
    told = run("%ds_reset")
    assert "1 answer in the background stopped" in told and "1 conversation (talk)" in told
    assert run.names["handle"].done() and run.names["late"] == 5 and "_ds" not in run.names
    assert "Nothing has been asked" in run("%ds_usage") and "no conversations" in run("%ds_chats")


def test_a_playground_that_answers_is_stopped_and_closed(run, shell, monkeypatch):  # noqa: F811
    monkeypatch.setattr(InteractiveShell, "_instance", shell)
    run.server.scripts = [endless := Endless()]
    run("import ds_magic\np = ds_magic.playground('Hi')\np.run()")
    assert endless.came.wait(PATIENCE)
    assert "1 open view" in run("%ds_reset") and not run.names["p"].threads[0].is_alive()
    assert "_ds" not in run.names and "Nothing has been asked" in run("%ds_usage")


def test_an_explorer_that_is_open_is_closed(run, shell, completion):  # noqa: F811
    shell.user_ns["explorer"] = explorer = completion.explore()
    assert explorer.comm is not None
    assert "1 open view" in run("%ds_reset") and explorer.comm is None


def test_it_takes_nothing_and_is_known_to_completion_and_help(run, shell, capsys):  # noqa: F811
    assert not shell.run_cell("%ds_reset all").success
    assert "takes nothing" in capsys.readouterr().out
    assert "%ds_reset" in run("%ds_help sharing") and "%ds_share" in run("%ds_help")
    run("%deepseek -o answer Hi")
    found = shell.Completer.completions("%ds_share ", 10)
    with pytest.warns():
        assert {"--notebook", "--large", "answer"} <= {each.text for each in found}


def test_loading_again_begins_anew(run, shell):  # noqa: F811
    run("%deepseek Hi")
    before = DeepSeekMagics.of(shell)
    run("%reload_ext ds_magic")
    assert DeepSeekMagics.of(shell) is not before and list(DeepSeekMagics.of(shell).results) == []
