"""An answer's words, hidden: which there are, what could stand in their place, and what an output holds of them."""

import json
import math

import pytest

from ds_magic import ChatCompletion, InvalidRequestError
from ds_magic.logprobs.distribution import SOFTMAX_ERROR
from ds_magic.logprobs.table import LogprobTable
from ds_magic.teaching.guess.guess import MOST, TYPE
from ds_magic.teaching.guess.word_choices import choices_of
from ds_magic.teaching.guess.words import bare, words
from ds_magic.views.size import set_explorable
from tests.browser.tables import HOSTILE, entry
from tests.teaching.making import CITY, ENTRIES, answered, shares
from tests.views.making import Page


def table(*tokens):
    """Of tokens that each have an alternative."""
    return LogprobTable.from_wire([entry(token, 0.5, [(token, 0.5)]) if isinstance(token, str) else token
                                   for token in tokens])


def pieces(*tokens):
    return [(word.before, word.text) for word in words(table(*tokens))]


def test_a_word_is_the_tokens_up_to_the_next_that_begins_with_a_blank():
    assert pieces("Can", "berra", ",", " not", " Bris", "bane", ".", "") == [
        ("", "Canberra,"), (" ", "not"), (" ", "Brisbane.")
    ]


def test_marks_and_lines_before_a_word_are_shown_with_it():
    assert pieces("**", "Yes", "**", "\n\n", "-", " (", "No", ")", " =", " 4", "2") == [
        ("**", "Yes**"), ("\n\n- (", "No)"), (" = ", "42")
    ]


def test_together_the_words_are_the_answer():
    said = ["#", " One", ":", "\n", "two", " ", " (", "three", ")", "!"]
    assert "".join(before + text for before, text in pieces(*said)) == "".join(said)


def test_a_writing_without_blanks_is_guessed_character_by_character():
    assert [text for _, text in pieces("日", "本", "。", " Ja", "pan")] == ["日", "本。", "Japan"]


def test_what_was_forced_or_has_no_number_is_not_guessed():
    tokens = [{**entry(" is", 0.5, [(" is", 0.5)]), "forced": True}, entry(" a", 0.5), " city"]
    assert pieces(*tokens) == [(" is a ", "city")]


def test_a_part_of_a_character_is_not_guessed():
    parts = [entry(bytes([byte]), 0.5, [("x", 0.4)]) for byte in "é".encode()]
    assert pieces(*parts, " one") == [("é ", "one")]


@pytest.mark.parametrize(
    ("text", "word"), [(" Paris.", "Paris"), ("**(well-known", "well-known"), (",", ","), ("", "")]
)
def test_a_word_is_typed_without_the_marks_around_it(text, word):
    assert bare(text) == word


def test_choices_have_the_shares_that_came_and_a_bound_for_all_else():
    choices = choices_of(table(entry(" Canberra", 0.5, CITY))[0])
    assert [(one.word, round(one.prob, 5)) for one in choices.all[:3]] == [
        ("Canberra", 0.5), ("Sydney", 0.25), ("Perth", 0.125)
    ]
    assert choices.chosen == 0
    # 1/2 + … + 1/64 leaves 1/64 for all others together, and none of them is likelier than the last that came.
    assert choices.most == pytest.approx(1 / 64)


def test_a_word_that_did_not_come_has_at_most_what_is_left():
    choices = choices_of(table(entry(" a", 0.9, [(" a", 0.9), (" b", 0.09)]))[0])
    assert choices.most == pytest.approx(0.01 + SOFTMAX_ERROR)


def test_a_chosen_word_that_is_none_of_the_alternatives_is_a_choice_with_its_number_or_bound():
    known = choices_of(table(entry(" z", 0.001, [(" a", 0.9)]))[0])
    assert known.chosen == 1 and (known.all[1].word, known.all[1].is_bound) == ("z", False)
    assert known.all[1].prob == pytest.approx(0.001)
    censored = choices_of(table({**entry(" z", 0.5, [(" a", 0.9)]), "logprob": -9999.0})[0])
    # It ranks below the 20 that may come: at most a 20th of what is left.
    assert censored.all[1].is_bound and censored.all[1].prob == pytest.approx((0.1 + SOFTMAX_ERROR) / 20)


def test_choices_to_pick_from_are_five_in_the_order_of_the_alphabet_and_the_word_is_among_them():
    tops = shares(" the", " a", " The", " no", b" \xc3".decode("latin-1"), " one", " it", " not")
    choices = choices_of(table(entry(" not", tops[-1][1], tops))[0])
    offered = [choices.all[at].word for at in choices.offered()]
    assert offered == sorted(offered, key=str.casefold) and len(offered) == 5
    assert "not" in offered and not {"the", "The"} <= set(offered)


