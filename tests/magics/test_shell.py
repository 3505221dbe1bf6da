"""The magics in a shell: results, errors, loading."""

import re
from collections.abc import Mapping
from textwrap import indent

import pytest

import ds_magic
from ds_magic import LogprobTable
from ds_magic.api.errors import InvalidRequestError
from ds_magic.views.panel import panel
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


@pytest.mark.parametrize("text", [
    "What does this print?\n>>> x = 1\n... x", ">>> 1\n1", "In [1]: 2\nOut[1]: 2", "   ...: a", 'x = """\n>>> "',
])
def test_a_session_in_a_prompt_is_text_of_it(text, ask):
    cell = f"%%deepseek -t 0\n{text}"
    assert [ask(each)["messages"][-1]["content"] for each in (cell, "\n" + indent(cell, "  "))] == [text, text]


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
    from ds_magic.views.panel import panel

    error = DeepSeekError("begins " + "word " * 10_000, remedy="begins too " + "word " * 10_000)
    shown = "\n".join(panel(error, 92))
    assert "begins word" in shown and "begins too" in shown and len(shown) < 4_000 and "…" in shown
    assert len(error.message) > 50_000


def test_a_panel_is_as_narrow_as_the_terminal(shell, capsys):
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


def names(transformers):
    return [[getattr(each, "__qualname__", each) for each in several] for several in transformers]


def test_reloading_registers_everything_once(shell):
    loaded = everything_registered(shell)
    shell.extension_manager.reload_extension("ds_magic")
    reloaded = everything_registered(shell)
    assert names(reloaded["transformers"]) == names(loaded["transformers"])
    assert len(reloaded["configurables"]) == len(loaded["configurables"])
    assert reloaded["magics"]["cell"].keys() == loaded["magics"]["cell"].keys()


def test_config_has_help_for_every_default(shell, capsys):
    shell.run_cell("%config DeepSeekMagics").raise_error()
    shown = capsys.readouterr().out
    traits = shell.magics_manager.registry["DeepSeekMagics"].traits(config=True)
    assert all(trait.help and f"DeepSeekMagics.{name}=" in shown for name, trait in traits.items())


@pytest.mark.parametrize(("cell", "meant"), [
    ("%%deepsek -t 0\nHi", "`%%deepseek`"), ("%deepseeek Hi", "`%deepseek`"), ("%ds_chat", "`%ds_chats`"),
    ("x = 1\nanswer = %deepsek Hi", "`%deepseek`"), ("if True:\n    %deepsek Hi", "`%deepseek`"),
])
def test_a_magic_that_is_misspelt_is_answered_with_the_one_that_was_meant(cell, meant, shell, capsys):
    assert isinstance(shell.run_cell(cell).error_before_exec, InvalidRequestError)
    assert f"Did you mean {meant}?" in capsys.readouterr().out


def test_a_magic_of_somebody_else_is_left_to_whoever_knows_it(shell, capsys):
    shell.register_magic_function(lambda line, cell: "mine", "cell", "deepsee")
    assert shell.run_cell("%%deepsee\nHi").result == "mine"
    shell.run_cell("%%somebody\n%deepsek")
    assert "`%%somebody` not found" in capsys.readouterr().err
    assert shell.check_complete("%%deepsek\nHi\n\n")[0] == "complete"


@pytest.mark.parametrize("cell", ["%%deepseek\u00a0-t 0\nHi", "%deepseek\u2003-t 0 Hi", "%%deepseek\u00a0-t 0 Hi"])
def test_a_blank_of_a_slide_ends_the_name_of_a_magic(cell, ask):
    sent = ask(cell)
    assert (sent["temperature"], sent["messages"][-1]["content"]) == (0, "Hi")


def test_an_answer_does_not_take_the_name_by_which_magics_run(ask, shell):
    assert isinstance(shell.run_cell("%%deepseek -o get_ipython\nHi").error_in_exec, InvalidRequestError)
    ask("%%deepseek -o answer\nHi")


def test_an_answer_that_takes_the_name_of_a_builtin_says_so(ask, shell):
    ask("%%deepseek -o print\nHi")
    assert any("`del print`" in note for note in shell.user_ns["_ds"].notes)
    ask("%%deepseek -o Out\nHi")
    assert any("IPython's own" in note for note in shell.user_ns["_ds"].notes)
    ask("%%deepseek -o answer\nHi")
    assert shell.user_ns["_ds"].notes == []


def test_dashes_and_quotes_of_a_slide_are_noted_under_the_answer(ask, shell):
    assert ask("%%deepseek —max-tokens 5 “Hi” —max-tokens 6")["max_tokens"] == 5
    assert ask("%%deepseek —max-tokens 5 “Hi” —max-tokens 6")["messages"][0]["content"] == "“Hi” —max-tokens 6"
    (note,) = shell.user_ns["_ds"].notes
    assert "`—max-tokens` as `--max-tokens`" in note
    shell.run_cell("dry = %deepseek --dry-run –t 0 Hi").raise_error()
    assert "`–t` as `-t`" in shell.user_ns["dry"].notes[0]


