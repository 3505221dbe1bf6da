"""Cells that ask for several answers: samples, sweeps and rows."""

import pandas as pd
import pytest

from ds_magic import Answers
from tests.many.scripted_answers import asked_of, body, echo, entry
from tests.servers.scripted import ScriptedServer, answered


@pytest.fixture
def server(monkeypatch):
    with ScriptedServer(echo) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        yield server


@pytest.fixture
def several(shell, server):
    """Run a cell without streaming (which the script does not do), and give what is bound."""

    def run(cell, **names):
        shell.user_ns.update(names)
        line, _, body = cell.partition("\n")
        shell.run_cell(f"{line} --no-stream -o many\n{body}").raise_error()
        return shell.user_ns["many"]

    return run


@pytest.fixture
def refusal(shell, server, capsys):
    """What the panel says of a cell that is refused before anything is sent."""

    def refused(cell, **names):
        shell.user_ns.update(names)
        assert not shell.run_cell(cell).success and not server.requests
        return capsys.readouterr().out

    return refused


def test_times_asks_so_often_and_the_result_is_one_collection(shell, server, several):
    answers = several("%%deepseek --times 3 -t 1\nName a colour.")
    assert isinstance(answers, Answers) and answers.contents == ("Name a colour.",) * 3
    assert answers.factors == {"sample": (1, 2, 3)} and shell.user_ns["_ds"] is answers
    assert [request.json["temperature"] for request in server.requests] == [1, 1, 1]


def test_sweeps_are_a_product_of_values_that_stand_there_and_of_a_variables(server, several):
    styles = {"brief": "Be brief.", "exact": "Be exact."}
    answers = several("%%deepseek --sweep temperature=0,0.5 --sweep system=styles\nGo.", styles=styles)
    assert answers.factors == {"temperature": (0, 0.5), "system": ("brief", "exact")} and len(answers) == 4
    sent = {(each.json["temperature"], each.json["messages"][0]["content"]) for each in server.requests}
    assert sent == {(t, s) for t in (0, 0.5) for s in styles.values()}


@pytest.mark.parametrize(("line", "same"), [
    ("-t 0,0.5,1", "--sweep temperature=0,0.5,1"), ("-t0,1", "--sweep temperature=0,1"),
    ("--top-p '0.5, 1' --seed 1,2", "--sweep top_p=0.5,1 --sweep seed=1,2"),
])
def test_numbers_with_commas_between_them_are_a_sweep(several, line, same):
    answers, swept = several(f"%%deepseek {line}\nGo."), several(f"%%deepseek {same}\nGo.")
    assert [row.factors for row in answers] == [row.factors for row in swept] and len(answers) > 1


def test_words_with_commas_are_words_and_one_number_is_one_answer(shell, server):
    shell.run_cell("%%deepseek -t 0 -m a,b --no-stream -o one\nGo.").raise_error()
    (request,) = server.requests
    assert request.json["model"] == "a,b" and shell.user_ns["one"].content == "Go."


@pytest.mark.parametrize("rows", [
    ["France", "Chad"], pd.Series(["France", "Chad"]), pd.DataFrame({"country": ["France", "Chad"]}),
    [{"country": "France"}, {"country": "Chad"}],
])
def test_map_fills_the_cell_and_its_options_from_each_row(server, several, rows):
    cell = '%%deepseek --map rows -s "{{ country }}"\nCapital of {{ country }}{{ mark }}'
    answers = several(cell, rows=rows, mark="?")
    assert answers.contents == ("Capital of France?", "Capital of Chad?")
    assert answers.factors == {"country": ("France", "Chad")}
    assert {each.json["messages"][0]["content"] for each in server.requests} == {"France", "Chad"}


def test_a_row_without_a_value_fails_alone(shell, several):
    rows = [{"country": "France"}, {"country": None}, {"country": "Chad"}]
    answers = several("%%deepseek --map rows --sweep temperature=0,1\n{{ country }}", rows=rows)
    assert answers.contents == ("France", "France", "", "", "Chad", "Chad")
    assert {row.factors["country"] for row in answers.failed} == {None}
    shell.user_ns["country"] = "of another cell"
    rows = [{"country": name, "year": 1} for name in ("France", None)]
    assert several("%%deepseek --map rows\n{{ country }} {{ year }}", rows=rows).contents == ("France 1", "")


def test_rows_and_samples_together_keep_the_order_of_the_rows(server, several):
    answers = several("%%deepseek --map rows --times 2 --seed 5\n{{ word }}", rows=["a", "b"])
    assert [(row.content, row.factors["sample"]) for row in answers] == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    assert sorted(asked_of(server)) == ["a", "a", "b", "b"]
    assert sorted(each.json["seed"] for each in server.requests) == [5, 5, 6, 6]


def test_a_batch_in_a_journal_is_asked_once(server, several, tmp_path):
    cell = f"%%deepseek --map rows --journal {tmp_path}/run.jsonl --cache\n{{{{ word }}}}"
    first, again = several(cell, rows=["a", "b"]), several(cell, rows=["a", "b", "c"])
    assert again[:2].contents == first.contents and sorted(asked_of(server)) == ["a", "b", "c"]


