"""A sweep over models on this machine: each is asked the same, and their answers are compared by bytes."""

from __future__ import annotations

import pytest

import ds_magic
from ds_magic import InvalidRequestError
from ds_magic.local import launch
from tests.local.tiny_models import write_model

pytestmark = pytest.mark.model


@pytest.fixture
def models(tmp_path, monkeypatch):
    """The files of two models of random weights with other words; what a test has started ends with it."""
    monkeypatch.setenv("DS_MAGIC_CACHE", str(tmp_path / "cache"))
    before = set(launch._servers)
    yield [str(write_model(tmp_path / f"{name}.gguf", words=words, seed=seed))
           for seed, (name, words) in enumerate({"words": ["hello", " world"], "bytes": []}.items())]  # fmt: skip
    for name in set(launch._servers) - before:
        launch._servers.pop(name).release()


def test_a_cell_sweeps_over_models_on_this_machine(shell, models):
    shell.run_cell(
        f"%%deepseek --sweep local_model={','.join(models)} --max-tokens 1 -t 0 -l 5 -o answers\nHi"
    ).raise_error()
    answers = shell.user_ns["answers"]
    assert answers.factors == {"local_model": tuple(models)} and not answers.failed
    assert [row.answer.model for row in answers] == ["words", "bytes"]
    assert [row.answer.provenance.more["local_model"] for row in answers] == models
    assert not answers.compare(0, 1).same_tokens


def test_rows_are_asked_of_each_model_and_a_journal_spares_each(models, tmp_path):
    asked = {"max_tokens": 1, "temperature": 0, "journal": tmp_path / "j.jsonl", "cache": True}
    for known in (0, 4):
        answers = ds_magic.map("Say {{ word }}.", ["a", "b"], local_model=dict(zip("wb", models, strict=True)), **asked)
        assert [(row.factors["word"], row.factors["local_model"]) for row in answers] == [
            ("a", "w"), ("a", "b"), ("b", "w"), ("b", "b")]
        assert [row.answer.model for row in answers] == ["words", "bytes"] * 2
        assert sum(row.recorded is not None for row in answers) == known


def test_one_text_is_scored_by_two_models_on_this_machine(models):
    a, b = (ds_magic.score("Hi", "hello world", client=ds_magic.local_model(name)) for name in models)
    found = ds_magic.compare(a, b)
    assert found.names == ("words", "bytes") and [each.tokens for each in found] == [(1, 5), (1, 6)]


def test_who_is_asked_is_said_once(models):
    with pytest.raises(InvalidRequestError, match="`client` and `local_model` both"):
        ds_magic.sweep("Hi", local_model=models, client=ds_magic.local_model(models[0]))
    with pytest.raises(InvalidRequestError, match="`local_model` has no values"):
        ds_magic.sweep("Hi", local_model=[])
