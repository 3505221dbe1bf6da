"""Requests: only what was set is sent, and what breaks a documented limit is refused before that."""

import json

import pytest

from ds_magic import AssistantMessage, ChatRequest, InvalidRequestError, SystemMessage, Tool, ToolMessage, UserMessage
from ds_magic.api.fields import LIMITS
from ds_magic.api.request import JSON_INSTRUCTION
from tests.servers.scripted import ScriptedServer, completion, said, streamed, text_chunk
from tests.servers.scripted import answered as answering

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
FUNCTION = {"type": "function", "function": {"name": "f"}}


def named(*names):
    return [{"type": "function", "function": {"name": name}} for name in names]


BROKEN = [
    ("messages", [], {"messages": []}),
    ("messages", 5, {"messages": 5}),
    ("messages[0].role", "alien", {"messages": [{"role": "alien", "content": "a"}]}),
    ("messages[0]", 5, {"messages": [5]}),
    ("messages[0].content", None, {"messages": [{"role": "user"}]}),
    ("messages[0].content", ["a"], {"messages": [{"role": "system", "content": ["a"]}]}),
    ("messages[0].foo", 1, {"messages": [{"role": "user", "content": "a", "foo": 1}]}),
    ("messages[0].prefix", True, {"messages": [{"role": "assistant", "content": "a", "prefix": True}, "b"]}),
    ("messages[0].content", None, {"messages": [{"role": "assistant"}]}),
    ("messages[0].tool_call_id", None, {"messages": [{"role": "tool", "content": "a"}]}),
    ("messages[0].tool_call_id", "x", {"messages": [{"role": "tool", "content": "a", "tool_call_id": "x"}]}),
    ("model", "", {"model": ""}),
    ("model", 5, {"model": 5}),
    ("frequency_penalty", -2.1, {"frequency_penalty": -2.1}),
    ("frequency_penalty", 2.1, {"frequency_penalty": 2.1}),
    ("presence_penalty", -2.1, {"presence_penalty": -2.1}),
    ("presence_penalty", 2.1, {"presence_penalty": 2.1}),
    ("max_tokens", 0, {"max_tokens": 0}),
    ("max_tokens", 1.5, {"max_tokens": 1.5}),
    ("max_tokens", True, {"max_tokens": True}),
    ("response_format.type", "xml", {"response_format": {"type": "xml"}}),
    ("stop", ["a"] * 17, {"stop": ["a"] * 17}),
    ("stop", [1], {"stop": [1]}),
    ("stop", 1, {"stop": 1}),
    ("stream_options", {"include_usage": True}, {"stream_options": {"include_usage": True}}),
    ("temperature", -0.1, {"temperature": -0.1}),
    ("temperature", 2.1, {"temperature": 2.1}),
    ("temperature", "1", {"temperature": "1"}),
    ("temperature", True, {"temperature": True}),
    ("temperature", float("inf"), {"temperature": float("inf")}),
    ("top_p", -0.1, {"top_p": -0.1}),
    ("top_p", 1.1, {"top_p": 1.1}),
    ("tools", [FUNCTION] * 129, {"tools": [FUNCTION] * 129}),
    ("tools[0].function.name", "a b", {"tools": named("a b")}),
    ("tools[0].function.name", "", {"tools": named("")}),
    ("tools[0].function.name", "f\n", {"tools": named("f\n")}),
    ("tools[0].function.name", "f" * 129, {"tools": named("f" * 129)}),
    ("tools", "f", {"tools": [FUNCTION, FUNCTION]}),
    ("tools[0].type", "web", {"tools": [{"type": "web", "function": {"name": "f"}}]}),
    ("tool_choice", "maybe", {"tool_choice": "maybe"}),
    ("logprobs", "yes", {"logprobs": "yes"}),
    ("top_logprobs", 21, {"logprobs": True, "top_logprobs": 21}),
    ("top_logprobs", -1, {"logprobs": True, "top_logprobs": -1}),
    ("top_logprobs", 5, {"top_logprobs": 5, "logprobs": False}),
    ("thinking.type", "on", {"thinking": {"type": "on"}}),
    ("reasoning_effort", "huge", {"reasoning_effort": "huge"}),
    ("extra", 5, {"extra": 5}),
]


