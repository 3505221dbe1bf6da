"""The collection: its rows, its parts, its pictures, its file."""

import json
import pickle

import pandas as pd
import pytest

from ds_magic import Answers, InvalidRequestError, RateLimitError, UnfitAnswerError
from ds_magic.many.row import Row
from tests.many.scripted_answers import answer, entry
from tests.views.making import HOSTILE, Page, completion


@pytest.fixture
def answers():
    rows = [
        Row({"temperature": t, "sample": n}, answer(entry(text, 0.6, other=0.3)))
        for n in (1, 2) for t, text in ((0, "red"), (1, f"blue{n}"))
    ]
    failed = Row({"temperature": 1, "sample": 3}, None, RateLimitError("full", retry_after=3))
    return Answers([*rows, failed], ["A note."])


def test_it_is_a_sequence_of_rows_with_those_that_failed(answers):
    assert len(answers) == 5 and [row.content for row in answers] == ["red", "blue1", "red", "blue2", ""]
    assert isinstance(answers[1:3], Answers) and answers[1:3].contents == ("blue1", "red") and answers[-1].error
    assert len(answers.completions) == 4 and len(answers + answers[:1]) == 6
    assert answers.failed.contents == ("",) and not answers[-1].logprobs


def test_rows_are_found_by_their_factors(answers):
    assert answers.where(temperature=0).contents == ("red", "red")
    assert answers.where(temperature=1, sample=2).contents == ("blue2",)
    assert answers.where(lambda row: row.ok, temperature=1).contents == ("blue1", "blue2")
    with pytest.raises(ValueError, match="There is no factor 'temprature'"):
        answers.where(temprature=0)


def test_rows_are_grouped_by_one_factor_or_several(answers):
    groups = answers.group_by("temperature")
    assert list(groups) == [0, 1] and groups[1].contents == ("blue1", "blue2", "")
    assert list(answers.group_by("temperature", "sample")) == [(0, 1), (1, 1), (0, 2), (1, 2), (1, 3)]
    assert answers.factors == {"temperature": (0, 1), "sample": (1, 2, 3)}


def test_factors_that_cannot_be_hashed_and_missing_numbers_are_values_too():
    rows = Answers([Row({"a": [1]}), Row({"a": [1]}), Row({"a": float("nan")}), Row({"a": float("nan")})])
    assert [len(group) for group in rows.group_by("a").values()] == [2, 2]
    assert len(rows.where(a=[1])) == 2 == len(rows.where(a=float("nan")))


def test_a_row_an_answer_in_a_data_frame(answers):
    frame = answers.to_pandas()
    assert list(frame.columns) == [
        "temperature", "sample", "content", "prompt_tokens", "completion_tokens", "finish_reason", "perplexity",
        "perplexity_low", "bits_per_byte", "bits_per_byte_low", "seconds", "model", "interrupted", "error"]
    assert frame["perplexity"][0] == pytest.approx(1 / 0.6)
    assert frame["error"].isna().sum() == 4 and frame["error"][4] == "RateLimitError: full"


def test_tokens_and_alternatives_of_all_are_one_table_keyed_by_row_and_factors(answers):
    tokens, alternatives = answers.tokens(), answers.alternatives()
    assert (len(tokens), len(alternatives)) == (4, 8)
    frame = alternatives.to_pandas()
    assert frame.columns[:4].tolist() == ["row", "temperature", "sample", "position"] and frame["row"].tolist() == [
        0, 0, 1, 1, 2, 2, 3, 3]
    assert Answers().tokens().to_pandas().empty
    assert Answers([Row({"token": "x"}, answers[0].answer)]).tokens().to_pandas()["factor_token"].tolist() == ["x"]


@pytest.mark.parametrize(("values", "last"), [
    ([1] * 64 + [0.5], 0.5), ([None] * 64 + [7], 7), (["x"] * 64 + [["y"]], "['y']"), ([True] * 64 + [3], "3"),
    (["a", "\ud800"], "\ufffd"), ([pd.NA, 1], 1),
], ids=["float", "late", "list", "bool", "surrogate", "missing"])
def test_factors_of_whatever_kinds_are_columns_also_of_parquet(values, last, tmp_path):
    pytest.importorskip("pyarrow")
    said = answer(entry("w", 0.5))
    answers = Answers([*(Row({"n": value}, said) for value in values[:-1]), Row({"n": values[-1], "late": 1}, said)])
    read = pd.read_parquet(answers.tokens().to_parquet(tmp_path / "t.parquet"))
    assert len(read) == len(answers.to_pandas()) == len(values)
    assert read["n"].iloc[-1] == last and read["late"].iloc[-1] == 1


def test_parquet_is_written_some_answers_at_a_time_or_it_says_what_is_missing(answers, tmp_path):
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        with pytest.raises(InvalidRequestError, match="pyarrow") as refused:
            answers.tokens().to_parquet(tmp_path / "t.parquet")
        assert "pip install" in refused.value.remedy
    else:
        path = (answers + answers).alternatives().to_parquet(tmp_path / "a.parquet")
        assert len(pd.read_parquet(path)) == 16


