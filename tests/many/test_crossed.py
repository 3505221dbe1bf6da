"""Answers by two factors, as a grid."""

import pytest

from ds_magic import Answers
from ds_magic.many.row import Row
from tests.many.scripted_answers import answer, entry
from tests.views.making import HOSTILE, Page, completion

SHARED = "A cell is the smallest unit of life that there is on this planet, "


def of(*contents, times=1):
    places = [(t, s) for s in ("child", "poet") for t in (0, 0.5)]
    return Answers(Row({"temperature": t, "system": s, "sample": n}, completion(text))
                   for (t, s), text in zip(places, contents, strict=True) for n in range(times))


def test_one_factor_goes_across_the_other_down():
    grid = of("a", "b", "c", "d").grid("temperature", "system")
    assert grid.across == (0, 0.5) and grid.down == ("child", "poet") and grid["poet", 0.5].contents == ("d",)
    assert grid.to_pandas().loc["poet"].tolist() == ["c", "d"] and len(grid["nobody", 0]) == 0
    assert of("a", "b", "c", "d").grid(rows="temperature").across == ("child", "poet")


def test_answers_of_two_factors_show_themselves_so_and_equal_samples_once():
    answers = of("red", "blue", "green", "pink", times=3)
    html = answers._repr_html_()
    page = Page(html)
    assert page.tags.count("th") == 5 and page.tags.count("td") == 4 and page.text.count("× 3") == 4
    assert "12 answers, 4 different" in page.text and "12 answers, 4 different" in repr(answers)
    assert "── system child" in repr(answers) and "temperature 0.5  × 3  blue" in repr(answers)


def test_what_all_begin_with_is_said_once():
    answers = of(*(SHARED + end for end in ("said he", "said she", "cried he", "cried she")))
    for shown in (Page(answers._repr_html_()).text, repr(answers)):
        assert shown.count("smallest unit") == 1 and "All begin: A cell" in shown and "said she" in shown


def test_a_cell_is_tinted_from_where_it_begins():
    shared = [entry(word + " ", 0.99) for word in SHARED.split()]
    rows = [Row({"a": a, "b": b}, answer(*shared, entry(f"w{a}{b}", 0.01))) for a in (0, 1) for b in (0, 1)]
    html = Answers(rows)._repr_html_()
    assert html.count('title="') == 4 and all(f">w{a}{b}<" in html for a in (0, 1) for b in (0, 1))


def test_a_long_answer_is_cut_and_a_failure_stands_in_its_cell():
    rows = [*of("x" * 5000, "b", "c", "d")][:3]
    answers = Answers([*rows, Row({"temperature": 0.5, "system": "poet"}, None, None)])
    assert len(answers._repr_html_()) < 5000 and "nothing" in Page(answers._repr_html_()).text


def test_what_is_no_small_grid_is_shown_as_before():
    rows = Answers(Row({"question": q, "right": r}, completion("x")) for q, r in zip("abc", "def", strict=True))
    assert "<td" not in rows._repr_html_(), "cells would be empty"
    many = Answers(Row({"a": a, "b": b}, completion(f"{a}{b}")) for a in range(5) for b in range(7))
    assert "perplexity" in Page(many._repr_html_()).text
    assert "2 more values of b" not in repr(many) and Page(many.grid("a", "b")._repr_html_()).tags.count("td") == 35


def test_without_two_factors_it_says_what_varied():
    with pytest.raises(ValueError, match="varied was temperature"):
        Answers(Row({"temperature": t}, completion("x")) for t in (0, 1)).grid()
    with pytest.raises(ValueError, match="There is no factor 'model'"):
        of("a", "b", "c", "d").grid("model", "system")


def test_hostile_texts_stay_text():
    for text in HOSTILE:
        Page(Answers(Row({"a": a, text: b}, completion(text)) for a in (text, "x") for b in (text, "y"))._repr_html_())
