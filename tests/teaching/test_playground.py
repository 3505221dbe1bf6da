"""The playground: what it sends is what its cell sends, and what has no effect is said."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

import ds_magic
from ds_magic import ChatRequest, Client
from ds_magic.api.errors import InvalidRequestError
from ds_magic.api.fields import EFFORTS
from ds_magic.api.model_choice import Offer
from ds_magic.conversation.turn import Turn
from ds_magic.teaching.playground.controls import CONTROLLED, controls
from ds_magic.teaching.playground.kept import kept
from ds_magic.teaching.playground.widget import Playground
from tests.magics import conftest as magics
from tests.magics.test_cell_text import HOSTILE, KEY, read
from tests.servers.scripted import ScriptedServer, chunk, event, head, refused, said, text_chunk
from tests.views.answer import test_display
from tests.views.answer.test_display import outputs
from tests.views.making import HOSTILE as MARKUP
from tests.views.making import Page

kernel = test_display.kernel
clean_environment, bare_shell, ask = magics.clean_environment, magics.bare_shell, magics.ask


@pytest.fixture
def shell(bare_shell, monkeypatch):
    """The shell of this process, with the extension loaded."""
    monkeypatch.setattr(InteractiveShell, "_instance", bare_shell)
    bare_shell.run_cell("%load_ext ds_magic").raise_error()
    return bare_shell


SETTINGS = {
    "model": st.sampled_from(["deepseek-chat", "org/model:7b@q4", "a model"]),
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "max_tokens": st.integers(1, 10**9),
    "stop": st.lists(HOSTILE, max_size=3),
    "frequency_penalty": st.floats(-2, 2),
    "presence_penalty": st.floats(-2, 2),
    "seed": st.integers(),
    "thinking": st.booleans(),
    "reasoning_effort": st.sampled_from(sorted(EFFORTS)),
    "top_logprobs": st.integers(0, 20),
    "logprobs": st.just(True),
}
"""What the page may set, as it says it."""

ROW = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": HOSTILE})
LAST = st.fixed_dictionaries({"role": st.just("assistant"), "content": HOSTILE, "prefix": st.just(True)})
ROWS = st.tuples(st.lists(ROW, min_size=1, max_size=4), st.lists(LAST, max_size=1)).map(lambda parts: sum(parts, []))


def opened(url="http://127.0.0.1:9", messages="Hi", **fields):
    """A playground that asks a server."""
    return Playground(Turn(ChatRequest.build(messages, **fields)), lambda: Client(url, "k"))


def change(playground, rows=None, **settings):
    """What the page does when its form has changed."""
    held = playground.question
    playground.question = {
        "rows": held["rows"] if rows is None else rows, "settings": settings, "number": held["number"] + 1,
    }  # fmt: skip


def idle(playground):
    return playground.said["idle"]


def test_every_field_that_can_be_set_is_tried_here_and_has_its_range():
    assert set(SETTINGS) == set(CONTROLLED)
    by_name = {each["name"]: each for each in controls({"seed": 3, "thinking": False}, "m", "elsewhere")}
    assert (by_name["temperature"]["least"], by_name["temperature"]["most"]) == (0, 2)
    assert by_name["presence_penalty"]["neutral"] == 0 and by_name["top_p"]["neutral"] == 1
    assert by_name["top_logprobs"]["most"] == 20 and by_name["max_tokens"]["least"] == 1
    assert by_name["model"]["unset"] == "m" and by_name["top_p"]["unset"] == "not set"
    assert by_name["seed"]["unset"] == "3 (for every cell)" and by_name["thinking"]["unset"] == "off (for every cell)"
    embedded = {each["name"]: each for each in controls({}, "m", "embedded model")}
    assert embedded["top_logprobs"]["most"] > 20


@given(ROWS, st.fixed_dictionaries({}, optional=SETTINGS))
def test_the_cell_asks_what_the_playground_sends(rows, settings):
    playground = ds_magic.playground("Hi", client=Client("http://127.0.0.1:9", "k"))
    change(playground, rows, **settings)
    if playground.said["trouble"]:
        with pytest.raises(InvalidRequestError):
            playground.run()
        return
    assert playground.said["number"] == playground.question["number"]
    assert read(playground.said["cell"]).to_wire() == playground.request.to_wire()


def test_what_a_run_sends_is_what_its_cell_sends(ask, shell):
    cell = (
        '%%deepseek --playground -t 0.5 -l 5 --stop "\\n" --extra {"min_p": 0.1} --user-id me --prefix "It is"\n'
        "@system\nBe brief.\n@user name=ada\n  What is {{ x }}?\n"
    )
    shell.user_ns["x"] = "{{ y }}"
    playground = shell.run_cell(cell).result
    assert ask.server.requests == []
    playground.run().join()
    assert ask(playground.cell) == ask.server.requests[-2].json
    assert ask.server.requests[-1].json["min_p"] == 0.1


def test_what_is_set_for_every_cell_meanwhile_holds_for_the_next_run_and_its_cell(ask, shell):
    playground = shell.run_cell("%%deepseek --playground\nHi").result
    for changed in ("top_p = 0.5", "system = 'Be brief.'", "model = 'other'"):
        shell.run_cell(f"%config DeepSeekMagics.{changed}").raise_error()
        playground.run().join()
        assert ask(playground.said["cell"]) == ask.server.requests[-2].json
    sent = ask.server.requests[-1].json
    assert (sent["top_p"], sent["messages"][0]["content"], sent["model"]) == (0.5, "Be brief.", "other")
    unset = {each["name"]: each["unset"] for each in playground.controls}
    assert unset["top_p"] == "0.5 (for every cell)"


def test_a_recording_that_is_to_answer_meanwhile_answers_the_next_run(ask, shell):
    shell.run_cell("%config DeepSeekMagics.journal = 'j.jsonl'").raise_error()
    playground = shell.run_cell("%%deepseek --playground\nHi").result
    playground.run().join()
    assert playground.answer.recorded is None
    shell.run_cell("%config DeepSeekMagics.journal = None\n%config DeepSeekMagics.replay = 'j.jsonl'").raise_error()
    try:
        playground.run().join()
    finally:
        shell.run_cell("%config DeepSeekMagics.replay = None")
    assert playground.answer.recorded.is_replay and len(ask.server.requests) == 1


@pytest.mark.parametrize("file", ["k.jsonl", "my file.jsonl", "it's.jsonl"])
def test_the_cell_has_the_recording_and_the_variable_that_its_line_names(ask, shell, file):
    cell = f'%%deepseek --playground --journal "{file}" --cache --timeout 9 -o answer\nHi'
    playground = shell.run_cell(cell).result
    playground.run().join()
    assert shell.user_ns["answer"] is playground.answer
    shell.run_cell(playground.cell).raise_error()
    assert shell.user_ns["answer"].recorded is not None and len(ask.server.requests) == 1
    assert "--timeout 9" in playground.cell and "--output answer" in playground.cell


def test_it_opens_on_a_cell_with_its_messages_and_options(shell):
    cell = "%%deepseek --playground -m m -t 0 --thinking --stop a -l 5\n@system\nS\n@user\nU"
    playground = shell.run_cell(cell).result
    assert playground.question["rows"] == [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    assert playground.question["settings"] == {
        "model": "m", "temperature": 0, "thinking": True, "stop": ["a"], "top_logprobs": 5,
    }  # fmt: skip
    assert playground.cell == "%%deepseek --system S --model m --temperature 0 --stop a --thinking --top-logprobs 5\nU"


@pytest.mark.parametrize(("line", "roles"), [("", ["user"]), ("-s S", ["system", "user"])])
def test_it_opens_on_an_empty_cell(line, roles, shell):
    for cell in (f"%deepseek --playground {line}", f"%%deepseek --playground {line}\n\n"):
        playground = shell.run_cell(cell).result
        assert [row["role"] for row in playground.question["rows"]] == roles
        assert "nothing to ask" in playground.said["trouble"]


def test_a_new_one_has_nothing_to_ask_and_says_so():
    playground = ds_magic.playground(client=Client("http://127.0.0.1:9", "k"))
    assert playground.said["cell"] == "" and "nothing to ask" in playground.said["trouble"]
    with pytest.raises(InvalidRequestError, match="nothing to ask"):
        playground.run()
    change(playground, [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": " "}])
    assert playground.said["cell"] == "%%deepseek\nWhy?" and not playground.said["trouble"]


def test_what_cannot_be_is_said_with_its_range_and_the_last_cell_stays():
    playground = opened()
    change(playground, temperature=3)
    assert "from 0 to 2" in playground.said["trouble"] and playground.said["cell"] == "%%deepseek\nHi"


def test_what_is_set_for_every_cell_is_sent_and_said(shell):
    shell.run_cell("%config DeepSeekMagics.temperature = 0.5\n%config DeepSeekMagics.system = 'Be brief.'")
    playground = shell.run_cell(
        "import ds_magic; ds_magic.playground('Hi', client=ds_magic.Client('http://127.0.0.1:9', 'k'))"
    ).result
    change(playground, [{"role": "user", "content": "Hi"}])
    assert playground.cell == '%%deepseek --system "Be brief." --temperature 0.5\nHi'
    change(playground, temperature=1)
    assert playground.request.temperature == 1


@pytest.mark.parametrize(("settings", "names"), [
    ({}, set()),
    ({"temperature": 0}, {"top_p", "seed"}),
    ({"thinking": True}, {"temperature", "top_p", "frequency_penalty", "presence_penalty"}),
    ({"thinking": False}, {"reasoning_effort"}),
    ({"model": "deepseek-reasoner"}, {"temperature", "top_p", "frequency_penalty", "presence_penalty"}),
    ({"model": "deepseek-flash", "reasoning_effort": "none"}, {"top_p", "frequency_penalty", "presence_penalty"}),
    ({"model": "deepseek-flash"}, {"temperature", "frequency_penalty", "presence_penalty"}),
    ({"model": "deepseek-flash", "top_p": 0.5}, {"temperature", "top_p", "frequency_penalty", "presence_penalty"}),
    ({"model": "org/thinker:7b", "thinking": True}, set()),
    ({"top_logprobs": 2}, {"logprobs"}),
])
def test_what_has_no_effect_is_known_before_it_is_asked(settings, names):
    playground = opened()
    change(playground, [{"role": "user", "content": ""}], **settings)
    assert set(idle(playground)) == names


def test_the_reason_is_the_one_that_stands_under_the_answer():
    thinks = [{"reasoning_content": "Hm."}, {"content": "Yes."}]

    def script(connection):
        connection.send(head())
        for delta in thinks:
            connection.send(chunk(event({"model": "deepseek-flash", "choices": [{"index": 0, "delta": delta}]})))
        connection.send(chunk(event(text_chunk(None, finish="stop"))) + chunk(b"data: [DONE]\n\n") + chunk(b""))

    with ScriptedServer(script) as server:
        playground = opened(server.url)
        change(playground, model="deepseek-flash", temperature=1)
        playground.run().join()
    (note,) = [note for note in playground.answer.notes if note.startswith("temperature")]
    assert idle(playground)["temperature"] in note


def test_the_answer_is_bound_to_variables_and_kept_in_it(ask, shell):
    playground = shell.run_cell("%%deepseek --playground -o mine\nHi").result
    playground.run().join()
    assert playground.answer.content == "Hello world"
    assert shell.user_ns["mine"] is shell.user_ns["_ds"] is playground.answer
    assert playground.state == {"running": False, "words": ""}


def test_the_models_that_the_server_has_are_known_once_it_has_said_so():
    from tests.servers.scripted import answered

    with ScriptedServer(said("Yes"), models=answered({"data": [{"id": "one"}, {"id": "<b>two"}]})) as server:
        client = Client(server.url, "k", offer=Offer())
        playground = Playground(Turn(ChatRequest.build("Hi")), lambda: client)
        assert playground.models == ["deepseek-chat"] and server.looks == []
        playground.run().join()
    assert playground.models == ["one", "<b>two"]


def test_a_stop_in_the_middle_keeps_what_had_come_and_it_can_be_asked_again():
    come = threading.Event()

    def endless(connection):
        connection.send(head())
        connection.send(chunk(event(text_chunk("Half"))))
        come.set()
        connection.wait_until_closed()

    with ScriptedServer(endless, said("Whole")) as server:
        playground = opened(server.url)
        thread = playground.run()
        assert come.wait(60) and playground.state["running"]
        with pytest.raises(InvalidRequestError, match="still answers"):
            playground.run()
        change(playground, temperature=1)  # the form goes on, and this is no part of what was asked
        playground._asked_by_a_page("stop", True)
        thread.join()
        stopped = playground.answer
        assert stopped.interrupted and stopped.request.temperature is None
        playground.run().join()
        assert playground.answer.content == "Whole" and playground.answers[0] is stopped


def test_a_failure_is_said_and_takes_nothing_away():
    with ScriptedServer(said("Fine"), refused(400, "the model is on holiday")) as server:
        playground = opened(server.url)
        playground.run().join()
        playground.run().join()
    assert "on holiday" in playground.state["words"] and playground.answer.content == "Fine"


def test_one_goes_back_to_a_run_with_its_settings_and_its_answer():
    with ScriptedServer(said("One"), said("Two")) as server:
        playground = opened(server.url)
        change(playground, temperature=0.5)
        playground.run().join()
        change(playground, [{"role": "user", "content": "Other"}], stop=["a"])
        playground.run().join()
    assert playground.history == ["“One” temperature 0.5", "“Two” stop 'a'"]
    playground.back(0)
    assert playground.answer.content == "One" and playground.cell == "%%deepseek --temperature 0.5\nHi"


def test_a_key_is_refused_and_stands_nowhere():
    with ScriptedServer(said("no")) as server:
        playground = opened(server.url)
        change(playground, [{"role": "user", "content": f"Is {KEY} a key?"}])
        assert "key" in playground.said["trouble"]
        with pytest.raises(InvalidRequestError):
            playground.run()
        assert server.requests == [] and KEY not in str([playground.said, playground.state, playground.history])


def test_functions_are_offered_and_their_calls_are_shown_not_made(shell, monkeypatch):
    from tests.magics.test_functions_and_json import calling

    with ScriptedServer(calling("add", '{"a": 1}')) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)
        shell.run_cell("def add(a: int):\n    'Add.'\n    raise SystemExit").raise_error()
        playground = shell.run_cell("%%deepseek --playground --tools add\nHi").result
        assert playground.cell == "%%deepseek --tools add\nHi"
        playground.run().join()
    assert playground.answer.tool_calls and len(server.requests) == 1


def test_a_conversation_with_calls_has_no_rows(shell):
    messages = [
        "Hi",
        {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": "2"},
    ]
    with pytest.raises(InvalidRequestError, match="no rows for the calls"):
        opened(messages=messages)


def test_it_is_for_one_answer(shell):
    assert "is for one answer" in str(shell.run_cell("%%deepseek --playground --times 2\nHi").error_in_exec)


@pytest.mark.parametrize("text", MARKUP)
def test_what_is_kept_is_text_whatever_was_asked(text):
    playground = opened(messages=text)
    bundle = kept(playground.said["cell"], playground.mark)
    Page(bundle["text/html"])  # which refuses what is no text
    assert "\x1b" not in bundle["text/plain"]


def test_in_a_terminal_it_says_where_it_is_at_home(shell, capsys):
    shell.run_cell("%%deepseek --playground\nHi")
    assert "%%deepseek\nHi" in (out := capsys.readouterr().out) and "needs a notebook" in out


def test_in_another_kernel_it_is_a_widget_and_its_answers_stand_below(kernel):
    with ScriptedServer(said("Perth", ".")) as server:
        shown = outputs(kernel, f"""
import ds_magic
playground = ds_magic.playground("Hi", client=ds_magic.Client({server.url!r}, "k"))
playground._ipython_display_()
playground.run().join()
""")
    (_, form), (_, place), *later = [(kind, content) for kind, content in shown if kind != "comm_msg"]
    assert "application/vnd.jupyter.widget-view+json" in form["data"] and "Hi" in form["data"]["text/html"]
    assert place["data"] == {}
    kind, last = later[-1]
    assert kind == "update_display_data" and "Perth." in last["data"]["text/plain"]
    assert last["transient"]["display_id"] == place["transient"]["display_id"]
