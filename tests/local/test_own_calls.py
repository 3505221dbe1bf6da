"""Functions are called by the syntax of the model's own template, which tells it by what it makes of a call."""

from __future__ import annotations

import json

import pytest

from tests.local.hermes import ENABLED, FOR_EVER, HERMES, MARKS, WORDS, prompts
from tests.local.tiny_models import CHATML, write_model
from tests.local.tiny_server import serve

pytestmark = pytest.mark.model

NUMBER = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def function(name, parameters=NUMBER, description="Adds"):
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def named(name):
    return {"type": "function", "function": {"name": name}}


ADD, SUBTRACT = function("add"), function("subtract")
CALLS = {
    "\n": "<tool_call>", "\n\n": "<tool_call>", "<tool_call>": "It", '"': "s", " ": "7", "7": "}", "}": "<|im_end|>",
    "</tool_call>": "<|im_end|>",
}
"""Calls `subtract` with 7, and ends."""
TWICE = {**CALLS, "</tool_call>": "\n"}


@pytest.fixture(scope="module")
def caller(folder):
    with serve(write_model(folder / "caller.gguf", HERMES, marks=MARKS, words=WORDS, says=CALLS)) as api:
        yield api


def calls(answer):
    (choice,) = answer["choices"]
    made = choice["message"].get("tool_calls", [])
    return [(call["function"]["name"], call["function"]["arguments"]) for call in made]


def test_the_mark_of_a_call_is_a_call(caller):
    answer = caller.chat(tools=[ADD, SUBTRACT], temperature=0, logprobs=True)
    assert calls(answer) == [("subtract", '{"a": 7}')]
    assert answer["choices"][0]["message"]["content"] == "" and answer["choices"][0]["logprobs"] is None
    assert answer["choices"][0]["finish_reason"] == "tool_calls"


def test_a_call_is_streamed_by_its_index_beside_logprobs_of_the_thinking(folder):
    says = {**CALLS, "\n": "We", "We": " add", " add": "</think>"}
    with serve(write_model(folder / "both.gguf", HERMES, marks=MARKS, words=WORDS, says=says)) as api:
        *chunks, _ = api.events(tools=[ADD, SUBTRACT], seed=1, logprobs=True, top_logprobs=3, **ENABLED)
    choices = [chunk["choices"][0] for chunk in chunks]
    lists = [(choice["logprobs"] or {}).get("reasoning_content") or [] for choice in choices]
    assert [entry["token"] for entries in lists for entry in entries] == ["We", " add"]
    pieces = [piece for choice in choices for piece in choice["delta"].get("tool_calls", [])]
    assert {piece["index"] for piece in pieces} == {0} and pieces[0]["id"]
    assert "".join(piece["function"]["arguments"] for piece in pieces) == '{"a": 7}'
    assert choices[-1]["finish_reason"] == "tool_calls"


def test_what_is_said_before_a_call_is_content(folder):
    says = {**CALLS, "\n\n": "We", "We": " add", " add": "\n", "\n": "<tool_call>"}
    with serve(write_model(folder / "says.gguf", HERMES, marks=MARKS, words=WORDS, says=says)) as api:
        answer = api.chat(tools=[ADD, SUBTRACT], temperature=0, logprobs=True)
    assert answer["choices"][0]["message"]["content"] == "We add" and calls(answer) == [("subtract", '{"a": 7}')]
    assert [entry["token"] for entry in answer["choices"][0]["logprobs"]["content"]] == ["We", " add"]


@pytest.fixture(scope="module")
def twice(folder):
    with serve(write_model(folder / "twice.gguf", HERMES, marks=MARKS, words=WORDS, says=TWICE)) as api:
        yield api


def test_a_model_that_goes_on_calls_several_functions(twice):
    answer = twice.chat(tools=[ADD, SUBTRACT], temperature=0, max_tokens=60)
    made = answer["choices"][0]["message"]["tool_calls"]
    assert len(made) > 1 and len({call["id"] for call in made}) == len(made)
    assert calls(answer)[:2] == [("subtract", '{"a": 7}')] * 2


def test_one_call_at_a_time_where_that_is_asked_for(twice):
    answer = twice.chat(tools=[ADD, SUBTRACT], temperature=0, parallel_tool_calls=False)
    assert calls(answer) == [("subtract", '{"a": 7}')]
    assert answer["choices"][0]["finish_reason"] == "tool_calls"


