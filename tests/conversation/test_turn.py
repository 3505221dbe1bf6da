"""In Python what a cell can do."""

import dataclasses

import pytest

import ds_magic
from ds_magic import Chat, Client, InvalidRequestError, StreamInterruptedError, UnfitAnswerError
from tests.servers.scripted import ScriptedServer, answered, completion, streamed, text_chunk

CALL = {"id": "c", "type": "function", "function": {"name": "double", "arguments": '{"n": 4}'}}


def double(n: int) -> int:
    """Twice n."""
    return 2 * n


@dataclasses.dataclass
class Point:
    x: int


def calling():
    body = completion(None, finish="tool_calls")
    body["choices"][0]["message"]["tool_calls"] = [CALL]
    return answered(body)


def test_functions_and_objects_can_be_had_without_a_notebook():
    with ScriptedServer(calling(), answered(completion('{"x": 8}'))) as server, Client(server.url, "k") as client:
        answer = ds_magic.ask("Twice 4?", tools=[double], schema=Point, client=client, stream=False, temperature=0)
    assert answer.parsed == Point(8)
    assert [each.calls[0].result for each in answer.rounds[:-1]] == ["8"]
    assert server.requests[0].json["temperature"] == 0


def test_an_answer_is_asked_for_again_until_it_fits():
    scripts = [answered(completion(text)) for text in ("no", '{"x": 1}')]
    with ScriptedServer(*scripts) as server, Client(server.url, "k") as client:
        assert ds_magic.ask("x?", schema=Point, repair=1, client=client, stream=False).parsed == Point(1)


def test_what_the_line_says_of_the_prompt_can_be_said_of_a_question():
    chat = Chat("lesson")
    with ScriptedServer(answered(completion(" done."))) as server, Client(server.url, "k") as client:
        ds_magic.ask(
            "Go.", system="Be brief.", prefix="Well", top_logprobs=5, chat=chat, client=client, stream=False
        )
    sent = server.requests[0].json
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 5)
    assert [each["content"] for each in sent["messages"]] == ["Be brief.", "Go.", "Well"]
    assert [each["content"] for each in chat.messages] == ["Be brief.", "Go.", "Well done."]


def test_stop_is_a_stop_or_what_ends_an_answer():
    with ScriptedServer(answered(completion("a"))) as server, Client(server.url, "k") as client:
        answer = ds_magic.ask("Go.", stop=["\n", "."], client=client, stream=False)
        answer.fork("a", "b", stop="!", client=client, stream=False)
        ds_magic.ask("Go.", stop=ds_magic.Stop(), client=client, stream=False)
    assert [each.json.get("stop") for each in server.requests] == [["\n", "."], "!", None]


def test_a_chat_that_is_none_is_refused_with_how_to_have_one():
    with pytest.raises(InvalidRequestError, match="`chat` is 'lesson'") as refused:
        ds_magic.ask("Go.", chat="lesson")
    assert "ds_magic.Chat('lesson')" in refused.value.remedy


def test_any_json_object_can_be_asked_for():
    with ScriptedServer(answered(completion('{"x": 1}')), answered(completion("no"))) as server:
        client = Client(server.url, "k")
        assert ds_magic.ask("x?", json=True, client=client, stream=False).parsed == {"x": 1}
        with pytest.raises(UnfitAnswerError):
            ds_magic.ask("x?", json=True, client=client, stream=False)
    assert server.requests[0].json["response_format"] == {"type": "json_object"}


def test_a_chat_goes_on():
    chat = Chat("lesson")
    with ScriptedServer(answered(completion("Hello"))) as server, Client(server.url, "k") as client:
        for text in ("One.", "One."):
            ds_magic.ask(text, chat=chat, client=client, stream=False)
    assert [each["content"] for each in server.requests[-1].json["messages"]] == ["One.", "Hello", "One."]
    assert len(chat) == 2


def test_an_answer_that_breaks_off_is_a_turn_of_the_chat_as_far_as_it_came():
    chat = Chat("lesson")
    script = streamed(text_chunk("Half"), done=False)
    with ScriptedServer(script) as server, Client(server.url, "k") as client, pytest.raises(StreamInterruptedError):
        ds_magic.ask("Go.", chat=chat, client=client, stream=True)
    assert [each["content"] for each in chat.messages] == ["Go.", "Half"] and chat.turns[0].completion.interrupted


def test_an_answer_that_does_not_fit_is_a_turn_of_the_chat():
    chat = Chat("lesson")
    script = answered(completion("no"))
    with ScriptedServer(script) as server, Client(server.url, "k") as client, pytest.raises(UnfitAnswerError):
        ds_magic.ask("Go.", schema=Point, chat=chat, client=client, stream=False)
    assert [each["content"] for each in chat.messages] == ["Go.", "no"]


def test_a_repair_after_a_round_of_functions_keeps_the_round():
    chat = Chat("lesson")
    scripts = [calling(), answered(completion("no")), answered(completion('{"x": 8}'))]
    with ScriptedServer(*scripts) as server, Client(server.url, "k") as client:
        answer = ds_magic.ask(
            "Twice 4?", tools=[double], schema=Point, repair=1, chat=chat, client=client, stream=False
        )
    assert answer.parsed == Point(8) and [len(each.calls) for each in answer.rounds] == [1, 0, 0]
    assert [each["role"] for each in chat.messages] == ["user", "assistant", "tool", "assistant"]
    asked_for_repair = server.requests[2].json["messages"]
    assert [each["role"] for each in asked_for_repair if each["role"] != "system"] == [
        "user", "assistant", "tool", "assistant", "user",
    ]
