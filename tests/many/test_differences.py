"""What differs between what is asked and what was recorded."""

import pytest

from ds_magic.many.differences import LOOKED_AT, Difference, differences, in_common, is_changing, shown
from ds_magic.many.journal import Journal
from ds_magic.many.tape import nearest_shown
from tests.many.making import entry


def request(*texts, **fields):
    return {"messages": [{"role": "user", "content": text} for text in texts], **fields}


def test_requests_differ_field_by_field_and_message_by_message():
    found = differences(request("a", "b", temperature=1), request("a", "c", top_p=0.5))
    assert found == [
        Difference("messages[1].content", "b", "c"), Difference("temperature", 1, None), Difference("top_p", None, 0.5),
    ]
    assert differences(request("a"), request("a")) == []
    assert [each.field for each in differences(request("a", "b"), request("a"))] == [
        "messages[1].role", "messages[1].content"]  # fmt: skip


def test_a_text_is_shown_around_its_first_difference():
    before, after = "word " * 50, " more" * 50
    line = shown(Difference("messages[0].content", f"{before}Bern{after}", f"{before}Basel{after}"))
    assert line == (
        "`messages[0].content` differs from character 252: “…rd word word word word Bern more more more more…”, "
        "and was “…rd word word word word Basel more more more more…”"
    )


def test_a_value_is_shown_beside_what_it_was():
    assert shown(Difference("temperature", 0.5, None)) == "`temperature` is 0.5, and was not set"
    assert shown(Difference("stop", ["a"], "a")) == '`stop` is ["a"], and was "a"'


@pytest.mark.parametrize(("asked", "recorded", "changes"), [
    ("Today is 2026-11-30.", "Today is 2026-11-29.", True), ("At 12:31, go", "At 12:40, go", True),
    ("Monday it is", "Sunday it is", True), ("run 7 of it", "run 12 of it", True),
    ("id 0a1b2c3d go", "id 9a1b2c3d go", True), ("in May", "in April", True),
    ("Bern", "Basel", False), ("Bern in 2026", "Basel in 2026", False), ("a", "a b", False),
])  # fmt: skip
def test_dates_times_and_counters_are_told_apart_from_words(asked, recorded, changes):
    assert is_changing(Difference("messages[0].content", asked, recorded)) == changes


@pytest.mark.parametrize("length", [0, 1, 2, 7, 1_000])
def test_what_two_texts_have_in_common_ends_where_they_part(length):
    text = "ab" * length
    assert in_common(text + "x", text + "y") == in_common(text, text + "y") == 2 * length


def test_the_nearest_request_is_the_one_with_the_least_and_latest_difference(tmp_path):
    path = tmp_path / "run.jsonl"
    asked = [request("The capital of France?"), request("The capital of Australia?", temperature=1), request("Hm?")]
    with Journal(path).writing() as journal:
        for each in asked:
            journal.append(entry(asked=each))
    said = nearest_shown(Journal(path), request("The capital of Austria?"), 0)
    assert "France" in said and said.count("·") == 1 and "2026-11-30" in said
    said = nearest_shown(Journal(path), request("The capital of Austria?", temperature=1), 0)
    assert "“The capital of Austria?”, and was “The capital of Australia?”" in said


def test_a_panel_of_many_differences_stays_short(tmp_path):
    path = tmp_path / "run.jsonl"
    with Journal(path).writing() as journal:
        journal.append(entry(asked=request("a")))
    said = nearest_shown(Journal(path), request("b", **{f"field{number}": number for number in range(50)}), 0)
    assert len(said.splitlines()) == 6 and "and 47 more" in said


def test_an_empty_recording_says_so(tmp_path):
    with Journal(tmp_path / "run.jsonl").writing() as journal:
        assert "holds no answer at all" in nearest_shown(journal, request("a"), 0)


def test_the_nearest_is_looked_for_among_the_last_that_were_recorded(tmp_path):
    path = tmp_path / "run.jsonl"
    with Journal(path).writing() as journal:
        for number in range(LOOKED_AT + 1):
            journal.append(entry(asked=request("the same" if number == 0 else "another one", temperature=number)))
    said = nearest_shown(Journal(path), request("the same", temperature=0.5), 0)
    assert "was “another one”" in said
