"""Two tables on the same bytes: spans, sums to the last bit and their bounds, against a slow reference."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_magic.logprobs.compare import compare
from ds_magic.logprobs.table import LogprobTable

NOT_RETURNED = -9999.0


def table(tokens, **options):
    """The table of (bytes, logprob) pairs; a logprob may be None."""
    entries = [
        {"token": raw.decode(errors="replace"), "bytes": list(raw), "logprob": logprob, "top_logprobs": []}
        for raw, logprob in tokens
    ]
    return LogprobTable.from_wire(entries, **options)


logprobs = st.one_of(st.floats(-30, -1e-9), st.just(NOT_RETURNED), st.none())


@st.composite
def tokens_of(draw, raw, logprob=logprobs):
    """Some tokens that spell `raw`, empty ones among them."""
    places = draw(st.lists(st.integers(0, len(raw)), max_size=12))
    bounds = [0, *sorted(places), len(raw)]
    return [(raw[i:j], draw(logprob)) for i, j in pairwise(bounds)]


@st.composite
def two(draw, logprob=logprobs):
    """Tokens of two texts that may begin alike; often they are one."""
    shared, tail_a, tail_b = draw(st.binary(max_size=40)), *draw(
        st.one_of(st.just((b"", b"")), st.tuples(st.binary(max_size=8), st.binary(max_size=8)))
    )
    return draw(tokens_of(shared + tail_a, logprob)), draw(tokens_of(shared + tail_b, logprob))


def boundaries(tokens):
    return {sum(len(raw) for raw, _ in tokens[:n]) for n in range(len(tokens) + 1)}


def slow_spans(a, b):
    """Every pair of neighbouring places where both have a boundary, as far as the texts are the same."""
    whole_a, whole_b = (b"".join(raw for raw, _ in each) for each in (a, b))
    same = max(n for n in range(len(whole_a) + 1) if whole_a[:n] == whole_b[:n])
    return list(pairwise(sorted(place for place in boundaries(a) & boundaries(b) if place <= same)))


def slow_sum(tokens, start, end):
    """(low, high) of the tokens that end in (start, end], and of the empty ones before them; NaN of none known."""
    at, found = 0, []
    for raw, logprob in tokens:
        if raw and start < at + len(raw) <= end or not raw and start <= at < end:
            found.append(logprob)
        at += len(raw)
    known = [each for each in found if each is not None]
    if not known:
        return math.nan, math.nan
    exact = [Fraction(each) for each in known if each != NOT_RETURNED]
    return float(sum(exact)) if len(exact) == len(found) else -math.inf, float(sum(exact))


def bounds(sum_):
    return sum_.low, sum_.high


def same_numbers(found, expected):
    return np.array_equal(np.array(found, float), np.array(expected, float), equal_nan=True)


@settings(max_examples=300)
@given(two())
def test_spans_are_the_smallest_pieces_at_whose_ends_both_have_a_boundary_with_sums_to_the_last_bit(pair):
    a, b = pair
    found = [each for each in compare(table(a), table(b)) if each.n_bytes]
    assert [(each.start_byte, each.end_byte) for each in found] == slow_spans(a, b)
    for each in found:
        for sum_, tokens in ((each.logprob_a, a), (each.logprob_b, b)):
            assert same_numbers(bounds(sum_), slow_sum(tokens, each.start_byte, each.end_byte))


@given(two())
def test_the_other_way_round_it_is_the_mirror_image(pair):
    one, other = compare(*map(table, pair)), compare(*map(table, pair[::-1]))
    assert len(one) == len(other) and one.n_bytes == other.n_bytes
    assert one.rest_a.bytes == other.rest_b.bytes and one.rest_b.bytes == other.rest_a.bytes
    for here, there in zip(one, other, strict=True):
        assert (here.cuts_a, here.cuts_b, here.tokens) == (there.cuts_b, there.cuts_a, there.tokens[::-1])
        assert same_numbers(bounds(here.logprob_a), bounds(there.logprob_b))
        assert same_numbers(bounds(here.difference), [-each for each in bounds(there.difference)[::-1]])
    for here, there in zip(one.bits_per_byte, other.bits_per_byte[::-1], strict=True):
        assert same_numbers(bounds(here), bounds(there))


@given(st.data(), st.binary(max_size=60))
def test_of_one_text_spans_cover_all_bytes_and_keep_both_sums(data, raw):
    exact = st.floats(-30, -1e-9)
    a, b = (data.draw(tokens_of(raw, exact)) for _ in range(2))
    found = compare(table(a), table(b))
    assert b"".join(b"".join(each.a.bytes) for each in found) == raw == b"".join(
        b"".join(each.b.bytes) for each in found)
    assert found.n_bytes == len(raw) and sum(each.n_bytes for each in found) == len(raw)
    spelling = [[logprob for _, logprob in each[: max((n + 1 for n, (raw, _) in enumerate(each) if raw), default=0)]]
                for each in (a, b)]  # fmt: skip
    for sum_, per_byte, numbers in zip(found.logprob, found.bits_per_byte, spelling, strict=True):
        if numbers:
            assert sum_.value == float(sum(map(Fraction, numbers)))
            assert per_byte.value == pytest.approx(-sum_.value / math.log(2) / len(raw))


@given(st.data(), st.binary(min_size=1, max_size=40))
def test_the_same_tokens_are_a_span_each(data, raw):
    tokens = [each for each in data.draw(tokens_of(raw)) if each[0]]
    found = compare(table(tokens), table(tokens))
    assert [each.tokens for each in found] == [(1, 1)] * len(tokens) and found.same_tokens
    assert all(each.difference.value in (0, None) for each in found)


def test_an_empty_token_goes_with_what_it_stands_before():
    found = compare(table([(b"a", -1.0), (b"", -2.0), (b"b", -4.0)]), table([(b"a", -1.0), (b"b", -1.0)]))
    assert [(each.tokens, each.logprob_a.value) for each in found] == [((1, 1), -1.0), ((2, 1), -6.0)]


def test_a_span_may_end_inside_a_character():
    found = compare(table([(b"\xc3", -1.0), (b"\xa9", -1.0)]), table([(b"\xc3", -2.0), (b"\xa9", -2.0)]))
    assert [(each.text, each.n_bytes) for each in found] == [("", 1), ("é", 1)]
    assert len(compare(table([(b"\xc3", -1.0), (b"\xa9", -1.0)]), table([(b"\xc3\xa9", -2.0)]))) == 1


def test_a_span_with_a_token_of_which_nothing_came_is_bounded_by_the_others():
    (each,) = compare(table([(b"a", -1.0), (b"b", None)]), table([(b"ab", -3.0)]))
    assert bounds(each.logprob_a) == (-math.inf, -1.0) and bounds(each.difference) == (-2.0, math.inf)
    (each,) = compare(table([(b"ab", None)]), table([(b"ab", -3.0)]))
    assert math.isnan(each.difference.low) and each.difference.value is None


def test_a_character_that_the_server_merged_from_several_tokens_is_no_likelier_than_its_last_part():
    last = {"token": "?", "bytes": [0xA9], "logprob": -1.0}
    merged = LogprobTable.from_wire([{"token": "é", "bytes": [0xC3, 0xA9], "logprob": -1.0, "top_logprobs": [last]}])
    (each,) = compare(merged, table([("é".encode(), -3.0)]))
    assert bounds(each.logprob_a) == (-math.inf, -1.0)


def test_forced_tokens_count_with_the_numbers_that_they_have():
    tokens = [(b"a", -1.0), (b"b", -2.0)]
    assert compare(table(tokens, forced=1), table(tokens)).logprob[0].value == -3.0


def test_bits_per_byte_leave_out_the_end_of_the_answers():
    ended = [(b"ab", -math.log(2)), (b"", -5.0)]
    found = compare(table(ended), table([(b"a", -math.log(2)), (b"b", -math.log(2)), (b"", -1.0)]))
    assert [each.value for each in found.bits_per_byte] == [0.5, 1.0] and found.shared[-1].n_bytes == 0
