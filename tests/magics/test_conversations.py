"""`--chat` in a shell and in a kernel."""

import json
from types import SimpleNamespace

import pytest
from jupyter_client.manager import start_new_kernel

from tests.servers.scripted import ScriptedServer, refused, said, streamed, text_chunk


def contents(sent):
    return [message["content"] for message in sent["messages"]]


def test_a_second_cell_goes_on_with_the_conversation(ask):
    ask("%%deepseek --chat lesson\nOne.")
    assert contents(ask("%%deepseek --chat lesson\nTwo.")) == ["One.", "Hello world", "Two."]
    assert contents(ask("%%deepseek --chat other\nThree.")) == ["Three."]


def test_running_a_cell_again_replaces_its_turn(ask, shell):
    ask("%%deepseek --chat lesson\nOne.")
    ask("%%deepseek --chat lesson\nTwo.")
    assert contents(ask("%%deepseek --chat lesson\nOne.")) == ["One."]
    assert contents(ask("%%deepseek --chat lesson\nThree.")) == ["One.", "Hello world", "Three."]
    shell.run_cell("lesson = %ds_chats lesson").raise_error()
    assert [turn.stale for turn in shell.user_ns["lesson"].turns] == [False, True, False]
    shell.run_cell("chats = %ds_chats").raise_error()
    assert "3 turns (1 stale)" in repr(shell.user_ns["chats"])


def test_several_turns_of_one_cell_are_several_turns(ask):
    cell = "for n in [1, 2]:\n    %deepseek --chat loop Say {{ n }}."
    ask(cell)
    assert contents(ask(cell)) == ["Say 1.", "Hello world", "Say 2."]


CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = streamed({"choices": [{"index": 0, "delta": {"tool_calls": [CALL]}}]}, text_chunk("", finish="tool_calls"))


def test_a_cell_answers_a_call_that_was_left_to_it(ask, shell):
    shell.run_cell("def f() -> int:\n    'A number.'\n    return 1").raise_error()
    ask.server.scripts = [CALLING, said("ok")]
    ask("%%deepseek --chat lesson --tools f --no-run-tools\nWhich?")
    sent = ask("%%deepseek --chat lesson\n@tool call_id={{ _ds.tool_calls[0].id }}\n42")["messages"]
    assert [each["role"] for each in sent] == ["user", "assistant", "tool"]
    assert (sent[1]["tool_calls"][0]["id"], sent[2]["tool_call_id"], sent[2]["content"]) == ("c1", "c1", "42")
    assert [each["role"] for each in ask("%%deepseek --chat lesson\nThanks.")["messages"]] == [
        "user", "assistant", "tool", "assistant", "user",
    ]


def test_a_call_that_was_left_open_does_not_go_out(ask, shell):
    shell.run_cell("def f() -> int:\n    'A number.'\n    return 1").raise_error()
    ask.server.scripts = [CALLING, said("ok")]
    ask("%%deepseek --chat lesson --tools f --no-run-tools\nWhich?")
    sent = ask("%%deepseek --chat lesson\nNever mind.")["messages"]
    assert [(each["role"], "tool_calls" in each) for each in sent] == [
        ("user", False), ("assistant", False), ("user", False),
    ]


def test_restart_begins_anew(ask):
    ask("%%deepseek --chat lesson\nOne.")
    assert contents(ask("%%deepseek --chat lesson --restart\nTwo.")) == ["Two."]
    assert contents(ask("%%deepseek --chat lesson\nThree.")) == ["Two.", "Hello world", "Three."]


def test_restart_without_a_chat_is_refused(shell, capsys):
    assert shell.run_cell("%deepseek --restart Hi").error_in_exec is not None
    assert "which conversation" in capsys.readouterr().out


def test_the_system_prompt_is_said_once(ask, shell):
    shell.run_cell('%config DeepSeekMagics.system = "Be brief."').raise_error()
    ask("%%deepseek --chat lesson\nOne.")
    assert contents(ask("%%deepseek --chat lesson\nTwo.")) == ["Be brief.", "One.", "Hello world", "Two."]


def test_a_failed_cell_leaves_the_conversation_as_it_was(ask, shell):
    ask("%%deepseek --chat lesson\nOne.")
    ask.server.scripts = [refused(400, "no")]
    shell.run_cell("%%deepseek --chat lesson\nTwo.")
    ask.server.scripts = [said("ok")]
    assert contents(ask("%%deepseek --chat lesson\nThree.")) == ["One.", "Hello world", "Three."]


def test_a_restart_that_fails_loses_nothing(ask, shell):
    ask("%%deepseek --chat lesson\nOne.")
    ask.server.scripts = [refused(400, "no")]
    shell.run_cell("%%deepseek --chat lesson --restart\nTwo.")
    ask.server.scripts = [said("ok")]
    assert contents(ask("%%deepseek --chat lesson\nThree.")) == ["One.", "Hello world", "Three."]


def test_a_turn_that_broke_off_is_kept_as_far_as_it_came(ask, shell):
    ask.server.scripts = [streamed(text_chunk("Half an"), done=False), said("ok")]
    shell.run_cell("%%deepseek --chat lesson\nOne.")
    assert contents(ask("%%deepseek --chat lesson\nTwo.")) == ["One.", "Half an", "Two."]


