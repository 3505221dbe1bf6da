"""An answer of which nothing is said but the question: it comes to an end, and says how it was made."""

from __future__ import annotations

import pytest

from ds_magic.api.client import Client
from ds_magic.views.answer import facts

OWN = {"temperature": 0.2, "top_p": 0.9, "frequency_penalty": 0.5, "presence_penalty": 0.0}


@pytest.fixture
def client(local_server):
    return Client(local_server.base_url, local_server.api_key, model=local_server.model)


@pytest.mark.parametrize("stream", [True, False])
def test_what_nobody_asked_for_is_the_models_own_and_is_told(client, stream):
    answer = client.chat("Hello", stream=stream, seed=1, max_tokens=5)
    used = answer.provenance
    assert {name: getattr(used, name) for name in OWN} == OWN
    assert (used.model_file, used.quantisation, used.seed) == ("SmolLM2-135M-Instruct.Q4_1.gguf", "Q4_1", 1)
    assert len(used.sha256) == 64 and used.build.startswith("xllamacpp-") and used.threads >= 1
    assert "temperature 0.2 · top_p 0.9 · frequency_penalty 0.5" in facts.summary(answer)


@pytest.mark.parametrize("asked", [{"temperature": 1.0}, {"top_p": 0.5}, {"presence_penalty": 1.0}])
def test_who_sets_one_of_them_has_the_documented_others(client, asked):
    used = client.chat("Hello", max_tokens=2, **asked).provenance
    documented = {"temperature": 1.0, "top_p": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0}
    assert {name: getattr(used, name) for name in OWN} == {**documented, **asked}
    assert "temperature" not in facts.summary(client.chat("Hello", max_tokens=2, **asked))


def test_without_a_limit_an_answer_ends_at_300_tokens_and_says_how_to_get_more(client):
    answer = client.chat("Tell a very long story of a king.", temperature=1.5, seed=3)
    assert (answer.finish_reason, answer.usage.completion_tokens) == ("length", 300)
    assert "cut off at 300 tokens, the server's own limit: --max-tokens asks for more" in facts.summary(answer)


