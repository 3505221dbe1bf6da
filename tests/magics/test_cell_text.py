"""A request written as a cell: reading the cell gives the same request again."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ds_magic import ChatCompletion, ChatRequest, Client, ask, backend
from ds_magic.api.clean_text import heal_surrogates
from ds_magic.api.errors import InvalidRequestError
from ds_magic.api.fields import EFFORTS, FIELDS
from ds_magic.magics.cell_text import cell_of
from ds_magic.magics.deepseek import DeepSeekMagics
from ds_magic.magics.line import parse
from ds_magic.magics.options import OPTIONS
from ds_magic.magics.prompt import Filler
from ds_magic.magics.question import turn_of
from ds_magic.magics.server_meant import ServerMeant
from tests.servers.scripted import ScriptedServer, said

KEY = "sk-5d41402abc4b2a76b9719d911017c592"
NAMESPACE = {"x": "FILLED", "name": "FILLED"}


def weather(city: str) -> str:
    """The weather of a city."""
    return city


def read(cell, **namespace):
    """The request that a cell asks for."""
    line, _, body = cell.partition("\n")
    assert line.startswith("%%deepseek") and len(line.splitlines()) == 1
    parsed = parse(line.removeprefix("%%deepseek"))
    assert not parsed.prompt and not parsed.notes
    magics, fill = DeepSeekMagics(), Filler(NAMESPACE | namespace)
    values = parsed.values(fill)
    turn = turn_of(magics, body, values, fill, fill.namespace, use=ServerMeant(magics, values).schema_use())
    assert not [note for note in turn.notes if "typographic" in note]
    return turn.request


def sent(request):
    """What goes out, but for what no cell says: that it comes in pieces, one stop as a list, a prefix's tokens."""
    body = request.to_wire()
    body.pop("stream_options", None)
    if body.get("stream"):
        del body["stream"]
    if isinstance(body.get("stop"), str):
        body["stop"] = [body["stop"]]
    for message in body["messages"]:
        message.pop("prefix_tokens", None)
    return body


def check(request, **namespace):
    cell = cell_of(request)
    assert sent(read(cell, **namespace)) == sent(request), cell
    return cell


HOSTILE = st.lists(
    st.one_of(
        st.text(max_size=3),
        st.sampled_from([
            "\\", '"', "'", "`", "\n", " ", "\t", "\r", "\0", "\x85", "\u2028", "\x0b", "\\n", "\\\\", "\\@user",
            "\n@user", "\n@assistant prefix", "@system name=“a b”", "\n@user name='it ‘is’ “so”'", "{{ x }}",
            "\\{{ x }}", "{{ name[0] }}", "{{x}}", "{", "}", "{{", "}}", " ", "“", "”", "«", "»", "‘", "’", "–", "—o",
            "--stop", "-t 0", "=", "name=“b” ", "prefix", "--", "%%deepseek", "\\frac", "\\nabla", "?", "7 × 8 = ",
            "\ud800",
        ]),
    ),
    max_size=8,
).map("".join)  # fmt: skip


