"""Text that is safe to keep: surrogates healed, keys masked."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_magic.api.loose_json import SurrogateJoiner, parse_json
from ds_magic.api.text import heal, heal_surrogates, mask_keys, plain, shorten

KEY = "sk-0a1b2c3d4e5f60718293a4b5c6d7e8f9"
any_text = st.text(st.characters(exclude_categories=()))


@given(any_text)
def test_healed_text_can_be_encoded_and_keeps_every_whole_character(text):
    healed = heal_surrogates(text)
    healed.encode("utf-8")
    assert heal_surrogates(healed) == healed
    assert healed == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def test_a_pair_of_surrogates_becomes_its_character_and_a_lone_one_a_mark():
    assert heal_surrogates("\ud83d\ude00") == "😀"
    assert heal_surrogates("a\ud83d") == "a\ufffd"
    assert heal_surrogates("\ude00a") == "\ufffda"


def test_healing_reaches_names_and_nested_values_and_leaves_the_original_alone():
    value = {"\ud83d": ["\ude00", {"a": ("\ud83d\ude00", 1, None)}]}
    assert heal(value) == {"\ufffd": ["\ufffd", {"a": ["😀", 1, None]}]}
    assert list(value) == ["\ud83d"] and value["\ud83d"][0] == "\ude00"


def test_healing_goes_as_deep_as_parsing():
    deep = b"[" * 900 + b'"\\ud83d"' + b"]" * 900
    value, may_hold_surrogates = parse_json(deep)
    assert may_hold_surrogates
    value = heal(value)
    for _ in range(900):
        (value,) = value
    assert value == "\ufffd"


def test_healing_a_value_that_holds_itself_ends():
    value = {}
    value["self"] = value
    with pytest.raises(RecursionError):
        heal(value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | any_text, lambda inner: st.lists(inner, max_size=3)))
def test_the_lenient_parser_takes_all_json(value):
    parsed, _ = parse_json(json.dumps(value).encode())
    assert parsed == json.loads(json.dumps(value))


def test_the_parser_takes_200_levels_and_a_byte_order_mark_and_bytes_that_are_no_utf8():
    assert parse_json(b"[" * 200 + b"]" * 200)[0]
    assert parse_json(b"\xef\xbb\xbf{}")[0] == {}
    assert parse_json(b'"a\xff"')[0] == "a\ufffd"


@pytest.mark.parametrize("data", [b"", b"{", b"<html>", b"[" * 200_000, b"\xff\xfe", b"{} {}"])
def test_the_parser_raises_value_error_for_what_is_not_json(data):
    with pytest.raises(ValueError):
        parse_json(data)


@given(any_text, st.data())
def test_text_split_anywhere_is_joined_to_the_same_characters(text, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    joiner, joined = SurrogateJoiner(), ""
    for piece in pieces:
        chunk = {"choices": [{"delta": {"content": piece}}]}
        joiner.heal(chunk)
        chunk["choices"][0]["delta"]["content"].encode("utf-8")
        joined += chunk["choices"][0]["delta"]["content"]
    joined += "".join(choice["delta"]["content"] for choice in joiner.rest())
    assert joined == heal_surrogates(text)


@pytest.mark.parametrize("said", [
    f"Your api key: {KEY} is invalid",
    f"Your api key: ****{KEY[-4:]} is invalid",
    f"Your api key: {KEY[:6]}...{KEY[-4:]} is invalid",
    f"Your api key: {KEY[:5]}**** is invalid",
    f'{{"Authorization": "Bearer {KEY}"}}',
    f"key={KEY[3:20]}",
])
def test_no_part_of_a_key_is_left_in_a_message(said):
    masked = mask_keys(said, KEY)
    assert not any(KEY[i : i + 4] in masked for i in range(3, len(KEY) - 3))
    assert "****" in masked


@pytest.mark.parametrize("said", ["key sk-proj-abcdefgh12345678 no", "Bearer abcdefgh123", "***abcd", "abcd****"])
def test_what_looks_like_a_key_is_masked_without_knowing_it(said):
    assert mask_keys(said).replace("key ", "").replace(" no", "") == "****"


def test_plain_words_are_not_taken_for_parts_of_a_key():
    assert mask_keys("The local model is not valid.", "local-modelvalid-0123") == "The local model is not valid."


def test_a_long_part_of_a_key_of_letters_is_masked():
    assert mask_keys("Wrong key: bcdefghijklmno.", "abcdefghijklmnopqrstuvwxyz") == "Wrong key: ****"


def test_plain_text_cannot_steer_a_terminal_and_keeps_its_lines():
    assert plain("a\x1b]0;x\x07\u202eb\r\nc\td\x9b\ud83d") == "a\ufffd]0;x\ufffd\ufffdb\nc\td\ufffd\ufffd"



def test_shortened_text_is_one_line_of_at_most_the_limit():
    assert shorten("a\n\n b") == "a b"
    assert shorten("a" * 400) == "a" * 299 + "…"


def test_the_stars_of_python_are_no_key():
    assert mask_keys("def f(*args, **kwargs): return g(**kwargs)") == "def f(*args, **kwargs): return g(**kwargs)"
