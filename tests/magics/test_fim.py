"""Cells with a gap: what is sent, what is refused, and the cell that asks the same again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_magic import ChatRequest, CompletionRequest
from ds_magic.api.errors import InvalidRequestError
from ds_magic.magics.cell_text import cell_of
from ds_magic.magics.completer import completions
from ds_magic.magics.deepseek import DeepSeekMagics
from ds_magic.magics.gap_in_cell import parts_of
from ds_magic.magics.line import parse
from ds_magic.magics.prompt import Filler
from ds_magic.magics.question import turn_of
from tests.servers.completions import filled, with_tokens
from tests.servers.scripted import ScriptedServer, said

FIB = "def fib(n):\n@gap\n\nprint(fib(10))"


@pytest.fixture
def fill(ask):
    """`ask`, of a server that fills gaps."""
    ask.server.scripts = [filled("    return", " n")]
    return ask


@pytest.fixture
def refusal(shell, fill):
    """Run a cell that is refused before anything is sent; what its panel says."""

    def run(cell):
        failed = shell.run_cell(cell).error_in_exec
        assert isinstance(failed, InvalidRequestError) and not fill.server.requests
        return f"{failed.message} {failed.remedy}"

    return run


def test_the_word_gap_is_what_is_missing_and_all_else_is_sent_as_it_stands(fill, shell):
    body = fill("%%deepseek --fim -o answer\n" + FIB)
    assert (body["prompt"], body["suffix"]) == ("def fib(n):\n", "\n\nprint(fib(10))")
    assert fill.server.requests[0].path == "/beta/completions" and "messages" not in body
    answer = shell.user_ns["answer"]
    assert answer.content == "    return n" and answer.text == FIB.replace("@gap", "    return n")
    assert shell.user_ns["_ds"] is answer


@pytest.mark.parametrize(("cell", "prompt", "suffix"), [
    ("\n\n\na\n\n@gap\n\n\nb\n", "\n\n\na\n\n", "\n\n\nb"),
    ("a\n@gap", "a\n", None),
    ("a\n@gap\n", "a\n", None),
    ("a\n@gap\n\n", "a\n", "\n"),
    ("@gap\nb", "", "\nb"),
    ("  a  \n@gap  \n  b  ", "  a  \n", "\n  b  "),
    ("a\r\n@gap\r\nb", "a\n", "\nb"),
    ("\\@gap\n\\\\@gap\n@gap\n\\@gap x", "@gap\n\\@gap\n", "\n\\@gap x"),
    ("@user\n\\@system\n@gap\n@tool call_id=1", "@user\n\\@system\n", "\n@tool call_id=1"),
])  # fmt: skip
def test_no_blank_and_no_line_is_swallowed(cell, prompt, suffix):
    assert parts_of(cell, None, Filler({})) == (prompt, suffix)


def test_a_suffix_on_the_line_stands_behind_the_cell(fill):
    body = fill('%%deepseek --suffix ")\\n"\n\nprint(\n    "a" + ')
    assert (body["prompt"], body["suffix"]) == ('\nprint(\n    "a" + ', ")\n")


def test_a_prompt_that_comes_back_is_shown_once(fill, shell):
    fill.server.scripts = [filled("Once", " upon")]
    fill("%%deepseek --suffix '' --extra '{\"echo\": true}' -o answer\nOnce")
    assert shell.user_ns["answer"].text == "Once upon"


def test_a_line_magic_fills_too(fill, shell):
    shell.run_cell('filled = %deepseek --suffix ")" print(').raise_error()
    body = fill.server.requests[0].json
    assert (body["prompt"], body["suffix"]) == ("print(", ")") and shell.user_ns["filled"].content == "    return n"


def test_an_empty_suffix_is_none(fill):
    assert "suffix" not in fill('%%deepseek --suffix ""\nOnce upon a')


def test_names_are_filled_in_and_make_no_gap(fill, shell):
    shell.user_ns.update(name="fib\n@gap", tail="@gap")
    body = fill("%%deepseek --fim\ndef {{ name }}\n@gap\n{{ tail }}")
    assert (body["prompt"], body["suffix"]) == ("def fib\n@gap\n", "\n@gap")
    assert fill("%%deepseek --suffix '{{ tail }}'\nx")["suffix"] == "@gap"


def test_options_of_the_answer_go_along(fill):
    body = fill("%%deepseek --fim -l 5 -t 0 --max-tokens 30 --stop END -m deepseek-v4 --extra '{\"x\": 1}'\na\n@gap")
    assert body == {
        "prompt": "a\n", "model": "deepseek-v4", "temperature": 0, "max_tokens": 30, "stop": "END", "logprobs": 5,
        "stream": True, "stream_options": {"include_usage": True}, "x": 1,
    }
    assert "logprobs" not in fill("%%deepseek --fim\na\n@gap")


def test_defaults_for_chats_alone_are_left_out(fill, shell):
    shell.run_cell("%config DeepSeekMagics.system = 'Be brief.'\n%config DeepSeekMagics.thinking = True")
    shell.run_cell("%config DeepSeekMagics.temperature = 0.5")
    body = fill("%%deepseek --fim --no-thinking\na\n@gap")
    assert sorted(body) == ["model", "prompt", "stream", "stream_options", "temperature"]


@pytest.mark.parametrize("option", [
    "-s Brief", "--chat lesson", "--restart", "--tools f", "--tool-choice auto", "--max-rounds 2", "--run-tools",
    "--schema int", "--json", "--repair 1", "--response-format text", "--thinking", "--reasoning-effort high",
    "--prefix x", "--guess", "--vote", "--playground", "--user-id me", "--strict",
])  # fmt: skip
def test_what_does_not_go_with_a_gap_is_named_with_a_reason(refusal, option):
    said = refusal(f"%%deepseek --fim {option}\na\n@gap")
    assert "does not go with a gap to fill: " in said and "Leave out either that, or `--fim`." in said


@pytest.mark.parametrize(("cell", "says"), [
    ("%%deepseek --fim\na\n@gap\nb\n@gap", "The cell has 2 lines `@gap`, and one gap is filled at a time."),
    ("%%deepseek --fim\na", "The cell has no gap. Write `@gap` alone on a line"),
    ("%%deepseek --fim\ndef f():\n    @gap", "`@gap` stands within a line, and there it is text."),
    ("%%deepseek --fim\n", "The cell has no gap."),
    ("%%deepseek --fim\n@gap", "There is nothing around the gap"),
    ("%%deepseek --suffix b\na\n@gap", "the cell has a line `@gap` as well"),
    ("%%deepseek --suffix ''\n", "There is nothing around the gap"),
    ("%%deepseek --fim --max-tokens 5000\na\n@gap", "`max_tokens` is 5000, and must be a whole number from 1 to 4096"),
    ("%%deepseek --fim\na sk-5d41402abc4b2a76b9719d911017c592\n@gap", "There is an API key in this cell"),
])  # fmt: skip
def test_a_cell_that_cannot_be_says_what_to_do(refusal, cell, says):
    assert says in refusal(cell)


def test_a_dry_run_shows_the_request_and_where_it_would_go(fill, shell, capsys):
    shell.user_ns["name"] = "fib"
    shell.run_cell("dry = %deepseek --dry-run --suffix ')' print({{ name }}").raise_error()
    dry = shell.user_ns["dry"]
    assert dry.json["prompt"] == "print(fib" and dry.json["suffix"] == ")" and not fill.server.requests
    assert "/beta/completions" in dry.curl and "messages" not in repr(dry)


def test_a_gap_is_filled_in_the_background(fill, shell):
    shell.run_cell("%%deepseek --bg --fim -o later\n" + FIB).raise_error()
    shell.run_cell("handle = %deepseek --bg --suffix ')' print(").raise_error()
    assert shell.user_ns["handle"].result(60).content == "    return n"


def test_a_gap_is_filled_several_times(fill, shell):
    shell.run_cell("%%deepseek --fim --times 3 -o fills\n" + FIB).raise_error()
    assert [each.content for each in shell.user_ns["fills"]] == ["    return n"] * 3
    assert all(request.json["suffix"] == "\n\nprint(fib(10))" for request in fill.server.requests)


def test_a_gap_is_filled_for_each_row(fill, shell):
    shell.user_ns["names"] = ["fib", "fac"]
    shell.run_cell("%%deepseek --fim --map names\ndef {{ name }}(n):\n@gap").raise_error()
    assert {each.json["prompt"] for each in fill.server.requests} == {"def fib(n):\n", "def fac(n):\n"}


def test_a_gap_is_explored(shell, monkeypatch, capsys):
    monkeypatch.setenv("DS_MAGIC_VIEW", "static")
    with ScriptedServer(with_tokens(("x", -1.0, {"x": -1.0, "y": -2.0}))) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        shell.run_cell("%%deepseek --fim --explore\na\n@gap\nb").raise_error()
    assert server.requests[0].json["logprobs"] == 20 and "Explorer" in capsys.readouterr().out


def test_a_line_gap_is_text_in_a_prompt_and_that_is_said(ask, shell):
    assert ask("%%deepseek\na\n@gap\nb")["messages"] == [{"role": "user", "content": "a\n@gap\nb"}]
    assert any("with `--fim` it is a gap" in note for note in shell.user_ns["_ds"].notes)
    ask("%%deepseek\na @gap b")
    assert not shell.user_ns["_ds"].notes


def test_the_text_behind_a_gap_is_varied(fill, shell):
    shell.user_ns["ends"] = [")", "]"]
    shell.run_cell("%%deepseek --sweep suffix=ends -o fills\nprint(").raise_error()
    assert {each.json["suffix"] for each in fill.server.requests} == {")", "]"} and len(shell.user_ns["fills"]) == 2


def test_a_conversation_goes_on_beside_it(shell, monkeypatch):
    with ScriptedServer(said("Hello"), filled("x")) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        shell.run_cell("%%deepseek --chat lesson\nHi").raise_error()
        shell.run_cell("%%deepseek --fim\na\n@gap").raise_error()
        shell.run_cell("lesson = %ds_chats lesson").raise_error()
    assert len(shell.user_ns["lesson"].turns) == 1


def read(cell):
    """The request of a cell, as IPython hands it on: with a line break at its end."""
    line, _, body = cell.partition("\n")
    body = body if body.endswith("\n") else body + "\n"
    magics, fill_ = DeepSeekMagics(), Filler({"x": "FILLED"})
    values = parse(line.removeprefix("%%deepseek")).values(fill_)
    return turn_of(magics, body, values, fill_, fill_.namespace, use=None).request


def sent(request):
    body = request.to_wire()
    return {name: value for name, value in body.items() if name not in ("stream", "stream_options", "model")}


TEXTS = st.text(st.sampled_from("a@gap\\\n \t{}x'\"é\U0001f600"), max_size=12) | st.lists(
    st.sampled_from(("@gap", "\\@gap", "\n", "a", " ", "{{ x }}", "\\{{ x }}", "@user")), max_size=6).map("".join)


@given(TEXTS, st.none() | TEXTS)
def test_a_request_as_a_cell_asks_the_same_again(prompt, suffix):
    request = CompletionRequest.of(prompt, suffix or None)
    if not (prompt or suffix):
        return
    cell = cell_of(request)
    assert sent(read(cell)) == sent(request), cell


def test_the_cell_of_an_answer_has_its_options(fill, shell):
    fill("%%deepseek --fim -l 5 -t 0 -o answer\n" + FIB)
    cell = shell.user_ns["answer"].as_cell()
    assert cell == "%%deepseek --fim --temperature 0 --top-logprobs 5\n" + FIB
    first, second = fill.server.requests[0].json, fill(cell)
    assert first == second


def test_where_no_line_can_be_the_gap_the_suffix_stands_on_the_line():
    assert cell_of(CompletionRequest.of("print(", ")\n")) == '%%deepseek --suffix ")\\n"\nprint('
    assert cell_of(CompletionRequest.of("a", None, logprobs=True)) == '%%deepseek --suffix "" --top-logprobs 0\na'


def test_a_suffix_that_no_line_can_hold_is_said():
    with pytest.raises(InvalidRequestError, match="No cell can say this suffix"):
        cell_of(CompletionRequest.of("a", "b\u2028c"))


def test_tab_completes_the_option_and_the_gap(shell):
    magics = DeepSeekMagics.of(shell)
    assert "--fim" in completions(magics, "%%deepseek --f", 0, "%%deepseek --f")[1]
    assert completions(magics, "%%deepseek --fim\n@", 1, "@") == ("@", ["@gap"])
    assert "@gap" not in completions(magics, "%%deepseek\n@", 1, "@")[1]


def test_help_says_how_a_gap_is_written(shell, capsys):
    shell.run_cell("%ds_help fim")
    assert "@gap" in capsys.readouterr().out


def test_the_extension_reads_the_cell_as_python_does():
    """`js/prompts/gap.js` has the same word and the same options."""
    from pathlib import Path

    import ds_magic

    script = (Path(ds_magic.__file__).parent / "labextension/js/prompts/gap.js").read_text()
    assert '["fim", "suffix"]' in script and "(@gap)[ \\t]*$" in script


def test_json_of_a_dry_run_is_what_is_sent(fill, shell):
    shell.run_cell("dry = %deepseek --dry-run --suffix ')' print(").raise_error()
    shell.run_cell("x = %deepseek --suffix ')' print(").raise_error()
    assert shell.user_ns["dry"].json == fill.server.requests[0].json
    assert json.loads(shell.user_ns["x"].request.encode())["suffix"] == ")"
    assert isinstance(shell.user_ns["x"].request, ChatRequest)
