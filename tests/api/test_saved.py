"""An answer is written to a file, or pickled, and comes back as it was."""

import json
import math
import pickle

import pytest

from ds_magic import ChatCompletion, Client
from ds_magic.api.errors import InvalidRequestError
from ds_magic.conversation.tools import Called, Round
from tests.servers.scripted import ScriptedServer, answered, completion, streamed, text_chunk


def entry(text, p, alternatives=()):
    tops = [{"token": name, "logprob": math.log(share), "bytes": list(name.encode())} for name, share in alternatives]
    return {"token": text, "bytes": list(text.encode()), "logprob": math.log(p), "top_logprobs": tops}


def spoken(*entries, **last):
    chunks = [text_chunk(one["token"], logprobs={"content": [one]}) for one in entries]
    return streamed(*chunks, text_chunk("", finish="stop", usage={"completion_tokens": 2}) | last)


CITIES = [(" Canberra", 0.57), (" Sydney", 0.38), ("é", 0.01)]
ANSWER = spoken(entry(" Canberra", 0.57, CITIES), entry(".", 0.9), system_fingerprint="f", odd={"a": [None]})
ASKED = {
    "messages": [
        {"role": "user", "content": "Capital?"},
        {"role": "assistant", "content": "x", "reasoning_content": "thought"},
        {"role": "user", "content": "Again."},
    ],
    "stream": True, "logprobs": True, "top_logprobs": 3, "temperature": 0.5, "seed": 3, "extra": {"min_p": 0.1},
}


@pytest.fixture
def answer():
    with ScriptedServer(ANSWER, spoken(entry(" is", 0.5))) as server:
        client = Client(base_url=server.url, api_key="sk-secret-of-mine", model="m")
        answer = client.chat(**ASKED)
        answer.fork("Canberra", "Sydney", client=client)
        yield answer


def facts(answer):
    """All that an answer says of itself."""
    return (
        answer.model_dump(), answer.raw, answer.request, answer.timing, answer.backend, answer.interruption,
        answer.notes, answer.provenance, answer.branch, answer.parsed, answer.model_extra,
        answer.logprobs.to_pandas().to_json(), answer.logprobs.alternatives().to_pandas().to_json(),
        answer.logprobs.notes, len(answer.branches),
    )


def through_file(answer, folder):
    return ChatCompletion.load(answer.save(folder / "answer.json"))


def through_pickle(answer, folder):
    return pickle.loads(pickle.dumps(answer))


@pytest.mark.parametrize("through", [through_file, through_pickle])
def test_an_answer_comes_back_with_all_that_it_had(answer, through, tmp_path):
    answer.notes.append("A note.")
    again = through(answer, tmp_path)
    assert facts(again) == facts(answer)
    assert again.request.messages[1].reasoning_content == "thought"
    (child,), (own,) = again.branches, answer.branches
    assert facts(child) == facts(own) and child.parent is again
    assert child.logprobs.forced.tolist() == own.logprobs.forced.tolist()


def test_a_branch_that_an_earlier_version_saved_with_a_label_has_the_text_that_stood_there(answer, tmp_path):
    path = answer.save(tmp_path / "answer.json")
    saved = json.loads(path.read_text())
    saved["branches"][0]["branch"]["replaced"] = "·Canberra"
    path.write_text(json.dumps(saved))
    (child,) = ChatCompletion.load(path).branches
    assert child.branch == answer.branches[0].branch and child.branch.replaced == " Canberra"


@pytest.mark.parametrize("through", [through_file, through_pickle])
def test_rounds_and_what_cut_an_answer_short_come_back(through, tmp_path):
    first = ChatCompletion.from_wire(completion("a"))
    last = ChatCompletion.from_wire(completion("b"), interruption="stopped")
    last.rounds = [Round(first, [Called("1", "f", "{}", "7", None)]), Round(last)]
    again = through(last, tmp_path)
    assert again.interruption == "stopped" and again.rounds[1].completion is again
    assert again.rounds[0] == last.rounds[0]


@pytest.mark.parametrize("through", [through_file, through_pickle])
def test_answers_that_hang_together_with_others_are_compared_by_themselves(answer, through, tmp_path):
    answer.rounds = [Round(ChatCompletion.from_wire(completion("a"))), Round(answer)]
    again = through(answer, tmp_path)
    assert again == answer and again.branches == answer.branches and again.rounds == answer.rounds
    assert again != answer.branches[0]


def test_an_answer_that_came_whole_and_one_of_no_server_come_back(tmp_path):
    with ScriptedServer(answered(completion("Hi", logprobs=None))) as server:
        whole = Client(base_url=server.url, api_key="k").chat("Hi")
    half = ChatCompletion.from_wire({"choices": [{"message": {"content": "\ud83d"}}]})
    for answer in (whole, ChatCompletion(), half):
        assert through_file(answer, tmp_path) == answer and through_pickle(answer, tmp_path) == answer


def test_no_key_is_in_the_file(answer, tmp_path):
    assert "sk-secret" not in answer.save(tmp_path / "answer.json").read_text()


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", '{"format": "ds_magic completion", "version": 99}',
                                  '{"format": "ds_magic completion", "version": 1}'])
def test_another_file_is_refused_with_what_to_do(text, tmp_path):
    (tmp_path / "other").write_text(text)
    with pytest.raises(InvalidRequestError, match="not a saved answer") as refused:
        ChatCompletion.load(tmp_path / "other")
    assert "answer.save" in refused.value.remedy


def test_a_pickle_holds_the_body_once_and_small():
    rivals = [(f"word{i}", 0.4 * 0.7**i) for i in range(20)]
    payloads = [text_chunk("word0", logprobs={"content": [entry("word0", 0.4, rivals)]}) for _ in range(300)]
    with ScriptedServer(streamed(*payloads, text_chunk("", finish="stop"))) as server:
        answer = Client(base_url=server.url, api_key="k").chat("Hi", stream=True)
    size = len(json.dumps(answer.model_dump()))
    assert len(answer.logprobs) == 300  # a table that was looked at is not a part of it
    assert len(pickle.dumps(answer)) < size / 10


@pytest.mark.parametrize("token", ["\u00e9", "half \ud83d", "quote \" and \\ and \u2028"])
def test_entries_that_streamed_are_written_as_they_came(token, tmp_path):
    one = {"token": token, "logprob": -0.5, "bytes": None, "top_logprobs": [], "of their own": 1e400}
    script = streamed(text_chunk("a", logprobs={"content": [one]}), text_chunk("", finish="stop"))
    with ScriptedServer(script) as server:
        answer = Client(base_url=server.url, api_key="k").chat("Hi", stream=True)
    again = through_file(answer, tmp_path)
    assert again.choice.logprobs == answer.choice.logprobs and again.raw == answer.raw
