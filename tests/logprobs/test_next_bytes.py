"""What two models held of the next bytes: sure, open and not returned, against models whose every number is known."""

import math
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_magic.logprobs.compare import compare
from ds_magic.logprobs.distribution import SOFTMAX_ERROR
from ds_magic.logprobs.refused import NotGivenError
from ds_magic.logprobs.table import LogprobTable

END = b""


def entry(raw, tops):
    """A place at which `raw` was said; `tops` as {token: probability}, the token's own among them or not."""
    def one(token, share):
        return {"token": token.decode(errors="replace"), "bytes": list(token), "logprob": math.log(share)}

    listed = [one(token, share) for token, share in sorted(tops.items(), key=lambda each: -each[1])]
    own = one(raw, tops[raw]) if raw in tops else {**one(raw, 1), "logprob": -9999.0}
    return {**own, "top_logprobs": listed}


def table(*places, **options):
    return LogprobTable.from_wire([entry(*place) for place in places], **options)


def place(raw, tops, **options):
    return table((raw, tops), **options)[0]


WHOLE = {"vocabulary_size": 2}


def test_tokens_that_begin_with_a_text_are_sure_and_those_that_only_begin_it_are_open():
    a = place(b" the", {b" the": 0.5, b" there": 0.25, b" a": 0.25}, vocabulary_size=3)
    b = place(b" th", {b" th": 0.75, b" the": 0.125, b" a": 0.125}, vocabulary_size=3)
    found = compare(a, b, names=("one", "other"))
    assert (found[" the"].a.value, found[" the"].b.low, found[" the"].b.high) == pytest.approx((0.75, 0.125, 0.875))
    assert (found[" th"].a.value, found[" th"].b.value) == pytest.approx((0.75, 0.875))
    assert found[" the"].said_a and not found[" the"].said_b and found[" th"].said_b
    assert [each.label for each in found][:2] == ["·th", "·the"] and found.names == ("one", "other")


def test_what_was_not_returned_may_be_any_text():
    a, b = place(b"x", {b"x": 0.5, b"y": 0.25}), place(b"y", {b"y": 0.5, b"x": 0.5}, **WHOLE)
    x = compare(a, b)["x"]
    assert x.a.low == pytest.approx(0.5) and x.a.high == pytest.approx(0.75 + SOFTMAX_ERROR)
    assert x.b.exact and x.b.value == pytest.approx(0.5)
    assert compare(a, b)["z"].a.low == 0 and compare(a, b)["z"].a.high == pytest.approx(0.25 + SOFTMAX_ERROR)


def test_along_the_tokens_that_were_said_the_numbers_behind_them_count():
    a = table((b" the", {b" the": 1.0 - 1e-9}), vocabulary_size=1)
    b = table((b" th", {b" th": 0.5, b" a": 0.5}), (b"e", {b"e": 0.75, b"o": 0.25}), **WHOLE)
    found = compare(a, b).next_bytes(0)
    assert found[" the"].b.exact and found[" the"].b.value == pytest.approx(0.375)
    assert found[" tho"].b.value == pytest.approx(0.125)


def test_the_end_of_an_answer_is_a_text_of_its_own():
    a = place(b"", {b"": 0.75, b".": 0.25}, **WHOLE)
    end = compare(a, place(b".", {b".": 1 - 1e-9}, vocabulary_size=1))[END]
    assert end.label == "⟨end⟩" and end.said_a and end.a.value == pytest.approx(0.75) and end.b.value == 0


def test_a_mark_that_ends_nothing_may_be_followed_by_any_text():
    mark = {"token": "<|im_start|>", "bytes": [], "logprob": math.log(0.25)}
    other = LogprobTable.from_wire([{**entry(b"x", {b"x": 0.75}), "top_logprobs": [
        *entry(b"x", {b"x": 0.75})["top_logprobs"], mark]}], **WHOLE)[0]  # fmt: skip
    x = compare(other, other)["x"].a
    assert x.low == pytest.approx(0.75) and x.high == pytest.approx(1.0)


