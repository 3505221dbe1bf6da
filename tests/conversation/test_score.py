"""`ds_magic.score`: how likely given texts are as the answer."""

import math

import pytest

import ds_magic
from ds_magic import Client, InvalidRequestError
from ds_magic.api.addresses import EMBEDDED
from tests.servers.scripted import ScriptedServer, answered, completion

QUESTION = "What is the capital of France?"


@pytest.fixture
def embedded(local_server):
    with Client(local_server.base_url, local_server.api_key, model=local_server.model, name=EMBEDDED) as client:
        yield client


def one_token(*alternatives):
    """A whole answer of one token, the likeliest of `alternatives`."""
    raw = [(name if isinstance(name, bytes) else name.encode(), share) for name, share in alternatives]
    tops = [
        {"token": each.decode(errors="replace"), "bytes": list(each), "logprob": math.log(share)} for each, share in raw
    ]
    body = completion(tops[0]["token"], "length")
    body["choices"][0]["logprobs"] = {"content": [{**tops[0], "top_logprobs": tops}]}
    return answered(body)


def test_the_score_of_an_answer_is_that_of_the_answer_itself(embedded):
    answer = embedded.chat(QUESTION, temperature=0, top_logprobs=20, max_tokens=24)
    scores = ds_magic.score(QUESTION, [answer.content], client=embedded)
    own, scored = answer.logprobs, scores[0].logprobs
    spoken = [row for row in own if row.bytes]
    assert [row.bytes for row in scored] == [row.bytes for row in spoken]
    assert [row.logprob for row in scored] == pytest.approx([row.logprob for row in spoken], abs=1e-3)
    assert float(scores[0].logprob) == pytest.approx(sum(row.logprob for row in spoken), abs=1e-3)


def test_a_text_that_nobody_would_say_has_an_exact_score_too(embedded):
    scores = ds_magic.score(QUESTION, ["Paris", "zebra quartz", "\U0001f98a"], client=embedded)
    assert [score.logprob.exact for score in scores] == [True] * 3
    assert set(scores["zebra quartz"].logprobs.status) == {"exact"}
    assert b"".join(scores["\U0001f98a"].logprobs.bytes).decode() == "\U0001f98a"
    assert scores["Paris"].logprob.value > scores["zebra quartz"].logprob.value


def test_the_parts_of_a_character_have_the_numbers_of_an_answer_that_says_it(embedded):
    answer = embedded.chat(
        "Repeat: \U0001f98a\U0001f1e8\U0001f1ed", temperature=0, top_logprobs=20, max_tokens=12, prefix="\U0001f98a"
    )
    parts = [row for row in answer.logprobs if row.bytes]
    assert any(not row.bytes.isascii() for row in parts), answer.content
    scores = ds_magic.score(
        "Repeat: \U0001f98a\U0001f1e8\U0001f1ed", answer.logprobs.text_content.rstrip("\ufffd"), client=embedded,
        prefix="\U0001f98a",
    )
    count = len(scores[0].logprobs)
    assert count and [row.logprob for row in scores[0].logprobs] == pytest.approx(
        [row.logprob for row in parts[:count]], abs=1e-3
    )


def test_a_score_goes_on_after_a_prefix(embedded):
    asked = {"client": embedded, "prefix": "The capital of France is"}
    scores = ds_magic.score(QUESTION, [" Paris", " Oslo"], **asked)
    assert scores[" Paris"].share.low > 0.9
    assert sum(score.share.value for score in scores) == pytest.approx(1)
    assert scores[" Oslo"].per_byte.value == pytest.approx(scores[" Oslo"].logprob.value / 5)
    assert list(scores.to_pandas().text) == [" Paris", " Oslo"]


@pytest.mark.parametrize(("prefix", "text"), [
    ("Hamlet was written by William Shake", "speare"), ("Hamlet was written by ", "William Shakespeare"),
    ("Hamlet was written by S", "ir Thomas"),
])
def test_the_score_of_what_completes_a_word_is_that_of_the_answer_that_does(embedded, prefix, text):
    asked = {"client": embedded, "prefix": prefix}
    score, other, no_word = ds_magic.score("Who wrote Hamlet?", [text, "!", "zq"], **asked)
    answer = embedded.chat("Who wrote Hamlet?", prefix=prefix, temperature=0, top_logprobs=20, max_tokens=1)
    first = score.logprobs[0]
    answers = {one.bytes: one.logprob for one in answer.logprobs[0].alternatives}
    assert "".join(score.logprobs.token) == text and first.logprob == pytest.approx(answers[first.bytes], abs=1e-3)
    assert [one.bytes for one in first.alternatives] == [one.bytes for one in answer.logprobs[0].alternatives]
    assert other.logprob.exact and no_word.logprob.exact and score.share.value > 0.9


def test_elsewhere_the_requests_are_counted_before_any_is_sent():
    with ScriptedServer() as server, Client(server.url, "k", model="m") as client:
        with pytest.raises(InvalidRequestError) as refusal:
            ds_magic.score("Prime?", ["yes", "yet", "no"], client=client)
        assert "at most 4" in str(refusal.value) and "allow_requests=4" in refusal.value.remedy
        assert not server.requests


