"""One question many times, over factors, and filled from rows."""

import dataclasses
import io

import numpy as np
import pandas as pd
import pytest

import ds_magic
from ds_magic import Answers, Chat, InvalidRequestError
from ds_magic.many.drawn import one_token_note
from ds_magic.many.factors import arms_of
from ds_magic.many.progress import Progress, ProgressLine, listening
from ds_magic.many.row import Row
from tests.many.scripted_answers import answer, asked_of, body, echo, entry
from tests.servers.scripted import ScriptedServer, answered, completion


@pytest.fixture
def server():
    with ScriptedServer(echo) as server:
        yield server


@pytest.fixture
def client(server, connect):
    return connect(server)


def sent(server, *names):
    return [tuple(each.json.get(name) for name in names) for each in server.requests]


class Told:
    def __init__(self):
        self.totals, self.allowed, self.first = [], [], None

    def progress(self, progress):
        self.first = self.first or progress
        self.totals.append(progress.total)
        self.allowed.append(progress.allowed)

    def close(self):
        """Nothing."""


def test_a_sample_is_the_same_question_again(server, client):
    answers = ds_magic.sample("Name a colour.", 5, temperature=1, client=client, stream=False)
    assert answers.contents == ("Name a colour.",) * 5 and answers.factors == {"sample": (1, 2, 3, 4, 5)}
    assert sent(server, "temperature", "seed") == [(1, None)] * 5


def test_each_sample_has_a_seed_of_its_own(server, client):
    ds_magic.sample("Go.", 3, seed=7, client=client, stream=False)
    assert sorted(sent(server, "seed")) == [(7,), (8,), (9,)]


def test_a_sweep_is_the_product_of_all_values_counted_before_it_starts(server, client):
    told = Told()
    answers = ds_magic.sweep(
        "Go.", temperature=[0, 0.5, 1], model=["a", "b"], times=2, top_p=0.9, client=client, listener=told, stream=False
    )
    assert set(told.totals) == {len(answers)} == {12}
    assert answers.factors == {"temperature": (0, 0.5, 1), "model": ("a", "b"), "sample": (1, 2)}
    assert sorted(sent(server, "temperature", "model", "top_p")) == sorted(
        (t, m, 0.9) for t in (0, 0.5, 1) for m in "ab" for _ in range(2))
    assert [row.factors["sample"] for row in answers] == [1] * 6 + [2] * 6


def test_a_dict_of_values_calls_them_by_name(server, client):
    answers = ds_magic.sweep("Go.", system={"short": "Be brief.", "none": None}, client=client, stream=False)
    assert answers.factors == {"system": ("short", "none")}
    assert sorted(len(each.json["messages"]) for each in server.requests) == [1, 2]


@pytest.mark.parametrize("values", [(0, 1), range(2), {0, 1}, np.array([0, 1]), pd.Series([0, 1])])
def test_several_values_may_be_anything_that_holds_some(values):
    assert sorted(arm.factors["seed"] for arm in arms_of({"seed": values})) == [0, 1]


def test_what_is_a_list_or_an_object_itself_is_no_sweep():
    one = {"stop": ["\n", "."], "tools": [print], "extra": {"a": 1}, "response_format": {"type": "text"}, "seed": 1}
    assert [arm.factors for arm in arms_of(one)] == [{}]
    several = arms_of({"stop": [["\n"], ["."]], "tools": [[], [print]], "extra": [{"a": 1}, {"a": 2}]})
    assert len(several) == 8 and [arm.factors["tools"] for arm in several[:4:2]] == ["none", "print"]


def test_a_field_without_any_value_is_refused():
    with pytest.raises(InvalidRequestError, match="`temperature` has no values"):
        arms_of({"temperature": []})


def test_every_combination_is_checked_before_the_first_is_asked(server, client):
    with pytest.raises(InvalidRequestError, match="`temperature` is 3"):
        ds_magic.sweep("Go.", temperature=[0, 1, 3], client=client)
    assert not server.requests


def test_many_answers_are_turns_of_no_chat(client):
    with pytest.raises(InvalidRequestError, match="no conversation"):
        ds_magic.sample("Go.", 2, chat=Chat("lesson"), client=client)


@pytest.mark.parametrize("times", [0, -1, 1.5, True])
def test_times_is_a_whole_number(times, client):
    with pytest.raises(InvalidRequestError, match="`times`"):
        ds_magic.sample("Go.", times, client=client)


@dataclasses.dataclass
class Asked:
    country: str