@pytest.mark.parametrize("entries", [
    [],
    [{"token": "é", "bytes": [0xC3, 0xA9], "logprob": -1.0,
      "top_logprobs": [{"token": "?", "bytes": [0xA9], "logprob": -1.0}]}],
    [{"token": "x", "bytes": None, "logprob": None, "top_logprobs": []}],
    [{"token": "x", "bytes": None, "logprob": 0.0, "top_logprobs": [{"token": "y", "bytes": None, "logprob": 0.0}]}],
], ids=["nothing", "merged", "no number", "no distribution"])
def test_where_nothing_is_known_of_the_next_bytes_no_number_is_made_up(entries):
    known = table((b"\xc3\xa9", {b"\xc3\xa9": 0.5}))
    found = compare(LogprobTable.from_wire(entries), known).next_bytes(0)[b"\xc3\xa9"]
    assert (found.a.low, found.a.high) == (0, 1) and found.b.low == pytest.approx(0.5)


def test_where_two_models_part_their_next_bytes_stand_in_place_of_their_tokens():
    a = table((b"It", {b"It": 0.5}), (b" the", {b" the": 0.5, b" a": 0.5}), model="one", vocabulary_size=2)
    b = table((b"It", {b"It": 0.5}), (b" tho", {b" tho": 0.5, b" th": 0.5}), model="two", vocabulary_size=2)
    found = compare(a, b)
    assert (found.divergence.byte, found.n_bytes, found.names) == (5, 2, ("one", "two")) and not found.same_tokens
    assert math.isnan(found.divergence.b_in_a) and found.next_bytes()[" th"].b.low == pytest.approx(1.0)
    assert [row.bytes for row in (found.rest_a[0], found.rest_b[0])] == [b" the", b" tho"]


def test_a_place_inside_a_token_has_no_next_bytes():
    whole, parted = table((b"ab", {b"ab": 0.5})), table((b"a", {b"a": 0.5}), (b"b", {b"b": 0.5}))
    assert compare(whole, parted).next_bytes(2).beginnings == ()
    with pytest.raises(NotGivenError, match="both have a boundary"):
        compare(whole, parted).next_bytes(1)
    with pytest.raises(NotGivenError, match="the same to the end"):
        compare(whole, parted).next_bytes()


TOKENS = [END, *(bytes(letters) for n in (1, 2, 3) for letters in product(b"ab", repeat=n))]


@st.composite
def models(draw):
    """The probability of every token, the same at each place: what comes next can be reckoned to the end."""
    weights = draw(st.lists(st.integers(0, 9), min_size=len(TOKENS), max_size=len(TOKENS)).filter(any))
    return {token: weight / sum(weights) for token, weight in zip(TOKENS, weights, strict=True) if weight}


def truth(model):
    """How likely an answer of the model begins with a text, or is over, however it is parted."""

    @cache
    def chance(text):
        if not text:
            return model.get(END, 0.0)
        return sum(
            share if token.startswith(text) else share * chance(text[len(token) :])
            for token, share in model.items() if token and (token.startswith(text) or text.startswith(token))
        )

    return chance


@given(st.data(), models(), models(), st.integers(1, 15), st.integers(1, 15))
def test_the_true_probability_of_any_text_lies_within_the_bounds(data, one, other, first, second):
    tables = []
    for model, most in ((one, first), (other, second)):
        top = dict(sorted(model.items(), key=lambda each: -each[1])[:most])
        said = data.draw(st.lists(st.sampled_from(sorted(model)), min_size=1, max_size=4))
        tables.append(table(*((token, top) for token in said), vocabulary_size=len(model)))
    found, mirrored = compare(*tables).next_bytes(0), compare(*tables[::-1]).next_bytes(0)
    asked = data.draw(st.lists(st.sampled_from(TOKENS), max_size=4))
    for each in [*found, *(found[text] for text in asked), found[b"abba"]]:
        for share, model in ((each.a, one), (each.b, other)):
            assert share.low - 1e-9 <= truth(model)(each.bytes) <= share.high + 1e-9
        there = mirrored[each.bytes]
        assert (there.a, there.b, there.said_a, there.said_b) == (each.b, each.a, each.said_b, each.said_a)
    repr(found), found._repr_html_(), found.to_pandas()
