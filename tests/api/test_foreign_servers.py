"""A server that nobody here wrote: llama.cpp's own, with the real model in it."""

import subprocess
import sys

import pytest

from ds_magic import AuthenticationError, DeepSeekError
from ds_magic.local import weights

pytestmark = pytest.mark.model

PROGRAM = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.verbosity = 0
params.api_keys = [sys.argv[2]]
params.ui = False
params.n_ctx = 1024
params.cache_ram_mib = 0
params.fit_params = False
params.warmup = False
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def address():
    """Where llama.cpp's server listens, in a process of its own."""
    command = [sys.executable, "-c", PROGRAM, str(weights.model_path()), "sk-of-the-foreign-server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        told = process.stdout.readline().strip()
        assert told.startswith("http://"), "llama.cpp did not start"
        yield told + "/v1"
        process.kill()


@pytest.fixture
def client(address, connect):
    return connect(address, api_key="sk-of-the-foreign-server")


def test_its_models_are_listed(client):
    assert len(client.models()) == 1 and str(client.models()[0])


@pytest.mark.parametrize("streaming", [True, False])
def test_it_answers_with_usage_and_a_reason_to_end(client, streaming):
    answer = client.chat("Name a colour.", stream=streaming, max_tokens=8, temperature=0,
                         stream_options={"include_usage": True} if streaming else None)
    assert answer.content and answer.finish_reason in ("length", "stop") and not answer.interrupted
    assert answer.usage.completion_tokens <= 8 and answer.usage.prompt_tokens > 0
    assert answer.model and answer.id


def test_streamed_and_unstreamed_answers_are_the_same_with_their_logprobs(client):
    asked = {"max_tokens": 8, "temperature": 0, "logprobs": True, "top_logprobs": 5}
    whole = client.chat("Name a colour.", **asked)
    with client.stream("Name a colour.", **asked) as stream:
        texts = [delta.content for delta in stream if delta]
    streamed = stream.completion
    assert "".join(texts) == streamed.content == whole.content and len(texts) > 1
    assert len(streamed.logprobs) == len(whole.logprobs) > 1
    for one, other in zip(streamed.choice.logprobs.content, whole.choice.logprobs.content, strict=True):
        assert one.token == other.token and len(one.top_logprobs) == 5
        assert one.logprob == pytest.approx(other.logprob, abs=0.05)
        assert one.logprob == pytest.approx(max(each.logprob for each in one.top_logprobs), abs=1e-6)


def test_an_early_exit_leaves_a_server_that_answers(client):
    with client.stream("Count to a hundred.", max_tokens=200) as stream:
        for delta in stream:
            if delta:
                break
    assert stream.completion.interrupted and stream.completion.content
    assert client.chat("Hi", max_tokens=1).usage.completion_tokens == 1


def test_its_refusals_are_our_errors(address, client, connect):
    with pytest.raises(AuthenticationError) as caught:
        connect(address, api_key="sk-of-nobody-at-all").chat("Hi")
    assert caught.value.status == 401 and "nobody" not in str(caught.value)
    with pytest.raises(DeepSeekError) as caught:
        client.chat("Hi " * 3000, max_tokens=1)
    assert caught.value.status == 400


def test_a_json_answer_is_parsed(client):
    answer = client.chat("Give me a JSON object with a colour.", response_format={"type": "json_object"},
                         max_tokens=60, temperature=0)
    assert answer.parsed is None or isinstance(answer.parsed, dict)
    assert answer.content.lstrip().startswith("{")
