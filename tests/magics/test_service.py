"""The service of 2024, of 2025 and of today, each played by a scripted server, from cells and from Python."""

import pytest

import ds_magic
from ds_magic import backend
from tests.servers.scripted import ScriptedServer, answered, refused, said, streamed, text_chunk
from tests.servers.service import FIRST, THOUGHT, Service, reasonings

ADD = '''
def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b
'''


@pytest.fixture
def served(shell, monkeypatch):
    """Runs cells against the service of an era, with a key; leaves the Service in `run.service`."""
    services = []

    def start(era, **options):
        service = Service(era, **options).__enter__()
        services.append(service)
        monkeypatch.setenv("DEEPSEEK_BASE_URL", service.url)
        monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-" + "0a" * 16)
        backend._offers.clear()

        def run(cell):
            shell.run_cell(cell, store_history=True).raise_error()
            return shell.user_ns.get("_ds")

        run.service = service
        return run

    yield start
    for service in services:
        service.__exit__(None, None, None)


@pytest.mark.parametrize("era", ["2024", "2025", "today"])
@pytest.mark.parametrize("how", ["", "--no-stream"])
def test_a_bare_cell_with_a_key_is_answered_at_the_first_try(era, how, served):
    run = served(era)
    for _ in range(2):
        answer = run(f"%%deepseek {how}\nHi")
        assert (answer.content, answer.model) == ("Hello", FIRST[era])
    assert run.service.refusals == [] and len(run.service.posts) == 2
    assert len(run.service.looks) == 1, "the models are asked once a kernel"
    assert not [note for note in answer.notes if "model" in note]


@pytest.mark.parametrize("era", ["2024", "2025", "today"])
@pytest.mark.parametrize("line", ["--prefix Well", "-l 2", "--json", "--chat lesson", "--quiet", "--timeout 20"])
def test_a_cell_with_an_option_is_answered_at_the_first_try(era, line, served):
    run = served(era, says=lambda body: "{}" if body.get("response_format") else "Hello")
    assert run(f"%%deepseek {line}\nHi in json").content in ("Hello", "{}")
    assert run.service.refusals == []


@pytest.mark.parametrize("era", ["2024", "2025", "today"])
def test_in_python_too(era, served):
    run = served(era)
    assert ds_magic.chat("Hi").model == ds_magic.ask("Hi").model == FIRST[era]
    with ds_magic.stream("Hi") as stream:
        assert "".join(delta.content or "" for delta in stream) == "Hello"
    assert run.service.refusals == [] and len(run.service.looks) == 1


def test_a_client_of_ones_own_finds_the_model_after_a_refusal():
    with Service("today") as service, ds_magic.Client(service.url, "k") as client:
        answers = [client.chat("Hi", stream=stream) for stream in (True, False)]
    assert [answer.model for answer in answers] == ["deepseek-flash"] * 2 and len(service.refusals) == 1


@pytest.mark.parametrize(("gone", "thinking", "thought"), [
    ("deepseek-chat", "off", None), ("deepseek-reasoner", "on", THOUGHT),
])
def test_a_retired_name_keeps_its_meaning_and_that_is_said(gone, thinking, thought, served):
    run = served("today")
    for _ in range(2):
        answer = run(f"%%deepseek -m {gone}\nHi")
        assert (answer.model, answer.reasoning_content) == ("deepseek-flash", thought)
        assert [note for note in answer.notes if gone in note and f"thinking {thinking}" in note]
    assert len(run.service.refusals) == 1, "what is known to be gone is not asked for again"


def test_on_the_service_of_2025_its_names_are_its_own(served):
    answer = served("2025")("%%deepseek -m deepseek-reasoner\nHi")
    assert (answer.model, answer.reasoning_content, answer.notes) == ("deepseek-reasoner", THOUGHT, [])


def test_what_the_user_says_of_thinking_comes_before_what_a_retired_name_means(served):
    answer = served("today")("%%deepseek -m deepseek-reasoner --no-thinking\nHi")
    assert answer.reasoning_content is None and "thinking off" in answer.notes[0]


def test_another_name_is_not_replaced_and_the_error_lists_what_there_is(served, shell, capsys):
    run = served("today")
    assert shell.run_cell("%%deepseek -m deepseek-v5\nHi").error_in_exec is not None
    said = capsys.readouterr().out
    assert "deepseek-flash, deepseek-v4-pro" in said and run.service.posts == []