def test_the_entropy_is_that_of_the_rows_with_an_answer(answers):
    found = answers.entropy()
    assert found.shares == [0.5, 0.25, 0.25] and found.semantic == 1.5 and found.clusters[0][0].content == "red"
    assert answers.entropy(same=lambda a, b: a.content[:3] == b.content[:3]).shares == [0.5, 0.5]
    assert Answers([Row({}, completion("a"))]).entropy().semantic == 0


def test_two_are_compared_under_their_factors(answers):
    found = answers.compare(0, 1)
    assert found.names == ("temperature 0, sample 1", "temperature 1, sample 1") and found.divergence.byte == 0


def test_what_is_saved_comes_back_whole(answers, tmp_path):
    unfit = UnfitAnswerError("no", reason="why", partial=answers[0].answer)
    more = answers + [Row({"x": pd.Timestamp("2026-01-02"), "n": None}, unfit.partial, unfit)]
    path = more.save(tmp_path / "answers.jsonl")
    read = Answers.load(path)
    assert repr(read) == repr(more) and read.notes == ("A note.",) and read[0].factors == answers[0].factors
    assert read[4].error.retry_after == 3 and isinstance(read[4].error, RateLimitError)
    assert read[5].error.partial is read[5].answer and read[5].factors["x"].startswith("2026-01-02")
    assert read[0].logprobs.prob.tolist() == answers[0].logprobs.prob.tolist()
    assert read[0].answer.request.temperature == 1
    assert len(path.read_text().splitlines()) == 7 and repr(pickle.loads(pickle.dumps(more))) == repr(more)


def test_a_damaged_line_costs_its_row_and_is_named(answers, tmp_path):
    path = answers.save(tmp_path / "answers.jsonl")
    lines = path.read_text().splitlines()
    lines[2] = lines[2][:50]
    path.write_text("\n".join(lines[:-1]))
    read = Answers.load(path)
    assert read.contents == ("red", "red", "blue2")
    assert read.notes[1:] == ("Line 3 of the file is damaged, and left out.", "The file ends after 3 of 5 rows.")
    (tmp_path / "other").write_text(json.dumps({"format": "else"}))
    with pytest.raises(InvalidRequestError, match="holds no answers"):
        Answers.load(tmp_path / "other")


def test_equal_answers_stand_once_with_their_number():
    rows = [Row({"sample": n}, completion("red" if n % 5 else "blue")) for n in range(1, 101)]
    html = Page(Answers(rows)._repr_html_()).text
    assert "× 80" in html and "× 20" in html and html.count("red") == 1
    assert "100 answers, 2 different" in html and "── × 80\nred" in repr(Answers(rows))


def test_samples_of_one_thing_stand_with_the_most_frequent_first_and_arms_where_they_were_asked():
    texts = ["a", "b", "b", "c", "c", "c"]
    samples = Answers([Row({"sample": n}, completion(text)) for n, text in enumerate(texts)])
    assert [line for line in repr(samples).splitlines() if line.startswith("──")] == ["── × 3", "── × 2", "── sample 0"]
    arms = Answers([Row({"x": n // 2, "sample": n}, completion("a" if n < 2 else f"b{n}")) for n in range(4)])
    assert [line for line in repr(arms).splitlines() if line.startswith("──")] == [
        "── x 0 × 2", "── x 1, sample 2", "── x 1, sample 3"]


def test_a_row_shows_itself(answers):
    assert "temperature 0" in Page(answers[0]._repr_html_()).text and repr(answers[0]).startswith("temperature 0")


def test_few_stand_side_by_side_and_tinted_and_many_in_a_table(answers):
    few = (answers[:1] + [Row({"temperature": 1}, answer(entry("rare", 0.2)))])._repr_html_()
    assert "<table" not in few and "display:flex" in few and few.count("background-color:rgba(72,134,138") >= 1
    assert "temperature 0" in Page(few).text
    many = Answers([Row({"x": n}, completion(f"answer {n}")) for n in range(30)])
    page = Page(many._repr_html_())
    assert "answer 19" in page.text and "answer 20" not in page.text and "and 10 more" in page.text
    assert "answer 19" in repr(many) and "and 10 more" in repr(many)


def test_a_failure_is_shown_in_its_place(answers):
    for shown in (Page(answers._repr_html_()).text, repr(answers), Page(answers[3:]._repr_html_()).text):
        assert "RateLimitError: full" in shown and "1 failed" in shown and "A note." in shown


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_break_no_picture(text):
    many = [Row({"x": n, text: text}, completion(f"{n}{text}")) for n in range(6)]
    for rows in ([Row({text: text}, completion(text))], many):
        answers = Answers([*rows, Row({}, None, RateLimitError(text))], [text])
        for shown in (answers, answers.counts(), answers.divergence()):
            assert "\x1b" not in repr(shown) and "\u202e" not in repr(shown)
            Page(shown._repr_html_())
