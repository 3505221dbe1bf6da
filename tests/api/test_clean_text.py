"""Text that is safe to keep and to show: what each policy takes away, and what it leaves."""

import json
import re
import resource
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_magic.api.clean_text import (
    Joiner,
    escaped,
    for_code,
    for_json,
    for_page,
    for_report,
    for_terminal,
    heal,
    heal_surrogates,
    mask_keys,
    on_one_line,
)
from ds_magic.api.loose_json import SurrogateJoiner, parse_json

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


@pytest.mark.parametrize("key", ["k", "none", "x", "a.b", "model"])
def test_a_short_key_is_masked_as_a_word_and_eats_no_letters_of_others(key):
    said = "Check the chunk: nonesuch example, a-b, remodelled; your key"
    assert mask_keys(f"{said} {key}.", key) == f"{said} ****."


def test_names_within_a_key_are_not_masked():
    said = "Name a model that this server has: deepseek-flash, deepseek-v4-pro."
    assert mask_keys(said, "sk-deepseek-0a1b2c3d4e5f6071") == said
    assert mask_keys("It ends in 5f6071.", "sk-deepseek-0a1b2c3d4e5f6071") == "It ends in ****"


@pytest.mark.parametrize("key", [
    "deepseek0a1b2c3d4e5f6071", "deepseekflash0a1b2c3d", "sk-deepseek-v4-0a1b2c3d",
])
def test_known_names_are_no_part_of_a_key_that_shares_a_word_with_them(key):
    said = "Name a model that this server has: deepseek-flash, deepseek-v4-pro."
    assert mask_keys(said, key, {"deepseek-flash", "deepseek-v4-pro"}) == said
    assert mask_keys(f"It is {key[-10:]}.", key, {key[-10:]}) == "It is ****"


def test_a_long_part_of_a_key_of_letters_is_masked():
    assert mask_keys("Wrong key: bcdefghijklmno.", "abcdefghijklmnopqrstuvwxyz") == "Wrong key: ****"


def test_text_cannot_steer_a_terminal_and_keeps_its_lines():
    hostile = "a\x1b]0;x\x07\u202eb\r\nc\td\x9b\ud83d"
    assert for_terminal(hostile) == "a␛]0;x␇⟨U+202E⟩b\nc\td\ufffd\ufffd"


def test_text_on_one_line_is_at_most_the_limit():
    assert on_one_line("a\n\n b") == "a b"
    assert on_one_line("a" * 400, 300) == "a" * 299 + "…"
    assert on_one_line(" " * 10_000 + "a") == "a"


FAMILY = "👨\u200d👩\u200d👧\u200d👦"
SAID = ["10\u00a0km, 1\u202f000", FAMILY, "می\u200cخواهم", "❤\ufe0f", "e\u0301", "א\u200f!", "日本", "a\u00adb"]
SHOWS = [for_terminal, for_report, for_page, on_one_line]


@pytest.mark.parametrize("policy", [*SHOWS, heal_surrogates, escaped, for_json])
@pytest.mark.parametrize("text", SAID)
def test_characters_that_harm_nobody_stay(policy, text):
    assert policy(text) == (text if policy is not for_json else text.replace("\u200f", "\\u200f"))


@given(any_text)
def test_nothing_is_left_that_a_policy_is_against(text):
    for policy in (*SHOWS, for_code):
        shown = policy(text)
        shown.encode("utf-8")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)
        if policy is not for_page:
            assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)
    assert not re.search("[\u061c\u200e\u200f]", for_code(text))
    assert "\n" not in on_one_line(text) and len(on_one_line(text)) <= 200


@given(any_text)
def test_what_is_clean_stays_as_it_is(text):
    for policy in (*SHOWS, for_code, for_json):
        assert policy(policy(text)) == policy(text)


@given(any_text)
def test_text_is_cleaned_alike_whole_and_in_pieces(text):
    joiner = Joiner()
    pieces = [joiner.add(character) for character in text] + [joiner.flush()]
    assert "".join(map(for_terminal, pieces)) == for_terminal(text)


@given(any_text)
def test_json_that_may_be_copied_says_the_same(text):
    shown = for_json(json.dumps(text, ensure_ascii=False))
    assert json.loads(shown) == json.loads(json.dumps(text, ensure_ascii=False))
    assert not re.search("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)


def test_a_mark_of_direction_is_named_in_code_and_stays_in_prose():
    assert for_code("a\u200fb\u2066c") == "a⟨U+200F⟩b⟨U+2066⟩c"
    assert for_terminal("a\u200fb\u2066c") == "a\u200fb⟨U+2066⟩c"


def test_keys_are_masked_in_what_may_be_shown_to_others():
    assert for_report(f"{KEY}\x1b") == "****␛"


def test_a_line_is_cut_between_two_characters_that_a_reader_sees():
    assert on_one_line("ab" + FAMILY + "cdefgh", 8) == "ab…"
    assert on_one_line("ae\u0301ae\u0301x", 6) == "ae\u0301a…"
    assert len(on_one_line("\u0301" * 500, 100)) == 100


@pytest.mark.parametrize(
    "text", ["\x1b", "\u202e", "\u0301", FAMILY, " ", "\r", "\ud83d", "🇩", "a", "7", "*", "sk-", "[", "'"], ids=ascii
)
def test_a_lot_of_anything_costs_little(text):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for policy in (*SHOWS, for_code, for_json, mask_keys, partial(mask_keys, key=KEY)):
        policy(text * (250_000 // len(text)))
    # A quadratic rule takes minutes here; this is no measurement of speed.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 60


def test_the_stars_of_python_are_no_key():
    assert mask_keys("def f(*args, **kwargs): return g(**kwargs)") == "def f(*args, **kwargs): return g(**kwargs)"