@pytest.mark.parametrize(("field", "value", "fields"), BROKEN, ids=lambda each: each if isinstance(each, str) else "")
def test_a_broken_limit_is_refused_with_field_value_and_limit_before_anything_is_sent(field, value, fields, connect):
    with ScriptedServer(said("a")) as server:
        client = connect(server)
        messages = fields.get("messages", "Hi")
        fields = {name: given for name, given in fields.items() if name != "messages"}
        for ask in (client.chat, client.stream):
            if ask == client.stream and "stream_options" in fields:
                continue
            with pytest.raises(InvalidRequestError) as caught:
                ask(messages, **fields)
            error = caught.value
            assert error.field == field and field.split(".")[-1].split("[")[0] in str(error)
            if field != "messages[0].content" and value is not None:
                assert error.value == value
            assert error.limit and error.status is None and error.remedy
        assert server.requests == []


@pytest.mark.parametrize("fields", [
    {"frequency_penalty": -2}, {"presence_penalty": 2}, {"max_tokens": 1}, {"max_tokens": 393216},
    {"temperature": 0}, {"temperature": 2}, {"top_p": 0}, {"top_p": 1}, {"stop": "a"}, {"stop": ["a"] * 16},
    {"logprobs": True, "top_logprobs": 0}, {"logprobs": True, "top_logprobs": 20},
    {"tools": named(*(f"f{i}" for i in range(128)))},
    {"tools": named("A-z_9" + "f" * 123)}, {"tool_choice": "none"}, {"tool_choice": "auto"},
    {"tool_choice": "required"}, {"tool_choice": FUNCTION}, {"response_format": {"type": "text"}},
    {"thinking": {"type": "disabled"}}, {"reasoning_effort": "max"}, {"reasoning_effort": "minimal"},
    {"model": "anything at all"},
])
def test_values_at_the_limits_are_sent_as_they_are(fields, connect):
    with ScriptedServer(answering(completion())) as server:
        connect(server).chat("Hi", **fields)
        body = server.requests[0].json
    assert body == {"model": "deepseek-chat", **fields, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(("said", "sent"), [
    ({"top_logprobs": 5}, {"logprobs": True, "top_logprobs": 5}),
    ({"thinking": False}, {"thinking": {"type": "disabled"}}),
    ({"system": ""}, {}),
])
def test_what_the_line_says_shorter_python_says_as_short(said, sent, connect):
    with ScriptedServer(answering(completion())) as server:
        connect(server).chat("Hi", **said)
        body = server.requests[0].json
    assert body == {"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hi"}], **sent}


def test_a_system_message_comes_first_and_a_prefix_last(connect):
    with ScriptedServer(answering(completion())) as server:
        for asked in ("Hi", ChatRequest.build("Hi")):
            connect(server).chat(asked, system="Be brief.", prefix="Well")
    for each in server.requests:
        assert each.path == "/beta/chat/completions"
        assert [(message["role"], message["content"]) for message in each.json["messages"]] == [
            ("system", "Be brief."), ("user", "Hi"), ("assistant", "Well"),
        ]


def test_messages_of_other_clients_are_sent_as_the_service_takes_them():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    request = ChatRequest.build([{"role": "developer", "content": parts}, {"role": "user", "content": parts}])
    assert request.to_wire()["messages"] == [{"role": "system", "content": "ab"}, {"role": "user", "content": "ab"}]
    with pytest.raises(InvalidRequestError, match="'image_url'"):
        ChatRequest.build([{"role": "user", "content": [*parts, {"type": "image_url"}]}])


def test_an_answer_has_one_beginning():
    with pytest.raises(InvalidRequestError, match="two beginnings"):
        ChatRequest.build([{"role": "assistant", "content": "a", "prefix": True}], prefix="b")


def test_a_body_is_read_as_it_is_and_means_no_more_than_it_says():
    for body in ({"top_logprobs": 5}, {"thinking": True}):
        with pytest.raises(InvalidRequestError):
            ChatRequest.from_wire({"messages": [{"role": "user", "content": "Hi"}], **body})


def test_only_what_was_set_is_sent(connect):
    with ScriptedServer(answering(completion()), said("a")) as server:
        connect(server).chat("Hi", temperature=None, stop=None)
        with connect(server).stream("Hi") as stream:
            list(stream)
        bodies = [request.json for request in server.requests]
    asked = {"messages": [{"role": "user", "content": "Hi"}], "model": "deepseek-chat"}
    assert bodies == [asked, {**asked, "stream": True}]