def lines(text):
    """A text as a block can say it: LF at the ends of lines, and no blank lines around."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join(lines)


SAID = HOSTILE.map(lines)


def test_a_question_is_a_cell_as_one_types_it():
    assert cell_of(ChatRequest.build("What is the capital of Australia?")) == (
        "%%deepseek\nWhat is the capital of Australia?"
    )


def test_options_have_their_long_names_and_the_order_of_the_table():
    request = ChatRequest.build(
        "Hi", system="Be brief.", prefix="The capital is", temperature=0.0, top_p=0.5, max_tokens=5, stop=["\n", "END"],
        top_logprobs=20, seed=-3, thinking=False, extra={"min_p": 0.1}, stream=False,
    )  # fmt: skip
    assert check(request) == (
        '%%deepseek --system "Be brief." --prefix "The capital is" --temperature 0 --top-p 0.5 --max-tokens 5 '
        '--stop "\\n" --stop END --seed -3 --no-thinking --top-logprobs 20 --extra {"min_p": 0.1} --no-stream\nHi'
    )


def test_what_a_cell_does_anyway_is_not_said():
    usage = {"include_usage": True}
    request = ChatRequest.build("Hi", stream=True, stream_options=usage, logprobs=True, top_logprobs=3)
    assert check(request) == "%%deepseek --top-logprobs 3\nHi"


def test_messages_are_blocks_with_their_attributes():
    request = ChatRequest.build([
        {"role": "system", "content": "Instructions\nof two lines."},
        {"role": "user", "content": "Hi", "name": "Ada L."},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "More."},
        {"role": "assistant", "content": "It is", "prefix": True, "reasoning_content": 'Let me "see"'},
    ])
    assert check(request) == (
        "%%deepseek\n@system\nInstructions\nof two lines.\n@user name=\"Ada L.\"\nHi\n@assistant\nHello.\n@user\n"
        "More.\n@assistant prefix reasoning='Let me \"see\"'\nIt is"
    )


def test_text_that_looks_like_a_cells_own_signs_is_escaped():
    cell = check(ChatRequest.build("a\n@user\n\\@user name=ada\n{{ x }} and \\{{ x }} and {{x}}"))
    assert cell == "%%deepseek\na\n\\@user\n\\\\@user name=ada\n\\{{ x }} and \\\\{{ x }} and {{x}}"


def test_a_prefix_has_escapes_on_the_line():
    cell = check(ChatRequest.build("Hi", prefix='\\nabla \\frac "so"\n\n7 × 8 = '))
    assert cell == '%%deepseek --prefix \'\\\\nabla \\frac "so"\\n\\n7 × 8 = \'\nHi'


def test_a_prefix_that_no_line_can_hold_is_a_block():
    assert check(ChatRequest.build("Hi", prefix="a\u2028b")) == "%%deepseek\nHi\n@assistant prefix\na\u2028b"


def test_blank_lines_around_instructions_and_a_prefix_are_kept():
    check(ChatRequest.build("Hi", system="\nBe brief.\r\n" * 40, prefix="\n\n"))


def test_what_json_mode_adds_is_not_said():
    asked = ChatRequest.build("Hi", system="Be brief.", response_format={"type": "json_object"})
    assert cell_of(asked.prepared().request) == cell_of(asked) == '%%deepseek --system "Be brief." --json\nHi'
    alone = ChatRequest.build("Hi", response_format={"type": "json_object"})
    assert cell_of(alone.prepared().request) == "%%deepseek --json\nHi"


def test_functions_are_called_by_their_names():
    request = read("%%deepseek --tools weather --tool-choice weather\nHi", weather=weather)
    assert check(request, weather=weather) == "%%deepseek --tools weather --tool-choice weather\nHi"


def test_a_schema_is_said_as_json():
    schema = {"type": "object", "properties": {"a": {"default": None, "title": "{{ x }}"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    check(ChatRequest.build("Hi", response_format=wanted))
    assert "--response-format text" in check(ChatRequest.build("Hi", response_format={"type": "text"}))


def test_what_no_option_says_stands_in_extra():
    request = ChatRequest.build("Hi", model="a model", stop=["\u2028"], logprobs=False, extra={"temperature": 9})
    assert check(request) == (
        '%%deepseek --extra {"model": "a model", "stop": ["\\u2028"], "logprobs": false, "temperature": 9}\nHi'
    )
    check(ChatRequest.build("Hi", tool_choice={"type": "function", "function": {"name": "none"}}))


@pytest.mark.parametrize(
    ("messages", "fields", "says"),
    [
        ([{"role": "user", "content": "Hi", "name": "a\"'"}], {}, "the name"),
        (["Hi"], {"tools": [{"type": "function", "function": {"name": "get-weather"}}]}, "`get-weather`"),
        (["Hi"], {"tools": [{"type": "function", "function": {"name": "class"}}]}, "`class`"),
        (
            [
                "Hi",
                {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "1", "content": "2"},
            ],
            {},
            "functions were called",
        ),
        (["Hi"], {"extra": {"a": {1, 2}}}, "cannot be written as JSON"),
        (["Hi"], {"extra": {"token": KEY}}, "an API key"),
    ],
)
def test_a_request_that_no_cell_can_say_is_refused(messages, fields, says):
    with pytest.raises(InvalidRequestError, match=says):
        cell_of(ChatRequest.build(messages, **fields))


@given(SAID, SAID, SAID)
@example("", "", "")
@example("@user name=“a b”", "\\\\@system", "{{ x }}")
def test_hostile_texts_are_read_as_they_were_written(system, user, assistant):
    check(ChatRequest.build([
        {"role": "system", "content": system}, {"role": "user", "content": user},
        {"role": "assistant", "content": assistant}, {"role": "user", "content": user},
    ]))


@given(HOSTILE, st.lists(HOSTILE, max_size=3), SAID)
@example("\\", ['"', "\\'\""], "a")
def test_hostile_options_are_read_as_they_were_written(text, stops, user):
    prefix = lines(text) if re.search("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text) else text
    check(ChatRequest.build(user, prefix=prefix, stop=stops, extra={text: [text, {"x": text}]}))


@given(HOSTILE)
def test_a_model_of_any_name_is_named(model):
    check(ChatRequest.build("Hi", model=heal_surrogates(model) or "m"))


@given(HOSTILE, HOSTILE)
def test_hostile_attributes_are_read_as_they_were_written_or_refused(name, thoughts):
    request = ChatRequest.build([
        {"role": "user", "content": "Hi", "name": name},
        {"role": "assistant", "content": "So", "prefix": True, "reasoning_content": thoughts},
    ])
    try:
        again = sent(read(cell_of(request)))
    except InvalidRequestError:
        return
    wanted = sent(request)
    for each in wanted["messages"]:  # what is empty is not set; thoughts of several lines are left out
        for key in ("name", "reasoning_content"):
            if not each.get(key) or (key == "reasoning_content" and key not in again["messages"][-1]):
                each.pop(key, None)
    assert again == wanted


NUMBER = st.floats(allow_nan=False, allow_infinity=False)
VALUES = {
    "model": st.sampled_from(["deepseek-chat", "org/model:7b@q4"]),
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "max_tokens": st.integers(1, 10**9),
    "stop": st.one_of(st.text(), st.lists(st.text(), max_size=3)),
    "frequency_penalty": st.floats(-2, 2),
    "presence_penalty": st.floats(-2, 2),
    "seed": st.integers(),
    "thinking": st.booleans(),
    "reasoning_effort": st.sampled_from(sorted(EFFORTS)),
    "response_format": st.sampled_from([{"type": "text"}, {"type": "json_object"}]),
    "tool_choice": st.sampled_from(["none", "auto"]),
    "top_logprobs": st.integers(0, 20),
    "logprobs": st.just(True),
    "user_id": st.from_regex(FIELDS["user_id"].pattern, fullmatch=True).map(lambda text: text.rstrip("\n")),
    "extra": st.dictionaries(st.text(), st.one_of(st.text(), NUMBER, st.none())),
    "stream": st.booleans(),
}


@given(st.fixed_dictionaries({}, optional=VALUES))
def test_every_field_of_a_request_is_read_as_it_was_written(fields):
    check(ChatRequest.build("Hi", **fields))


def test_every_field_that_has_an_option_is_among_those():
    named = set(VALUES) | {"tools"}  # those have a test of their own
    assert {option.field for option in OPTIONS if option.field} <= named


def test_the_cell_asks_in_a_real_shell_what_was_asked(ask):
    request = ChatRequest.build(
        ["Say {x} $x {{ x }}.\n\n  @user\n@user\n# a % b?", {"role": "assistant", "content": "«no»\n"}, "And\nthen?"],
        system='"Brief."', prefix="7 × 8 =\n", model="m", top_logprobs=2, stop=["?"], extra={"a": "{x}"},
    )  # fmt: skip
    body = ask(cell_of(request))
    assert body.pop("stream") and body.pop("stream_options")
    wanted = sent(request)
    wanted["messages"][2]["content"] = "«no»"
    assert body["messages"] == wanted["messages"]
    assert {**body, "stop": ["?"]} == wanted


def answered(server):
    return ChatCompletion.from_wire({}, request=ChatRequest.build("Hi"), backend=server)


def test_the_server_is_named_where_another_would_answer(monkeypatch):
    monkeypatch.delenv("DEEPSEEK_BASE_URL")
    assert answered("embedded model").as_cell() == answered(None).as_cell() == "%%deepseek\nHi"
    assert answered("DeepSeek").as_cell() == "%%deepseek --base-url https://api.deepseek.com\nHi"
    backend.login(KEY)
    assert answered("DeepSeek").as_cell() == "%%deepseek\nHi"
    assert answered("embedded model").as_cell() == "%%deepseek --local\nHi"
    assert answered("elsewhere:1").as_cell() == "%%deepseek\nHi"  # whose address is not known


def test_an_address_is_named_where_it_is_known_and_never_with_a_password(monkeypatch):
    monkeypatch.delenv("DEEPSEEK_BASE_URL")
    backend.login(KEY)
    backend.resolve(base_url="http://somebody:secret@127.0.0.1:8/v1")
    assert answered("127.0.0.1:8").as_cell() == "%%deepseek\nHi"
    backend.resolve(base_url="http://127.0.0.1:7/v1")
    assert answered("127.0.0.1:7").as_cell() == "%%deepseek --base-url http://127.0.0.1:7/v1\nHi"


def test_a_model_that_nobody_named_is_not_named():
    with ScriptedServer(said("Hello")) as server:
        client = Client(server.url, KEY)
        assert client.stream("Hi").completion.as_cell() == "%%deepseek\nHi"
        client.chat("Hi", stream=True)
        answer = client.chat("Hi", stream=True)
        assert answer.request.model == "deepseek-chat" and answer.as_cell() == "%%deepseek\nHi"
        assert client.chat("Hi", model="m", stream=True).as_cell() == "%%deepseek --model m\nHi"


def test_a_branch_is_asked_with_the_prefix_that_leads_into_it():
    with ScriptedServer(said(" Sydney", ", of course."), said(" not", " Sydney.")) as server:
        client = Client(server.url, KEY)
        answer = client.chat("The capital?", prefix="It is", stream=True)
        branch = answer.fork(", of", "!\n", client=client)
        assert branch.as_cell() == '%%deepseek --prefix "It is Sydney!\\n"\nThe capital?'


def test_an_answer_that_called_functions_is_asked_as_it_was_before():
    from tests.magics.test_functions_and_json import calling

    with ScriptedServer(calling("weather", '{"city": "Paris"}'), said("Sunny.")) as server:
        answer = ask("Weather?", tools=[weather], client=Client(server.url, KEY))
        assert len(answer.rounds) == 2 and answer.as_cell() == "%%deepseek --tools weather\nWeather?"


def test_an_answer_without_a_request_says_so():
    with pytest.raises(InvalidRequestError, match="not known what was asked"):
        ChatCompletion.from_wire({}).as_cell()
