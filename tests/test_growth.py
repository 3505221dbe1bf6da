"""What a text costs grows with its length and no faster, wherever it is read or shown.

Each place of `growing.PLACES` takes each text at doubling lengths, up to 256 kB or until it takes long enough to be
measured; the last is compared with a quarter of it. The table, printed when the tests have ended, has the text of each
place that takes longest for its length.
"""

import time

import pytest

from tests.growing import MANY, PLACES, TEXTS

LONGEST = 1 << 18
LONG_ENOUGH = 0.08
"""Seconds at which a place is taken no further."""
TOO_SHORT = 0.01
"""Seconds: what takes less may as well be noise."""
STEEPEST = 13
"""Times as long for four times as much: linear is 4, and up to 11 where a cache is outgrown; quadratic is 16."""

pytestmark = pytest.mark.slow


def measured(use, make, longest, tries=1, clock=time.process_time):
    """The size that was reached, and the seconds of processor time at a quarter, at half and at all of it."""
    size, found = longest >> 6, []
    while size <= longest:
        tried = []
        for _ in range(tries):
            thing = make(size)
            began = clock()
            use(thing)
            tried.append(clock() - began)
        found.append(min(tried))
        if len(found) > 2 and found[-1] > LONG_ENOUGH:
            break
        size *= 2
    return min(size, longest), found[-3:]


def growth(found):
    return found[1][2] / max(found[1][0], TOO_SHORT)


def surely_measured(use, make, longest, clock=time.process_time):
    found = measured(use, make, longest, clock=clock)
    # A busy machine may disturb one measurement, and hardly five.
    return found if growth(found) < STEEPEST else measured(use, make, longest, 5, clock)


def cells(found):
    size, seconds = found
    return {"at": f"{size:,}", **{f"ms at {part}": f"{1000 * each:.0f}"
                                  for part, each in zip(("1/4", "1/2", "1"), seconds, strict=True)}}


@pytest.mark.parametrize("place", PLACES)
def test_a_text_four_times_as_long_takes_some_four_times_as_long(place, row):
    PLACES[place]("warm up")
    found = {
        name: surely_measured(PLACES[place], lambda length, unit=unit: (unit * length)[:length], LONGEST)
        for name, unit in TEXTS.items()
    }
    slowest = max(found, key=lambda name: found[name][1][2] / found[name][0])
    steepest = max(found, key=lambda name: growth(found[name]))
    row("Growth with the length of a text", where=place, slowest=slowest, **cells(found[slowest]),
        steepest=f"{steepest} x{growth(found[steepest]):.1f}")
    assert growth(found[steepest]) < STEEPEST, f"{place}, {steepest}: {found[steepest]}"


@pytest.mark.parametrize("thing", MANY)
def test_four_times_as_many_take_some_four_times_as_long(thing, row):
    longest, use = MANY[thing]
    use(10)
    found = surely_measured(use, int, longest)
    row("Growth with the number of things", of=thing, **cells(found))
    assert growth(found) < STEEPEST, f"{thing}: {found}"
