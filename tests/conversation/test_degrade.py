import pytest

from ds_magic.api.client import Client
from ds_magic.api.errors import InvalidRequestError
from ds_magic.api.request import ChatRequest
from ds_magic.conversation.degrade import run_as_supported
from tests.servers.scripted import ScriptedServer, refused, said


def request(**fields):
    return ChatRequest.build("Hi", stream=True, stream_options={"include_usage": True}, **fields)


def run(client, request):
    return run_as_supported(client, request, lambda: [])


@pytest.mark.parametrize(
    ("refusal", "gone"),
    [
        (refused(422, "Extra inputs are not permitted", param="stream_options"), {"stream_options"}),
        (refused(400, "Unrecognized request argument supplied: stream_options"), {"stream_options"}),
        (refused(400, "This model does not support logprobs"), {"logprobs", "top_logprobs"}),
        (refused(400, "top_logprobs must be at most 5"), {"top_logprobs"}),
        (refused(400, "unknown field", param="reasoning_effort"), {"reasoning_effort"}),
    ],
)
def test_a_field_that_a_server_refuses_is_left_out_and_that_is_said(refusal, gone):
    asked = request(logprobs=True, top_logprobs=20, reasoning_effort="high")
    with ScriptedServer(refusal, said("Hello")) as server, Client(server.url, "k") as client:
        completion = run(client, asked)
        assert completion.content == "Hello"
        first, second, *_ = (each.json.keys() for each in server.requests if each.method == "POST")
        assert first - second == gone
        assert any("does not take" in note for note in completion.notes)
        asked_before = len(server.requests)
        run(client, asked)
        assert len(server.requests) == asked_before + 1, "what was refused is not remembered"


def test_a_schema_that_a_server_refuses_becomes_json_mode():
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
    refusal = refused(400, "response_format json_schema is not supported")
    with ScriptedServer(refusal, said("{}")) as server, Client(server.url, "k") as client:
        completion = run(client, request(response_format=schema))
    assert [each.json["response_format"]["type"] for each in server.requests] == ["json_schema", "json_object"]
    assert any("no JSON Schema" in note for note in completion.notes)


def test_where_earlier_thoughts_are_refused_they_are_not_sent_back_and_that_is_said():
    refusal = refused(422, "messages.1.reasoning_content: Extra inputs are not permitted")
    messages = ["Hi", {"role": "assistant", "content": "Hello", "reasoning_content": "Hm."}, "And?"]
    tools = [{"type": "function", "function": {"name": "f"}}]
    asked = ChatRequest.build(messages, tools=tools, stream=True)
    with ScriptedServer(refusal, said("Hello")) as server, Client(server.url, "k", model="m") as client:
        completion = run(client, asked)
    first, second = ([each.get("reasoning_content") for each in sent.json["messages"]] for sent in server.requests)
    assert (first, second) == ([None, "Hm.", None], [None, None, None])
    assert any("does not take `reasoning_content`" in note for note in completion.notes)


def test_other_refusals_stay_errors():
    with ScriptedServer(refused(400, "temperature is wrong", param="temperature")) as server:
        with Client(server.url, "k") as client, pytest.raises(InvalidRequestError):
            run(client, request(temperature=1))
        assert len(server.requests) == 1


def test_the_same_field_is_refused_only_once():
    with ScriptedServer(refused(400, "no stream_options")) as server, Client(server.url, "k") as client:
        with pytest.raises(InvalidRequestError):
            run(client, request())
        assert len(server.requests) == 2


def test_what_a_server_refused_of_one_sample_is_not_sent_with_the_next(tmp_path):
    with ScriptedServer(refused(400, "no logprobs"), said("Hello")) as server, Client(server.url, "k") as client:
        recording = client.through(journal=tmp_path / "run.jsonl")
        for number in range(3):
            assert run(recording.of_sample(number), request(logprobs=True)).content == "Hello"
        assert ["logprobs" in each.json for each in server.requests] == [True, False, False, False]
