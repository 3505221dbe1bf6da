"""A place at several temperatures as a picture: pruned tokens stay, greyed, and what is not known is said as such."""

import re

import pytest

from ds_magic.logprobs.table import LogprobTable
from ds_magic.views.tokens.tempered_place import lines
from tests.browser.tables import HOSTILE, entry

CAPITAL = [(" Canberra", 0.57), (" Sydney", 0.38), (" Perth", 0.02)]


def place(chosen=" Canberra", vocabulary_size=50_000, **fields):
    return LogprobTable.from_wire([entry(chosen, 0.57, CAPITAL, **fields)], vocabulary_size=vocabulary_size)[0]


def shown(picture):
    """By label, what stands in each column."""
    return {line.label: [cell.text for cell in line.cells] for line in lines(picture)}


def test_a_column_for_each_temperature_with_the_others_counted():
    found = shown(place().tempered([0, 1]))
    assert found["·Canberra"] == ["100 %", "57.0 %"] and found["·Perth"] == ["0 %", "2.0 %"]
    assert found["49,997 others"] == ["0 %", "3.0 %"]


def test_what_is_pruned_is_still_there_greyed_with_the_share_that_it_had():
    picture = place().tempered([0.5, 1], top_p=0.9)
    pruned = [cell.text for line in lines(picture) for cell in line.cells if cell.is_pruned]
    assert pruned == ["0.085 %", "2.0 %", "between 4e-08 and 0.11 %", "3.0 %"]
    html = picture._repr_html_()
    assert html.count('<s title="pruned"') == len(pruned) == 4 and "greyed" in html
    assert "pruned 2.0 %" in repr(picture) and "2 tokens may be drawn" in repr(picture)


def test_the_order_of_cuts_is_said_where_there_are_any():
    assert "First the temperature" in repr(place().tempered(1, top_k=2))
    assert "First the temperature" not in repr(place().tempered(1))


def test_what_is_only_bounded_is_a_range_and_said_to_be():
    text = repr(place().tempered([1, 2]))
    assert "between 1.9 % and 43.1 %" in text and "only bounded" in text
    assert "only bounded" not in repr(place(vocabulary_size=3).tempered([1, 2]))
    unknown = repr(place(vocabulary_size=None).tempered(2))
    assert "all others" in unknown and "at most 43.1 %" in unknown and "at least 13.6 %" in unknown


def test_a_chosen_token_that_did_not_come_stands_there_without_a_share():
    text = repr(place(" Hobart", logprob=-9999.0).tempered([1, 2]))
    assert "▸ ·Hobart" in text and "not returned" in text


@pytest.mark.parametrize(("asked", "heads"), [
    ({"temperatures": [0.5, 1]}, ["at 0.5", "at 1"]),
    ({"temperatures": [0.5, 1], "top_p": [None, 0.9]}, ["at 0.5", "at 0.5, top-p 0.9", "at 1", "at 1, top-p 0.9"]),
    ({"temperatures": 1, "top_k": [None, 2]}, ["uncut", "top-k 2"]),
])
def test_a_column_is_named_by_what_differs(asked, heads):
    html = place().tempered(**asked)._repr_html_()
    assert [head for head in re.findall("<th[^>]*>([^<]*)</th>", html) if head] == heads


def test_tokens_of_anybody_stay_text():
    table = LogprobTable.from_wire([entry(HOSTILE[0], 0.3, [(each, 0.1) for each in HOSTILE])])
    html = table[0].tempered([1, 2], top_k=3)._repr_html_()
    assert "<script" not in html and "<img" not in html and "<b>" not in html
