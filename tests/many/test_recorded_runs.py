"""Many answers and the journal: what was broken off goes on, what was asked is not asked again, and is replayed."""

import subprocess
import sys

import pytest

import ds_magic
from ds_magic import Client
from ds_magic.many.journal import Journal
from ds_magic.many.journal_errors import UnknownRequestError
from tests.servers.scripted import ScriptedServer, said


@pytest.fixture
def server():
    with ScriptedServer(*(said(f"answer {number}") for number in range(1, 30))) as server:
        yield server


@pytest.fixture
def client(server):
    return Client(base_url=server.url, api_key="k", model="m")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.jsonl"


def test_samples_that_were_asked_are_not_asked_again_and_only_the_missing_ones_are(server, client, path):
    run = {"client": client, "journal": path, "cache": True, "concurrency": 1}
    three = ds_magic.sample("Hi", 3, **run)
    five = ds_magic.sample("Hi", 5, **run)
    assert three.contents == ("answer 1", "answer 2", "answer 3")
    assert five.contents == (*three.contents, "answer 4", "answer 5") and len(server.requests) == 5
    assert [row.answer.recorded is not None for row in five] == [True] * 3 + [False] * 2
    assert ds_magic.sample("Hi", 5, **run).contents == five.contents and len(server.requests) == 5


def test_the_first_sample_is_what_a_cell_asked(server, client, path):
    alone = client.through(journal=path).chat("Hi", stream=True)
    pair = ds_magic.sample("Hi", 2, client=client, journal=path, cache=True, stream=True)
    assert pair[0].content == alone.content and len(server.requests) == 2


def test_of_a_batch_only_the_row_that_changed_is_asked(server, client, path):
    run = {"client": client, "journal": path, "cache": True, "concurrency": 1}
    before = ds_magic.map("Capital of {{ country }}?", ["France", "Chad", "Peru"], **run)
    after = ds_magic.map("Capital of {{ country }}?", ["France", "Chile", "Peru"], **run)
    assert (after[0].content, after[2].content) == (before[0].content, before[2].content)
    assert after[1].content == "answer 4" and len(server.requests) == 4


def test_a_run_is_replayed_without_a_server_and_what_it_does_not_know_is_a_row_that_failed(server, client, path):
    asked = ds_magic.sweep("Hi", temperature=[0, 1], times=2, model="m", client=client, journal=path)
    server.__exit__(None, None, None)
    again = ds_magic.sweep("Hi", temperature=[0, 1], times=2, model="m", replay=path, speed=0)
    assert again.contents == asked.contents and [row.factors for row in again] == [row.factors for row in asked]
    assert all(row.answer.recorded.is_replay for row in again)
    more = ds_magic.sweep("Hi", temperature=[0, 0.5], model="m", replay=path, speed=0)
    assert more[0].content == asked[0].content and isinstance(more[1].error, UnknownRequestError)


def test_several_answers_of_a_recording_say_so_while_they_come_and_afterwards(server, client, path):
    class Told:
        def progress(self, progress):
            plans.append(progress.plan)

        def close(self):
            pass

    plans, arms = [], {"temperature": [0, 1], "top_p": [0.5, 1], "model": "m"}
    asked = ds_magic.sweep("Hi", client=client, journal=path, **arms)
    again = ds_magic.sweep("Hi", replay=path, speed=0, listener=Told(), **arms)
    day = again[0].answer.recorded.at[:10]
    for shown in (again.to_html(), repr(again), again[:2].to_html(), repr(again.grid())):
        assert f"RECORDING {day}" in shown
    assert "RECORDING" not in repr(asked) and all("RECORDING" in plan for plan in plans)


def changes(answers):
    return [note for note in answers.notes if "the nearest" in note]


def test_a_batch_that_goes_on_says_how_much_was_there_and_names_no_change(server, client, path):
    run = {"client": client, "journal": path, "cache": True}
    ds_magic.map("Capital of {{ country }}?", ["France", "Chad"], **run)
    after = ds_magic.map("Capital of {{ country }}?", ["France", "Chad", "Peru"], **run)
    assert list(after.notes) == ["2 of 3 had been asked before, 1 now."]


def test_a_setting_that_was_changed_is_named(server, client, path):
    run = {"client": client, "journal": path, "cache": True}
    ds_magic.map("Capital of {{ country }}?", ["France", "Chad"], temperature=0, **run)
    after = ds_magic.map("Capital of {{ country }}?", ["France", "Chad"], temperature=0.5, **run)
    assert len(changes(after)) == 1 and "`temperature` is 0.5, and was 0." in changes(after)[0]