def test_an_output_holds_the_words_their_choices_and_nothing_that_differs_from_run_to_run():
    held = answered().guess().bundle()[TYPE]
    assert held == answered().guess().bundle()[TYPE] == json.loads(json.dumps(held))
    assert [(place["before"], place["word"], place["key"]) for place in held["places"]] == [
        (" ", "Canberra,", "Canberra"), (" ", "not", "not"), (" ", "Brisbane.", "Brisbane")
    ]
    assert held["places"][2]["choices"][1] == ["·Bris", "Bris", pytest.approx(0.25), False]
    assert (held["mode"], answered().guess(vote=True).held()["mode"]) == ("guess", "vote")
    assert held["given"] == "The capital of Australia is" and held["question"].endswith("Australia?")


def test_a_prefix_that_the_tokens_repeat_is_there_once():
    first = {**entry("It is", 0.5), "forced": True}
    assert answered([first, *ENTRIES], prefix="It is").guess().given == ""


def test_without_words_or_probabilities_it_says_what_to_do():
    with pytest.raises(InvalidRequestError, match="no word to guess"):
        answered([entry("!", 0.5, [("!", 0.5)])]).guess()
    with pytest.raises(InvalidRequestError, match="no token probabilities"):
        ChatCompletion.from_wire({"choices": [{"message": {"content": "Hi"}}]}).guess()


def test_a_long_answer_has_some_words_hidden_and_the_rest_with_the_last():
    guess = answered([entry(f" w{i}", 0.5, [(f" w{i}", 0.5)]) for i in range(MOST + 50)]).guess()
    assert len(guess.words) == MOST and guess.tail.split()[0] == f"w{MOST}"
    assert f"w{MOST + 49}" in guess.bundle()["text/html"]


def test_more_than_an_output_may_hold_is_folded_only():
    set_explorable(100)
    try:
        assert set(answered().guess().bundle()) == {"text/html", "text/plain"}
    finally:
        set_explorable(None)


@pytest.mark.parametrize("vote", [False, True])
def test_without_scripts_each_word_opens_with_its_bars_and_the_next_one(vote):
    page = Page(answered().guess(vote=vote).bundle()["text/html"])
    assert page.tags.count("details") == 3
    first, second, third, end = page.text.split("then open")
    assert "capital of Australia is ____" in first and "Canberra" not in first.replace("A Canberra", "")
    assert ("A Canberra" in first) == vote and first.count("?50.0 %") == vote
    assert "50.0 %" in second and "is Canberra, ____" in second
    assert "not ____" in third and "12.5 %" in third
    assert "not Brisbane." in end


def test_a_word_is_not_shown_before_it_is_opened():
    text = Page(answered().guess().bundle()["text/html"]).text
    assert "Brisbane" not in text.rpartition("then open")[0]
    plain = answered().guess().bundle()["text/plain"]
    assert "Canberra" not in plain and "The capital of Australia is ____" in plain and "reveal(1)" in plain


def test_what_there_is_to_know_of_the_answer_stands_below_it():
    answer = answered()
    answer.notes.append("the server left `<b>` out")
    answer.interrupt("stopped")
    for vote in (False, True):
        guess = answer.guess(vote=vote)
        text = Page(guess.bundle()["text/html"]).text
        assert "Note: the server left <b> out" in text and "stopped: this answer is partial" in text
        assert guess.held()["notes"] == ["the server left `<b>` out"]
        assert guess.held()["origin"] == ["tiny", "embedded model", "stopped: this answer is partial"]


def test_a_word_can_be_revealed_in_python():
    guess = answered().guess()
    assert "Canberra" in repr(guess.reveal(1)) and "not" not in repr(guess.reveal(1))
    with pytest.raises(IndexError, match="from 1 to 3"):
        guess.reveal(4)


@pytest.mark.parametrize("vote", [False, True])
def test_hostile_texts_stay_texts(vote):
    entries = [entry(f" a{token}", 0.3, [(f" a{token}", 0.3), (f" b{HOSTILE[0]}", 0.2)]) for token in HOSTILE]
    guess = answered(entries, prefix=HOSTILE[1], question=HOSTILE[0]).guess(vote=vote)
    Page(guess.bundle()["text/html"])
    assert "\x1b" not in guess.bundle()["text/plain"]
    json.dumps(guess.held()).encode()


def test_lone_surrogates_can_be_written():
    held = answered(question="\ud83d", prefix="\ud83d").guess().bundle()
    json.dumps(held, ensure_ascii=False).encode()


def test_the_folded_form_is_not_the_square_of_the_answer():
    def size(n):
        entries = [entry(f" {'x' * n}", 0.5, [(" y", 0.5)]) for _ in range(30)]
        return len(answered(entries).guess().bundle()["text/html"])

    one, two, four = (size(n) for n in (2_000, 4_000, 8_000))
    assert four - two < 2.2 * (two - one)


def test_every_number_is_finite():
    choices = choices_of(table(entry(" a", 1.0, [(" a", 1.0), (" b", 1e-300)]))[0])
    assert all(math.isfinite(one.prob) and one.prob > 0 for one in choices.all) and choices.most > 0
