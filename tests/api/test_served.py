"""An answer and its tables know how they were made, as far as anybody said."""

import json

import pytest

from ds_magic import ChatCompletion, ChatRequest
from tests.servers.scripted import ScriptedServer, streamed, text_chunk

ASKED = {
    "model": "m", "temperature": 1.2, "top_p": 0.9, "seed": 7, "frequency_penalty": 0.1, "presence_penalty": 0.2,
    "logprobs": True,
}
ENTRY = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}


def answer(*, reasoning=None, **body):
    message = {"role": "assistant", "content": "a", "reasoning_content": reasoning}
    lists = {"content": [ENTRY], "reasoning_content": [ENTRY] if reasoning else None}
    return ChatCompletion.from_wire(
        {"model": "m-1", "system_fingerprint": "f", "choices": [{"message": message, "logprobs": lists}], **body},
        request=ChatRequest.build("Hi", **ASKED),
        backend="a server",
    )


def test_what_was_asked_for_and_who_answered_is_kept_with_the_answer_and_its_table():
    made = answer()
    assert made.provenance.to_dict() == {
        "model": "m-1", "fingerprint": "f", "backend": "a server", "temperature": 1.2, "top_p": 0.9, "seed": 7,
        "frequency_penalty": 0.1, "presence_penalty": 0.2,
    }
    assert made.logprobs.provenance == made.provenance
    assert (made.logprobs.temperature, made.logprobs.top_p) == (1.2, 0.9)


def test_what_a_model_that_thinks_passes_over_is_not_said_to_have_been_used():
    made = answer(reasoning="r")
    for table in (made.logprobs, made.reasoning_logprobs):
        assert table.temperature is None and table.provenance.seed == 7


def test_what_the_server_says_it_used_is_what_was_used():
    served = {
        "temperature": 0.6, "model_file": "m.gguf", "sha256": "ab", "quantisation": "Q8_0", "build": "b1", "threads": 2,
        "gpu": "none",
    }
    made = answer(reasoning="r", provenance=served)
    assert made.logprobs.temperature == made.reasoning_logprobs.temperature == 0.6
    known = made.provenance
    assert (known.model_file, known.sha256, known.quantisation, known.build, known.threads) == (
        "m.gguf", "ab", "Q8_0", "b1", 2)
    assert known.more == {"gpu": "none"} and "Q8_0" in repr(known)


def test_a_thought_may_have_a_temperature_of_its_own():
    made = answer(reasoning="r", provenance={"temperature": 1.0, "thinking_temperature": 0.6})
    assert (made.logprobs.temperature, made.reasoning_logprobs.temperature) == (1.0, 0.6)


@pytest.mark.parametrize("odd", [None, [], "x", {"temperature": "hot", "threads": [], "sha256": 7}])
def test_an_odd_provenance_says_nothing(odd):
    assert answer(provenance=odd).provenance == answer().provenance


def test_a_stream_brings_it_in_any_chunk(connect):
    last = text_chunk("", finish="stop") | {"provenance": {"threads": 3}}
    with ScriptedServer(streamed(text_chunk("a"), last)) as server:
        made = connect(server).chat("Hi", stream=True)
    assert made.provenance.threads == 3 and json.loads(made.model_dump_json())["provenance"] == {"threads": 3}