def test_elsewhere_each_token_takes_a_request_and_what_texts_share_is_asked_once():
    scripts = [
        one_token(("y", 0.5), ("ye", 0.25), ("n", 0.125)), one_token(("s", 0.5), ("t", 0.25)), one_token(("o", 0.5)),
    ]
    with ScriptedServer(*scripts) as server, Client(server.url, "k", model="m") as client:
        scores = ds_magic.score("Prime?", ["yes", "yet", "no"], client=client, allow_requests=4)
        prefixes = [each.json["messages"][1:] for each in server.requests]
        assert prefixes == [
            [], [{"role": "assistant", "content": "ye", "prefix": True}],
            [{"role": "assistant", "content": "n", "prefix": True}],
        ]
        assert {(each.json["max_tokens"], each.json["temperature"]) for each in server.requests} == {(1, 0)}
    assert any("tokenised anew" in note for note in scores.notes)
    assert [math.exp(score.logprob.value) for score in scores] == pytest.approx([0.125, 0.0625, 0.0625])
    assert [score.share.value for score in scores] == pytest.approx([0.5, 0.25, 0.25])


def test_elsewhere_a_prefix_that_was_asked_for_comes_before_each_token():
    with (
        ScriptedServer(one_token((" ye", 0.5)), one_token(("s", 0.5))) as server,
        Client(server.url, "k", model="m") as client,
    ):
        (score,) = ds_magic.score("Prime?", " yes", client=client, allow_requests=4, prefix="It is", temperature=1)
        asked = [each.json["messages"] for each in server.requests]
    said = [[each["content"] for each in messages] for messages in asked]
    assert said == [["Prime?", "It is"], ["Prime?", "It is ye"]]
    assert score.text == " yes" and math.exp(score.logprob.value) == pytest.approx(0.25)


def test_elsewhere_a_token_that_did_not_come_gives_a_bound_and_no_number():
    with ScriptedServer(one_token(("yes", 0.75), ("yeah", 0.125))) as server, Client(server.url, "k") as client:
        yes, no = ds_magic.score("Prime?", ["yes", "no"], client=client, allow_requests=4)
    assert yes.logprob.exact and not no.logprob.exact
    assert no.logprob.low == -math.inf and math.exp(no.logprob.high) <= 0.126
    assert no.share.low == 0 and no.share.high == pytest.approx(0.125 / 0.875, rel=0.01) and yes.share.high == 1
    assert "≥ 3.0 bits" in repr(no)
    assert yes.share.low == pytest.approx(0.75 / 0.875, rel=0.01)
    assert no.logprobs.surprisal[-1] == pytest.approx(-no.logprob.high / math.log(2))


def test_elsewhere_what_did_not_come_is_no_likelier_than_the_least_that_came():
    with ScriptedServer(one_token(("yes", 0.5), ("yeah", 0.125))) as server, Client(server.url, "k") as client:
        (no,) = ds_magic.score("Prime?", "no", client=client, allow_requests=4)
    assert math.exp(no.logprob.high) == pytest.approx(0.125, rel=0.01)


def test_elsewhere_a_character_in_parts_is_bounded_by_those_that_came():
    fox = "\U0001f98a"
    script = one_token((fox.encode()[:2], 0.5), ("a", 0.25))
    with ScriptedServer(script) as server, Client(server.url, "k", model="m") as client:
        score = ds_magic.score("Animal?", fox, client=client, allow_requests=1)[0]
    assert not score.logprob.exact and math.exp(score.logprob.high) == pytest.approx(0.75, rel=0.01)
    assert score.per_byte.high == pytest.approx(score.logprob.high / 4)


def test_an_answer_without_a_choice_for_each_text_is_an_error():
    with (
        ScriptedServer(answered(completion("yes"))) as server, Client(server.url, "k", name=EMBEDDED) as client,
        pytest.raises(ds_magic.DeepSeekError, match="2 texts were to be scored, and 1 came back"),
    ):
        ds_magic.score("Prime?", ["yes", "no"], client=client)


def test_a_server_without_alternatives_is_named():
    with (
        ScriptedServer(answered(completion("yes"))) as server,
        Client(server.url, "k", name="theirs") as client,
        pytest.raises(InvalidRequestError, match="theirs sends no alternatives"),
    ):
        ds_magic.score("Prime?", "yes", client=client, allow_requests=3)


@pytest.mark.parametrize(("texts", "fields", "said"), [
    ([], {}, "nothing to score"), ([""], {}, "nothing to score"),
    ("yes", {"thinking": True}, "thinking"), ("yes", {"response_format": {"type": "json_object"}}, "response_format"),
])
def test_what_cannot_be_scored_is_refused_before_anything_is_sent(texts, fields, said):
    with ScriptedServer() as server, Client(server.url, "k", model="m") as client:
        with pytest.raises(InvalidRequestError, match=said):
            ds_magic.score("Prime?", texts, client=client, allow_requests=99, **fields)
        assert not server.requests


def test_a_model_that_thinks_of_its_own_accord_is_told_not_to():
    with ScriptedServer(one_token(("yes", 0.5))) as server, Client(server.url, "k", model="deepseek-flash") as client:
        ds_magic.score("Prime?", "yes", client=client, allow_requests=3)
        assert server.requests[0].json["thinking"] == {"type": "disabled"}
