"""A client that nobody here wrote: the official openai package."""

from __future__ import annotations

import openai
import pytest

HELLO = "Hello! How can I assist you today?"
MESSAGES = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def client(local_server) -> openai.OpenAI:
    return openai.OpenAI(base_url=local_server.base_url, api_key=local_server.api_key, max_retries=0)


def test_it_gets_a_whole_answer(client):
    answer = client.chat.completions.create(model="deepseek-chat", messages=MESSAGES, temperature=0)
    assert answer.choices[0].message.content == HELLO
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_it_gets_a_stream(client):
    stream = client.chat.completions.create(model="deepseek-chat", messages=MESSAGES, temperature=0, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == HELLO


def test_it_gets_logprobs_whole_and_streamed_and_they_agree(client):
    asked = {"model": "deepseek-chat", "messages": MESSAGES, "temperature": 0, "logprobs": True, "top_logprobs": 20}
    whole = client.chat.completions.create(**asked).choices[0].logprobs.content
    chunks = list(client.chat.completions.create(**asked, stream=True))
    streamed = [
        entry for chunk in chunks if chunk.choices[0].logprobs for entry in chunk.choices[0].logprobs.content
    ]
    assert [entry.token for entry in whole] == [entry.token for entry in streamed]
    assert "".join(entry.token for entry in whole) == HELLO
    assert {len(entry.top_logprobs) for entry in whole} == {20}


def test_it_reads_our_errors_as_its_own(client, local_server):
    def ask(**fields):
        client.chat.completions.create(**{"model": "deepseek-chat", "messages": MESSAGES, **fields})

    with pytest.raises(openai.BadRequestError) as caught:
        ask(model="gpt-4")
    assert caught.value.param == "model"
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        ask(temperature=9)
    assert caught.value.param == "temperature"
    stranger = openai.OpenAI(base_url=local_server.base_url, api_key="wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        stranger.models.list()


def test_it_lists_the_models(client):
    assert next(iter(client.models.list())).id == "smollm2-135m-instruct"