def test_extra_is_sent_unchecked_and_wins(connect):
    extra = {"temperature": 99, "min_p": {"deep": [None, 1]}, "top_logprobs": 50}
    with ScriptedServer(answering(completion())) as server:
        connect(server).chat("Hi", temperature=1, extra=extra)
        body = server.requests[0].json
    assert {name: body[name] for name in extra} == extra


def test_the_body_is_utf8_with_lone_surrogates_replaced(connect):
    with ScriptedServer(answering(completion())) as server:
        connect(server).chat("é\ud83d😀", extra={"\ude00": "\ud83d\ude00"})
        request = server.requests[0]
    assert "é\ufffd😀".encode() in request.body
    assert request.json["\ufffd"] == "😀"


@pytest.mark.parametrize("extra", [{"a": {1, 2}}, {"a": float("nan")}, {"a": object()}])
def test_what_json_cannot_say_is_refused(extra, connect):
    with ScriptedServer(said("a")) as server:
        with pytest.raises(InvalidRequestError):
            connect(server).chat("Hi", extra=extra)
        assert server.requests == []


def test_an_extra_that_holds_itself_is_refused():
    extra = {}
    extra["extra"] = [extra]
    with pytest.raises(InvalidRequestError):
        ChatRequest.build("Hi", extra=extra).encode()


def test_an_unknown_field_is_refused_with_the_nearest_name():
    with pytest.raises(InvalidRequestError, match="did you mean `temperature`") as caught:
        ChatRequest.build("Hi", temperatur=1)
    assert caught.value.field == "temperatur"


def test_who_asks_a_chat_to_fill_a_gap_is_told_what_does():
    with pytest.raises(InvalidRequestError) as caught:
        ChatRequest.build("print(", suffix=")")
    assert "complete(prompt, suffix=" in caught.value.remedy


def test_every_field_of_a_request_has_its_limit_in_words():
    assert set(LIMITS) == set(ChatRequest.model_fields) - {"extra"}


def test_messages_may_be_a_string_a_mapping_objects_or_an_answer():
    asked = [{"role": "user", "content": "Hi"}]
    for messages in ("Hi", {"role": "user", "content": "Hi"}, UserMessage(content="Hi"), ["Hi"], iter(asked)):
        assert ChatRequest.build(messages).to_wire()["messages"] == asked


def test_a_tool_round_is_sent_with_its_calls_and_its_reasoning():
    messages = [
        SystemMessage(content="s", name="n"), UserMessage(content="u", name="ada"),
        AssistantMessage(content=None, tool_calls=[CALL], reasoning_content="because"),
        ToolMessage(content="42", tool_call_id="c1"),
    ]
    assert ChatRequest.build(messages, tools=[FUNCTION]).to_wire()["messages"] == [
        {"role": "system", "content": "s", "name": "n"},
        {"role": "user", "content": "u", "name": "ada"},
        {"role": "assistant", "content": None, "reasoning_content": "because", "tool_calls": [CALL]},
        {"role": "tool", "content": "42", "tool_call_id": "c1"},
    ]


def test_an_answer_with_tool_calls_goes_back_as_a_message(connect):
    body = completion(content=None)
    body["choices"][0]["message"].update(tool_calls=[{"index": 0, **CALL}], reasoning_content="because", audio=None)
    with ScriptedServer(answering(body), answering(completion())) as server:
        client = connect(server)
        answer = client.chat("Hi", tools=[FUNCTION])
        client.chat(["Hi", answer, ToolMessage(content="42", tool_call_id="c1")], tools=[FUNCTION])
        sent = server.requests[1].json["messages"][1]
    assert sent == {"role": "assistant", "content": None, "reasoning_content": "because", "tool_calls": [CALL]}


def test_reasoning_goes_out_with_a_prefix_and_beside_tools_only():
    plain = {"role": "assistant", "content": "a", "reasoning_content": "r"}
    called = {"role": "assistant", "content": None, "reasoning_content": "r", "tool_calls": [CALL]}
    sent = ChatRequest.build([plain, called, {**plain, "prefix": True}]).to_wire()["messages"]
    assert sent[0] == {"role": "assistant", "content": "a"} and "reasoning_content" not in sent[1]
    assert sent[2] == {**plain, "prefix": True}


