"""A place at several temperatures and cuts: exact with the whole distribution, else between bounds that hold."""

import math

import numpy as np
import pytest

from ds_magic.logprobs.distribution import SOFTMAX_ERROR
from ds_magic.logprobs.refused import NotGivenError
from ds_magic.logprobs.table import LogprobTable
from ds_magic.logprobs.tempered_place import KEPT, PRUNED, UNSURE
from tests.browser.tables import entry

EQUAL = 1e-9
CAPITAL = [(" Canberra", 0.57), (" Sydney", 0.38), (" Perth", 0.02)]
SETTINGS = [(None, None), (0.9, None), (0.5, None), (0.999, None), (None, 10), (0.95, 40), (None, 1000), (0.97, 1000)]


def place(**known):
    return LogprobTable.from_wire([entry(" Canberra", 0.57, CAPITAL)], vocabulary_size=50_000, **known)[0]


def row_of(whole, k):
    """A place with its `k` likeliest tokens, each of another name."""
    top = [{"token": f"t{rank}", "bytes": None, "logprob": float(each)} for rank, each in enumerate(whole.logprobs[:k])]
    return LogprobTable.from_wire([{**top[0], "top_logprobs": top}], vocabulary_size=len(whole.logprobs))[0]


def drawn_with(logprobs, temperature, top_p, top_k):
    """The shares that a sampler draws with: temperature, then the top_k likeliest, then the top_p mass."""
    p = np.exp((logprobs - logprobs[0]) / temperature)
    uncut = p / p.sum()
    p[top_k or len(p) :] = 0
    p /= p.sum()
    if top_p is not None:
        p[int(np.searchsorted(np.cumsum(p), top_p * (1 - EQUAL))) + 1 :] = 0
    return uncut, p / p.sum()


@pytest.mark.parametrize("k", [49_152, 20, 5, 1])
@pytest.mark.parametrize(("top_p", "top_k"), SETTINGS)
def test_shares_of_whole_distributions_are_within_their_bounds(whole, k, top_p, top_k):
    temperatures = [0.3, 0.7, 1, 1.3, 2, 5]
    for each in whole:
        for column in row_of(each, k).tempered(temperatures, top_p=top_p, top_k=top_k).columns:
            temperature = column.setting.temperature
            uncut, shares = drawn_with(each.logprobs, temperature, top_p, top_k)
            n = len(column.low)
            slack = EQUAL
            if temperature == 1 and n < len(uncut):  # as they came, whose sum is 1 to within the engine's float32
                uncut = np.exp(each.logprobs)
                shares = shares if column.setting.cut else uncut
                slack = SOFTMAX_ERROR
            assert (column.low - slack <= shares[:n]).all() and (shares[:n] <= column.high + slack).all()
            assert (column.uncut_low - slack <= uncut[:n]).all() and (uncut[:n] <= column.uncut_high + slack).all()
            assert column.rest[0] - slack <= shares[n:].sum() <= column.rest[1] + slack
            assert not (shares[:n][column.kept == PRUNED] > 0).any()
            assert (shares[:n][column.kept == KEPT] > 0).all()
            least, most = column.count
            assert least <= (shares > 0).sum() <= most


@pytest.mark.parametrize(("top_p", "top_k"), SETTINGS)
def test_with_the_whole_distribution_nothing_is_only_bounded(whole, top_p, top_k):
    for each in whole:
        for column in row_of(each, 49_152).tempered([0.5, 1, 2], top_p=top_p, top_k=top_k).columns:
            np.testing.assert_allclose(column.low, column.high)
            assert column.rest[1] < 1e-30 and column.count[0] == column.count[1] and UNSURE not in column.kept
            assert column.low.sum() == pytest.approx(1)


def test_a_temperature_comes_before_the_cuts_and_top_k_before_top_p():
    (column,) = place().tempered(0.5, top_p=0.9, top_k=2).columns
    weights = [0.57**2, 0.38**2]
    assert column.low.tolist() == pytest.approx([*(each / sum(weights) for each in weights), 0])
    assert column.kept.tolist() == [KEPT, KEPT, PRUNED]
    (column,) = place().tempered(1, top_p=0.6, top_k=2).columns  # 57 of the 95 per cent are 0.6 of them
    assert column.kept.tolist() == [KEPT, PRUNED, PRUNED] and column.low.tolist() == [1, 0, 0]
    assert column.uncut_low.tolist() == pytest.approx([0.57, 0.38, 0.02])


def test_at_1_without_a_cut_shares_are_as_they_came():
    (column,) = place().tempered(1).columns
    assert column.low.tolist() == column.high.tolist() == pytest.approx([0.57, 0.38, 0.02])
    assert column.rest[0] == column.rest[1] == pytest.approx(0.03)


def test_at_0_the_likeliest_is_taken_whatever_is_cut():
    (column,) = place().tempered(0, top_p=0.1).columns
    assert column.low.tolist() == [1, 0, 0] and column.count == (1, 1) and column.rest == (0, 0)


def test_where_the_size_of_the_vocabulary_is_not_known_the_rest_may_be_all_of_it():
    row = LogprobTable.from_wire([entry("a", 0.5, [("a", 0.5), ("b", 0.3)])])[0]
    (column,) = row.tempered(2).columns
    assert column.low.tolist() == [0, 0] and column.rest[1] == 1 and column.count[1] is None


def test_a_cut_that_may_lie_in_what_was_not_returned_is_not_made_up():
    (column,) = place().tempered(2, top_p=0.5).columns
    assert column.kept.tolist() == [KEPT, KEPT, UNSURE]
    assert column.low[1] > 0 and column.low[2] == 0 < column.high[2] and column.count[0] == 2


def test_of_several_cuts_there_are_all_combinations():
    settings = place().tempered([0.5, 1], top_p=[None, 0.9], top_k=3).settings
    assert [tuple(each) for each in settings] == [(0.5, None, 3), (0.5, 0.9, 3), (1, None, 3), (1, 0.9, 3)]
    assert settings[1].cut == "top-k 3, top-p 0.9" and place().tempered(1).settings[0].cut == ""


def test_a_data_frame_has_a_row_for_each_token_at_each_setting():
    frame = place().tempered([0, 2], top_p=0.5).to_pandas()
    assert list(frame.columns) == [
        "temperature", "top_p", "top_k", "rank", "token", "label", "prob",
        "uncut_low", "uncut_high", "low", "high", "kept", "chosen",
    ]  # fmt: skip
    assert len(frame) == 6 and frame.label.tolist()[:3] == ["·Canberra", "·Sydney", "·Perth"]
    assert frame.kept.isna().sum() == 1 and frame[frame.temperature == 0].kept.tolist() == [True, False, False]


@pytest.mark.parametrize("wrong", [
    {"temperatures": -1}, {"temperatures": math.nan}, {"temperatures": "hot"}, {"temperatures": []},
    {"temperatures": 1, "top_p": 1.5}, {"temperatures": 1, "top_k": 0}, {"temperatures": 1, "top_k": 2.5},
])
def test_what_is_no_setting_is_an_error_that_says_what_is(wrong):
    with pytest.raises(NotGivenError):
        place().tempered(**wrong)


def test_without_alternatives_it_is_said_how_to_get_them():
    row = LogprobTable.from_wire([entry("a", 0.5)])[0]
    with pytest.raises(NotGivenError, match="alternatives"):
        row.tempered()
