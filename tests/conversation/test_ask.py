"""In Python what a cell can do."""

import dataclasses

import ds_magic
from ds_magic import Chat, Client
from tests.servers.scripted import ScriptedServer, answered, completion

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


def test_a_chat_goes_on():
    chat = Chat("lesson")
    with ScriptedServer(answered(completion("Hello"))) as server, Client(server.url, "k") as client:
        for text in ("One.", "One."):
            ds_magic.ask(text, chat=chat, client=client, stream=False)
    assert [each["content"] for each in server.requests[-1].json["messages"]] == ["One.", "Hello", "One."]
    assert len(chat) == 2
