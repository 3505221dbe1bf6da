import pytest

from ds_magic.api.errors import InvalidRequestError
from ds_magic.api.response import ChatCompletion
from ds_magic.conversation.chats import Chat


def asked(text, **more):
    return [{"role": "user", "content": text}, *more.get("then", [])]


def said(text, *, prompt=10, cached=0, answered=2, **message):
    return ChatCompletion.from_wire(
        {
            "choices": [{"message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": prompt, "prompt_cache_hit_tokens": cached, "completion_tokens": answered},
        }
    )


@pytest.fixture
def chat():
    chat = Chat("lesson")
    for cell in "abc":
        chat.record(cell, asked(f"ask {cell}"), said(f"say {cell}"))
    return chat


def contents(messages):
    return [message["content"] for message in messages]


def test_a_new_cell_goes_on_where_the_last_one_ended(chat):
    assert contents(chat.before("d")) == ["ask a", "say a", "ask b", "say b", "ask c", "say c"]


def test_a_cell_that_runs_again_sees_only_what_stands_before_it(chat):
    assert contents(chat.before("b")) == ["ask a", "say a"]


def test_a_cell_that_runs_again_replaces_its_turn_and_makes_later_ones_stale(chat):
    assert chat.record("b", asked("ask b anew"), said("say b anew")) == 1
    assert contents(chat.messages) == ["ask a", "say a", "ask b anew", "say b anew"]
    assert [turn.stale for turn in chat.turns] == [False, False, True]


def test_a_stale_turn_is_fresh_again_when_its_cell_is_run(chat):
    chat.record("a", asked("A"), said("A!"))
    chat.record("b", asked("B"), said("B!"))
    assert contents(chat.messages) == ["A", "A!", "B", "B!"]
    chat.record("c", asked("C"), said("C!"))
    assert contents(chat.messages) == ["A", "A!", "B", "B!", "C", "C!"]


def test_turns_are_arranged_by_their_cells_and_the_others_stay_behind_what_they_stood_behind(chat):
    for cell in ("ask-1", "a#2", "d"):
        chat.record(cell, asked(cell), said(cell))
    chat.arrange(["d", "c", "b", "a"])
    assert [turn.cell for turn in chat.turns] == ["d", "c", "ask-1", "b", "a", "a#2"]
    assert not any(turn.stale for turn in chat.turns)
    assert contents(chat.before("new"))[-1] == "a#2"


def test_a_prefix_and_its_continuation_are_one_message():
    chat = Chat("x")
    chat.record("a", asked("Hi", then=[{"role": "assistant", "content": "Well, ", "prefix": True}]), said("hello."))
    assert chat.messages == [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Well, hello."}]


def test_calls_that_nobody_made_are_left_out():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    chat = Chat("x")
    chat.record("a", asked("Hi"), said("Let me see.", tool_calls=[call]))
    assert "tool_calls" not in chat.messages[-1]


def test_only_the_calls_of_a_message_that_have_a_result_go_out():
    from ds_magic.conversation.chats import without_open_calls

    def calling(*ids, content=None):
        function = {"name": "f", "arguments": "{}"}
        calls = [{"id": each, "type": "function", "function": function} for each in ids]
        return {"role": "assistant", "content": content, "tool_calls": calls}

    result = {"role": "tool", "content": "1", "tool_call_id": "a"}
    sent = without_open_calls([calling("a", content="Hm."), *asked("Hi"), calling("a", "b"), result, *asked("And?")])
    assert [[call["id"] for call in each.get("tool_calls", ())] for each in sent] == [[], [], ["a"], [], []]
    assert (sent[0]["content"], sent[3]) == ("Hm.", result)


def test_a_fork_goes_on_by_itself(chat):
    other = chat.fork("other")
    other.record("d", asked("ask d"), said("say d"))
    assert (len(chat), len(other), other.name) == (3, 4, "other")


def test_a_saved_chat_is_the_same_again(chat, tmp_path):
    chat.record("b", asked("lone \ud83d surrogate"), said("say b anew"))
    chat.save(tmp_path / "lesson.json")
    again = Chat.load(tmp_path / "lesson.json")
    assert repr(again) == repr(chat).replace("\ud83d", "\ufffd")
    assert contents(again.before("c"))[-1] == "say b anew"
    assert Chat.load(tmp_path / "lesson.json", "mine").name == "mine"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "ds_magic chat", "turns": [1]}'])
def test_what_is_no_saved_chat_is_refused(text, tmp_path):
    (tmp_path / "x").write_text(text)
    with pytest.raises(InvalidRequestError, match="not a saved chat"):
        Chat.load(tmp_path / "x")


@pytest.mark.parametrize("turn", [
    5, {"asked": 5}, {"asked": ["x"]}, {"said": [{"content": "x"}]}, {"stale": "no"}, {"cell": 5}, {"completions": []},
    {"completions": [5]},
])
def test_a_saved_chat_of_another_shape_is_refused(turn, chat, tmp_path):
    import json

    chat.save(tmp_path / "x")
    saved = json.loads((tmp_path / "x").read_text())
    saved["turns"][0] = saved["turns"][0] | turn if isinstance(turn, dict) else turn
    (tmp_path / "x").write_text(json.dumps(saved))
    with pytest.raises(InvalidRequestError, match="not a saved chat"):
        Chat.load(tmp_path / "x")


def test_a_file_that_is_nested_without_end_is_no_saved_chat(tmp_path):
    (tmp_path / "x").write_text("[" * 100_000)
    with pytest.raises(InvalidRequestError, match="not a saved chat"):
        Chat.load(tmp_path / "x")


@pytest.mark.parametrize(("version", "what"), [(2, "Update ds_magic"), (0, "Save it again"), ("x", "Save it again")])
def test_a_saved_chat_of_another_version_is_refused_with_both(version, what, chat, tmp_path):
    import json

    chat.save(tmp_path / "x")
    saved = json.loads((tmp_path / "x").read_text()) | {"version": version, "turns": {"of": "another kind"}}
    (tmp_path / "x").write_text(json.dumps(saved))
    with pytest.raises(InvalidRequestError, match=f"version {version!r}, and this ds_magic reads 1") as caught:
        Chat.load(tmp_path / "x")
    assert what in caught.value.remedy


def test_the_first_line_says_how_many_turns_are_stale(chat):
    assert "3 turns," in repr(chat)
    chat.record("a", asked("A"), said("A!"))
    assert "3 turns (2 stale)," in repr(chat).splitlines()[0]


def test_the_repr_has_every_turn_with_its_tokens_and_cached_share(chat):
    chat.record("b", asked("\x1b[31mred\u202e"), said("x", prompt=40, cached=10, answered=7))
    shown = repr(chat)
    assert "40 tokens in (25% cached), 7 out" in shown
    assert "60 tokens in (17% cached), 11 out" in shown.splitlines()[0]
    assert "stale" in shown and "ask a" in shown
    assert "\x1b" not in shown and "\u202e" not in shown


def test_reasoning_is_kept_and_goes_out_only_with_calls():
    from ds_magic.api.request import ChatRequest

    chat = Chat("x")
    chat.record("a", asked("Hi"), said("Hello.", reasoning_content="Hmm."))
    sent = ChatRequest.build([*chat.messages, {"role": "user", "content": "And?"}]).to_wire()["messages"]
    assert chat.messages[1]["reasoning_content"] == "Hmm."
    assert "reasoning_content" not in sent[1]


@pytest.mark.parametrize("text", ["10\u00a0km", "👩\u200d👩\u200d👧", "می\u200cخواهم", "é", "❤\ufe0f"])
def test_a_chat_is_shown_with_the_characters_that_were_said(text):
    chat = Chat("lesson")
    chat.record("a", [{"role": "user", "content": text}], said(text))
    assert repr(chat).count(text) == 2


def test_what_a_terminal_would_obey_is_not_in_the_repr_of_a_chat():
    chat = Chat("lesson")
    chat.record("a", [{"role": "user", "content": "a\x1b[31mb\u202ec\x9bd"}], said("x"))
    assert not {"\x1b", "\u202e", "\x9b"} & set(repr(chat))
