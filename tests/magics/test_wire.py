"""What each option puts on the wire."""

import pytest

from ds_magic.api.fields import FIELDS, LIMITS
from ds_magic.magics.deepseek import DeepSeekMagics
from ds_magic.magics.options import OPTIONS

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}

ON_THE_WIRE = {
    "model": ("-m some-model", {"model": "some-model"}),
    "temperature": ("-t 0.5", {"temperature": 0.5}),
    "top_p": ("--top-p 0.9", {"top_p": 0.9}),
    "max_tokens": ("--max-tokens 7", {"max_tokens": 7}),
    "stop": (r'--stop "\n" --stop END', {"stop": ["\n", "END"]}),
    "frequency_penalty": ("--frequency-penalty -1", {"frequency_penalty": -1}),
    "presence_penalty": ("--presence-penalty 2", {"presence_penalty": 2}),
    "json": ("--json", {"response_format": {"type": "json_object"}}),
    "response_format": ("--response-format text", {"response_format": {"type": "text"}}),
    "thinking": ("--no-thinking", {"thinking": {"type": "disabled"}}),
    "reasoning_effort": ("--reasoning-effort high", {"reasoning_effort": "high"}),
    "top_logprobs": ("-l 3", {"logprobs": True, "top_logprobs": 3}),
    "logprobs": ("--logprobs", {"logprobs": True}),
    "tools": ("--tools definitions", {"tools": [TOOL]}),
    "tool_choice": (
        "--tools definitions --tool-choice f",
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
    ),
    "stream": ("--stream", {}),
    "seed": ("--seed 7", {"seed": 7}),
    "user_id": ("--user-id ada_1", {"user_id": "ada_1"}),
    "extra": ('--extra {"min_p": 1}', {"min_p": 1}),
}


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.field], ids=lambda option: option.name)
def test_each_option_sends_its_field_and_nothing_else(option, ask, shell):
    shell.user_ns["definitions"] = [TOOL]
    from tests.servers.scripted import said

    ask.server.scripts = [said("{}")]
    line, expected = ON_THE_WIRE[option.key]
    sent = ask(f"%%deepseek {line}\nSay json.")
    assert sent == {
        "messages": [{"role": "user", "content": "Say json."}],
        "model": "deepseek-chat",
        **STREAMED,
        **expected,
    }


def test_without_streaming_nothing_about_streams_is_sent_but_that(ask):
    from tests.servers.scripted import answered, completion

    ask.server.scripts = [answered(completion("Hello"))]
    sent = ask("%%deepseek --no-stream\nHi")
    assert (sent["stream"], "stream_options" in sent) == (False, False)