def test_a_template_that_was_changed_is_named_with_where_it_parts(server, client, path):
    run = {"client": client, "journal": path, "cache": True}
    ds_magic.map("What is the capital of {{ country }}?", ["France", "Chad"], **run)
    after = ds_magic.map("What is the largest city of {{ country }}?", ["France", "Chad"], **run)
    assert "“What is the largest city of France?”, and was “What is the capital of France?”" in changes(after)[0]


@pytest.mark.parametrize(("before", "now", "says"), [
    ({}, {"system": "Be brief."}, "`system` is \"Be brief.\", and was not set"),
    ({"system": "Be brief."}, {}, "`system` is not set, and was \"Be brief.\""),
    ({"system": "Be brief."}, {"system": "You talk to a child."}, "`system` differs"),
    ({"system": "Be brief."}, {"system": "Be brief.", "prefix": "It is"}, "`prefix` is \"It is\", and was not set"),
    ({"stream": False}, {"stream": False, "json": True}, "`response_format` is {"),
])
def test_a_system_prompt_a_prefix_or_a_form_that_is_new_is_named(server, client, path, before, now, says):
    run = {"client": client, "journal": path, "cache": True}
    ds_magic.map("Capital of {{ country }}?", ["France", "Chad"], **run, **before)
    after = ds_magic.map("Capital of {{ country }}?", ["France", "Chad"], **run, **now)
    assert len(changes(after)) == 1 and says in changes(after)[0]


def test_a_row_that_was_put_first_and_a_value_more_of_a_sweep_are_no_change(server, client, path):
    run = {"client": client, "journal": path, "cache": True, "temperature": [0, 1]}
    ds_magic.map("Capital of {{ country }}?", ["France", "Chad"], **run)
    for rows, temperatures in [(["Peru", "Chad"], [0, 1]), (["France"], [0.5, 1])]:
        after = ds_magic.map("Capital of {{ country }}?", rows, **{**run, "temperature": temperatures})
        assert not changes(after) and len(after.notes) == 1


def test_a_prompt_that_holds_a_date_is_said_to_be_new_each_time(server, client, path):
    run = {"client": client, "journal": path, "cache": True}
    ds_magic.sample("It is 2026-11-29 today. Name a colour.", 2, **run)
    after = ds_magic.sample("It is 2026-11-30 today. Name a colour.", 2, **run)
    assert "a date, a time or a counter" in changes(after)[0]


def test_another_question_in_the_same_journal_is_no_change(server, client, path):
    run = {"client": client, "journal": path, "cache": True}
    ds_magic.sample("Name a colour.", 2, **run)
    assert ds_magic.sample("Why is the sky blue?", 2, **run).notes == ()


def test_a_journal_that_is_removed_meanwhile_holds_nothing_and_loses_no_row(server, client, path):
    def rows():
        yield "a"
        path.unlink()
        yield from ["b", "a"]

    run = {"client": client, "journal": path, "cache": True, "concurrency": 1}
    ds_magic.map("{{ x }}", ["a", "b"], **run)
    assert ds_magic.map("{{ x }}", rows(), **run).contents == ("answer 1", "answer 3", "answer 4")
    ds_magic.map("{{ x }}", ["b"], **run)
    assert len(list(Journal(path).entries())) == 1


FULL = """
import resource, sys
import ds_magic
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500, 1_500))
client = ds_magic.Client(sys.argv[1], "k", model="m", on_event=lambda event: None)
answers = ds_magic.sample("Hi", 6, client=client, journal=sys.argv[2], concurrency=1)
print(len(answers.failed), *answers.notes)
"""


def test_a_full_disk_is_said_of_the_whole_batch(server, path):
    command = [sys.executable, "-c", FULL, server.url, str(path)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    kept = len(list(Journal(path).entries()))
    assert 0 < kept < 6 and shown.startswith(f"0 {6 - kept} of 6 were not recorded: run.jsonl cannot be written: ")


def test_without_cache_everything_is_asked_and_nothing_is_compared(server, client, path):
    for temperature in (0, 1):
        answers = ds_magic.sample("Hi", 2, client=client, journal=path, temperature=temperature)
    assert answers.notes == () and len(server.requests) == 4