@pytest.mark.parametrize("rows", [
    pd.DataFrame({"country": ["Chad", "Peru"]}),
    pd.Series(["Chad", "Peru"], name="where"),
    ["Chad", "Peru"],
    [{"country": "Chad"}, {"country": "Peru"}],
    [Asked("Chad"), Asked("Peru")],
    iter(["Chad", "Peru"]),
    {1: "Chad", 2: "Peru"},
    {1: {"country": "Chad"}, 2: {"country": "Peru"}},
], ids=["frame", "series", "list", "dicts", "dataclasses", "iterator", "dict", "dict of dicts"])
def test_rows_fill_the_template(rows, client):
    answers = ds_magic.map("Capital of {{ country }}?", rows, client=client, stream=False)
    assert answers.contents == ("Capital of Chad?", "Capital of Peru?")
    assert [row.factors["country"] for row in answers] == ["Chad", "Peru"]
    if isinstance(rows, dict):
        assert answers.factors["key"] == (1, 2)


def test_rows_fill_messages_a_system_message_and_a_prefix_too(server, client):
    frame = pd.DataFrame({"a": [1], "b": ["two"], "c": ["{{ a }}"]})
    template = [{"role": "user", "content": "{{ a }}"}, {"role": "assistant", "content": "x"}, "{{ c }}{{b}}"]
    ds_magic.map(template, frame, system="S {{ b }}", prefix="P {{ a }}", client=client, stream=False)
    contents = [each["content"] for each in server.requests[0].json["messages"]]
    assert contents == ["S two", "1", "x", "{{ a }}{{b}}", "P 1"]


def test_rows_and_values_multiply(client):
    answers = ds_magic.map("{{ x }}", ["a", "b"], temperature=[0, 1], times=2, client=client, stream=False)
    assert len(answers) == 8 and answers.factors == {"x": ("a", "b"), "temperature": (0, 1), "sample": (1, 2)}


@pytest.mark.parametrize("lacking", [None, float("nan"), np.float64("nan"), pd.NA, pd.NaT])
def test_a_row_that_lacks_a_value_fails_and_is_not_asked(lacking, server, client):
    answers = ds_magic.map("{{ x }}", [lacking, "b", lacking], client=client, stream=False)
    assert answers.contents == ("", "b", "") and asked_of(server) == ["b"]
    assert "`{{ x }}`: the row has no value there." in str(answers[0].error)
    assert "b" in repr(answers) and len(answers.group_by("x")) == 2


def test_a_column_called_sample_is_a_factor_beside_the_samples_number(tmp_path, client):
    frame = pd.DataFrame({"q": ["a", "b"], "sample": ["blood", "urine"]})
    once = ds_magic.map("{{ q }} in {{ sample }}", frame, client=client, stream=False, journal=tmp_path / "run.jsonl")
    assert once.contents == ("a in blood", "b in urine") and once.factors["sample_"] == ("blood", "urine")
    twice = ds_magic.map("{{ q }}", frame, times=2, correct="sample_", client=client, stream=False)
    assert [(row.factors["sample_"], row.factors["sample"]) for row in twice][1:3] == [("blood", 2), ("urine", 1)]


def test_columns_of_one_name_are_refused(client):
    with pytest.raises(InvalidRequestError, match="several columns `q`"):
        ds_magic.map("{{ q }}", pd.DataFrame([["a", "b"]], columns=["q", "q"]), client=client)


def test_a_factor_with_the_name_of_a_figure_is_a_column_of_its_own(client):
    rows = [{"content": "a", "model": "car", "error": "none"}]
    frame = ds_magic.map("{{ content }}", rows, client=client, stream=False).to_pandas()
    assert frame[["content", "model"]].values.tolist() == [["a", "scripted"]]
    assert frame[["factor_content", "factor_model", "factor_error"]].values.tolist() == [["a", "car", "none"]]


def test_a_row_without_the_column_fails_alone(client):
    answers = ds_magic.map("{{ x }}", [{"x": "a"}, {"y": "b"}, {"x": "c"}], client=client, stream=False)
    assert answers.contents == ("a", "", "c") and "there is no variable `x`" in str(answers[1].error)


class Breaking:
    """Rows whose number is known, and of which the third cannot be read."""

    def __len__(self):
        return 9

    def __iter__(self):
        yield from ["a", "b"]
        raise RuntimeError("unreadable")