def test_beside_tools_every_earlier_turn_says_what_it_thought_or_that_it_did_not():
    turns = [
        {"role": "assistant", "content": "a", "reasoning_content": "r"}, "And?", {"role": "assistant", "content": "b"},
        "So?", {"role": "assistant", "content": "c", "prefix": True},
    ]
    sent = ChatRequest.build(turns, tools=[FUNCTION]).to_wire()["messages"]
    assert [each.get("reasoning_content") for each in sent] == ["r", None, "", None, None]
    without = ChatRequest.build(turns, tools=[]).to_wire()["messages"]
    assert {each.get("reasoning_content") for each in without} == {None}


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "f"}}])
@pytest.mark.parametrize("asked", [
    {"thinking": {"type": "enabled"}}, {"reasoning_effort": "high"}, {"model": "deepseek-reasoner"},
])
def test_a_forced_call_and_thinking_that_was_asked_for_are_refused_with_the_remedy(choice, asked, connect):
    with ScriptedServer(said("a")) as server:
        with pytest.raises(InvalidRequestError, match="tool_choice") as caught:
            fields = {"model": "deepseek-flash", "tools": [FUNCTION], "tool_choice": choice, **asked}
            connect(server).chat("Hi", **fields)
        assert server.requests == [] and "--no-thinking" in caught.value.remedy


@pytest.mark.parametrize(("model", "given", "sent"), [
    ("deepseek-flash", {}, {"type": "disabled"}), ("deepseek-v4-pro", {}, {"type": "disabled"}),
    ("deepseek-chat", {}, None), ("another", {}, None),
    ("deepseek-flash", {"thinking": {"type": "disabled"}}, {"type": "disabled"}),
    ("deepseek-flash", {"reasoning_effort": "none"}, None), ("deepseek-flash", {"tool_choice": "auto"}, None),
])
def test_a_forced_call_switches_thinking_off_where_a_model_thinks_unasked_and_that_is_said(model, given, sent, connect):
    with ScriptedServer(answering(completion())) as server:
        answer = connect(server).chat("Hi", **{"tools": [FUNCTION], "tool_choice": "required", "model": model, **given})
        assert server.requests[0].json.get("thinking") == sent
    assert [("switched off" in note) for note in answer.notes] == ([True] if sent and not given else [])


def test_a_prefix_goes_to_beta(connect):
    prefix = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "prefix": True}]
    with ScriptedServer(answering(completion())) as server:
        for base in ("", "/", "/v1", "/v1/", "/beta", "/beta/"):
            connect(server.url + base).chat(prefix)
            connect(server.url + base).chat("Hi", tools=[{**FUNCTION, "function": {"name": "f", "strict": True}}])
        paths = {request.path for request in server.requests}
    assert paths == {"/beta/chat/completions"}


@pytest.mark.parametrize(("base", "path"), [
    ("", "/chat/completions"), ("/", "/chat/completions"), ("/v1", "/v1/chat/completions"),
    ("/v1/", "/v1/chat/completions"), ("/beta//", "/beta/chat/completions"),
])
def test_a_base_url_is_joined_with_and_without_its_slash(base, path, connect):
    with ScriptedServer(answering(completion())) as server:
        connect(server.url + base).chat("Hi")
        assert server.requests[0].path == path


def test_json_mode_without_the_word_gets_an_instruction_and_a_note(connect):
    with ScriptedServer(answering(completion("{}"))) as server:
        client = connect(server)
        answer = client.chat("Hi", response_format={"type": "json_object"})
        told = client.chat(["Hi", "in JSON"], response_format={"type": "json_object"})
        behind = client.chat([SystemMessage(content="s"), "Hi"], response_format={"type": "json_object"})
        sent = [request.json["messages"] for request in server.requests]
    assert sent[0][0] == {"role": "system", "content": JSON_INSTRUCTION} and "json" in answer.notes[0]
    assert len(sent[1]) == 2 and told.notes == []
    assert sent[2][0]["content"].endswith(JSON_INSTRUCTION) and behind.notes
    assert answer.parsed == {}


