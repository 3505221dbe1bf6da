"""`--guess` and `--vote`: what is asked, what is shown of the answer, and what does not go with them."""

import pytest

from tests.servers.scripted import streamed, text_chunk
from tests.teaching.making import ENTRIES

PIECES = [text_chunk(bytes(one["bytes"]).decode(), logprobs={"content": [one]}) for one in ENTRIES]
CELL = "%%deepseek {} -o answer\nWhat is the capital of Australia?"


@pytest.fixture
def guessed(ask):
    """Asks a server that speaks the answer with its probabilities."""
    ask.server.scripts = [streamed(*PIECES, text_chunk("", finish="stop"))]
    return ask


@pytest.mark.parametrize("option", ["--guess", "--vote", "--guess --vote"])
def test_it_asks_for_twenty_alternatives_unless_the_line_says_how_many(guessed, option):
    sent = guessed(CELL.format(option))
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 20)
    assert guessed(CELL.format(f"-l 5 {option}"))["top_logprobs"] == 5


@pytest.mark.parametrize("option", ["--guess", "--vote"])
def test_nothing_of_the_answer_is_printed_but_the_variable_has_it(guessed, shell, capsys, option):
    shell.run_cell("%config DeepSeekMagics.view = 'text'")
    guessed(CELL.format(option))
    shown = capsys.readouterr().out
    assert shown.count("3 words to guess") == 1 and "____" in shown
    assert "Canberra" not in shown and "Brisbane" not in shown
    assert shell.user_ns["answer"].content == " Canberra, not Brisbane."


def test_an_object_that_is_guessed_is_not_shown_as_it_comes(guessed, shell, capsys):
    pieces = [text_chunk('{"city": "Canberra"}')]
    guessed.server.scripts = [streamed(*pieces, text_chunk("", finish="stop"))]
    shell.run_cell("%config DeepSeekMagics.view = 'text'")
    guessed(CELL.format("--json --guess"))
    assert capsys.readouterr().out.count("Canberra") == 1  # it came without probabilities: as it is, at the end


def test_an_answer_without_probabilities_is_shown_as_it_is_and_why(ask, shell, capsys):
    shell.run_cell("%config DeepSeekMagics.view = 'text'")
    ask(CELL.format("--guess"))
    shown = capsys.readouterr().out
    assert shown.count("Hello world") == 1 and "probabilities" in shown


def test_a_line_does_not_give_the_answer_away(guessed, shell, capsys):
    shell.run_cell("%config DeepSeekMagics.view = 'text'")
    guessed("%deepseek --guess What is the capital of Australia?")
    assert "Canberra" not in capsys.readouterr().out and shell.user_ns["_ds"].content.startswith(" Canberra")


def test_quiet_shows_nothing(guessed, shell, capsys):
    shell.run_cell("%config DeepSeekMagics.view = 'text'")
    guessed(CELL.format("--guess --quiet"))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("options", "says"), [
    ("--guess --bg", "handle.result().guess()"),
    ("--vote --bg", "handle.result().guess(vote=True)"),
    ("--explore --bg", "handle.result().explore()"),
    ("--guess --explore", "answer.explore()"),
    ("--vote --explore", "answer.explore()"),
    ("--guess --times 2", "for one answer"),
    ("--vote --sweep temperature=0,1", "for one answer"),
])
def test_what_does_not_go_together_is_refused_before_anything_is_sent(guessed, shell, capsys, options, says):
    sent = len(guessed.server.requests)
    assert shell.run_cell(CELL.format(options)).error_in_exec is not None
    assert says in " ".join(capsys.readouterr().out.replace("▌", "").split())
    assert len(guessed.server.requests) == sent
