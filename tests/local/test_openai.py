"""A client that nobody here wrote: the official openai package."""

from __future__ import annotations

import json

import openai
import pytest

HELLO = "Hello! How can I"
"""How the model answers; what follows is a near tie, which the state of the cache can turn."""
MESSAGES = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def client(local_server) -> openai.OpenAI:
    return openai.OpenAI(base_url=local_server.base_url, api_key=local_server.api_key, max_retries=0)


def test_it_gets_a_whole_answer(client):
    answer = client.chat.completions.create(model="deepseek-chat", messages=MESSAGES, temperature=0)
    assert answer.choices[0].message.content.startswith(HELLO)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_it_gets_a_stream(client):
    stream = client.chat.completions.create(model="deepseek-chat", messages=MESSAGES, temperature=0, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream).startswith(HELLO)


def test_it_gets_logprobs_whole_and_streamed_and_they_agree(client):
    asked = {"model": "deepseek-chat", "messages": MESSAGES, "temperature": 0, "max_tokens": 5}
    asked |= {"logprobs": True, "top_logprobs": 20}
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


ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers",
        "parameters": {
            "type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}, "required": ["a", "b"],
        },
    },
}


def test_it_goes_through_a_round_of_functions_to_the_end(client):
    messages = [{"role": "user", "content": "What is 17 plus 25?"}]
    asked = {"model": "deepseek-chat", "tools": [ADD], "temperature": 0, "max_tokens": 60}
    first = client.chat.completions.create(messages=messages, tool_choice="required", **asked).choices[0]
    assert first.finish_reason == "tool_calls"
    messages.append(first.message)
    for call in first.message.tool_calls:
        arguments = json.loads(call.function.arguments)
        messages.append({"role": "tool", "tool_call_id": call.id, "content": str(arguments["a"] + arguments["b"])})
    last = client.chat.completions.create(messages=messages, tool_choice="none", **asked).choices[0]
    assert last.finish_reason == "stop"
    assert "42" in last.message.content


def test_its_streaming_helper_puts_a_call_together(client):
    with client.chat.completions.stream(
        model="deepseek-chat", messages=[{"role": "user", "content": "What is 17 plus 25?"}], tools=[ADD],
        tool_choice="required", temperature=0,
    ) as stream:
        stream.until_done()
        (call,) = stream.get_final_completion().choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"a": 17, "b": 25}


def test_it_gets_json(client):
    answer = client.chat.completions.create(
        model="deepseek-chat", temperature=0, response_format={"type": "json_object"},
        messages=[{"role": "user", "content": "Give me a JSON with three colours."}],
    )
    assert isinstance(json.loads(answer.choices[0].message.content), dict)


def test_it_gets_the_thinking_of_a_reasoner(client):
    answer = client.chat.completions.create(
        model="deepseek-reasoner", messages=MESSAGES, max_tokens=12, extra_body={"seed": 1}
    )
    assert answer.choices[0].message.reasoning_content
    assert answer.usage.completion_tokens_details.reasoning_tokens > 0


@pytest.mark.parametrize(("fault", "error"), [
    ("429", openai.RateLimitError), ("500", openai.InternalServerError), ("503", openai.InternalServerError),
])
def test_it_maps_what_a_service_can_refuse_to_its_own_exceptions(client, fault, error):
    with pytest.raises(error):
        client.chat.completions.create(
            model="deepseek-chat", messages=MESSAGES, max_tokens=1, extra_headers={"X-DS-Fault": fault}
        )


def test_it_tries_again_where_a_service_said_to(local_server):
    patient = openai.OpenAI(base_url=local_server.base_url, api_key=local_server.api_key, max_retries=1)
    with pytest.raises(openai.RateLimitError):
        patient.chat.completions.create(
            model="deepseek-chat", messages=MESSAGES, max_tokens=1, extra_headers={"X-DS-Fault": "429=0"}
        )
