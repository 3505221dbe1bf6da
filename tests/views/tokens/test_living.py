"""What an output holds so that a page can explore it without a kernel, and a kernel go on from it."""

import base64
import json
import math
import re

import numpy as np
import pytest

from ds_magic import Client
from ds_magic.api.response import ChatCompletion
from ds_magic.logprobs.table import LogprobTable
from ds_magic.views.answer.static import alive, mimebundle, numbered_html
from ds_magic.views.size import set_explorable
from ds_magic.views.tokens.explorer.living import METADATA, TYPE, restored
from ds_magic.views.tokens.explorer.payload import STEP, entries, pack
from tests.browser.tables import CONTEST, contest, entry, hostile, long
from tests.servers.scripted import ScriptedServer, streamed, text_chunk

ONE = [entry(" Canberra", 0.57, [(" Canberra", 0.57), (" Sydney", 0.38), (" Perth", 0.02)]), entry(".", 0.9)]
TWO = [entry(" is", 0.25), entry(" large", 0.25)]


def spoken(pieces):
    chunks = [text_chunk(bytes(one["bytes"]).decode(errors="replace"), logprobs={"content": [one]}) for one in pieces]
    return streamed(*chunks, text_chunk("", finish="stop"))


@pytest.fixture
def asked():
    """An answer of a server, and its client and server."""
    with ScriptedServer(spoken(ONE), spoken(TWO), spoken(TWO)) as server:
        client = Client(base_url=server.url, api_key="k", model="m")
        yield client.chat("Capital?", prefix="It is", logprobs=True, top_logprobs=3, stream=True), client, server


def held(answer):
    """What a notebook's file holds of an answer: data and metadata."""
    return tuple(json.loads(json.dumps(part)) for part in alive(answer, mimebundle(answer)))


@pytest.mark.parametrize("make", [contest, hostile, lambda: long(600)])
def test_a_packed_table_is_the_same_table_when_it_is_read_again(make):
    table = make()
    again = LogprobTable.from_wire(entries(pack(table)), vocabulary_size=table.vocabulary_size)
    assert (again.token, again.bytes, again.text_content) == (table.token, table.bytes, table.text_content)
    assert again.status.tolist() == table.status.tolist() and again.rank.tolist() == table.rank.tolist()
    np.testing.assert_allclose(again.logprob, table.logprob, atol=1e-6)
    ours, theirs = ([one.logprob for row in each for one in row.alternatives] for each in (again, table))
    np.testing.assert_allclose(ours, theirs, atol=0.5 / STEP + 1e-6)


def test_marks_and_what_was_given_or_forced_are_read_again():
    table = LogprobTable.from_wire(
        [{**entry("{", 0.1), "constrained": True}, {**entry("a", 0.2), "forced": True},
         {**entry("", 0.9), "mark": "<|im_end|>"}, entry("", 0.9)]
    )
    again = LogprobTable.from_wire(entries(pack(table)))
    assert [row.label for row in again] == ["{", "a", "⟨end: im_end⟩", "⟨end⟩"]
    assert again.status.tolist() == table.status.tolist() and again.forced.tolist() == [False, True, False, False]


def test_the_data_of_an_answer_are_the_same_each_time_and_have_no_date(asked):
    answer, _, _ = asked
    first, again = held(answer)[0][TYPE], held(answer)[0][TYPE]
    assert first == again and answer.id and answer.id not in json.dumps(first)


def test_without_probabilities_an_output_is_static():
    answer = ChatCompletion.from_wire({"choices": [{"message": {"content": "Hi"}}]})
    assert held(answer) == (mimebundle(answer), {})