def test_a_dry_run_leaves_the_conversation_as_it_was(ask, shell):
    ask("%%deepseek --chat lesson\nOne.")
    shell.run_cell("%%deepseek --chat lesson --restart --dry-run\nOne.").raise_error()
    assert contents(ask("%%deepseek --chat lesson\nTwo.")) == ["One.", "Hello world", "Two."]


def test_chats_are_listed_and_a_variable_that_is_one_goes_on(ask, shell, tmp_path):
    ask("%%deepseek --chat lesson\nOne.")
    shell.run_cell("chats = %ds_chats\nother = chats['lesson'].fork()").raise_error()
    assert repr(shell.user_ns["chats"]) == "Chat 'lesson': 1 turn, 3 tokens in, 2 out"
    ask("%%deepseek --chat other\nTwo.")
    assert [len(shell.user_ns[name]) for name in ("other",)] == [2]
    assert contents(ask("%%deepseek --chat lesson\nThree.")) == ["One.", "Hello world", "Three."]


def test_an_unknown_chat_is_refused_with_those_that_there_are(ask, shell, capsys):
    ask("%%deepseek --chat lesson\nOne.")
    assert shell.run_cell("%ds_chats lessn").error_in_exec is not None
    assert "lesson" in capsys.readouterr().out


@pytest.fixture
def notebook(ask, shell, monkeypatch, tmp_path):
    """`save(*ids)` writes the notebook's file with these cells; `turn(id)` runs one of them as a turn of a chat."""
    file = tmp_path / "lesson.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(file))

    def save(*ids):
        cells = [{"id": each, "cell_type": "code", "source": "x", "outputs": [{}]} for each in ids]
        file.write_text(json.dumps({"cells": cells, "nbformat": 4}))

    def turn(cell_id):
        shell.run_cell(f"%%deepseek --chat lesson\n{cell_id}", store_history=True, cell_id=cell_id).raise_error()
        return contents(ask.server.requests[-1].json)

    return SimpleNamespace(save=save, turn=turn, file=file)


def cells_of(shell):
    return [(turn.cell, turn.stale) for turn in shell.run_line_magic("ds_chats", "lesson").turns]


def test_a_cell_that_was_put_in_between_has_its_turn_there(notebook, shell):
    notebook.save("one", "two")
    notebook.turn("one"), notebook.turn("two")
    notebook.save("one", "new", "two")
    assert notebook.turn("new") == ["one", "Hello world", "new"]
    assert cells_of(shell) == [("one", False), ("new", False), ("two", True)]


def test_the_turns_are_in_the_order_of_the_notebook_as_it_stands(notebook, shell):
    notebook.save("one", "two", "three")
    notebook.turn("one"), notebook.turn("two"), notebook.turn("unsaved"), notebook.turn("three")
    notebook.save("three", "one", "two", "four")
    assert [cell for cell, _ in cells_of(shell)] == ["three", "one", "two", "unsaved"]
    assert notebook.turn("four")[::2] == ["three", "one", "two", "unsaved", "four"]
    assert notebook.turn("one")[::2] == ["three", "one"]


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"cells": [{"id": 5}]}'])
def test_without_an_order_the_turns_are_in_the_order_in_which_they_ran(text, notebook, shell):
    if text is not None:
        notebook.file.write_text(text)
    notebook.turn("two"), notebook.turn("one")
    assert [cell for cell, _ in cells_of(shell)] == ["two", "one"]


@pytest.fixture
def kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, code, cell_id=None):
    message = client.session.msg(
        "execute_request",
        {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
         "stop_on_error": True},
        metadata={"cellId": cell_id} if cell_id else {},
    )  # fmt: skip
    client.shell_channel.send(message)
    while True:
        reply = client.get_shell_msg(timeout=60)
        if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
            assert reply["content"]["status"] == "ok", reply["content"]
            return


def test_a_cell_is_known_by_its_id_also_when_its_text_has_changed(kernel):
    with ScriptedServer(said("Hello")) as server:
        run(kernel, f"%load_ext ds_magic\n%config DeepSeekMagics.base_url = {server.url!r}")
        run(kernel, "%%deepseek --chat lesson\nOne.", "cell-1")
        run(kernel, "%%deepseek --chat lesson\nOne.", "cell-2")
        run(kernel, "%%deepseek --chat lesson\nOne, edited.", "cell-1")
        run(kernel, "%%deepseek --chat lesson\nTwo.", "cell-3")
        assert [contents(each.json) for each in server.requests] == [
            ["One."],
            ["One.", "Hello", "One."],
            ["One, edited."],
            ["One, edited.", "Hello", "Two."],
        ]


def test_a_dry_run_leaves_the_conversations_as_they_are(ask, shell):
    shell.user_ns["name"] = "lesson"
    for chat in ("foo", "{{ name }}"):
        shell.run_cell(f"%%deepseek --dry-run --chat {chat}\nHi").raise_error()
    assert shell.run_line_magic("ds_chats", "") == {}
    ask("%%deepseek --chat {{ name }}\nOne.")
    ask("%%deepseek --chat lesson --restart --dry-run\nTwo.")
    assert list(shell.run_line_magic("ds_chats", "")) == ["lesson"]
    assert contents(ask("%%deepseek --chat lesson\nThree.")) == ["One.", "Hello world", "Three."]


def test_a_dry_run_takes_no_turn_of_its_cell(ask, shell):
    cell = "_ = %deepseek --dry-run --chat loop First.\n_ = %deepseek --chat loop Second."
    ask(cell)
    ask(cell)
    assert len(shell.run_line_magic("ds_chats", "loop")) == 1