@pytest.mark.parametrize("refusal", [
    refused(400, "no"), refused(404, "nothing here"), refused(400, "This is not one of ours."),
])
def test_any_refusal_of_a_model_that_nobody_named_leads_to_the_list(refusal, shell, monkeypatch):
    listed = []

    def models(connection):
        names = ["one"] if not listed else ["two"]
        listed.append(names)
        return answered({"data": [{"id": name} for name in names]})(connection)

    gone = refused(404, "model gone")
    with ScriptedServer(gone, said("Hello"), models=models) as server, ScriptedServer(refusal, models=None) as other:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        shell.run_cell("%deepseek Hi").raise_error()  # the list had become old
        assert [each.json["model"] for each in server.requests] == ["one", "two"]
        monkeypatch.setenv("DEEPSEEK_BASE_URL", other.url)
        assert shell.run_cell("%deepseek Hi").error_in_exec is not None
        assert len(other.looks) == 2 and len(other.requests) == 1


def test_a_tool_loop_of_three_rounds_in_a_conversation_of_three_turns(served):
    run = served("today", calls=3)
    run(ADD)
    for turn in range(3):
        answer = run(f"%%deepseek --chat sums --tools add\nTurn {turn}")
        assert answer.content == "Hello" and [len(each.calls) for each in answer.rounds] == [1, 1, 1, 0]
    assert run.service.refusals == [] and len(run.service.posts) == 12
    assert reasonings(run.service.posts[-1]) == [THOUGHT] * 11
    run("%%deepseek --chat sums\nAnd without?")
    assert run.service.refusals == [] and set(reasonings(run.service.posts[-1])) == {None}


def test_turns_that_called_nothing_and_did_not_think_are_replayed_beside_tools(served):
    run = served("today")
    run(ADD)
    run("%%deepseek --chat mixed\nOne.")
    run("%%deepseek --chat mixed --no-thinking\nTwo.")
    run("%%deepseek --chat mixed --tools add\nThree.")
    assert reasonings(run.service.posts[-1]) == [THOUGHT, ""] and run.service.refusals == []


def test_a_tool_loop_in_python(served):
    def add(a: int, b: int) -> int:
        return a + b

    run, chat = served("today", calls=3), ds_magic.Chat("lesson")
    for _ in range(3):
        assert ds_magic.ask("Go.", tools=[add], chat=chat).content == "Hello"
    assert run.service.refusals == [] and reasonings(run.service.posts[-1]) == [THOUGHT] * 11


@pytest.mark.parametrize("choice", ["required", "add"])
def test_a_call_that_is_forced_switches_thinking_off_and_says_so(choice, served):
    run = served("today", calls=1)
    run(ADD)
    answer = run(f"%%deepseek --tools add --tool-choice {choice}\nGo.")
    first, second = run.service.posts
    assert first["thinking"] == {"type": "disabled"} and "thinking" not in second and run.service.refusals == []
    assert any("switched off" in note for note in answer.rounds[0].completion.notes)


def test_a_call_that_is_forced_and_thinking_that_was_asked_for_are_refused(served, shell, capsys):
    run = served("today", calls=1)
    run(ADD)
    assert shell.run_cell("%%deepseek --thinking --tools add --tool-choice required\nGo.").error_in_exec is not None
    assert "--no-thinking" in capsys.readouterr().out and run.service.posts == run.service.refusals == []


MANY_KINDS = '''
def weather(city: str, days: int = 3):
    "The weather."
def counts(words: dict[str, int]):
    "Counts."
def first(names: Annotated[list[str], Len(1, 9)]):
    "The first."
given = {"name": "given", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
fit = {"name": "fit", "strict": False, "parameters": {"type": "object", "additionalProperties": False}}
'''


def test_strict_functions_are_asked_of_beta_and_every_argument_is_required(served):
    run = served("today", calls=1)
    run(ADD + "from typing import Annotated\nfrom annotated_types import Len" + MANY_KINDS)
    answer = run("%%deepseek --tools add,weather,fit --strict\nGo.")
    assert answer.content == "Hello" and run.service.refusals == []
    assert {each.path for each in run.service.requests} == {"/beta/chat/completions"}
    add, weather, fit = (each["function"] for each in run.service.posts[0]["tools"])
    assert add["strict"] is weather["strict"] is fit["strict"] is True
    assert weather["parameters"]["required"] == ["city", "days"]
    assert [each for each in answer.notes if "`weather` is strict: the model has to give `days`" in each]
    assert run("%%deepseek --tools add\nGo.").notes == [] and "strict" not in str(run.service.posts[-1]["tools"])