@pytest.mark.parametrize("rows", [Breaking(), iter(Breaking())], ids=["counted", "uncounted"])
def test_rows_that_break_off_leave_what_was_asked_before(rows, client):
    answers = ds_magic.map("{{ x }}", rows, client=client, stream=False)
    assert answers.contents == ("a", "b") and "The rows broke off: RuntimeError: unreadable" in answers.notes[0]


def test_a_template_that_fits_no_row_is_an_error_before_anything_is_asked(server, client):
    for template, says in [("{{ contry }}", "Did you mean `country`"), ("Go.", "`{{ question }}`")]:
        with pytest.raises(InvalidRequestError) as refused:
            ds_magic.map(template, [{"country": "Chad"}], client=client)
        assert says in refused.value.remedy
    with pytest.raises(InvalidRequestError, match="which are none"):
        ds_magic.map("{{ a }}", "a text", client=client)
    assert not server.requests and len(ds_magic.map("{{ a }}", [], client=client)) == 0


def test_objects_that_were_asked_for_are_columns(connect):
    with ScriptedServer(answered(completion('{"name": "red", "model": "x"}'))) as server:
        frame = ds_magic.sample("Go.", 2, json=True, client=connect(server), stream=False).to_pandas()
    assert frame["name"].tolist() == ["red"] * 2 and frame["parsed_model"].tolist() == ["x"] * 2


def test_samples_are_drawn_here_only_if_that_is_asked_for_and_it_is_noted(connect):
    script = answered(body(entry("red", 0.6, blue=0.3)))
    with ScriptedServer(script) as server:
        client = connect(server)
        answers = ds_magic.sample("Go.", 500, draw=True, seed=1, client=client, stream=False)
        again = ds_magic.sample("Go.", 500, draw=True, seed=1, client=client, stream=False)
        assert len(server.requests) == 2 and sent(server, "max_tokens", "top_logprobs") == [(1, 20)] * 2
    assert answers.contents == again.contents and set(answers.contents) == {"red", "blue", ""}
    assert 250 < answers.counts()["red"].n < 350 and 20 < len(answers.failed) < 80
    assert all(any("Drawn here" in note for note in row.answer.notes) for row in answers if row.answer)


def test_of_samples_that_think_first_no_one_request_has_the_distribution():
    thought = answer(entry("red", 0.6))
    thought.choices[0].message.reasoning_content = "Hm."
    assert one_token_note(Answers([Row({}, answer(entry("red", 0.6)))] * 3), 3)
    assert not one_token_note(Answers([Row({}, thought)] * 3), 3) and not one_token_note(Answers([Row()] * 3), 3)


def test_arms_that_came_out_identical_to_the_byte_are_marked(connect):
    def script(connection):
        answered(completion("No" if connection.request.json["temperature"] == 2 else "Yes"))(connection)

    with ScriptedServer(script) as server:
        answers = ds_magic.sweep("Go.", temperature=[0, 1, 2], client=connect(server), stream=False)
        assert answers.notes == ("Identical to the byte: temperature 0; temperature 1.",)
        places = {"template": "Go to {{ place }}.", "rows": ["A", "B", "C"], "client": connect(server)}
        notes = ds_magic.map(**places, temperature=[0, 1, 2], stream=False).notes
        assert notes == ("Identical to the byte: temperature 0; temperature 1.",)
        assert ds_magic.sample("Go.", 3, temperature=1, client=connect(server), stream=False).notes == ()


def test_what_is_varied_in_vain_is_said_before_anything_is_spent(connect):
    told = Told()
    with ScriptedServer(echo) as server:
        vary = {"client": connect(server), "listener": told, "stream": False}
        answers = ds_magic.sweep("Go.", temperature=[0.5, 1], model="deepseek-flash", **vary)
        said = "`temperature` is varied in vain: ignored while the model thinks; `--no-thinking` makes it count."
        assert told.first.changed == said and answers.notes[0] == said
        assert not any("effect" in note for note in answers.notes[1:]), "said once"
        for model, thinking in (("m", True), ("deepseek-flash", False)):
            moved = ds_magic.sweep("Go.", temperature=[0.5, 1], model=model, thinking=thinking, **vary)
            assert not any("in vain" in note for note in moved.notes)


def test_in_a_script_what_is_varied_in_vain_is_said_where_waits_are(server):
    heard = []
    with ds_magic.Client(server.url, "k", on_event=lambda event: heard.append(str(event))) as asked:
        ds_magic.sweep("Go.", temperature=[0.5, 1], model="deepseek-flash", client=asked, stream=False)
    assert heard[0].startswith("`temperature` is varied in vain")


