"""When one more request may begin."""

import math

import pytest

from ds_magic import InvalidRequestError
from ds_magic.many.pace import Limits, Pace


class Clock:
    """A time that goes on when it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def begun(pace):
    """Begins what may begin now; when each was begun."""
    times = []
    while pace.wait() == 0:
        times.append(pace.begin())
    return times


def test_what_is_in_flight_is_limited_by_what_the_user_says(clock):
    pace = Pace(Limits(concurrency=3), clock)
    assert len(begun(pace)) == 3 and pace.wait() == math.inf
    for _ in range(50):
        pace.ended(answered=True)
        begun(pace)
    assert pace.in_flight == 3


def test_without_a_word_it_grows_by_one_for_each_round_of_answers(clock):
    pace = Pace(Limits(), clock)
    assert len(begun(pace)) == 8
    for _ in range(9):
        pace.ended(answered=True)
        begun(pace)
    assert pace.in_flight == 9
    for _ in range(5000):
        pace.ended(answered=True)
        begun(pace)
    assert pace.in_flight == 64


def test_a_limit_that_is_not_reached_does_not_grow(clock):
    pace = Pace(Limits(), clock)
    for _ in range(100):
        pace.begin()
        pace.ended(answered=True)
    assert pace.allowed == 8


def test_a_refusal_halves_it_once_however_many_were_in_flight(clock):
    pace = Pace(Limits(concurrency=8), clock)
    times = begun(pace)
    clock.now += 1
    assert [pace.refused(time) for time in times] == [True] + [False] * 7
    assert pace.allowed == 4
    clock.now += 1
    for _ in times:
        pace.ended()
    clock.now += 1
    for _ in range(9):
        pace.refused(pace.begin())
        clock.now += 1
    assert pace.allowed == 1


def test_nothing_begins_in_a_pause_and_a_longer_one_stays(clock):
    pace = Pace(Limits(), clock)
    pace.pause(5)
    pace.pause(2)
    assert (pace.wait(), pace.paused) == (5, 5)
    clock.now += 5
    assert (pace.wait(), pace.paused) == (0, 0)


def test_requests_a_minute_are_counted_over_the_last_sixty_seconds(clock):
    pace = Pace(Limits(requests_per_minute=4), clock)
    assert len(begun(pace)) == 4
    for _ in range(4):
        pace.ended(answered=True)
    clock.now += 20
    assert pace.wait() == 40
    clock.now += 40
    assert len(begun(pace)) == 4


def test_tokens_a_minute_are_what_was_spent_and_what_is_expected(clock):
    pace = Pace(Limits(concurrency=4, tokens_per_minute=100), clock)
    pace.begin()
    pace.ended(40, answered=True)
    assert len(begun(pace)) == 1, "two more of 40 would be 120"
    pace.ended(40, answered=True)
    assert pace.wait() == 60
    clock.now += 60
    assert len(begun(pace)) == 2


def test_one_request_that_costs_more_than_a_minute_allows_still_begins(clock):
    pace = Pace(Limits(tokens_per_minute=10), clock)
    pace.begin()
    pace.ended(40, answered=True)
    clock.now += 60
    assert pace.wait() == 0


def test_a_budget_counts_what_runs_and_then_nothing_begins(clock):
    pace = Pace(Limits(concurrency=8, token_budget=100), clock)
    pace.begin()
    pace.ended(30, answered=True)
    assert len(begun(pace)) == 2, "30 are spent, and two more are 90"
    for _ in range(2):
        pace.ended(35, answered=True)
    assert pace.is_used_up and pace.wait() == math.inf


@pytest.mark.parametrize("value", [0, -1, "8", True, float("nan")])
def test_a_limit_that_is_none_is_refused(value):
    with pytest.raises(InvalidRequestError, match="`concurrency`"):
        Limits(concurrency=value)
