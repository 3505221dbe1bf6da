"""A model that was made to fill gaps is asked to by its marks, as llama.cpp itself would ask it."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
import xllamacpp

from ds_magic.local.engine import gguf
from ds_magic.local.engine.fill_marks import FillMarks
from ds_magic.local.engine.llama import SAMPLING
from tests.local.tiny_models import write_model
from tests.local.tiny_server import serve

MARKS = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
NEW = ("fim_pre_token_id", "fim_suf_token_id", "fim_mid_token_id")
OLD = ("prefix_token_id", "suffix_token_id", "middle_token_id")
ODD = ("<A>", "<B>", "<C>")
BEFORE, AFTER = "def add(a, b):\n    return ", "\n\nprint(add(1, 2))"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("fill") / "fills.gguf", marks=MARKS, seed=3)


@pytest.fixture(scope="module")
def fills(model):
    with serve(model) as api:
        yield api


def complete(api, **fields):
    response = api.post(
        {"model": api.model, "prompt": BEFORE, "temperature": 0, "max_tokens": 8, **fields}, "/beta/completions"
    )
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize(("marks", "ids"), [
    (MARKS, {}),
    (("<fim_prefix>", "<fim_suffix>", "<fim_middle>"), {}),
    (("<fim-prefix>", "<fim-suffix>", "<fim-middle>"), {}),
    (("<PRE>", "<SUF>", "<MID>"), {}),
    (("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"), {}),
    (ODD, dict(zip(NEW, ODD, strict=True))),
    (ODD, dict(zip(OLD, ODD, strict=True))),
])
def test_its_marks_are_known_by_the_files_fields_or_by_how_they_are_spelt(tmp_path, marks, ids):
    model = gguf.read(write_model(tmp_path / "model.gguf", marks=marks, ids=ids))
    assert model.fill == FillMarks(*(model.marks[mark] for mark in marks))


def test_the_files_fields_win_over_spellings(tmp_path):
    ids = dict(zip(NEW, ODD, strict=True))
    model = gguf.read(write_model(tmp_path / "model.gguf", marks=(*MARKS, *ODD), ids=ids))
    assert model.fill == FillMarks(*(model.marks[mark] for mark in ODD))


@pytest.mark.parametrize(("marks", "ids"), [
    ((), {}), (MARKS[:2], {}), (("<|fim_prefix|>", "<SUF>", "<|fim_middle|>"), {}), (ODD, {NEW[0]: "<A>"}),
])
def test_a_model_without_all_three_has_none(tmp_path, marks, ids):
    assert gguf.read(write_model(tmp_path / "model.gguf", marks=marks, ids=ids)).fill is None


def test_smollm2_has_none(model_file):
    assert gguf.read(model_file).fill is None


def test_the_prompt_is_both_texts_and_three_marks(fills):
    body = complete(fills, suffix=AFTER)
    assert body["usage"]["prompt_tokens"] == len(BEFORE) + len(AFTER) + 3  # its tokens are bytes
    assert body["provenance"]["gap"] == "marks"


def test_without_a_suffix_there_are_no_marks(fills):
    body = complete(fills)
    assert body["usage"]["prompt_tokens"] == len(BEFORE)
    assert "gap" not in body["provenance"]


@pytest.mark.parametrize("text", MARKS)
def test_marks_in_the_texts_are_only_text(fills, text):
    body = complete(fills, prompt=text, suffix=text)
    assert body["usage"]["prompt_tokens"] == 2 * len(text) + 3


def test_a_gap_may_be_at_the_very_beginning(fills):
    assert complete(fills, prompt="", suffix="ab")["usage"]["prompt_tokens"] == 5


def test_a_gap_with_marks_does_not_end_at_what_follows_it(fills):
    """It ends where the model ends it: nothing is stopped for it, as for one that is led by words."""
    body = complete(fills, suffix=AFTER, max_tokens=40)
    choice = body["choices"][0]
    assert body["usage"]["completion_tokens"] == 40 and choice["finish_reason"] == "length"


def test_it_is_what_llama_cpp_itself_fills_in(model, fills):
    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel, params.verbosity = str(model), 512, 1, 0
    params.fit_params, params.warmup, params.cpuparams.n_threads = False, False, 1
    server = xllamacpp.Server(params)
    asked = {**SAMPLING, "n_predict": 1, "temperature": 0, "n_probs": 20, "logit_bias": [["a", 100]]}
    for before, after in ((BEFORE, AFTER), ("To be", "not to be"), ("", AFTER)):
        own = requests.post(
            server.listening_address + "/infill", timeout=60,
            json={**asked, "input_prefix": before, "input_suffix": after},
        ).json()
        assert own["tokens_evaluated"] == len(before) + len(after) + 3
        (likeliest, *_) = own["completion_probabilities"][0]["top_logprobs"]
        told = complete(fills, prompt=before, suffix=after, logprobs=20, max_tokens=1)["choices"][0]["logprobs"]
        assert told["token_logprobs"] == pytest.approx([likeliest["logprob"]], abs=1e-4)
