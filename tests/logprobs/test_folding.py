"""What two texts have in common that say the same."""

import pytest

from ds_magic.logprobs.folding import folded, holds


@pytest.mark.parametrize(("a", "b"), [
    ("Paris", " paris. "), ("**Paris**", "Paris!"), ("New  Delhi", "“New Delhi”"), ("It is 3.5.", "it is 3.5"),
    ("Paris, France", "Paris — France"), ("¿Sí?", "sí"),
])
def test_case_blanks_and_punctuation_around_words_are_folded(a, b):
    assert folded(a) == folded(b)


@pytest.mark.parametrize(("a", "b"), [
    ("3.5", "35"), ("-5", "5"), ("−5", "5"), ("ice-cream", "ice cream"), ("!", "?"), ("Paris", "Lyon"), ("5 %", "5 $"),
])
def test_what_changes_the_meaning_stays(a, b):
    assert folded(a) != folded(b)


def test_words_are_held_whole_and_in_their_order():
    assert holds("The capital is New Delhi, of course.", "new delhi")
    assert not holds("Chadwick", "Chad") and not holds("56", "5") and not holds("Delhi New", "New Delhi")
    assert not holds("anything", "")
