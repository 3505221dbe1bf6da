"""How often answers are right, against how sure the model was."""

import math

import pytest

from ds_magic import Answers
from ds_magic.many.row import Row
from tests.many.scripted_answers import answer, entry
from tests.views.making import Page, completion


def test_answers_stand_in_bins_by_how_sure_the_model_was():
    rows = [Row({"right": right}, answer(entry(said, sure))) for said, sure, right in (
        ("Paris", 0.95, "paris."), ("Lyon", 0.93, "Paris"), ("Rome", 0.55, "Rome"), ("Bonn", 0.15, "Berlin"))]
    found = Answers([*rows, Row({"right": "x"}, completion("x")), Row({"right": "x"})]).reliability("right")
    assert [(each.low, each.n, each.right) for each in found] == [(0.1, 1, 0), (0.5, 1, 1), (0.9, 2, 1)]
    assert (found.n, found.right, found.left_out) == (4, 2, 2)
    assert found.error == pytest.approx((0.15 + 0.45 + 2 * 0.44) / 4)
    assert found.brier == pytest.approx((0.05**2 + 0.93**2 + 0.45**2 + 0.15**2) / 4)
    for shown in (repr(found), Page(found._repr_html_()).text):
        assert "2 of 4 answers are right" in shown and "90 – 100 %" in shown
    assert len(found.to_pandas()) == 3


def test_what_is_right_and_how_sure_it_is_may_be_functions():
    rows = Answers([Row({"n": n}, completion(str(n))) for n in range(10)])
    found = rows.reliability(lambda row: row.factors["n"] % 2 == 0, bins=2, of=lambda row: row.factors["n"] / 10)
    assert [(each.n, each.right) for each in found] == [(5, 3), (5, 2)]


def test_without_probabilities_or_a_column_it_says_what_is_missing():
    rows = Answers([Row({"right": "a"}, completion("a"))])
    with pytest.raises(ValueError, match="top_logprobs=20"):
        rows.reliability("right")
    with pytest.raises(ValueError, match="There is no factor 'wrong'"):
        rows.reliability("wrong")
    assert math.isnan(Answers().reliability(lambda row: True).error)