def test_a_setting_says_how_much_an_output_holds(asked):
    answer, _, _ = asked
    size = len(json.dumps(held(answer)[0][TYPE]))
    try:
        set_explorable(size // 2)
        assert held(answer) == (mimebundle(answer), {})
        set_explorable(size)
        assert TYPE in held(answer)[0]
    finally:
        set_explorable(None)


def test_a_token_takes_about_200_bytes_of_an_output_also_with_20_alternatives():
    choice = {"message": {"content": long(600).text_content}, "logprobs": {"content": entries(pack(long(600)))}}
    assert len(json.dumps(held(ChatCompletion.from_wire({"choices": [choice]}))[0][TYPE])) < 210 * 600


def whole(chosen=0, size=1000):
    """A place with its whole vocabulary, which falls off as 1/rank²."""
    total = sum(1 / rank**2 for rank in range(1, size + 1))
    top = [(f"t{rank}", 1 / rank**2 / total) for rank in range(1, size + 1)]
    return LogprobTable.from_wire([entry(*top[chosen], top), entry("b", 0.9, [("b", 0.9)])], vocabulary_size=size)


def test_of_a_whole_vocabulary_a_page_has_the_50_likeliest_and_what_the_others_have_together():
    table = whole()
    packed = pack(table)
    again = LogprobTable.from_wire(entries(packed), vocabulary_size=1000)
    assert again.n_alternatives.tolist() == [50, 1] and again.rest_mass[0] == pytest.approx(
        1 - sum(one.prob for one in table[0].alternatives[:50]), abs=1e-3
    )
    assert len(packed) < 6000 and b"50 likeliest alternatives" in packed
    assert b"50 likeliest" not in pack(contest())


def test_a_chosen_token_far_below_the_50_keeps_its_number():
    again = LogprobTable.from_wire(entries(pack(whole(chosen=700))), vocabulary_size=1000)
    assert again.status[0] == "exact" and again.prob[0] == pytest.approx(whole(700).prob[0])
    assert again.rest_mass[0] == pytest.approx(1 - sum(one.prob for one in whole()[0].alternatives[:50]), abs=1e-3)


def test_each_group_of_tokens_that_is_seen_has_its_number_in_the_formatted_text():
    text = "**Yes**, `no`"
    pieces = [entry(piece, 0.5) for piece in re.findall(r"\W+?(?=\w|\W)|\w+|\W", text)]
    choice = {"message": {"content": text}, "logprobs": {"content": pieces}}
    html = numbered_html(ChatCompletion.from_wire({"choices": [choice]}))
    found = dict(re.findall(r'<span class="dsx-g(\d+)">([^<]*)</span>', html))
    tokens = [bytes(piece["bytes"]).decode() for piece in pieces]
    assert all(tokens[int(number)] == shown for number, shown in found.items())
    assert list(found.values()) == ["Yes", ",", " ", "no"]  # and not the marks


def test_another_kernel_goes_on_from_what_the_output_holds(asked):
    answer, client, server = asked
    branch = answer.fork(0, rank=2, client=client)
    data, metadata = held(answer)
    nodes = restored(data[TYPE], metadata[METADATA])
    assert [(node.name, node.parent, node.label) for node in nodes] == [
        ("answer", -1, ""), ("branch with Sydney", 0, "·Sydney")
    ]
    again = nodes[1].answer
    assert (again.content, again.parent, again.branch) == (branch.content, nodes[0].answer, branch.branch)
    assert nodes[0].answer.usage == answer.usage and nodes[0].answer.backend == answer.backend
    nodes[0].answer.fork(0, rank=2, client=client)
    first, second = (request.json for request in server.requests[-2:])
    assert second == first  # the very request that the answer's own branch made


def test_what_a_prefix_is_made_of_is_not_held_twice(asked):
    answer, client, _ = asked
    answer.fork(0, rank=2, client=client).request.messages[-1].prefix_tokens = [[1, 2]]
    assert "prefix_tokens" not in json.dumps(held(answer)[1])


def test_a_long_question_is_not_held(asked):
    _, client, _ = asked
    answer = client.chat("Capital? " * 10_000, logprobs=True, stream=True)
    assert held(answer)[1][METADATA]["answers"] == [None]


def head(text):
    """A table whose header is this text."""
    return base64.b64encode(len(text).to_bytes(4, "little") + text.encode()).decode()


@pytest.mark.parametrize("damage", [
    lambda data, metadata: data.pop("nodes"),
    lambda data, metadata: data["tables"]["0"].update(packed="AAAA"),
    lambda data, metadata: data["tables"]["0"].update(packed="*"),
    lambda data, metadata: data["tables"]["0"].update(packed=head("[" * 100_000)),
    lambda data, metadata: data["tables"]["0"].update(
        packed=head(f'{{"arrays": [["code", "uint8", 0, {10**30}]], "labels": []}}')
    ),
    lambda data, metadata: data["nodes"][0].update(parent="x"),
    lambda data, metadata: metadata.pop("answers"),
    lambda data, metadata: metadata["answers"][0].update(body=[]),
    lambda data, metadata: metadata["answers"][0]["request"]["fields"].update(messages=3),
])
def test_what_is_damaged_is_refused(asked, damage):
    answer, _, _ = asked
    data, metadata = held(answer)
    damage(data[TYPE], metadata[METADATA])
    with pytest.raises(ValueError):
        restored(data[TYPE], metadata[METADATA])


def test_a_censored_token_is_held_with_its_bound():
    choice = {"message": {"content": contest().text_content}, "logprobs": {"content": CONTEST}}
    data, metadata = held(ChatCompletion.from_wire({"choices": [choice]}))
    (node,) = restored(data[TYPE], {"answers": [None], **metadata[METADATA]})
    assert math.isnan(node.table.logprob[9]) and node.table.status[9] == "censored"
