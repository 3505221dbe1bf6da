"""The magics in a shell: results, errors, loading."""

import re
from collections.abc import Mapping

import pytest

from ds_magic.magics.panel import panel
from tests.servers.scripted import ScriptedServer, event, refused, streamed, text_chunk


def failed(shell, cell, capsys):
    """Run a cell that must fail; the class of its error, and what was printed."""
    capsys.readouterr()
    result = shell.run_cell(cell, store_history=True)
    assert result.error_in_exec is not None, "the cell did not fail"
    return type(result.error_in_exec).__name__, capsys.readouterr().out


def test_a_result_is_bound_to_its_name_and_to_ds(ask, shell):
    ask("%%deepseek -o answer\nHi")
    assert str(shell.user_ns["answer"]) == "Hello world"
    assert shell.user_ns["_ds"] is shell.user_ns["answer"]


def test_a_line_returns_its_result(ask, shell):
    ask("colour = %deepseek -t 0 Name a colour.")
    assert shell.user_ns["colour"].content == "Hello world"


def test_a_line_that_stands_alone_is_not_shown_twice(ask, capsys):
    ask("%deepseek Hi?")
    assert "Hello" not in capsys.readouterr().out


def test_quiet_shows_nothing_and_binds_as_ever(ask, shell, capsys):
    shell.run_cell("%config DeepSeekMagics.view = 'text'")
    ask("%%deepseek --quiet -o answer\nHi")
    assert capsys.readouterr().out == ""
    assert shell.user_ns["answer"].content == "Hello world"


def test_help_is_still_help(shell, capsys):
    for cell in ("%deepseek?", "%%deepseek?", "?%deepseek"):
        shell.run_cell(cell).raise_error()
        assert "--top-p" in capsys.readouterr().out


def test_text_in_strings_is_left_alone(shell):
    shell.run_cell('text = """\n%deepseek Is it a prime?\n"""').raise_error()
    assert shell.user_ns["text"] == "\n%deepseek Is it a prime?\n"


def test_an_error_is_a_panel_and_the_cell_fails(shell, capsys, monkeypatch):
    with ScriptedServer(refused(402, "Insufficient Balance")) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        name, shown = failed(shell, "%%deepseek\nHi", capsys)
    assert name == "InsufficientBalanceError"
    assert "Insufficient Balance" in shown and "--local" in shown and "Traceback" not in shown


def test_why_shows_the_traceback_of_the_last_error(shell, capsys):
    shell.run_cell("%ds_why").raise_error()
    assert "Nothing has failed yet" in capsys.readouterr().out
    failed(shell, "%%deepseek -t hot\nHi", capsys)
    shell.run_cell("%ds_why").raise_error()
    shown = capsys.readouterr().out
    assert "Traceback" in shown and "line.py" in shown and "IPython" not in shown


def test_an_empty_cell_says_what_to_do(shell, capsys):
    for cell in ("%%deepseek", "%%deepseek -t 0\n\n", "%deepseek", "%deepseek -t 0"):
        name, shown = failed(shell, cell, capsys)
        assert name == "InvalidRequestError" and "nothing to ask" in shown


def test_a_failed_call_leaves_the_earlier_result(ask, shell, capsys):
    ask("%%deepseek -o answer\nHi")
    ask.server.scripts = [refused(400, "no")]
    failed(shell, "%%deepseek -o answer\nHi", capsys)
    assert shell.user_ns["answer"].content == "Hello world"


def test_what_had_arrived_of_a_broken_answer_is_bound_and_marked(ask, shell, capsys):
    ask.server.scripts = [streamed(text_chunk("Half an"), done=False)]
    name, shown = failed(shell, "%%deepseek -o answer\nHi", capsys)
    assert name == "StreamInterruptedError" and "is kept" in shown
    assert shell.user_ns["answer"].content == "Half an"
    assert shell.user_ns["answer"].interrupted and shell.user_ns["_ds"] is shell.user_ns["answer"]


def test_an_error_inside_a_stream_keeps_what_had_arrived(ask, shell, capsys):
    ask.server.scripts = [streamed(text_chunk("Half an"), event({"error": {"message": "engine died"}}))]
    name, shown = failed(shell, "%%deepseek\nHi", capsys)
    assert name == "StreamInterruptedError" and "engine died" in shown
    assert shell.user_ns["_ds"].content == "Half an"


class Unforeseen(Mapping):
    """Breaks where nobody expects it."""

    def __iter__(self):
        return iter([1 / 0])

    __len__ = __getitem__ = __iter__


def test_an_error_that_nobody_foresaw_is_a_panel_too(shell, capsys):
    shell.user_ns["fields"] = Unforeseen()
    name, shown = failed(shell, "%%deepseek --extra fields\nHi", capsys)
    assert name == "ZeroDivisionError"
    assert "division by zero" in shown and "%ds_why" in shown and "Traceback" not in shown


def test_a_panel_shows_the_beginning_of_a_long_message():
    from ds_magic.api.errors import DeepSeekError
    from ds_magic.magics.panel import panel

    error = DeepSeekError("begins " + "word " * 10_000, remedy="begins too " + "word " * 10_000)
    shown = "\n".join(panel(error, 92))
    assert "begins word" in shown and "begins too" in shown and len(shown) < 4_000 and "…" in shown
    assert len(error.message) > 50_000


def test_a_panel_is_as_narrow_as_the_terminal(shell, capsys):
    from ds_magic.api.errors import InvalidRequestError

    lines = panel(InvalidRequestError("word " * 60), width=40)
    assert max(len(re.sub(r"\x1b\[\d+m", "", line)) for line in lines) <= 40