@pytest.mark.parametrize("stream", [True, False])
def test_what_thinking_ignores_is_noted_where_the_model_thought_whatever_was_asked(stream, connect):
    thought = completion(model="deepseek-reasoner")
    thought["choices"][0]["message"]["reasoning_content"] = "Hm."
    named = {"model": "deepseek-reasoner"}
    scripts = [streamed(text_chunk(reasoning="Hm.", **named), text_chunk("a", **named)), said("a")]
    with ScriptedServer(*(scripts if stream else [answering(thought), answering(completion())])) as server:
        client = connect(server)
        unasked = client.chat("Hi", temperature=0, top_p=0.5, stream=stream)
        did_not = client.chat("Hi", temperature=0, thinking={"type": "enabled"}, stream=stream)
    assert len(unasked.notes) == 1 and "temperature, top_p" in unasked.notes[0] and "--no-thinking" in unasked.notes[0]
    assert did_not.notes == []


def test_a_request_is_used_again_with_fields_changed(connect):
    request = ChatRequest.build("Hi", temperature=1, response_format={"type": "text"}, extra={"min_p": 0})
    with ScriptedServer(answering(completion())) as server:
        client = connect(server)
        client.chat(request, temperature=0, stop=["a"])
        body = server.requests[0].json
        with pytest.raises(InvalidRequestError):
            client.chat(request, temperature=3)
    assert (body["temperature"], body["stop"], body["min_p"]) == (0, ["a"], 0)
    assert body["response_format"] == {"type": "text"} and request.temperature == 1


def test_a_request_with_fields_is_streamed_where_either_says_so(connect):
    with ScriptedServer(streamed(text_chunk("a"))) as server:
        client = connect(server)
        assert client.chat(ChatRequest.build("Hi"), stream=True).content == "a"
        assert client.chat(ChatRequest.build("Hi", stream=True), temperature=0).content == "a"
        with client.stream(ChatRequest.build("Hi"), temperature=0) as stream:
            list(stream)
        assert all(request.json["stream"] for request in server.requests)


def test_a_server_reads_back_the_request_that_was_written():
    fields = {
        "temperature": 0.5, "stop": ["a"], "logprobs": True, "top_logprobs": 3, "tools": [FUNCTION],
        "thinking": {"type": "enabled"}, "stream": True, "stream_options": {"include_usage": True},
    }
    request = ChatRequest.build(["Hi", {"role": "assistant", "content": "b", "prefix": True}], **fields)
    again = ChatRequest.from_wire(json.loads(request.encode()))
    assert again == request and again.prefix == "b" and again.thinks


def test_a_server_tolerates_unknown_fields_and_nulls_and_names_what_is_wrong():
    body = {"messages": [{"role": "user", "content": "a", "x": 1, "name": None}], "model": "m", "n": 1, "stop": None}
    request = ChatRequest.from_wire(body)
    assert request.extra == {"n": 1} and request.stop is None
    for wrong in ([], {}, {"messages": None}, {"messages": [], "model": "m"}):
        with pytest.raises(InvalidRequestError):
            ChatRequest.from_wire(wrong)


def test_schemas_keep_their_own_nulls():
    schema = {"type": "object", "properties": {"a": {"default": None}}}
    tool = Tool.model_validate({"type": "function", "function": {"name": "f", "parameters": schema}})
    (sent,) = ChatRequest.build("Hi", tools=[tool]).to_wire()["tools"]
    assert sent["function"] == {"name": "f", "parameters": schema}


def test_a_key_in_a_refused_value_is_not_shown(key):
    with pytest.raises(InvalidRequestError) as caught:
        ChatRequest.build("Hi", temperature=key)
    assert key not in str(caught.value)


@pytest.mark.parametrize("role", [{}, [], 5, None, True])
def test_a_role_that_is_no_text_is_refused_and_not_a_crash(role):
    with pytest.raises(InvalidRequestError):
        ChatRequest.from_wire({"messages": [{"role": role, "content": "Hi"}]})


def test_more_alternatives_than_20_are_refused_where_the_embedded_model_is_not_asked(connect):
    with ScriptedServer(said("a")) as server:
        with pytest.raises(InvalidRequestError, match="to 20: only the model on this machine gives more") as caught:
            connect(server).chat("Hi", top_logprobs=49_152)
        assert "--local" in caught.value.remedy and server.requests == []