def test_what_is_shown_is_the_collection(shell, server, capsys):
    shell.run_cell("%config DeepSeekMagics.view = 'text'")
    shell.run_cell("%%deepseek --times 3 --no-stream\nHello").raise_error()
    assert "Hello" in (shown := capsys.readouterr().out) and "× 3" in shown
    shell.run_cell("many = %deepseek --times 2 --quiet --no-stream Hello").raise_error()
    assert capsys.readouterr().out == "" and len(shell.user_ns["many"]) == 2


@pytest.mark.parametrize(("cell", "says"), [
    ("%%deepseek --sweep temprature=0\nx", "`temperature`"),
    ("%%deepseek --sweep temperature\nx", "does not say what to vary"),
    ("%%deepseek --sweep temperature=0,9\nx", "a number from 0 to 2, not `9`"),
    ("%%deepseek -t 0,9\nx", "`-t` takes a number from 0 to 2, not `9`"),
    ("%%deepseek -t 0, 1\nx", "`-t` takes a number from 0 to 2, not `0,`"),
    ("%%deepseek -t 0,1 --sweep temperature=0,1\nx", "given twice: `-t 0,1` and `--sweep temperature=0,1`"),
    ("%%deepseek -t 0.5 --sweep temperature=0,1\nx", "given twice: `-t 0.5` and `--sweep temperature=0,1`"),
    ("%%deepseek -t 0,1 --dry-run\nx", "Leave out either that, or `-t 0,1`"),
    ("%%deepseek --sweep system=none\nx", "`none` has no values"),
    ("%%deepseek --times 0\nx", "a whole number, 1 or more"),
    ("%%deepseek --times 2 --chat talk\nx", "for one answer"),
    ("%%deepseek --times 2 --bg\nx", "for one answer"),
    ("%%deepseek --draw\nx", "does not say how many"),
    ("%%deepseek --draw --times 9 --max-tokens 2\nx", "draws a single token"),
    ("%%deepseek --draw --times 9 --max-tokens 1,2\nx", "draws a single token"),
    ("%%deepseek --map nothing\n{{ x }}", "there is no variable `nothing`"),
    ("%%deepseek --sweep system=nine\nx", "`--sweep nine`: there is no variable `nine`."),
    ("%%deepseek --sweep system=word\nx", "`word` is one value, of type str"),
    ("%%deepseek --map words\nno place", "no place to fill"),
    ("%%deepseek --map words\nnot of a row: {{ word }} {{ words }}", "braces: `{{ value }}`"),
    ("%%deepseek --map words\n{{ a }} {{ b }}", "no variable"),
])
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(refusal, cell, says):
    assert says in " ".join(refusal(cell, words=["a", "b"], none=[], word="w").split())


def test_samples_of_one_token_are_told_of_the_one_request_that_would_do(shell, monkeypatch):
    with ScriptedServer(answered(body(entry("red", 0.6, blue=0.3)))) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        shell.run_cell("%%deepseek --times 6 --max-tokens 1 --no-stream -o many\nGo.").raise_error()
        (note,) = shell.user_ns["many"].notes
        assert "One request with `-l 20` has the distribution" in note and "in place of 6; `--draw`" in note
        shell.run_cell("%%deepseek -t 0,1 --times 6 --max-tokens 1 --no-stream -o many\nGo.").raise_error()
        assert "2 requests with `-l 20` have the distribution each" in " ".join(shell.user_ns["many"].notes)
        shell.run_cell("%%deepseek --times 6 --max-tokens 2 --no-stream -o many\nGo.").raise_error()
        assert shell.user_ns["many"].notes == ()


def test_draw_asks_once_for_each_arm_and_draws_the_samples_from_that(shell, monkeypatch):
    with ScriptedServer(answered(body(entry("red", 0.6, blue=0.4)))) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        cell = "%%deepseek --sweep system=a,b --times 300 --draw --seed 3 --no-stream -o many\nGo."
        shell.run_cell(cell).raise_error()
        answers = shell.user_ns["many"]
        assert [(each.json["max_tokens"], each.json["top_logprobs"]) for each in server.requests] == [(1, 20)] * 2
        shell.run_cell(cell).raise_error()
    assert len(answers) == 600 and answers.factors["system"] == ("a", "b") and shell.user_ns["many"].contents == (
        answers.contents
    )
    assert 150 < answers.where(system="a").counts()["red"].n < 210
    assert answers.notes == ("Drawn here, from the distribution of one request: no server was asked for it.",)


def test_a_row_that_failed_is_one_among_those_that_were_drawn(shell, monkeypatch):
    def script(connection):
        said = connection.request.json["messages"][-1]["content"]
        fails = answered({"error": {"message": "no"}}, status="400 Bad Request")
        (answered(body(entry("red", 0.6, crimson=0.4))) if said == "a" else fails)(connection)

    with ScriptedServer(script) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        shell.user_ns["rows"] = ["a", "b"]
        shell.run_cell("%%deepseek --map rows --times 5 --draw --no-stream -o many\n{{ word }}").raise_error()
    answers = shell.user_ns["many"]
    assert len(answers.where(word="a")) == 5 and len(answers.where(word="b").failed) == 1
