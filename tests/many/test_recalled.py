"""Rows that were asked before: they cost nothing, and their answers are made when somebody looks at them."""

import pickle

import pytest

import ds_magic
from ds_magic import Client
from ds_magic.many.row import Row
from tests.servers.scripted import ScriptedServer, said

USAGE = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}
COUNTRIES = ["France", "Chad", "Peru"]


@pytest.fixture
def server():
    with ScriptedServer(*(said(f"answer {number}", usage=USAGE) for number in range(1, 9))) as server:
        yield server


@pytest.fixture
def ask(server, tmp_path):
    """Asks for the capitals of countries through a journal that spares what is in it."""
    client = Client(server.url, "k", model="m")

    def run(countries, **options):
        options = {"client": client, "journal": tmp_path / "run.jsonl", "cache": True, "concurrency": 1, **options}
        return ds_magic.map("Capital of {{ country }}?", countries, **options)

    yield run
    client.close()


def is_made(row):
    """Whether the answer of a row is there, without making it."""
    try:
        object.__getattribute__(row, "answer")
    except AttributeError:
        return False
    return True


def test_what_was_asked_before_needs_neither_server_nor_file_when_it_is_looked_at(ask, server, tmp_path):
    asked = ask(COUNTRIES)
    again = ask(COUNTRIES)
    server.__exit__(None, None, None)
    (tmp_path / "run.jsonl").unlink()
    assert not any(is_made(row) for row in again), "nobody has looked at an answer yet"
    assert again.contents == asked.contents and [row.factors for row in again] == [row.factors for row in asked]
    for row, before in zip(again, asked, strict=True):
        assert row.ok and row.answer is row.answer
        assert row.answer.recorded == row.recorded and row.recorded.at
        assert row.answer.usage == before.answer.usage and row.answer.request == before.answer.request
        assert row.answer.raw == before.answer.raw and row.answer.backend == before.answer.backend


def test_what_was_asked_before_is_no_part_of_the_budget_and_has_no_place_in_flight(ask, server):
    ask(COUNTRIES)
    told = []

    class Told:
        def progress(self, progress):
            told.append((progress.done, progress.in_flight, progress.tokens))

        def close(self):
            pass

    more = ask([*COUNTRIES, "Togo"], token_budget=1, listener=Told())
    assert more[3].content == "answer 4" and len(server.requests) == 4
    assert told == [(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0), (4, 0, 10)]


def test_a_row_of_the_past_is_pickled_and_compared_as_any_other(ask):
    ask(COUNTRIES)
    row, same, looked_at = *ask(["Chad"]), *ask(["Chad"]), *ask(["Chad"])
    assert looked_at.content == "answer 2"
    assert pickle.loads(pickle.dumps(row)).content == "answer 2"
    assert Row(same.factors, same.answer) == same
    with pytest.raises(AttributeError, match="answers"):
        row.answers  # noqa: B018


def test_an_answer_that_a_schema_has_to_fit_is_looked_at_before_its_row_is_done(server, ask):
    ask(["France"])
    schema = {"type": "object", "properties": {"capital": {"type": "string"}}}
    failed = [ask(["France"], schema=schema).failed for _ in range(2)]
    assert [len(each) for each in failed] == [1, 1] and len(server.requests) == 2