@pytest.mark.parametrize(("name", "why"), [
    ("counts", "in `words` other properties"), ("first", "in `names` there is minItems"),
    ("given", "`a` is not required"),
])
def test_a_function_that_cannot_be_strict_is_named_with_the_reason_before_anything_is_sent(
    name, why, served, shell, capsys
):
    run = served("today")
    run(ADD + "from typing import Annotated\nfrom annotated_types import Len" + MANY_KINDS)
    assert shell.run_cell(f"%%deepseek --tools add,{name} --strict\nGo.").error_in_exec is not None
    said = " ".join(capsys.readouterr().out.replace("▌", " ").split())  # the panel is as wide as the terminal
    assert f"`{name}` cannot be a strict function" in said and why in said and "leave out `--strict`" in said
    assert run.service.posts == run.service.refusals == []


def test_strict_without_functions_is_refused(served, shell, capsys):
    run = served("today")
    assert shell.run_cell("%%deepseek --strict\nGo.").error_in_exec is not None
    assert "--tools" in capsys.readouterr().out and run.service.posts == []


def test_strict_functions_in_python(served):
    def add(a: int, b: int = 2) -> int:
        return a + b

    run = served("today", calls=1)
    answer = ds_magic.ask("Go.", tools=[add], strict=True)
    assert answer.rounds[0].calls[0].result == "3" and answer.content == "Hello"
    assert [row.content for row in ds_magic.sample("Go.", 2, tools=[add], strict=True)] == ["Hello"] * 2
    assert run.service.refusals == [] and all(each["tools"][0]["function"]["strict"] for each in run.service.posts)
    assert "--strict" in answer.as_cell().splitlines()[0]


def test_where_a_schema_is_not_taken_json_is_asked_for_and_the_schema_told_which_is_said_and_remembered(served):
    run = served("today", says=lambda body: '{"x": 1}', takes_schema=False)
    run("import dataclasses\n@dataclasses.dataclass\nclass Point:\n    x: int")
    for _ in range(2):
        answer = run("%%deepseek --schema Point\nx?")
        assert answer.parsed.x == 1 and [note for note in answer.notes if "takes no JSON Schema" in note]
    assert len(run.service.refusals) == 1
    assert all(each["response_format"] == {"type": "json_object"} for each in run.service.posts)
    assert all('"required": ["x"]' in each["messages"][0]["content"] for each in run.service.posts)


def test_a_repair_replays_what_was_thought_only_beside_tools(served):
    says = iter(["no", '{"x": 1}', "no", '{"x": 1}'])
    run = served("today", says=lambda body: next(says))
    run(ADD + "import dataclasses\n@dataclasses.dataclass\nclass Point:\n    x: int")
    assert run("%%deepseek --schema Point --repair 1\nx?").parsed.x == 1
    assert reasonings(run.service.posts[-1]) == [None]
    assert run("%%deepseek --schema Point --repair 1 --tools add\nx?").parsed.x == 1
    assert reasonings(run.service.posts[-1]) == [THOUGHT] and run.service.refusals == []


def test_a_fork_goes_on_with_what_was_thought(served):
    run = served("today")
    answer = run("%%deepseek -l 2\nHi")
    branch = answer.fork(0, rank=2)
    assert run.service.refusals == [] and branch.model == "deepseek-flash" and branch.parent is answer
    assert run.service.posts[-1]["messages"][-1]["reasoning_content"] == THOUGHT


def test_in_the_background(served, shell):
    run = served("today")
    run("handle = %deepseek --bg Hi")
    assert shell.user_ns["handle"].result(30).model == "deepseek-flash" and run.service.refusals == []


@pytest.mark.parametrize(("reason", "says"), [
    ("aborted", "aborted"), ("insufficient_system_resource", "ran out of resources"),
])
@pytest.mark.parametrize("view", ["none", "text"])
def test_a_failure_inside_an_answer_is_a_partial_answer(reason, says, view, ask, shell, monkeypatch, capsys):
    monkeypatch.setenv("DS_MAGIC_VIEW", view)
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    ask.server.scripts = [streamed(text_chunk("Hel"), text_chunk("", finish=reason, usage=usage))]
    ask("%%deepseek -o answer\nHi")
    answer = shell.user_ns["answer"]
    assert (answer.content, answer.interrupted, answer.finish_reason) == ("Hel", True, reason)
    assert says in answer.interruption and answer.usage.completion_tokens == 1
    if view == "text":
        assert "partial" in capsys.readouterr().out


IGNORED = "temperature: ignored while the model thinks; `--no-thinking` makes it count."
SET = {
    "by the cell": lambda shell, monkeypatch: "-t 0",
    "by config": lambda shell, monkeypatch: shell.run_cell("%config DeepSeekMagics.temperature = 0.0") and "",
    "by the environment": lambda shell, monkeypatch: monkeypatch.setenv("DS_MAGIC_TEMPERATURE", "0") or "",
}


