"""How uncertain the model is of each of several questions."""

import pytest

from ds_magic import Answers
from ds_magic.many.row import Row
from tests.many.scripted_answers import answer, entry
from tests.views.making import HOSTILE, Page, completion

SAID = {"France": ["Paris", "paris.", " Paris!", "Lyon", "Paris"], "Chad": list("abcde"), "Peru": ["Lima"] * 5}


@pytest.fixture
def answers():
    rows = [Row({"country": country, "sample": n}, completion(text)) for country, texts in SAID.items()
            for n, text in enumerate(texts, 1)]
    return Answers([*rows, Row({"country": "Mali"})])


def test_the_most_uncertain_stands_first_and_samples_that_mean_the_same_are_counted(answers):
    found = answers.entropy(by="country")
    assert [(each.value, round(each.entropy.semantic, 2), each.n) for each in found] == [
        ("Chad", 2.32, 5), ("France", 0.72, 5), ("Peru", 0.0, 5)]
    assert found.left_out == 1 and found.mean == pytest.approx((2.3219 + 0.7219) / 3, abs=1e-3)
    for shown in (repr(found), Page(found._repr_html_()).text):
        assert "Paris\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}4 · Lyon" in shown and "they differ in meaning for 2" in shown
        assert "equal but for case, blanks and punctuation" in " ".join(shown.split())
    assert found.to_pandas()["meanings"].tolist() == [5, 2, 1]


def test_those_of_one_question_are_bars_on_one_scale(answers):
    found = answers.where(country="France").entropy()
    for shown in (repr(found), Page(found._repr_html_()).text):
        assert "5 answers, 2 meanings: semantic entropy 0.72 bits" in shown and "80 %" in shown and "20 %" in shown
    assert "bits a token" not in repr(found), "they came without probabilities"
    probable = Answers(Row({}, answer(entry("a", 0.5))) for _ in range(2)).entropy()
    assert "Length-normalised entropy 1 bits a token" in " ".join(repr(probable).split())
    assert "`same` says so" in repr(answers.entropy(same=lambda a, b: a is b))
    for text in HOSTILE:
        Page(Answers([Row({}, completion(text))]).entropy()._repr_html_())


def test_groups_have_the_same(answers):
    assert repr(answers.group_by("country").entropy()) == repr(answers.entropy(by="country"))


def test_what_means_the_same_is_for_the_user_to_say(answers):
    found = answers.entropy(by="country", same=lambda a, b: True)
    assert {each.entropy.semantic for each in found} == {0} and "they mean the same for each" in repr(found)
    assert "where `same` says so" in " ".join(repr(found).split())


def test_without_any_answer_it_says_so():
    with pytest.raises(ValueError, match="no answers to compare"):
        Answers([Row({"q": 1})]).entropy(by="q")


def test_hostile_texts_stay_text():
    Page(Answers(Row({"q": text}, completion(text)) for text in HOSTILE).entropy(by="q")._repr_html_())