def test_what_a_server_says_cannot_steer_the_terminal(shell, capsys, monkeypatch):
    with ScriptedServer(refused(400, "a\x1b]0;title\x07b\u202ec\x9b31m")) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        _, shown = failed(shell, "%%deepseek\nHi", capsys)
    assert not any(character in shown for character in ("\x1b]", "\x07", "\u202e", "\x9b"))


def test_a_wrong_variable_of_the_environment_is_named(ask, shell, capsys, monkeypatch):
    monkeypatch.setenv("DS_MAGIC_TEMPERATURE", "hot")
    _, shown = failed(shell, "%deepseek Hi", capsys)
    assert "DS_MAGIC_TEMPERATURE" in shown


def everything_registered(shell):
    manager = shell.magics_manager
    return {
        "magics": {kind: dict(magics) for kind, magics in manager.magics.items()},
        "registry": dict(manager.registry),
        "configurables": list(shell.configurables),
        "transformers": [list(shell.input_transformers_cleanup), list(shell.input_transformers_post)],
        "matchers": list(shell.Completer.custom_matchers),
        "events": {name: list(callbacks) for name, callbacks in shell.events.callbacks.items()},
        "names": set(shell.user_ns),
    }


def test_unloading_leaves_nothing_behind(bare_shell):
    before = everything_registered(bare_shell)
    bare_shell.extension_manager.load_extension("ds_magic")
    assert everything_registered(bare_shell) != before
    bare_shell.extension_manager.unload_extension("ds_magic")
    assert everything_registered(bare_shell) == before


def test_unloading_gives_back_what_loading_displaced(bare_shell):
    bare_shell.register_magic_function(lambda line: "mine", "line", "ds_why")
    bare_shell.extension_manager.load_extension("ds_magic")
    bare_shell.extension_manager.unload_extension("ds_magic")
    assert bare_shell.run_line_magic("ds_why", "") == "mine"


def test_reloading_registers_everything_once(shell):
    loaded = everything_registered(shell)
    shell.extension_manager.reload_extension("ds_magic")
    reloaded = everything_registered(shell)
    assert reloaded["transformers"] == loaded["transformers"]
    assert len(reloaded["configurables"]) == len(loaded["configurables"])
    assert reloaded["magics"]["cell"].keys() == loaded["magics"]["cell"].keys()


def test_config_has_help_for_every_default(shell, capsys):
    shell.run_cell("%config DeepSeekMagics").raise_error()
    shown = capsys.readouterr().out
    traits = shell.magics_manager.registry["DeepSeekMagics"].traits(config=True)
    assert all(trait.help and f"DeepSeekMagics.{name}=" in shown for name, trait in traits.items())


@pytest.mark.parametrize("module", ["pydantic", "requests", "numpy", "pandas", "markdown_it"])
def test_loading_imports_nothing_heavy(module, tmp_path):
    import subprocess
    import sys

    program = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell()\n"
        f"before = {module!r} in sys.modules\n"
        "shell.run_cell('%load_ext ds_magic').raise_error()\n"
        f"print(before, {module!r} in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == ["False", "False"]


def test_a_configured_value_that_is_impossible_does_not_prevent_a_reload(shell, capsys):
    shell.run_cell("%config DeepSeekMagics.temperature = 5")
    shell.run_cell("%reload_ext ds_magic").raise_error()
    assert "temperature is left out" in capsys.readouterr().out
    assert shell.magics_manager.registry["DeepSeekMagics"].temperature is None


@pytest.mark.parametrize(("name", "value", "sent"), [
    ("top_p", 0.5, {"top_p": 0.5}),
    ("presence_penalty", 1.0, {"presence_penalty": 1.0}),
    ("frequency_penalty", -1.0, {"frequency_penalty": -1.0}),
    ("thinking", True, {"thinking": {"type": "enabled"}}),
    ("reasoning_effort", "low", {"reasoning_effort": "low"}),
    ("top_logprobs", 3, {"logprobs": True, "top_logprobs": 3}),
])
def test_a_default_comes_from_config_and_from_the_environment_and_an_option_wins(
    ask, shell, monkeypatch, name, value, sent
):
    monkeypatch.setenv(f"DS_MAGIC_{name.upper()}", str(value))
    assert sent.items() <= ask("%%deepseek\nHi").items()
    monkeypatch.delenv(f"DS_MAGIC_{name.upper()}")
    assert not set(sent) & set(ask("%%deepseek\nHi"))
    shell.run_cell(f"%config DeepSeekMagics.{name} = {value!r}").raise_error()
    assert sent.items() <= ask("%%deepseek\nHi").items()


def test_an_option_wins_over_the_configured_default(ask, shell):
    shell.run_cell("%config DeepSeekMagics.top_p = 0.5").raise_error()
    assert ask("%%deepseek --top-p 0.9\nHi")["top_p"] == 0.9


def test_a_cell_with_windows_line_ends_has_the_same_messages(ask):
    sent = ask("%%deepseek\r\n@system\r\nBe brief.\r\n@user\r\nHi\r\nthere\r\n")["messages"]
    assert sent == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi\nthere"}]


def test_a_key_in_an_object_that_an_option_names_is_refused(ask, shell, capsys):
    shell.user_ns["more"] = {"user": "sk-" + "5d41402abc4b2a76" * 2}
    name, shown = failed(shell, "%%deepseek --extra more\nHi", capsys)
    assert name == "InvalidRequestError" and "key" in shown and "5d41402abc" not in shown
    assert ask.server.requests == []


def test_a_comment_behind_login_is_no_key(bare_shell, capsys, monkeypatch):
    bare_shell.run_cell("%load_ext ds_magic").raise_error()
    bare_shell.run_cell("%ds_login --forget   # or another one").raise_error()
    assert "forgotten" in capsys.readouterr().out
