"""Tokens in the API's older lists: joined they are the text, and what shows the same stands there once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_magic.local.answers.speech import Part
from ds_magic.local.engine import gguf
from ds_magic.local.engine.engine import Engine
from ds_magic.local.engine.sampling import Token
from ds_magic.local.service.text_shape import TextShape
from tests.local.tiny_models import write_model


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Engine:
    """One with the vocabulary of a model whose tokens are bytes, `ab`, `abc` and marks."""
    engine = Engine(threads=1)
    engine.model = gguf.read(write_model(tmp_path_factory.mktemp("shape") / "bytes.gguf", words=["abc"]))
    return engine


@pytest.fixture
def told(engine):
    def write(*parts: tuple[str, list[Token]], prompt: str = "", alternatives: int = 20):
        shape = TextShape(engine, prompt, False, alternatives)
        whole = [Part("content", text, tokens, []) for text, tokens in parts]
        return json.loads("{" + shape.whole(whole) + "}", object_pairs_hook=without_twins)

    return write


def without_twins(pairs):
    assert len({name for name, _ in pairs}) == len(pairs), "an object with a name twice"
    return dict(pairs)


def ids(engine: Engine, raw: bytes) -> list[int]:
    return [engine.model.ids[bytes([byte])] for byte in raw]


def test_the_halves_of_a_character_come_with_the_last_of_them(engine, told):
    first, second = ids(engine, "é".encode())
    lists = told(("é!", [Token(first, -1.0, []), Token(second, -2.0, []), Token(*ids(engine, b"!"), -3.0, [])]))
    assert lists["logprobs"]["tokens"] == ["", "é", "!"]
    assert lists["logprobs"]["text_offset"] == [0, 0, 1]


def test_rivals_within_a_character_are_shown_as_what_they_would_have_made(engine, told):
    first, second = ids(engine, "é".encode())
    other, letter = ids(engine, "è".encode()[1:] + b"a")
    top = [(second, -0.5), (other, -1.5), (letter, -2.5)]
    lists = told(("é", [Token(first, -1.0, [(first, -1.0)]), Token(second, -0.5, top)]))
    assert lists["logprobs"]["top_logprobs"] == [{"": -1.0}, {"é": -0.5, "è": -1.5, "\ufffda": -2.5}]


def test_of_two_rivals_that_show_the_same_the_likelier_stands_for_both(engine, told):
    one, two = ids(engine, b"\xf0\xe2")
    (letter,) = ids(engine, b"a")
    lists = told(("a", [Token(letter, -0.1, [(letter, -0.1), (one, -2.0), (two, -3.0)])]))
    assert lists["logprobs"]["top_logprobs"] == [{"a": -0.1, "\ufffd": -2.0}]


def test_the_drawn_token_keeps_its_own_number_among_others_that_show_the_same(engine, told):
    one, two = ids(engine, b"\x80\x81")  # neither is a character
    for alternatives in (1, 20):
        lists = told(("\ufffd", [Token(two, -3.0, [(one, -0.1), (two, -3.0)])]), alternatives=alternatives)
        assert lists["logprobs"]["token_logprobs"] == [-3.0]
        assert lists["logprobs"]["top_logprobs"] == [{"\ufffd": -3.0}]


def test_marks_show_nothing_where_they_are_drawn_and_go_by_their_names_beside_others(engine, told):
    begin, end = engine.model.marks["<|im_start|>"], engine.model.marks["<|im_end|>"]
    (letter,) = ids(engine, b"a")
    top = [(letter, -0.1), (end, -2.0), (begin, -3.0)]
    lists = told(("a", [Token(letter, -0.1, top)]), ("", [Token(end, -2.0, top)]))
    assert lists["logprobs"]["tokens"] == ["a", ""]
    assert lists["logprobs"]["top_logprobs"] == [
        {"a": -0.1, "<|im_end|>": -2.0, "<|im_start|>": -3.0}, {"a": -0.1, "": -2.0, "<|im_start|>": -3.0},
    ]


def test_a_word_that_the_prompt_began_is_cut_off_from_the_token_and_its_rivals(engine, told):
    whole, part = engine.model.ids[b"abc"], engine.model.ids[b"ab"]
    lists = told(("bc", [Token(whole, -0.1, [(whole, -0.1), (part, -2.0)], cut=1)]), prompt="a")
    assert lists["logprobs"] == {
        "tokens": ["bc"], "token_logprobs": [-0.1], "text_offset": [1], "top_logprobs": [{"bc": -0.1, "b": -2.0}],
    }


@given(st.binary(max_size=12))
def test_whatever_is_said_the_tokens_joined_are_the_text(engine, raw):
    tokens = [Token(number, -1.0, [(number, -1.0)]) for number in ids(engine, raw)]
    text = raw.decode("utf-8", "replace")
    lists = json.loads("{" + TextShape(engine, "", False, 1).added(Part("content", text, tokens, [])) + "}")
    assert "".join(lists["logprobs"]["tokens"]) == lists["text"] == text
    starts = ["".join(lists["logprobs"]["tokens"][:at]) for at in range(len(tokens))]
    assert lists["logprobs"]["text_offset"] == [len(start) for start in starts]
