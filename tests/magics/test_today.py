"""Cells and Python with a key against `ds-magic serve --today`: a real model behind today's contract."""

import json

import pytest

import ds_magic
from ds_magic import backend

ADD = '''
def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b
'''
POINT = "import dataclasses\n@dataclasses.dataclass\nclass Point:\n    x: int"


@pytest.fixture
def run(shell, monkeypatch, todays_server):
    """Runs a cell and gives its result, once the magics are told of the server and its key."""
    monkeypatch.setenv("DEEPSEEK_BASE_URL", todays_server.base_url)
    monkeypatch.setenv("DEEPSEEK_API_KEY", todays_server.api_key)

    def run(cell):
        shell.run_cell(cell, store_history=True).raise_error()
        return shell.user_ns.get("_ds")

    yield run
    backend.logout()


@pytest.mark.parametrize("line", ["", "--no-stream", "-l 2", "--no-thinking"])
def test_a_cell_is_answered_by_the_first_model_and_it_thinks_unless_told_not_to(line, run):
    # By chance a thought may be empty: what is drawn here is settled by a seed.
    answer = run(f"%%deepseek {line} --seed 1 --max-tokens 24\nName a colour.")
    assert answer.model == "deepseek-flash"
    assert bool(answer.reasoning_content) == ("--no-thinking" not in line)
    if "-l" in line:
        assert len(answer.logprobs) and len(answer.reasoning_logprobs)


@pytest.mark.parametrize(("line", "passed_over"), [
    ("-t 0", ["temperature"]), ("-t 0 --no-thinking", []), ("--top-p 0.5", ["top_p"]), ("--top-p 0.97", []),
    ("--top-p 0.5 --no-thinking", ["top_p"]),
    ("--presence-penalty 1 --frequency-penalty 1", ["frequency_penalty, presence_penalty"]),
    ("-t 0.7 --presence-penalty 1 --no-thinking", ["presence_penalty"]),
])
def test_every_option_that_is_passed_over_is_named_under_the_answer_and_none_that_counts(line, passed_over, run):
    answer = run(f"%%deepseek {line} --max-tokens 4\nName a colour.")
    assert [note.partition(":")[0] for note in answer.notes] == passed_over


def test_strict_functions(run):
    run(ADD)
    answer = run("%%deepseek --tools add --strict --tool-choice add --max-tokens 40\nWhat is 1 plus 2?")
    assert set(json.loads(answer.rounds[0].calls[0].arguments)) == {"a", "b"}


def test_the_retired_names_keep_their_meaning(run):
    thought = run("%%deepseek -m deepseek-reasoner --seed 1 --max-tokens 16\nHi")
    direct = run("%%deepseek -m deepseek-chat --max-tokens 4\nHi")
    assert thought.reasoning_content and not direct.reasoning_content
    assert thought.model == direct.model == "deepseek-flash" and "thinking on" in " ".join(thought.notes)


def test_a_tool_loop_of_three_rounds_in_a_conversation_of_three_turns_goes_through(run):
    run(ADD)
    for turn in range(3):
        options = "--chat sums --tools add --tool-choice add --seed 1 --max-tokens 40"
        answer = run(f"%%deepseek {options}\nWhat is {turn} plus 1?")
        assert answer.rounds[0].calls and "switched off" in " ".join(answer.rounds[0].completion.notes)
    options = "--chat sums --tools add --max-rounds 1 --no-run-tools --seed 1 --max-tokens 24"
    answer = run(f"%%deepseek {options}\nAnd 4 plus 1?")
    assert answer.reasoning_content, "with tools it thinks, and what it thought before was sent back"


def test_an_object_a_prefix_a_branch_and_the_background(run, shell):
    run(POINT)
    assert isinstance(run("%%deepseek --schema Point --no-thinking --repair 3 --max-tokens 60\nx is 3").parsed.x, int)
    answer = run('%%deepseek --prefix "The capital of Australia is" -l 5 -t 0 --no-thinking --max-tokens 3\nCapital?')
    branch = answer.fork(0, rank=2, max_tokens=3)
    assert branch.parent is answer and branch.model == "deepseek-flash"
    run("handle = %deepseek --bg --max-tokens 8 Hi")
    assert shell.user_ns["handle"].result(120).model == "deepseek-flash"


def test_in_python(run):
    assert ds_magic.chat("Hi", max_tokens=8).reasoning_content
    assert ds_magic.ask("Hi", max_tokens=4, thinking={"type": "disabled"}).reasoning_content is None
