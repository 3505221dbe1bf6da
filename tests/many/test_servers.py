"""Several servers as a factor: each is asked the same, and nothing of one is taken for the other's."""

import pytest

import ds_magic
from ds_magic import Answers, InvalidRequestError
from ds_magic.many.measured import measured
from ds_magic.many.row import Row
from tests.many.scripted_answers import answer, asked_of, body, entry
from tests.servers.scripted import ScriptedServer, answered
from tests.views.making import Page


def says(word, model):
    """A script that says a word, and is of a model."""
    return lambda connection: answered({**body(entry(word, 0.5, other=0.25)), "model": model})(connection)


@pytest.fixture
def two(connect):
    """Two servers, and a client of each."""
    with ScriptedServer(says("one", "small")) as first, ScriptedServer(says("other", "large")) as second:
        yield (first, second), [connect(first, name="first"), connect(second, name="second")]


def test_each_of_several_clients_is_asked_each_combination(two):
    servers, clients = two
    answers = ds_magic.sweep(
        "Go.", client=dict(zip("ab", clients, strict=True)), temperature=[0, 1], times=2, stream=False)
    assert answers.factors == {"client": ("a", "b"), "temperature": (0, 1), "sample": (1, 2)}
    assert [len(asked_of(server)) for server in servers] == [4, 4]
    said = {key: set(rows.contents) for key, rows in answers.group_by("client").items()}
    assert said == {"a": {"one"}, "b": {"other"}}


def test_rows_are_asked_of_each(two):
    servers, clients = two
    answers = ds_magic.map("{{ word }}?", ["x", "y"], client=clients, stream=False)
    assert [sorted(asked_of(server)) for server in servers] == [["x?", "y?"]] * 2
    assert answers.factors["client"] == ("first", "second"), "their models have one name as far as anybody knows"


def test_a_journal_spares_what_was_asked_of_each(two, tmp_path):
    servers, clients = two
    said = [ds_magic.sweep("Go.", client=clients, stream=False, journal=tmp_path / "j.jsonl", cache=True)
            for _ in range(2)]  # fmt: skip
    assert said[0].contents == said[1].contents == ("one", "other")
    assert [len(asked_of(server)) for server in servers] == [1, 1]
    assert "2 of 2 had been asked before, 0 now." in said[1].notes


def test_embedded_servers_of_two_models_are_told_apart_by_their_models(two, connect, tmp_path):
    servers, _ = two
    clients = [connect(each, name="embedded model", model=name)
               for each, name in zip(servers, ("small", "large"), strict=True)]  # fmt: skip
    asked = {"client": clients, "stream": False, "journal": tmp_path / "j.jsonl", "cache": True}
    for _ in range(2):
        answers = ds_magic.sweep("Go.", **asked)
        assert answers.contents == ("one", "other") and answers.factors == {"client": ("small", "large")}
    assert [[each.json["model"] for each in server.requests] for server in servers] == [["small"], ["large"]]


def test_a_replay_asks_none_and_no_list_of_clients_is_empty(two, tmp_path):
    with pytest.raises(InvalidRequestError, match="A replay asks no server"):
        ds_magic.sweep("Go.", client=two[1], replay=tmp_path / "j.jsonl")
    with pytest.raises(InvalidRequestError, match="`client` has no values"):
        ds_magic.sweep("Go.", client=[])


def test_answers_of_several_models_have_bits_per_byte_in_place_of_a_perplexity():
    def answers(*models):
        return Answers(
            Row({"model": model, "number": n}, answer(entry(f"{model}{n}", 0.5, other=0.25), model=model))
            for model in models for n in range(7)
        )

    two, one = answers("small", "large"), answers("small")
    assert "bits per byte" in (shown := Page(two._repr_html_()).text) and "perplexity" not in shown and "0.167" in shown
    assert "perplexity" in (shown := Page(one._repr_html_()).text) and "bits per byte" not in shown
    assert two.to_pandas()["bits_per_byte"].tolist() == pytest.approx([1 / 6] * 14)
    assert (measured(two).metric, measured(one).metric) == ("bits_per_byte", "perplexity")


def test_two_answers_of_a_sweep_over_clients_are_compared_by_bytes(two):
    found = ds_magic.sweep("Go.", client=two[1], stream=False, top_logprobs=2).compare(0, 1)
    assert found.names == ("client first", "client second") and not found.same_tokens
    assert found.divergence.byte == 1, "both begin with an o, within a token"
    assert found.next_bytes()["o"].a.low == pytest.approx(0.75), "its own token and the other's"