def test_a_system_prompt_comes_before_the_cell(ask):
    sent = ask('%%deepseek -s "Be brief."\nHi')
    assert sent["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]


def test_a_prefix_is_the_last_message_and_goes_to_beta(ask):
    sent = ask("%%deepseek --prefix {{ start }}\nHi".replace("{{ start }}", '"Well, "'))
    assert sent["messages"][-1] == {"role": "assistant", "content": "Well, ", "prefix": True}
    assert ask.server.requests[-1].path == "/beta/chat/completions"


def test_the_cell_and_the_options_are_filled(ask, shell):
    shell.user_ns.update(who="Ada", mood="kind", hot=1.5)
    sent = ask('%%deepseek -t {{ hot }} -s "Be {{ mood }}."\nI am {{ who }}; {who} {{who}}.')
    assert [each["content"] for each in sent["messages"]] == ["Be kind.", "I am Ada; {who} {{who}}."]
    assert sent["temperature"] == 1.5


def test_a_line_is_filled_from_the_function_that_it_stands_in(ask):
    sent = ask("def about(topic):\n    return %deepseek Tell me about {{ topic }}.\nabout('tea')".replace(
        "return %deepseek", "answer = %deepseek") + "\n")  # fmt: skip
    assert sent["messages"] == [{"role": "user", "content": "Tell me about tea."}]


def test_text_after_the_options_of_a_cell_is_the_beginning_of_the_prompt(ask):
    assert ask("%%deepseek -t 0 Translate:\nHallo")["messages"][0]["content"] == "Translate:\nHallo"


def test_a_cell_of_one_line_needs_no_body(ask):
    assert ask("%%deepseek -t 0 Is it true?")["messages"][0]["content"] == "Is it true?"


@pytest.mark.parametrize(
    ("cell", "prompt"),
    [
        ("%deepseek Is 221 a prime?", "Is 221 a prime?"),
        ("x = %deepseek Is 221 a prime?", "Is 221 a prime?"),
        ("if True:\n    %deepseek What's (this: \"?", "What's (this: \"?"),
        ("%deepseek {x} $x {{x}}?", "{x} $x {{x}}?"),
        ("x = 1\ny = %deepseek -t 0 one \\\ntwo?", "one  two?"),
    ],
)
def test_a_prompt_on_a_line_arrives_as_it_was_typed(cell, prompt, ask, shell):
    shell.user_ns["x"] = "no"
    assert ask(cell)["messages"] == [{"role": "user", "content": prompt}]


def test_roles_arrive_as_messages(ask):
    sent = ask("%%deepseek\n@system\nBe brief.\n@user name=ada\nHi\n@assistant\nHello.\n@user\nMore")
    assert [(each["role"], each["content"]) for each in sent["messages"]] == [
        ("system", "Be brief."),
        ("user", "Hi"),
        ("assistant", "Hello."),
        ("user", "More"),
    ]
    assert sent["messages"][1]["name"] == "ada"


def test_defaults_come_from_option_then_config_then_environment(ask, shell, monkeypatch):
    assert ask("%deepseek Hi")["model"] == "deepseek-chat"
    monkeypatch.setenv("DEEPSEEK_MODEL", "from-deepseek")
    assert ask("%deepseek Hi")["model"] == "from-deepseek"
    monkeypatch.setenv("DS_MAGIC_MODEL", "from-environment")
    assert ask("%deepseek Hi")["model"] == "from-environment"
    shell.run_cell('%config DeepSeekMagics.model = "from-config"').raise_error()
    assert ask("%deepseek Hi")["model"] == "from-config"
    assert ask("%deepseek -m from-option Hi")["model"] == "from-option"


def test_a_cells_own_system_replaces_the_default_one(ask, shell):
    shell.run_cell('%config DeepSeekMagics.system = "Be brief."').raise_error()
    assert ask("%deepseek Hi")["messages"][0] == {"role": "system", "content": "Be brief."}
    sent = ask("%%deepseek\n@system\nBe long.\n@user\nHi")
    assert [each["content"] for each in sent["messages"]] == ["Be long.", "Hi"]


def test_a_dry_run_sends_nothing_and_shows_the_request(ask, shell, capsys):
    shell.run_cell("%%deepseek --dry-run -t 0 --base-url http://127.0.0.1:9\nHi").raise_error()
    assert ask.server.requests == []
    assert '"temperature": 0' in capsys.readouterr().out
    assert "_ds" not in shell.user_ns


def test_another_server_is_asked_by_its_address(shell):
    from tests.servers.scripted import ScriptedServer, said

    with ScriptedServer(said("Hi")) as server:
        shell.run_cell(f"%deepseek --base-url {server.url} --timeout 30 Hi").raise_error()
        assert len(server.requests) == 1


def test_models_are_listed(ask, shell):
    from tests.servers.scripted import answered

    ask.server.models = answered({"object": "list", "data": [{"id": "one"}, {"id": "two\x1b[31m"}]})
    shell.run_cell("models = %ds_models").raise_error()
    shown = repr(shell.user_ns["models"])
    assert "one" in shown and "\x1b" not in shown
    assert ask.server.looks[-1].path == "/models"


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.is_default])
def test_a_field_that_may_be_a_default_is_an_option_a_trait_and_a_name_in_the_environment(
    name, ask, shell, monkeypatch
):
    line, expected = ON_THE_WIRE[name]
    assert name in DeepSeekMagics.class_trait_names(config=True) and name in LIMITS
    value = {"thinking": "false", "top_logprobs": "3"}.get(name) or line.split()[-1]
    monkeypatch.setenv(f"DS_MAGIC_{name.upper()}", value)
    sent = ask("%%deepseek\nHi")
    assert {field: sent[field] for field in expected if field in sent} == expected
