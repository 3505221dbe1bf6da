"""Stop strings are found however the text comes in pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ds_magic.local.engine.sampling import Piece, Token
from ds_magic.local.engine.stop_strings import StopFinder

texts = st.text("ab.\n", max_size=30)
stop_lists = st.lists(st.text("ab.\n", min_size=1, max_size=4), min_size=1, max_size=3)


def run(pieces: list[str], stops: list[str]) -> tuple[str, bool]:
    finder = StopFinder(stops)
    shown = ""
    for text in pieces:
        shown += "".join(piece.text for piece in finder.push(Piece(text, [])))
        if finder.found:
            return shown, True
    return shown + "".join(piece.text for piece in finder.flush()), False


@given(texts, stop_lists, st.lists(st.integers(1, 5), min_size=30, max_size=30))
def test_the_text_ends_before_the_first_stop_string_however_it_is_split(text, stops, sizes):
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at:at + size])
        at += size
    starts = [(text.find(stop), stop) for stop in stops if stop in text]
    shown, found = run(pieces, stops)
    assert found == bool(starts)
    if found:  # a stop that ends earlier is found first, even if another began before it
        assert text.startswith(shown)
        assert any(text[len(shown):].startswith(stop) for stop in stops)
        assert not any(stop in shown for stop in stops)
    else:
        assert shown == text


def test_text_that_cannot_begin_a_stop_string_is_shown_at_once():
    finder = StopFinder(["\n\n"])
    assert [piece.text for piece in finder.push(Piece("Hello", []))] == ["Hello"]
    assert finder.push(Piece("\n", [])) == []
    assert [piece.text for piece in finder.push(Piece("you", []))] == ["\n", "you"]


def test_an_empty_stop_string_stops_nothing():
    assert run(["a", "b"], [""]) == ("ab", False)


def test_an_empty_answer_keeps_the_token_that_stopped_it():
    said = [Piece("He", [Token(7, -0.5, [])]), Piece("llo", [Token(8, -0.1, [])])]
    finder = StopFinder(["Hello"])
    assert finder.push(said[0]) == [] and finder.push(said[1]) == [Piece("", said[0].tokens)]
    later = StopFinder(["\n"])
    later.push(said[0])
    assert later.push(Piece("\n", [Token(9, -0.1, [])])) == []


def test_a_mark_that_came_with_the_parts_of_a_character_is_in_no_list():
    first, second, mark = (Token(number, -0.5, []) for number in range(3))
    finder = StopFinder([], marks=["</think>"])
    (piece,) = finder.push(Piece("\ufffd\ufffd</think>", [first, second, mark]))
    assert (finder.found, piece.text, piece.tokens) == ("</think>", "\ufffd\ufffd", [first, second])