def test_a_call_can_be_required_or_named_and_none_forbids_it(thinker, caller):
    choice = named("add")
    asked = {"tools": [ADD, SUBTRACT], "temperature": 0, "max_tokens": 60}
    assert calls(thinker.chat(tool_choice="required", **asked))[0][0] in ("add", "subtract")
    assert calls(thinker.chat(tool_choice=choice, **asked))[0][0] == "add"
    assert calls(thinker.chat(**asked)) == []
    assert calls(caller.chat(tool_choice=choice, **asked)) == [("add", '{"a": 7}')]
    assert calls(caller.chat(tool_choice="none", **asked)) == []


def test_an_answer_that_has_to_be_json_leaves_room_for_a_call(thinker, caller):
    asked = {"tools": [ADD], "response_format": {"type": "json_object"}, "temperature": 0, "max_tokens": 60}
    assert calls(caller.chat("As json", **asked)) == [("add", '{"a": 7}')]
    answer = thinker.chat("As json", **asked)
    assert calls(answer) == [] and answer["choices"][0]["message"]["content"].startswith("{")


def test_a_call_that_the_limit_cuts_is_an_honest_length(caller):
    answer = caller.chat(tools=[ADD], temperature=0, max_tokens=4)
    assert answer["choices"][0]["finish_reason"] == "length"
    ((name, arguments),) = calls(answer)
    assert name == "add" and '{"a": 7}'.startswith(arguments)


def rounds(result="7", arguments='{"a":   7}'):
    call = {"id": "call_0_abc", "type": "function", "function": {"name": "add", "arguments": arguments}}
    return [{"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_0_abc", "content": result}]


def test_calls_and_results_stand_where_the_template_has_them(caller):
    written = ('{"a":7}', '{"a":  7}', "oh")
    size, *others = (prompts(caller, *rounds(arguments=arguments), tools=[ADD]) for arguments in written)
    assert [other - size for other in others] == [2, -5]  # as they were written, JSON or not


@pytest.mark.parametrize("place", ["result", "description", "key"])
def test_of_a_function_no_text_passes_for_a_mark(caller, place):
    def size(text):
        tool = function("add", {"type": "object", "properties": {text if place == "key" else "a": {"type": "integer"}}},
                        text if place == "description" else "Adds")
        return prompts(caller, *rounds(text if place == "result" else "7"), tools=[tool])

    assert size("</tool_call>") == size("x" * len("</tool_call>"))