@pytest.mark.parametrize(("role", "field", "value"), [
    ("@user name=“ada”", "name", "ada"),
    ("@user name=‘ada’", "name", "ada"),
    ("@assistant reasoning=“Let’s see: ‘it’.” prefix", "reasoning_content", "Let’s see: ‘it’."),
    ("@assistant reasoning=‘Let’s see.’ prefix", "reasoning_content", "Let’s see."),
])
def test_quotes_of_a_slide_on_the_line_of_a_role_are_what_they_stand_for(role, field, value, ask, shell):
    sent = ask(f"%%deepseek\nSay x=“y”.\n{role}\n“Hi” =‘x’")["messages"]
    assert sent[-1][field] == value and sent[-1]["content"] == "“Hi” =‘x’" and sent[0]["content"] == "Say x=“y”."
    assert "plain" in shell.user_ns["_ds"].notes[0]


def test_quotes_on_a_line_that_only_looks_like_a_role_are_its_own(ask, shell):
    text = "@user says x=“y” today\n@user name=“ada” and more"
    assert ask(f"%%deepseek\n{text}")["messages"][0]["content"] == text
    assert shell.user_ns["_ds"].notes == []


def test_a_variable_in_braces_without_blanks_is_sent_as_it_stands_and_that_is_said(ask, shell):
    shell.user_ns["country"] = "Peru"
    sent = ask("%%deepseek -s \"In {{country }}.\"\nThe capital of {{country}}? {{other}} {{ country }} \\{{country}}")
    assert [each["content"] for each in sent["messages"]] == [
        "In {{country }}.", r"The capital of {{country}}? {{other}} Peru \{{country}}",
    ]
    (note,) = shell.user_ns["_ds"].notes
    assert note.count("`{{ country }}`") == 2 and "other" not in note


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


UNASKED = "answer = %deepseek --quiet Hi\n"


@pytest.mark.parametrize(("line", "says"), [
    ("answer.fork('zebra', rank=2)", "no logprobs"),
    ("answer.explore()", "no token probabilities"),
    ("answer.to_html('x.html')", "no token probabilities"),
    ("import ds_magic; ds_magic.chat('Hi', temperature=9)", "`temperature` is 9"),
])
def test_an_error_outside_of_the_magics_is_as_short_as_theirs(line, says, ask, shell, capsys):
    ask(UNASKED)
    name, shown = failed(shell, line, capsys)
    assert name == "InvalidRequestError" and says in shown and "→" in shown
    assert "Traceback" not in shown and len(shown.splitlines()) < 10
    shell.run_cell("%ds_why").raise_error()
    assert says in (shown := capsys.readouterr().out) and "Traceback" in shown


@pytest.mark.parametrize(("line", "says"), [
    ("ds_magic.compare(answer, answer)", "Both answers need"),
    ("table.plot('pie')", "surprisal, alternatives, ranks"),
    ("table.column('probability')", "There is no column 'probability'"),
    ("table.at_temperature(-1)", "0 or more"),
    ("table.classify(['a'])", "`-l`"),
    ("table.fields()['x']", "There is no value at 'x'"),
    ("float(table.perplexity)", "Only bounds"),
    ("ds_magic.entropy([])", "no answers"),
])
def test_what_a_table_cannot_give_is_said_as_shortly(line, says, ask, shell, capsys):
    ask(UNASKED)
    entries = [{"token": "a", "logprob": -9999.0, "top_logprobs": []}]
    shell.user_ns.update(ds_magic=ds_magic, table=LogprobTable.from_wire(entries))
    name, shown = failed(shell, line, capsys)
    assert name in ("NotGivenError", "NoSuchNameError") and says in shown and "→" in shown
    assert "mistake in ds_magic" not in shown and "Traceback" not in shown and len(shown.splitlines()) < 10
    shell.run_line_magic("ds_why", "")
    assert "Traceback" in (why := capsys.readouterr().out) and says.strip("`") in why


def test_without_the_extension_a_panel_names_no_magic_for_the_traceback(bare_shell, capsys):
    bare_shell.run_cell("import ds_magic; ds_magic.Client('http://127.0.0.1:9').chat('Hi', top_p=9)")
    shown = capsys.readouterr().out
    assert "`top_p` is 9" in shown and "%ds_why" not in shown and "Traceback" not in shown


@pytest.mark.parametrize("line", ["%%deepseek --no-local\nHi", "%ds_models --no-local"])
def test_without_the_local_model_and_without_a_key_it_is_said_what_is_missing(line, shell, capsys, monkeypatch):
    monkeypatch.delenv("DEEPSEEK_BASE_URL")
    name, shown = failed(shell, line, capsys)
    assert name == "AuthenticationError"
    assert all(each in shown for each in ("API key", "base URL", "%ds_login", "--base-url"))


def test_without_the_local_model_another_server_answers_as_ever(ask, shell):
    shell.run_cell("%config DeepSeekMagics.local = True").raise_error()
    ask("%%deepseek --no-local\nHi")
    assert shell.user_ns["_ds"].content == "Hello world"
