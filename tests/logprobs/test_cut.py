"""What top_p leaves of a distribution."""

import pytest

from ds_magic.logprobs.cut import within_top_p


def test_the_likeliest_are_kept_until_they_reach_it_and_sum_to_one_again():
    shares, rest = within_top_p([(0.5, 0.5), (0.3, 0.3), (0.1, 0.1)], 0.1, 0.6)
    assert shares == [pytest.approx((0.625, 0.625)), pytest.approx((0.375, 0.375)), (0, 0)] and rest == 0


def test_without_a_cut_nothing_changes():
    assert within_top_p([(0.5, 0.6)], 0.4, 1) == ([(0.5, 0.6)], 0.4)


def test_one_token_that_reaches_it_alone_is_certain():
    assert within_top_p([(0.9, 0.9), (0.05, 0.05)], 0.05, 0.9) == ([(1, 1), (0, 0)], 0)


def test_where_bounds_do_not_tell_whether_a_token_is_kept_it_has_at_least_nothing():
    shares, _ = within_top_p([(0.5, 0.6), (0.2, 0.3), (0.1, 0.1)], 0.1, 0.55)
    assert shares[0] == pytest.approx((0.5 / 0.9, 1)) and shares[1] == pytest.approx((0, 0.3 / 0.55))
    assert shares[2] == (0, 0)


def test_where_what_was_returned_does_not_reach_it_the_rest_may_be_drawn():
    shares, rest = within_top_p([(0.4, 0.4)], 0.6, 0.9)
    assert shares == [pytest.approx((0.4, 0.4 / 0.9))] and rest == pytest.approx(0.6 / 0.9)