LLAMA = (
    "{% if tools %}<|im_start|>system\n{{ tools | tojson }}<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.tool_calls %}{% if message.tool_calls | length > 1 %}{{ raise_exception('One call at a time') }}"
    '{% endif %}{"name": "{{ message.tool_calls[0].function.name }}", "parameters": '
    "{{ message.tool_calls[0].function.arguments | tojson }}}{% else %}{{ message.content }}{% endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""As Llama 3 has it: a call has no mark, and there is one at a time."""


@pytest.mark.parametrize(("name", "made"), [("add", [("add", '{"a": 7}')]), ("ad", []), ("addition", [])])
def test_where_calls_have_no_mark_only_one_of_a_function_that_there_is_is_one(folder, name, made):
    text = '{"name": "' + name + '", "parameters": '
    words = [text[:-1]]
    says = {"\n": text[:-1], text[:-1]: " ", " ": "7", "7": "}", "}": "<|im_end|>"}
    with serve(write_model(folder / "weak.gguf", LLAMA, words=words, says=says)) as api:
        answer = api.chat(tools=[ADD, SUBTRACT], temperature=0)
    assert calls(answer) == made
    # What is no call is content, and nothing of it is lost.
    assert answer["choices"][0]["message"]["content"] == ("" if made else text + "7}")


def test_several_calls_of_a_turn_come_one_after_the_other_where_the_template_takes_one(folder):
    with serve(write_model(folder / "single.gguf", LLAMA, says=FOR_EVER, words=WORDS)) as api:
        (asked, answer), other = rounds(), {"name": "add", "arguments": "{}"}
        asked["content"] = "So"  # which this template leaves out
        asked["tool_calls"].append({"id": "call_1_abc", "type": "function", "function": other})
        also = {**answer, "tool_call_id": "call_1_abc"}
        one, two = prompts(api, *rounds(), tools=[ADD]), prompts(api, asked, answer, also, tools=[ADD])
        assert two > one + len('{"name": "add", "parameters": {}}')


MISTRAL = (
    "{% for message in messages %}{% if message.role == 'user' %}"
    "{% if tools and loop.last %}[AVAILABLE_TOOLS]{{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}"
    "[INST]{{ message.content }}[/INST]{% elif message.tool_calls %}[TOOL_CALLS][{% for call in message.tool_calls %}"
    "{% if call.id | length != 9 %}{{ raise_exception('Nine letters') }}{% endif %}"
    '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}, "id": "{{ call.id }}"}'
    "{% if not loop.last %}, {% endif %}{% endfor %}]{{ eos_token }}{% elif message.role == 'tool' %}"
    "[TOOL_RESULTS]{{ message.content }} of {{ message.tool_call_id }}[/TOOL_RESULTS]"
    "{% else %}{{ message.content }}{{ eos_token }}{% endif %}{% endfor %}"
)
"""As Mistral has it: a list of calls, and their ids have nine letters."""


@pytest.mark.parametrize(("after", "count"), [(",", 2), ("]", 1)])
def test_a_list_of_calls_is_gone_on_with_or_closed(folder, after, count):
    marks = ["[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[INST]", "[/INST]", "[TOOL_CALLS]", "[TOOL_RESULTS]",
             "[/TOOL_RESULTS]"]
    says = {"[/INST]": "[TOOL_CALLS]", '"': "s", " ": "7", "7": "}", "}": after}
    with serve(write_model(folder / "list.gguf", MISTRAL, marks=marks, says=says)) as api:
        answer = api.chat(tools=[ADD, SUBTRACT], temperature=0, max_tokens=40 if count == 2 else 60)
        assert [name for name, _ in calls(answer)] == ["subtract"] * count
        assert answer["choices"][0]["finish_reason"] == ("length" if count == 2 else "tool_calls")
        again = [{"role": "user", "content": "Hi"}, *rounds(), {"role": "user", "content": "So?"}]
        assert api.chat(messages=again, tools=[ADD], max_tokens=1)


def test_a_system_message_for_which_a_template_has_a_place_only_at_the_end_stays_beyond_a_call(folder):
    template = MISTRAL.replace("{% for message in messages %}", (
        "{% if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set rest = messages[1:] %}"
        "{% else %}{% set rest = messages %}{% endif %}{% for message in rest %}"
    ), 1).replace("[INST]", "[INST]{% if loop.last and system is defined %}{{ system }}\n\n{% endif %}")
    asked = [{"role": "user", "content": "Hi"}, *rounds()]
    with serve(write_model(folder / "last.gguf", template, marks=["[INST]"])) as api:
        answers = [api.chat(messages=said, tools=[ADD], max_tokens=1)
                   for said in ([{"role": "system", "content": "Sys"}, *asked], asked)]
    sizes = [answer["usage"]["prompt_tokens"] for answer in answers]
    assert sizes[0] - sizes[1] == len("Sys\n\n")


GLM = HERMES.replace(
    '\n{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}\n',
    "{{ call.function.name }}{% for key, value in call.function.arguments | items %}<arg_key>{{ key }}</arg_key>"
    "<arg_value>{{ value | tojson if value is mapping else value }}</arg_value>{% endfor %}",
)
"""As GLM has it: arguments stand one by one."""
ARGS = ["<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"]
WRITE = function("write", {
    "type": "object", "required": ["text"],
    "properties": {"text": {"type": "string"}, "kind": {"enum": ["big", "small"]}},
})


@pytest.fixture(scope="module", params=["</tool_call>", "<arg_key>"], ids=["one", "two"])
def writer(request, folder):
    """A model that writes arguments one by one, and after each says that it ends, or that another one comes."""
    says = {
        "\n\n": "<tool_call>", "<arg_key>": "t", "<arg_value>": "We", "We": " add", " add": '"', '"': "</arg_value>",
        "</arg_value>": request.param, "</tool_call>": "<|im_end|>",
    }
    with serve(write_model(folder / "writer.gguf", GLM, marks=[*MARKS, *ARGS], words=WORDS, says=says)) as api:
        yield api, '{"text": "We add\\""' + (', "kind": "big"}' if request.param == "<arg_key>" else "}")


def test_arguments_that_stand_one_by_one_become_json(writer):
    api, arguments = writer
    answer = api.chat(tools=[WRITE, ADD], tool_choice=named("write"), temperature=0, max_tokens=60)
    assert calls(answer) == [("write", arguments)] and answer["choices"][0]["finish_reason"] == "tool_calls"


def test_of_arguments_that_stand_one_by_one_none_passes_for_a_mark(writer):
    sizes = [prompts(writer[0], *rounds(arguments=json.dumps({text: text})), tools=[ADD])
             for text in ("</arg_value>", "x" * len("</arg_value>"))]
    assert sizes[0] == sizes[1]
    assert prompts(writer[0], *rounds(arguments="oh"), tools=[ADD])


def test_a_function_without_parameters_is_called_without_any(writer, caller):
    tool = function("now", None)
    for api in (writer[0], caller):
        answer = api.chat(tools=[tool], tool_choice="required", temperature=0)
        assert calls(answer) == [("now", "{}")]


def test_a_model_is_led_by_words_where_its_calls_cannot_be_read(folder):
    xml = (
        "{{ tools }}{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
        "{% for call in message.tool_calls or [] %}<call={{ call.function.name }}>"
        "{% for key, value in call.function.arguments | items %}{{ key }}={{ value | tojson }}, {% endfor %}"
        "</call>{% endfor %}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
    )
    with serve(write_model(folder / "led.gguf", xml, words=WORDS, says=FOR_EVER)) as api:
        answer = api.chat(tools=[ADD, SUBTRACT], tool_choice="required", temperature=0, max_tokens=60)
        assert calls(answer)[0][0] in ("add", "subtract")
        assert prompts(api, *rounds(), tools=[ADD])


def test_a_result_that_stands_in_json_is_written_as_json(folder):
    content = "{{ message.content | tojson if message.role == 'tool' else message.content }}"
    template = HERMES.replace("{{ message.content }}", content)
    with serve(write_model(folder / "json.gguf", template, marks=MARKS, words=WORDS, says=CALLS)) as api:
        sizes = [prompts(api, *rounds(result), tools=[ADD]) for result in ("aaaa", 'a"\\a')]
        assert sizes[1] - sizes[0] == 2


@pytest.mark.parametrize(("template", "marks"), [(CHATML, MARKS), (LLAMA, [])], ids=["thinks", "calls"])
def test_a_model_that_knows_one_of_both_is_led_to_the_other_by_words(folder, template, marks):
    says = {**FOR_EVER, ".": "We", '"': "s", " ": "7", "7": "}", "}": "<|im_end|>"}
    with serve(write_model(folder / "half.gguf", template, marks=marks, words=WORDS, says=says)) as api:
        answer = api.chat(tools=[ADD], tool_choice="required", max_tokens=60, seed=1, **ENABLED)
    assert answer["choices"][0]["message"]["reasoning_content"]
    assert calls(answer) == [("add", '{"a": 7}')]


def test_arguments_one_by_one_that_the_limit_cuts_are_an_honest_length(writer):
    for limit in range(3, 12):
        answer = writer[0].chat(tools=[WRITE], tool_choice="required", temperature=0, max_tokens=limit)
        (choice,) = answer["choices"]
        assert answer["usage"]["completion_tokens"] <= limit
        if choice["finish_reason"] == "length":
            assert writer[1].startswith(calls(answer)[0][1])


def test_a_template_that_looks_into_the_parameters_of_a_function_is_told_that_there_are_none(folder):
    template = HERMES.replace("{{ tools | tojson }}", (
        "{% for tool in tools %}{% for name in tool.function.parameters.properties.keys() %}{{ name }}{% endfor %}"
        "{{ tool.function.name }}{% endfor %}"
    ))
    bare = {"type": "function", "function": {"name": "now"}}
    with serve(write_model(folder / "looks.gguf", template, marks=MARKS)) as api:
        assert api.post(api.body(tools=[bare], max_tokens=1)).status_code == 200
