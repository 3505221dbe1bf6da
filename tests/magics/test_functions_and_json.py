"""`--tools`, `--schema`, `--json` and what stands around them, in a shell."""

import json

import pytest

from tests.servers.scripted import answered, completion, said, streamed, text_chunk
from tests.servers.scripted import refused as refusing

ADD = '''
def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b
'''
INVOICE = '''
from pydantic import BaseModel
class Invoice(BaseModel):
    number: int
'''


def calling(name="add", arguments='{"a": 1, "b": 2}', then="tool_calls"):
    piece = {"index": 0, "id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
    chunk = {"choices": [{"index": 0, "delta": {"tool_calls": [piece]}, "finish_reason": None}]}
    return streamed(chunk, text_chunk("", finish=then))


@pytest.fixture
def refused(ask, shell, capsys):
    """Run a cell that must fail; its panel."""

    def run(cell):
        capsys.readouterr()
        assert shell.run_cell(cell).error_in_exec is not None, "the cell did not fail"
        return capsys.readouterr().out

    return run


def test_functions_are_called_and_the_result_has_every_round(ask, shell, capsys):
    shell.run_cell(ADD)
    ask.server.scripts = [calling(), said("It is 3.")]
    shell.run_cell("%config DeepSeekMagics.view = 'text'")
    ask("%%deepseek --tools add -o answer\nWhat is 1 + 2?")
    shown = capsys.readouterr().out
    assert 'add({"a": 1, "b": 2})\n  → 3' in shown and "It is 3." in shown
    assert shell.user_ns["answer"].content == "It is 3."
    assert [len(each.calls) for each in shell.user_ns["answer"].rounds] == [1, 0]
    assert "add(" in repr(shell.display_formatter.format(shell.user_ns["answer"])[0])


def test_an_exception_of_a_function_is_on_the_screen_and_goes_to_the_model(ask, shell, capsys):
    shell.run_cell("def broken():\n    raise OSError('no \\x1b[31m thermometer')")
    ask.server.scripts = [calling("broken", "{}"), said("Sorry.")]
    shell.run_cell("%config DeepSeekMagics.view = 'text'")
    sent = ask("%%deepseek --tools broken\nHow warm is it?")
    shown = capsys.readouterr().out
    assert "✗ OSError: no" in shown and "\x1b" not in shown
    assert sent["messages"][-1]["content"].startswith("Error: OSError")


def test_tools_may_be_stopped_before_the_first_call_and_limited(ask, shell, refused):
    shell.run_cell(ADD)
    ask.server.scripts = [calling()]
    ask("%%deepseek --tools add --no-run-tools -o answer\nGo.")
    assert len(ask.server.requests) == 1
    assert shell.user_ns["answer"].tool_calls[0].function.name == "add"
    assert "after 2 rounds" in refused("%%deepseek --tools add --max-rounds 2 -o answer\nGo.")
    assert len(shell.user_ns["answer"].rounds) == 2


def test_the_choice_of_a_tool_goes_out(ask, shell):
    shell.run_cell(ADD)
    ask.server.scripts = [calling(), said("3")]
    ask("%%deepseek --tools add --tool-choice add\nGo.")
    assert ask.server.requests[0].json["tool_choice"]["function"]["name"] == "add"


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("%%deepseek --tools ad\nGo.", "Did you mean `add`?"),
        ("%%deepseek --tools number\nGo.", "not a function"),
        ("%%deepseek --tools add,add\nGo.", "two tools"),
        ("%%deepseek --schema Invoce\nGo.", "Did you mean `Invoice`?"),
        ("%%deepseek --schema number\nGo.", "no type"),
        ("%%deepseek --schema Invoice()\nGo.", "more than the name of a type"),
        ("%%deepseek --repair 2\nGo.", "--schema"),
        ("%%deepseek --extra number\nGo.", "must be a dictionary"),
    ],
)
def test_names_that_do_not_fit_are_refused_before_anything_is_sent(cell, says, ask, shell, refused):
    shell.run_cell(ADD + INVOICE + "\nnumber = 3")
    assert says in refused(cell)
    assert ask.server.requests == []


