"""The tree in which answers part."""

import pytest

from ds_magic import Answers
from ds_magic.many.row import Row
from tests.many.scripted_answers import answer, entry
from tests.views.making import Page, completion


def tree_of(*contents, **known):
    return Answers(Row({"sample": n}, completion(each, **known)) for n, each in enumerate(contents)).divergence()


def shape(tree):
    return [(depth, each.text, each.n) for depth, each in tree]


def test_what_is_shared_stands_once_and_forks_have_counts():
    tree = tree_of("It is red.", "It is red.", "It is blue.", "No.")
    assert shape(tree) == [(0, "", 4), (1, "It is ", 3), (2, "red.", 2), (2, "blue.", 1), (1, "No.", 1)]
    assert tree.by == "character" and tree.forks == 2
    assert "2 ×  red." in repr(tree) and "1 × (row 3)  No." in repr(tree)


def test_answers_that_say_the_same_do_not_part():
    tree = tree_of("same", "same")
    assert shape(tree) == [(0, "same", 2)] and "the same to the end" in repr(tree) and tree.forks == 0


def test_an_answer_that_ends_where_another_goes_on_is_a_branch():
    tree = tree_of("Yes", "Yes, sir")
    assert shape(tree) == [(0, "Yes", 2), (1, "⟨end⟩", 1), (1, ", sir", 1)]
    assert shape(tree_of("Yes", "Yes, sir", finish="length")) == [(0, "Yes", 2), (1, ", sir", 1)]


def test_no_answer_at_all_is_an_empty_tree():
    assert shape(Answers([Row()]).divergence()) == [(0, "", 0)] and Page(Answers().divergence()._repr_html_())


def test_with_probabilities_they_part_by_tokens_and_the_fork_says_how_likely_each_was():
    a = answer(entry("The", 0.9), entry(" re", 0.6, **{" red": 0.3}), entry("al", 0.5))
    b = answer(entry("The", 0.9), entry(" red", 0.3, **{" re": 0.6}))
    tree = Answers([Row({}, a), Row({}, a), Row({}, b)]).divergence()
    assert tree.by == "token" and shape(tree) == [(0, "The", 3), (1, " real", 2), (1, " red", 1)]
    assert [each.prob for _, each in tree][1:] == pytest.approx([0.6, 0.3])
    assert "60.0 %" in Page(tree._repr_html_()).text


def test_where_models_differ_they_part_by_characters():
    a = answer(entry("Th", 0.9), entry("e end", 0.6))
    b = answer(entry("The", 0.9), entry(" sea", 0.3), model="other")
    tree = Answers([Row({}, a), Row({}, b)]).divergence()
    assert tree.by == "character" and shape(tree) == [(0, "The ", 2), (1, "end", 1), (1, "sea", 1)]


def test_after_different_questions_no_fork_has_a_probability():
    from ds_magic import ChatRequest

    asked = [ChatRequest.build(text, logprobs=True) for text in "ab"]
    rows = [Row({}, answer(entry(each, 0.5), request=request)) for each, request in zip("xy", asked, strict=True)]
    assert {each.prob for _, each in Answers(rows).divergence()} == {None}


def test_a_character_is_never_divided_between_branches():
    tree = tree_of("a👩", "a👨", "aé", "aè")
    assert [each.text for depth, each in tree if depth] == ["👩", "👨", "é", "è"]


def test_nested_answers_make_a_deep_tree_and_no_recursion():
    tree = tree_of(*("a" * n for n in range(1, 2000)))
    assert max(depth for depth, _ in tree) > 1000 and len(repr(tree)) < 10_000
    Page(tree._repr_html_())
