"""Two models with tokens of their own on one text: aligned by bytes, compared by bits per byte."""

import math

import pytest

import ds_magic
from ds_magic import Client
from ds_magic.api.addresses import EMBEDDED
from ds_magic.local import launch
from tests.local.tiny_models import write_model
from tests.views.making import Page

QUESTION = "What is the capital of Australia?"
TEXT = "The capital of Australia is Canberra, a n\u00e9\u00e9 city of \U0001f98a and the like."
WORDS = ["The", " the", " capital", " of", " Austr", " is", " Can", "berra", " city"]


@pytest.fixture(scope="module")
def models(local_server, tmp_path_factory):
    """Clients of SmolLM2, and of a model of random weights whose tokens are the bytes and WORDS."""
    path = write_model(tmp_path_factory.mktemp("models") / "tiny-words.gguf", words=WORDS, seed=3)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DS_MAGIC_LOCAL_MODEL", str(path))
        server = launch.start()
    clients = [Client(each.base_url, each.api_key, model=each.model, name=EMBEDDED) for each in (local_server, server)]
    yield clients
    for client in clients:
        client.close()
    server.release()


@pytest.fixture(scope="module")
def scores(models):
    """What TEXT is to either."""
    return [ds_magic.score(QUESTION, TEXT, client=client) for client in models]


def test_two_models_are_compared_on_the_same_text_by_bits_per_byte(scores):
    found = ds_magic.compare(*scores)
    assert found.names == ("smollm2-135m-instruct", "tiny-words") and found.divergence is None
    assert found.n_bytes == len(TEXT.encode()) and not found.same_tokens
    for per_byte, sum_, score in zip(found.bits_per_byte, found.logprob, scores, strict=True):
        assert sum_.value == math.fsum(score[0].logprobs.logprob)
        assert per_byte.value == pytest.approx(-score[0].per_byte.value / math.log(2))
    assert 0 < found.bits_per_byte[0].value < found.bits_per_byte[1].value, "one has read, the other is of noise"


def test_their_tokens_meet_at_the_ends_of_spans_and_differ_inside(scores):
    found = ds_magic.compare(*scores)
    assert {each.text: each.tokens for each in found}[" Canberra"] == (1, 2)
    assert {each.text: each.cuts_b for each in found}[" Canberra"] == (4,)
    assert "".join(each.text for each in found) == TEXT
    assert any(not each.text for each in found), "both part the fox, and meet inside it"
    page = Page(found._repr_html_())
    assert "Canberra" in page.text and "They say the same to the end." in page.text
    cut = [score[0].logprobs[:n] for score, n in zip(scores, (7, 13), strict=True)]
    assert "Can\u02ccberra" in repr(ds_magic.compare(*cut))


def test_what_either_holds_of_the_next_text_bounds_what_a_score_finds_of_it(models, scores):
    found = ds_magic.compare(*scores).next_bytes(0)
    for text in ("The", "Can", "A"):
        bounds = found[text]
        for share, client in ((bounds.a, models[0]), (bounds.b, models[1])):
            # The score is of one way to part the text; the text is at least as likely, and no likelier than the bound.
            assert math.exp(float(ds_magic.score(QUESTION, text, client=client)[0].logprob)) <= share.high + 1e-6
    said = found["The"]
    assert said.said_a and said.said_b and said.a.low > 0.8 > said.b.high


def test_an_answer_of_one_is_laid_beside_what_the_other_thinks_of_it(models):
    answer = models[0].chat(QUESTION, top_logprobs=20, temperature=0, max_tokens=24)
    other = ds_magic.score(QUESTION, answer.content, client=models[1])
    found = ds_magic.compare(answer, other)
    assert found.n_bytes == len(answer.content.encode()) and found.bits_per_byte[0].value < 1
    assert repr(found).startswith("They say the same to the end, which only")


def test_a_sweep_over_clients_asks_both_models(models):
    answers = ds_magic.sweep("Say hello.", client=models, max_tokens=3, temperature=0, top_logprobs=20)
    assert answers.factors == {"client": tuple(client.model for client in models)} and not answers.failed
    assert [row.answer.model for row in answers] == list(answers.factors["client"])
    assert not answers.compare(0, 1).same_tokens and answers.to_pandas()["bits_per_byte"].notna().all()
