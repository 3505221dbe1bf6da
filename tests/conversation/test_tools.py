"""The rounds of an answer that calls functions, against servers that misbehave."""

import threading

import pytest

from ds_magic.api.client import Client
from ds_magic.api.errors import InvalidRequestError, StreamInterruptedError
from ds_magic.api.messages import FunctionDefinition, Tool
from ds_magic.api.request import ChatRequest
from ds_magic.api.response import ChatCompletion
from ds_magic.conversation.tools import Toolbox, TooManyRoundsError
from ds_magic.conversation.turn import Seats, Turn
from tests.servers.scripted import ScriptedServer, said, streamed, text_chunk


def calls(*calls, reasoning=None, text=None):
    """A script that streams tool calls: (index, id, name, arguments) each, the arguments in two pieces."""
    chunks = [text_chunk(text, reasoning=reasoning)]
    for index, identity, name, arguments in calls:
        first = {"name": name, "arguments": arguments[:3]}
        for piece in (
            {"index": index, "id": identity, "type": "function", "function": first},
            {"index": index, "id": identity, "function": {"arguments": arguments[3:]}},
        ):
            chunks.append({"choices": [{"index": 0, "delta": {"tool_calls": [piece]}, "finish_reason": None}]})
    return streamed(*chunks, text_chunk("", finish="tool_calls"))


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def broken(x: int = 0):
    """Breaks."""
    raise OSError("no such thermometer")


class Told(Seats):
    """An audience that keeps the calls."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def called(self, called):
        self.calls.append(called)


def ask(*scripts, tools=(add, broken), fields=None, messages="Go.", **options):
    """The completion, the server's requests, and the calls as they were told."""
    audience, toolbox = Told(), Toolbox(tools)
    with ScriptedServer(*scripts) as server, Client(server.url, "k") as client:
        request = ChatRequest.build(messages, tools=toolbox.definitions, stream=True, **(fields or {}))
        completion = Turn(request, toolbox=toolbox, **options).answer(client, audience)
    return completion, [each.json for each in server.requests], audience.calls


def test_a_call_is_made_and_its_result_told_until_the_model_answers():
    completion, sent, told = ask(calls((0, "c1", "add", '{"a": 1, "b": 2}')), said("It is 3."))
    assert completion.content == "It is 3."
    assert [(call.name, call.result, call.error) for call in told] == [("add", "3", None)]
    assert sent[1]["messages"][1:] == [
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "3"},
    ]


def test_the_completion_holds_all_rounds():
    script = calls((0, "c1", "add", '{"a": 1, "b": 2}'))
    completion, _, _ = ask(script, script, said("Done."))
    assert [len(each.calls) for each in completion.rounds] == [1, 1, 0]
    assert completion.rounds[-1].completion is completion


def test_reasoning_goes_back_with_the_calls():
    _, sent, _ = ask(calls((0, "c1", "add", '{"a": 1, "b": 2}'), reasoning="I add."), said("3"))
    assert sent[1]["messages"][1]["reasoning_content"] == "I add."


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("add", "{", "not valid JSON"),
        ("add", '{"a": 1}', "b: Field required"),
        ("subtract", "{}", "There is no function 'subtract'. There are: add, broken."),
        ("", "{}", "There is no function ''"),
        ("broken", "{}", "OSError: no such thermometer"),
    ],
)
def test_what_goes_wrong_in_a_call_is_told_to_the_model_and_to_us(name, arguments, says):
    completion, sent, told = ask(calls((0, "c1", name, arguments)), said("Sorry."))
    assert says in told[0].error
    assert sent[1]["messages"][-1]["content"] == f"Error: {told[0].error}"
    assert completion.content == "Sorry."


def test_indexes_may_begin_at_one():
    _, sent, told = ask(
        calls((1, "x", "add", '{"a": 1, "b": 1}'), (2, "y", "add", '{"a": 2, "b": 2}')), said("ok")
    )
    assert [call.result for call in told] == ["2", "4"]
    assert [each.get("tool_call_id") for each in sent[1]["messages"][2:]] == ["x", "y"]


@pytest.mark.parametrize("ids", [("same", "same"), (None, None), ("", "x")])
def test_ids_that_are_missing_or_repeated_are_made_unique(ids):
    first, second = ids
    _, sent, _ = ask(
        calls((0, first, "add", '{"a": 1, "b": 1}'), (1, second, "add", '{"a": 2, "b": 2}')), said("ok")
    )
    asked = [call["id"] for call in sent[1]["messages"][1]["tool_calls"]]
    answered = [each["tool_call_id"] for each in sent[1]["messages"][2:]]
    assert asked == answered and len(set(asked)) == 2 and all(asked)