def test_an_answer_becomes_an_object(ask, shell):
    shell.run_cell(INVOICE)
    ask.server.scripts = [said('{"number"', ": 7}")]
    sent = ask("%%deepseek --schema Invoice -o answer\nInvoice 7, please.")
    assert shell.user_ns["answer"].parsed == shell.user_ns["Invoice"](number=7)
    assert sent["response_format"]["json_schema"]["schema"]["required"] == ["number"]
    assert sent["messages"][0]["role"] == "system" and '"number"' in sent["messages"][0]["content"]


def test_deepseek_is_asked_in_json_mode_and_told_of_the_schema(shell, monkeypatch):
    monkeypatch.delenv("DEEPSEEK_BASE_URL")
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-0f1e2d3c4b5a69788796a5b4c3d2e1f0")
    shell.run_cell(INVOICE)
    shell.run_cell("dry = %deepseek --dry-run --schema Invoice Go.").raise_error()
    assert shell.user_ns["dry"].json["response_format"] == {"type": "json_object"}
    assert '"number"' in shell.user_ns["dry"].json["messages"][0]["content"]


def test_an_annotation_names_a_type_too(ask, shell):
    ask.server.scripts = [said('{"value": [1, 2]}')]
    ask("%%deepseek --schema list[int]\nCount.")
    assert shell.user_ns["_ds"].parsed == [1, 2]


def test_an_answer_that_does_not_fit_is_an_error_that_keeps_it(ask, shell, refused):
    shell.run_cell(INVOICE)
    ask.server.scripts = [said('{"number": "seven"}')]
    shown = refused("%%deepseek --schema Invoice -o answer\nGo.")
    assert "UnfitAnswerError" in shown and "number: " in shown and '{"number": "seven"}' in shown
    assert shell.user_ns["answer"].content == '{"number": "seven"}'


def test_a_blank_answer_and_one_that_was_cut_off_are_errors(ask, refused):
    ask.server.scripts = [said("  \n ", finish="length")]
    assert "blank" in refused("%%deepseek --json\nGo.")
    ask.server.scripts = [said('{"a": [1, 2', finish="length")]
    assert "--max-tokens" in refused("%%deepseek --json\nGo.")


def test_a_repair_asks_again_with_the_reason(ask, shell):
    shell.run_cell(INVOICE)
    ask.server.scripts = [said('{"number": "x"}'), said("{}"), said('{"number": 7}')]
    sent = ask("%%deepseek --schema Invoice --repair 2 -o answer\nGo.")
    assert shell.user_ns["answer"].parsed.number == 7
    assert len(ask.server.requests) == 3
    assert "number: Field required" in sent["messages"][-1]["content"]


def test_repairs_are_limited(ask, refused):
    ask.server.scripts = [said("no")]
    refused("%%deepseek --json --repair 1\nGo.")
    assert len(ask.server.requests) == 2


def test_a_json_answer_of_a_chat_is_a_turn(ask, shell):
    ask.server.scripts = [said('{"a": 1}'), said("fine")]
    ask("%%deepseek --json --chat lesson\nGo.")
    sent = ask("%%deepseek --chat lesson\nOn.")
    assert [message["content"] for message in sent["messages"]] == ["Go.", '{"a": 1}', "On."]


def test_a_dry_run_marks_what_was_filled_in_and_gives_a_curl_line(ask, shell):
    import shlex

    shell.run_cell("who = \"Ada's\"")
    shell.run_cell('dry = %deepseek --dry-run -s "Be {{ who }}." Hi, {{ who }} $HOME').raise_error()
    dry = shell.user_ns["dry"]
    assert dry.json["messages"] == [
        {"role": "system", "content": "Be Ada's."},
        {"role": "user", "content": "Hi, Ada's $HOME"},
    ]
    assert dry._repr_html_().count("<mark") == 2 and "Ada's</mark>" in dry._repr_html_()
    words = shlex.split(dry.curl.replace("\\\n", ""))
    assert json.loads(words[-1]) == dry.json
    assert "Authorization: Bearer $DEEPSEEK_API_KEY" in words
    assert words[2] == f"{ask.server.url}/chat/completions"
    assert ask.server.requests == []


