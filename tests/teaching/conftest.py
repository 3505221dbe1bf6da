"""A shell against a scripted server, as the magics' tests have it, and an answer with everything in it."""

import math

import pytest

from ds_magic import ChatCompletion, ChatRequest
from tests.magics.conftest import ask, bare_shell, clean_environment, shell  # noqa: F401


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """What is written is written here."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def completion():
    def entry(token, prob, *others):
        top = [{"token": text, "bytes": list(text.encode()), "logprob": math.log(each)} for text, each in others]
        first = {"token": token, "bytes": list(token.encode()), "logprob": math.log(prob)}
        return {**first, "top_logprobs": [first, *top]}

    logprobs = {"content": [entry("Canberra", 0.57, ("Sydney", 0.38)), entry(".", 0.5, (",", 0.46))]}
    message = {"content": "Canberra.", "reasoning_content": "Which *is* it?\n`code`"}
    request = ChatRequest.build(
        "What is the capital?", system="Be short.", prefix="It is ", temperature=0.5, max_tokens=9, stop=["\n"],
        logprobs=True, top_logprobs=2, model="tiny",
    )  # fmt: skip
    return ChatCompletion.from_wire(
        {"model": "tiny", "created": 1_764_500_000,
         "choices": [{"message": message, "logprobs": logprobs, "finish_reason": "stop"}]},
        request=request, backend="scripted",
    )  # fmt: skip