def test_calls_of_one_round_run_together():
    meeting = threading.Barrier(2)

    def meet(who: str) -> str:
        """Wait for the other."""
        meeting.wait(timeout=60)
        return who

    _, _, told = ask(
        calls((0, "a", "meet", '{"who": "Ada"}'), (1, "b", "meet", '{"who": "Bob"}')), said("ok"), tools=[meet]
    )
    assert [call.result for call in told] == ["Ada", "Bob"]


def test_endless_rounds_end_at_the_limit_with_what_there_is():
    with pytest.raises(TooManyRoundsError, match="after 3 rounds") as caught:
        ask(calls((0, "c", "add", '{"a": 1, "b": 2}')), max_rounds=3)
    assert len(caught.value.partial.rounds) == 3


def test_calls_are_not_made_when_they_are_not_wanted():
    completion, sent, told = ask(calls((0, "c", "add", '{"a": 1, "b": 2}')), run_tools=False)
    assert (len(sent), told) == (1, [])
    assert completion.tool_calls[0].function.name == "add"


def test_a_call_of_a_tool_without_a_function_is_left_to_the_user():
    function = {"name": "lookup", "parameters": {"type": "object", "properties": {}}}
    as_object = Tool(function=FunctionDefinition(name="lookup"))
    for tool in ({"type": "function", "function": function}, as_object, function):
        completion, sent, told = ask(calls((0, "c", "lookup", "{}"), (1, "d", "add", "{}")), tools=[tool, add])
        assert (len(sent), told) == (1, [])
        assert len(completion.tool_calls) == 2
        assert sent[0]["tools"][0]["function"]["name"] == "lookup"


NAMED = {"type": "function", "function": {"name": "add"}}


@pytest.mark.parametrize(
    ("choice", "afterwards"), [(NAMED, "none"), ("required", None), ("auto", "auto"), (None, None)], ids=str
)
def test_a_choice_that_forces_a_call_forces_only_the_first(choice, afterwards):
    _, sent, _ = ask(calls((0, "c", "add", '{"a": 1, "b": 2}')), said("3"), fields={"tool_choice": choice})
    assert [each.get("tool_choice") for each in sent] == [choice, afterwards]


def test_an_empty_answer_ends_the_rounds():
    completion, sent, _ = ask(calls((0, "c", "add", '{"a": 1, "b": 2}')), said(""))
    assert (completion.content, len(sent)) == ("", 2)


def test_a_round_that_breaks_keeps_the_rounds_before():
    with pytest.raises(StreamInterruptedError) as caught:
        ask(calls((0, "c", "add", '{"a": 1, "b": 2}')), streamed(text_chunk("It "), done=False))
    assert [len(each.calls) for each in caught.value.partial.rounds] == [1, 0]


def test_text_beside_the_calls_is_kept():
    completion, sent, _ = ask(calls((0, "c", "add", '{"a": 1, "b": 2}'), text="Let me add."), said("3"))
    assert sent[1]["messages"][1]["content"] == "Let me add."
    assert completion.rounds[0].completion.content == "Let me add."


def test_two_tools_of_one_name_are_refused():
    with pytest.raises(InvalidRequestError, match="two tools called `add`"):
        Toolbox([add, {"type": "function", "function": {"name": "add"}}])


def test_each_call_has_an_id_of_its_own_whatever_the_server_sends():
    message = {"tool_calls": [
        {"id": identity, "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
        for identity in ("call_0_1", None, "a", "a", "call_0_3", None)
    ]}
    completion = ChatCompletion.from_wire({"choices": [{"message": message}]})
    ids = [called.id for called in Toolbox([add]).run(completion)]
    assert len(set(ids)) == 6 and ids[0] == "call_0_1" and ids[2] == "a"


def test_arguments_nested_without_end_are_an_error_for_the_model():
    message = {"tool_calls": [{"id": "a", "function": {"name": "add", "arguments": "[" * 100_000}}]}
    (called,) = Toolbox([add]).run(ChatCompletion.from_wire({"choices": [{"message": message}]}))
    assert called.error == "The arguments are not valid JSON: nested too deeply"