def test_a_dry_run_is_what_is_sent_and_what_the_answer_keeps(ask, shell):
    ask.server.scripts = [said('{"a": 1}')]
    shell.run_cell("dry = %deepseek --dry-run --json --prefix {{ '{' }} Hi".replace("{{ '{' }}", "{")).raise_error()
    ask.server.scripts = [said('"a": 1}')]
    sent = ask("answer = %deepseek --json --prefix { Hi")
    assert shell.user_ns["dry"].json == sent == shell.user_ns["answer"].request.to_wire()
    assert shell.user_ns["dry"].url.endswith("/beta/chat/completions")
    assert shell.user_ns["answer"].raw["choices"][0]["message"]["content"] == '"a": 1}'
    assert shell.user_ns["answer"].parsed == {"a": 1}


def test_a_dry_run_never_shows_the_key(ask, shell, capsys, monkeypatch):
    key = "sk-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    monkeypatch.setenv("DEEPSEEK_API_KEY", key)
    shell.run_cell("%deepseek --dry-run Hi").raise_error()
    assert key not in capsys.readouterr().out


def test_what_a_server_leaves_out_is_said(ask, shell, capsys):
    ask.server.scripts = [answered(completion("Hi", usage=None))]
    ask("%%deepseek -l --thinking --no-stream -o answer\nHi")
    notes = " ".join(shell.user_ns["answer"].notes)
    ask.server.scripts = [said("Hi")]
    shell.run_cell("%config DeepSeekMagics.view = 'text'")
    ask("%%deepseek -l\nHi")
    assert "Note: This server gave no token probabilities." in capsys.readouterr().out
    assert "no token probabilities" in notes and "no reasoning" in notes and "how many tokens" in notes


@pytest.mark.parametrize(("line", "says"), [
    ("-m deepseek-reasoner", "no reasoning"),
    ("--reasoning-effort high", "no reasoning"),
    ("--tools add --tool-choice required", "made no call"),
    ("--tools add --tool-choice add", "made no call"),
])
def test_what_a_model_or_a_choice_promises_and_the_server_leaves_out_is_said(line, says, ask, shell):
    shell.run_cell(ADD)
    ask(f"%%deepseek {line}\nHi")
    assert any(says in note for note in shell.user_ns["_ds"].notes)


def test_nothing_is_said_to_be_left_out_that_nobody_was_promised(ask, shell):
    shell.run_cell(ADD)
    for line in ("--tools add --tool-choice auto", "--tools add", "-m deepseek-chat", "--reasoning-effort none"):
        ask(f"%%deepseek {line}\nHi")
        assert shell.user_ns["_ds"].notes == [], line
    ask.server.scripts = [*[said("Hi")] * 4, calling(), said("3")]
    ask("%%deepseek --tools add --tool-choice required\nHi")
    assert shell.user_ns["_ds"].rounds
    assert not [note for each in shell.user_ns["_ds"].rounds for note in each.completion.notes if "no call" in note]


def test_what_thinking_ignores_is_said_under_every_answer_that_thought(ask, shell):
    named = {"model": "deepseek-reasoner"}
    ask.server.scripts = [streamed(text_chunk(reasoning="Hm.", **named), text_chunk("Hi", finish="stop", **named))]
    ask("%%deepseek -t 0 -o first\nHi")
    ask("%%deepseek -t 0 -o second\nHi")
    said_of_temperature = [
        [note for note in shell.user_ns[name].notes if "temperature" in note] for name in ("first", "second")
    ]
    assert [len(notes) for notes in said_of_temperature] == [1, 1]


def test_usage_is_summed_by_model_with_cost_only_from_prices_that_are_set(ask, shell):
    usage = {
        "prompt_tokens": 1000,
        "prompt_cache_hit_tokens": 500,
        "completion_tokens": 100,
        "completion_tokens_details": {"reasoning_tokens": 25},
    }
    ask.server.scripts = [said("Hi", usage=usage)]
    ask("%deepseek Hi")
    ask("%deepseek Hi")
    shell.run_cell("before = %ds_usage").raise_error()
    assert "unknown" in repr(shell.user_ns["before"])
    prices = {"scripted": {"input": 2.0, "cached": 1.0, "output": 10.0}}
    shell.run_cell(f"%config DeepSeekMagics.prices = {prices}\nafter = %ds_usage").raise_error()
    (row,) = shell.user_ns["after"].rows
    assert (row["answers"], row["prompt_tokens"], row["completion_tokens"]) == (2, 2000, 200)
    assert (row["cached_share"], row["reasoning_share"]) == (0.5, 0.25)
    assert row["cost"] == pytest.approx((1000 * 2 + 1000 * 1 + 200 * 10) / 1e6)
    shell.run_cell("%ds_usage --reset\nempty = %ds_usage").raise_error()
    assert shell.user_ns["empty"].rows == []