@pytest.mark.parametrize(("fields", "said"), [
    ({"temperature": [0.5, 1], "thinking": [True, False]},
     "`temperature` has no effect in 2 of 4 arms: ignored while the model thinks; `--no-thinking` makes it count."),
    ({"top_p": [0.5, 0.9, 0.97]},
     "`top_p` has no effect in 2 of 3 arms: raised to 0.95 while the model thinks; from 0.95 on it counts."),
    ({"top_p": [0.5, 1], "temperature": [0, 1], "model": "m"},
     "`top_p` has no effect in 2 of 4 arms: no effect at temperature 0, where nothing is drawn; "
     "a temperature above 0 makes it count."),
])
def test_what_is_varied_in_vain_in_some_arms_is_said_too(fields, said, connect):
    with ScriptedServer(echo) as server:
        answers = ds_magic.sweep("Go.", **{"model": "deepseek-flash", **fields}, client=connect(server), stream=False)
    assert answers.notes[0] == said and not any("effect" in note for note in answers.notes[1:])


def test_a_model_on_this_machine_thinks_only_where_it_is_asked_to(connect):
    with ScriptedServer(echo) as server:
        client = connect(server, name="embedded model")
        vary = {"temperature": [0.5, 1], "client": client, "stream": False}
        assert not any("in vain" in note for note in ds_magic.sweep("Go.", model="deepseek-flash", **vary).notes)
        assert "in vain" in ds_magic.sweep("Go.", thinking=True, **vary).notes[0]


@pytest.mark.parametrize("several", [
    lambda **asked: ds_magic.sample("Go.", 3, **asked),
    lambda **asked: ds_magic.map("Go to {{ place }}.", ["A", "B", "C"], **asked),
    lambda **asked: ds_magic.sweep("Go.", top_p=[0.96, 0.97, 0.98], **asked),
])
def test_what_had_no_effect_in_several_answers_is_said_once(several, connect):
    thoughtful = completion("Yes.", model="deepseek-flash")
    thoughtful["choices"][0]["message"]["reasoning_content"] = "Hm."
    said = "temperature: ignored while the model thinks; `--no-thinking` makes it count"
    with ScriptedServer(answered(thoughtful)) as server:
        notes = several(temperature=1, client=connect(server), stream=False).notes
        assert notes[0] == f"{said}." and not any("temperature" in note for note in notes[1:])
    with ScriptedServer(answered(thoughtful), answered(completion("Yes."))) as server:
        notes = several(temperature=1, client=connect(server), stream=False, concurrency=1).notes
        assert notes[0] == f"{said} (in 1 of 3 answers)."


def test_what_had_no_effect_is_said_of_answers_from_a_journal_too(connect, tmp_path):
    thoughtful = completion("Yes.", model="deepseek-flash")
    thoughtful["choices"][0]["message"]["reasoning_content"] = "Hm."
    kept = {"journal": tmp_path / "run.jsonl", "cache": True, "stream": False, "temperature": 1}
    with ScriptedServer(answered(thoughtful)) as server:
        for _ in range(2):
            notes = ds_magic.sample("Go.", 2, client=connect(server), **kept).notes
            assert sum("temperature: ignored" in note for note in notes) == 1
    assert len(server.requests) == 2


@pytest.mark.parametrize("given, most", [({}, 4), ({"concurrency": 6}, 6)], ids=["nothing said", "six"])
def test_the_embedded_server_is_asked_no_more_at_once_than_it_has_places_for(given, most, connect):
    told = Told()
    with ScriptedServer(echo) as server:
        client = connect(server, name="embedded model")
        ds_magic.sample("Go.", 40, client=client, listener=told, stream=False, **given)
    assert max(told.allowed) == most


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_there_is_a_line_of_progress_in_a_terminal_and_nowhere_else():
    terminal, file = Terminal(), io.StringIO()
    assert isinstance(listening(terminal), ProgressLine)
    for out in (terminal, file):
        line = listening(out)
        line.progress(Progress(100, 37, 2, 8, 8, 4210, 10.0))
        line.close()
    assert file.getvalue() == ""
    shown = terminal.getvalue().split("\r\x1b[2K")
    assert shown[1] == "37 of 100 · 2 failed · 8 running · 14 – 21 s left · 4,210 tokens · 3.7 a second"


def test_a_pause_is_told_with_its_reason():
    assert "waiting 12 s: full" in str(Progress(None, 3, 0, 1, 1, 0, 1.0, 12, "full"))