@pytest.mark.parametrize("how", SET)
@pytest.mark.parametrize("more", ["", "--no-stream", "--chat lesson", "--json"])
def test_what_had_no_effect_is_said_once_under_the_answer_wherever_it_was_set(
    how, more, served, shell, monkeypatch, capsys
):
    run = served("today", says=lambda body: "{}")
    option = SET[how](shell, monkeypatch)
    monkeypatch.setenv("DS_MAGIC_VIEW", "text")
    for _ in range(2):
        answer = run(f"%%deepseek {option} {more}\nHi in json")
        assert answer.notes == [IGNORED] and capsys.readouterr().out.count(IGNORED) == 1
    assert "temperature: ignored" in answer._repr_mimebundle_()["text/html"]
    assert run(f"%%deepseek {option} {more} --no-thinking\nHi in json").notes == []
    assert "ignored" not in capsys.readouterr().out


def test_what_had_no_effect_in_rounds_of_functions_is_said_of_the_answer(served, monkeypatch, capsys):
    run = served("today", calls=2)
    run(ADD)
    monkeypatch.setenv("DS_MAGIC_VIEW", "text")
    answer = run("%%deepseek --tools add -t 0\nGo.")
    assert len(answer.rounds) == 3 and answer.notes == [IGNORED]
    assert capsys.readouterr().out.count(IGNORED) == 1


def test_what_had_no_effect_is_said_in_python_too(served):
    served("today")
    assert ds_magic.chat("Hi", temperature=1).notes == ds_magic.ask("Hi", temperature=1).notes == [IGNORED]
    with ds_magic.stream("Hi", temperature=1) as stream:
        assert list(stream) and stream.completion.notes == [IGNORED]
    assert ds_magic.sample("Hi", 2, temperature=1).notes == (IGNORED,)


@pytest.mark.parametrize("view", ["text", "static"])
def test_a_sweep_over_what_has_no_effect_says_so_before_anything_is_spent(view, served, monkeypatch, capsys):
    posts = []
    run = served("today", says=lambda body: posts.append(capsys.readouterr().out) or "Hello")
    monkeypatch.setenv("DS_MAGIC_VIEW", view)
    run("%%deepseek -t 0,1\nHi")
    said = "`temperature` is varied in vain: ignored while the model thinks"
    assert said in posts[0] and said in capsys.readouterr().out


@pytest.mark.parametrize("again", ["--journal run.jsonl --cache", "--replay run.jsonl --speed 0"])
def test_a_sweep_that_asks_nobody_asks_for_no_models_either(again, served, shell, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    run = served("today")
    for line in ("--journal run.jsonl", again):
        backend.logout()  # as in another kernel
        run(f"answers = %deepseek {line} -t 0,1 Hi")
    if "--replay" in again:
        strange = shell.run_cell(f"%deepseek {again} -t 0,1 What was never asked").result
        assert all(row.error is not None for row in strange)
    assert len(run.service.looks) == 1 and len(run.service.posts) == 2


def test_too_many_tokens_are_refused_by_the_service_by_name(served, shell, capsys):
    run = served("today")
    assert run("%%deepseek --max-tokens 393216\nHi").content == "Hello"
    assert shell.run_cell("%%deepseek --max-tokens 393217\nHi").error_in_exec is not None
    assert "[1, 393216]" in capsys.readouterr().out and len(run.service.refusals) == 1


def test_a_gateway_under_another_name_that_forces_no_call_while_it_thinks_is_answered_with_the_way_out(
    shell, ask, capsys
):
    ask.server.scripts = [refused(400, "tool_choice required and named are not supported in thinking mode.")]
    shell.run_cell(ADD)
    assert shell.run_cell("%%deepseek -m ours --tools add --tool-choice required\nGo.").error_in_exec is not None
    assert "--no-thinking" in capsys.readouterr().out


def test_the_live_view_names_the_model_that_answers_and_none_before(served, shell):
    from ds_magic.api.request import ChatRequest
    from ds_magic.views.answer.live import LiveView

    view = LiveView()
    view.start(ChatRequest.build("Hi", stream=True), "DeepSeek")
    assert view._widget.about["model"] == ""
    view._widget.close()


def test_a_dry_run_names_todays_model_and_asks_nobody(served, shell, monkeypatch):
    monkeypatch.delenv("DEEPSEEK_BASE_URL", raising=False)
    shell.run_cell("dry = %deepseek --dry-run Hi").raise_error()
    assert shell.user_ns["dry"].json["model"] == "deepseek-flash"