def spent(shell):
    """How many answers and how many tokens of prompts `%ds_usage` has counted, and anew from now on."""
    shell.run_cell("sums = %ds_usage\n%ds_usage --reset").raise_error()
    rows = shell.user_ns["sums"].rows
    return sum(row["answers"] for row in rows), sum(row["prompt_tokens"] for row in rows)


def test_usage_counts_whatever_asked(ask, shell):
    usage = {"prompt_tokens": 10, "completion_tokens": 1}
    ask.server.scripts = [said("Hi", usage=usage)]
    whole = answered(completion("Hi", usage=usage))
    for cell, answers in {
        "handle = %deepseek --bg Hi\nhandle.result(30)": 1,
        "import ds_magic\nanswer = ds_magic.chat('Hi', stream=True)": 1,
        "ds_magic.ask('Hi', stream=True)": 1,
        "with ds_magic.stream('Hi', stream_options={'include_usage': True}) as stream: list(stream)": 1,
        "answer.fork('Hi', 'Ho')": 1,
    }.items():
        shell.run_cell(cell).raise_error()
        assert spent(shell) == (answers, 10 * answers), cell
    ask.server.scripts = [whole]
    shell.run_cell(f"ds_magic.Client({ask.server.url!r}, 'k').chat('Hi')").raise_error()
    assert spent(shell) == (1, 10)


def test_usage_counts_an_answer_that_broke_off_and_the_one_that_was_asked_for_again(ask, shell):
    usage = {"prompt_tokens": 10, "completion_tokens": 1}
    ask.server.scripts = [streamed(text_chunk("Half", usage=usage), done=False)]
    assert shell.run_cell("%deepseek Hi").error_in_exec is not None
    assert spent(shell) == (1, 10)
    ask.server.scripts = [*ask.server.scripts, said("no", usage=usage), said("{}", usage=usage)]
    ask("%%deepseek --json --repair 1\nHi in json")
    assert spent(shell) == (2, 20)


def test_usage_counts_nothing_for_a_refusal(ask, shell):
    ask.server.scripts = [refusing(400, "no")]
    assert shell.run_cell("%deepseek Hi").error_in_exec is not None
    assert spent(shell) == (0, 0)


@pytest.mark.parametrize("usage", [
    {"prompt_tokens": "many"}, {"\ud800": 1, "prompt_tokens": 1}, [], "some", {"prompt_tokens": 1e400}, 7,
    {"prompt_tokens": 10**400, "completion_tokens": 1}, {"prompt_tokens": 1, "completion_tokens": -1},
])
def test_odd_figures_are_none_and_break_nothing(usage, ask, shell):
    ask.server.scripts = [said("Hi", usage=usage)]
    ask("%deepseek Hi")
    shell.run_cell("%config DeepSeekMagics.prices = {'scripted': {'input': 1, 'output': 1}}\nsums = %ds_usage")
    (row,) = shell.user_ns["sums"].rows
    assert shell.user_ns["_ds"].content == "Hi" and row["answers"] == 1 and row["completion_tokens"] >= 0
    assert all(len(line) < 100 for line in repr(shell.user_ns["sums"]).split("\n"))


def test_a_stream_that_was_left_early_is_counted_once(ask, shell):
    shell.run_cell(
        "import ds_magic\nwith ds_magic.stream('Hi') as stream:\n    next(stream), next(stream)\nstream.close()"
    ).raise_error()
    assert spent(shell) == (1, 0)


def test_usage_counts_every_round_and_those_without_figures(ask, shell):
    shell.run_cell(ADD)
    ask.server.scripts = [calling(), said("It is 3.")]
    ask("%%deepseek --tools add\nGo.")
    shell.run_cell("sums = %ds_usage").raise_error()
    assert sum(row["answers"] for row in shell.user_ns["sums"].rows) == 2
    assert "1 answer without figures" in repr(shell.user_ns["sums"])
