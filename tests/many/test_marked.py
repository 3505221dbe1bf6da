"""Which answers are right: by a column, by words that they contain, by a function."""

import pandas as pd
import pytest

import ds_magic
from ds_magic import Answers
from ds_magic.logprobs.refused import NoSuchNameError
from ds_magic.many.row import Row
from tests.many.scripted_answers import answer, echo, entry
from tests.servers.scripted import ScriptedServer
from tests.views.making import completion


def marks(answers):
    return [row.correct for row in answers]


@pytest.fixture
def rows():
    said = [("Paris.", "paris"), ("It is Paris, of course.", "Paris"), ("Lyon", "Paris"), ("x", None)]
    return Answers([*(Row({"right": right}, completion(text)) for text, right in said), Row({"right": "Paris"})])


def test_a_column_says_what_is_equal_but_for_case_blanks_and_punctuation(rows):
    assert marks(rows.marked("right")) == [True, False, False, None, None] and marks(rows) == [None] * 5


def test_or_whose_words_are_contained(rows):
    assert marks(rows.marked("right", contains=True)) == [True, True, False, None, None]


def test_what_is_marked_is_found_and_grouped_by_it(rows):
    marked = rows.marked("right")
    assert marked.where(correct=False).contents == ("It is Paris, of course.", "Lyon")
    assert {right: len(group) for right, group in marked.group_by("correct").items()} == {True: 1, False: 2, None: 2}
    with pytest.raises(NoSuchNameError, match="correct"):
        rows.where(correct=True)


def test_or_several_of_which_one_is_right_and_numbers_as_they_are_said():
    rows = Answers([Row({"right": ["Kyiv", "Kiev"]}, completion("Kiev.")), Row({"right": 56.0}, completion("56"))])
    assert marks(rows.marked("right")) == [True, True]


def test_or_a_function_whose_failure_loses_no_answer(rows):
    def right(row):
        return row.factors["right"].casefold() in row.content.casefold()

    answers = rows.marked(right)
    assert marks(answers) == [True, True, False, None, None] and len(answers) == 5
    assert "failed on 1 rows" in answers.notes[0] and "AttributeError" in answers.notes[0]


def test_a_column_that_is_not_there_is_said(rows):
    with pytest.raises(ValueError, match="There is no factor 'wrong'.*There are right"):
        rows.marked("wrong")


def test_a_batch_is_marked_as_it_is_asked_and_a_wrong_name_costs_no_request(connect):
    frame = pd.DataFrame({"question": ["a", "b"], "right": ["A", "c"]})
    with ScriptedServer(echo) as server:
        asked = {"client": connect(server), "stream": False}
        with pytest.raises(ValueError, match="There is no factor 'wright'"):
            ds_magic.map("{{ question }}", frame, correct="wright", **asked)
        assert not server.requests
        answers = ds_magic.map("{{ question }}", frame, correct="right", **asked)
    assert answers.to_pandas()["correct"].tolist() == [True, False]


def test_the_mark_is_a_column_is_saved_and_is_what_a_reliability_is_of(rows, tmp_path):
    sure = Answers([Row({"correct": "a"}, answer(entry("a", 0.9))), Row({"correct": "b"}, answer(entry("a", 0.9)))])
    marked = Answers.load(sure.marked("correct").save(tmp_path / "a.jsonl"))
    assert marked.to_pandas()["is_correct"].tolist() == [True, False] and "correct" in marked.to_pandas()
    assert (marked.reliability().n, marked.reliability().right) == (2, 1)
    assert "correct" not in rows.to_pandas()
    with pytest.raises(ValueError, match="not known which answers are right"):
        rows.reliability()


def test_forty_questions_and_their_reliability_are_one_line():
    rows = Answers(Row({"right": str(n % 2)}, answer(entry("0", 0.1 + n / 50))) for n in range(40))
    found = rows.reliability("right")
    assert (found.n, found.right, sum(each.n for each in found)) == (40, 20, 40) and len(found) == 8
    assert all(0 <= each.interval[0] <= each.share <= each.interval[1] <= 1 for each in found)
