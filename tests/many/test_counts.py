"""What was said how often, beside what was computed."""

import math

import pytest

from ds_magic import Answers, ChatRequest
from ds_magic.many.counts import wilson
from ds_magic.many.row import Row
from tests.many.scripted_answers import answer, entry
from tests.views.making import Page, completion


def one_token(*texts, **asked):
    fields = {"logprobs": True, "top_logprobs": 5, "temperature": 1, "max_tokens": 1, **asked}
    request = ChatRequest.build(fields.pop("messages", "q"), **fields)
    odds = {"red": 0.6, "blue": 0.25, "green": 0.1}
    made = [answer(entry(text, **{**odds, "prob": odds[text]}), request=request) for text in texts]
    return Answers([Row({"sample": n}, each) for n, each in enumerate(made, 1)])


def test_wilsons_interval():
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(57, 100) == pytest.approx((0.4722, 0.6627), abs=1e-4) and math.isnan(wilson(0, 0)[0])


def test_one_token_has_the_whole_distribution_beside_it_with_what_was_never_said():
    counts = one_token("red", "blue", "red", "red").counts()
    assert [(each.text, each.n) for each in counts] == [("red", 3), ("blue", 1), ("green", 0)]
    for text, share in (("red", 0.6), ("blue", 0.25), ("green", 0.1)):
        assert counts[text].computed.low == pytest.approx(share, abs=0.002)
        assert counts[text].computed.high == pytest.approx(share, abs=0.002)
    assert counts["red"].share == 0.75 and counts["never"].n == 0
    assert list(counts.to_pandas()["text"]) == ["red", "blue", "green"]
    for shown in (repr(counts), Page(counts._repr_html_()).text):
        assert "75 % (30 – 95)" in shown and "60.0 %" in shown and "One request" in shown


def prefixed(prefix, *places):
    """Samples of one token after a prefix."""
    asked = [{"role": "user", "content": "q"}, {"role": "assistant", "content": prefix, "prefix": True}]
    ask = ChatRequest.build(asked, logprobs=True, top_logprobs=5, temperature=1, max_tokens=1)
    return Answers([Row({}, answer(each, request=ask)) for each in places])


def test_after_a_prefix_that_ends_in_a_blank_nothing_is_computed():
    digit, word = entry("4", 0.2, **{"1": 0.6}), entry(" of", 0.1, **{" as": 0.05})
    counts = prefixed("It shows the number ", digit, digit, word).counts()
    assert all(each.computed is None for each in counts) and "ends in a blank" in counts.notes[0]


def test_a_sample_that_began_at_another_place_has_no_share_in_what_most_were_drawn_from():
    digit, inside = entry(" 4", 0.2, **{" 1": 0.6}), entry("ed", 0.1, **{"s": 0.05})
    counts = prefixed("It shows the number", inside, digit, digit).counts()
    assert counts["ed"].computed is None and counts[" 4"].computed.low == pytest.approx(0.2, abs=0.001)


def test_what_is_computed_is_at_the_temperature_that_was_drawn_at():
    counts = one_token("red", temperature=0).counts()
    assert (counts["red"].computed.low, counts["blue"].computed.high) == (1, 0)
    sharper = one_token("red", temperature=0.5).counts()["red"].computed
    assert sharper.low == pytest.approx(0.36 / (0.36 + 0.0625 + 0.01), abs=0.01) and sharper.low <= sharper.high


def test_what_is_computed_is_within_the_cut_that_was_drawn_from():
    counts = one_token("red", top_p=0.7).counts()
    assert counts["red"].computed.low == pytest.approx(0.6 / 0.85, abs=0.01)
    assert counts["blue"].computed.high == pytest.approx(0.25 / 0.85, abs=0.01)
    assert (counts["green"].computed.low, counts["green"].computed.high) == (0, 0)
    assert "top_p 0.7" in repr(counts)


def test_what_penalties_changed_is_not_computed_and_that_is_said():
    prefixed = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "A", "prefix": True}]}
    for fields in ({"frequency_penalty": 1}, {"presence_penalty": 1}):
        assert one_token("red", **fields).counts()["red"].computed is not None, "no token came before the first"
        counts = one_token("red", **fields, **prefixed).counts()
        assert all(each.computed is None for each in counts) and next(iter(fields)) in counts.notes[0]


def test_a_token_that_was_not_returned_is_no_likelier_than_the_last_that_was():
    rare = entry("rare", 0.5, red=0.6, blue=0.03)
    rare |= {"logprob": -9999.0, "top_logprobs": [each for each in rare["top_logprobs"] if each["token"] != "rare"]}
    computed = Answers([Row({}, answer(rare))]).counts()["rare"].computed
    assert computed.low == 0 and computed.high == pytest.approx(0.03, abs=0.001)


def test_several_tokens_have_the_probability_of_them_all():
    ends = entry("", 0.5, x=0.4)
    whole = answer(entry("re", 0.5, blue=0.4), entry("d", 0.8, ds=0.1), ends, finish="stop")
    open_ = answer(entry("blue", 0.4, re=0.5), entry("s", 0.5, d=0.1), finish="stop")
    counts = Answers([Row({}, whole), Row({}, whole), Row({}, open_)]).counts()
    assert counts["red"].computed.low == pytest.approx(0.2) == counts["red"].computed.high
    assert (counts["blues"].computed.low, counts["blues"].computed.high) == (0, pytest.approx(0.2))


def test_answers_to_different_questions_have_no_common_probability():
    both = one_token("red") + one_token("blue", temperature=0)
    counts = both.counts()
    assert all(each.computed is None for each in counts) and "group_by" in counts.notes[0]


def test_samples_of_one_token_without_probabilities_say_how_to_have_them():
    rows = [Row({}, completion(text, request=ChatRequest.build("q", max_tokens=1))) for text in "ab"]
    assert "top_logprobs=20" in repr(Answers(rows).counts())
    assert not Answers([Row({}, completion("a"))]).counts().notes


def test_texts_can_be_counted_by_what_of_them_counts():
    rows = [Row({}, completion(text)) for text in ("Paris", "paris", "Paris.", "Lyon")]
    counts = Answers([*rows, Row()]).counts(of=lambda text: text.casefold().rstrip("."))
    assert [(each.text, each.n, each.of) for each in counts] == [("paris", 3, 4), ("lyon", 1, 4)]
    assert counts.left_out == 1


def test_calls_are_counted_as_what_was_said():
    rows = [Row({}, completion("", calls=[("f", '{"n": 1}')])), Row({}, completion("", calls=[("f", '{"n": 2}')]))]
    assert [each.text for each in Answers(rows).counts()] == ['f({"n": 1})', 'f({"n": 2})']
