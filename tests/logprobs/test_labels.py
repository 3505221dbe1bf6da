"""How the choice falls between labels: by all the tokens that may spell them."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_magic.logprobs.table import LogprobTable


def chosen(alternatives, at=0, **fields):
    """An entry of these (token, probability) alternatives, of which the one at `at` was chosen."""
    tops = [{"token": token, "logprob": math.log(share), "bytes": None} for token, share in alternatives]
    return {**tops[at], "top_logprobs": tops, **fields}


def choice(*tokens):
    """The table of tokens, each given by its alternatives, the first of which was chosen."""
    return LogprobTable.from_wire([chosen(alternatives) for alternatives in tokens])


def test_a_label_gathers_its_surface_forms():
    result = choice([(" Yes", 0.5), ("yes", 0.1), (" No", 0.3), (" maybe", 0.08)]).classify(["yes", "no"])
    assert result["yes"].mass == pytest.approx(0.6) and result["yes"].forms == (" Yes", "yes")
    assert result["no"].mass == pytest.approx(0.3)
    assert result["yes"].ratio == pytest.approx(0.6 / 0.9)
    assert result["yes"].share.low == pytest.approx(0.6 / 0.92, rel=1e-3)
    assert result["yes"].share.high == pytest.approx(0.62 / 0.92, rel=1e-3)
    assert result.rest.high == pytest.approx(0.1) and result.rest.low == pytest.approx(0.08)


def test_a_label_that_was_not_returned_has_an_interval_from_nothing_to_the_rest():
    result = choice([(" Yes", 0.9), (" Maybe", 0.06)]).classify(["yes", "no"])
    assert not result["no"].returned and result["no"].ratio is None and result["yes"].ratio is None
    assert result["no"].share.low == 0 and result["no"].share.high == pytest.approx(0.04 / 0.94, rel=0.02)
    assert str(result["no"].share).startswith("≤ ")


def test_a_token_that_only_begins_a_label_widens_its_interval():
    result = choice([("pos", 0.6), ("negative", 0.4)]).classify(["positive", "negative"])
    assert result["positive"].mass == 0
    assert result["positive"].share.high == pytest.approx(0.6, rel=1e-3)
    assert result["negative"].share.low == pytest.approx(0.4, rel=1e-3)


def test_labels_may_name_their_forms_and_the_place():
    table = choice([("A", 0.5), ("B", 0.4)])
    result = table.classify({"right": ["A"], "wrong": ["B", "C"]}, at=0)
    assert [each.label for each in result.labels] == ["right", "wrong"]
    assert result.to_pandas()["mass"].tolist() == pytest.approx([0.5, 0.4])


def test_classifying_without_alternatives_says_what_to_do():
    with pytest.raises(ValueError, match="-l"):
        LogprobTable.from_wire([{**chosen([("yes", 0.5)]), "top_logprobs": []}]).classify(["yes", "no"])


def test_a_blank_that_was_chosen_is_one_of_the_ways_to_begin_and_no_condition():
    result = choice([(" ", 0.2), (" four", 0.7), (" some", 0.1)], [("4", 0.9), ("3", 0.1)], [(" legs", 0.95)]).classify(
        ["4", "four"]
    )
    truth = 0.7 / (0.7 + 0.2 * 0.9)
    assert result["four"].ratio == pytest.approx(truth, rel=0.02)
    assert result["four"].share.low <= truth <= result["four"].share.high < 0.85
    assert result["4"].forms == ("4 legs",) and result.rest.low == pytest.approx(0.1 + 0.2 * 0.1)


def test_a_blank_that_was_not_chosen_leaves_it_open_what_would_have_come():
    result = choice([(" four", 0.7), (" ", 0.2), (" some", 0.1)]).classify(["4", "four"])
    assert result["four"].share.low == pytest.approx(0.7 / 0.9, rel=1e-3)
    assert result["4"].share.low == 0 and result["4"].share.high == pytest.approx(0.2 / 0.9, rel=5e-3)


def test_a_label_of_several_tokens_is_followed_along_the_answer():
    result = choice([(" New", 0.6), (" Los", 0.3), (" a", 0.1)], [(" York", 0.8), (" Delhi", 0.2)]).classify(
        ["New York", "Los Angeles"]
    )
    assert result["New York"].mass == pytest.approx(0.48)
    assert result["Los Angeles"].share.high == pytest.approx(0.3 / 0.78, rel=2e-3)
    assert result.rest.low == pytest.approx(0.1 + 0.6 * 0.2)


def test_a_number_that_may_go_on_is_not_that_number_yet():
    cut = choice([("1", 0.6), ("7", 0.4)]).classify(["1", "10"])
    assert cut["1"].share.low == 0 == cut["10"].share.low
    whole = choice([("1", 0.6), ("7", 0.4)], [("0", 0.5), (".", 0.3), ("2", 0.2)], [(" ", 0.9), ("0", 0.1)])
    result = whole.classify(["1", "10"])
    assert result["1"].share.low < 0.18 / (0.18 + 0.27) < result["1"].share.high
    assert result["10"].share.low < 0.27 / (0.18 + 0.27) < result["10"].share.high


def test_a_word_that_goes_on_may_be_another_word():
    result = choice([(" A", 0.6), (" B", 0.4)], [("ust", 0.9), (" dog", 0.1)], [("ralia", 0.9)]).classify(["A", "B"])
    assert result["A"].share.low == pytest.approx(0.06 / 0.46, rel=2e-3)
    assert result["A"].share.high == pytest.approx(0.6, rel=1e-3)
    assert choice([(" four.", 0.6), (" fourteen", 0.4)]).classify(["four", "two"])["four"].mass == pytest.approx(0.6)


def test_the_end_of_the_answer_ends_a_number():
    result = choice([("4", 0.6), ("5", 0.4)], [("", 0.9), ("2", 0.1)]).classify(["4", "5"])
    assert result["4"].share.low > 0.5


def test_bounds_that_tell_nothing_say_what_would():
    useless = choice([(" ", 0.9), ("a", 0.1)]).classify(["4", "four"])
    assert "score" in useless.advice and "score" in repr(useless)
    assert choice([(" yes", 0.6), (" no", 0.3)]).classify(["yes", "no"]).advice is None


def test_a_long_run_of_blanks_is_passed_over_in_one_go():
    rows = [[(" ", 0.9), ("x", 0.1)]] * 3000
    assert choice(*rows).classify(["4", "four"])["four"].share.high == 1


TOKENS = ["", " ", "4", "2", "fo", "ur", "four", " four", ".", " x", "teen"]
NUMBERS = ["4", "42", "four", "fourteen x"]
LONGEST = 3


def toy(seed, so_far):
    """The whole distribution after the tokens `so_far` of a model that is only a seed; it ends after LONGEST tokens."""
    if len(so_far) == LONGEST:
        return {"": 1.0}
    shares = np.random.default_rng([seed, *map(TOKENS.index, so_far)]).dirichlet([0.4] * len(TOKENS))
    return dict(zip(TOKENS, shares.tolist(), strict=True))


def answers(seed, so_far=(), reach=1.0):
    """Every answer that the toy may give, with its probability."""
    for token, share in toy(seed, so_far).items():
        if token == "":
            yield so_far, reach * share
        elif share > 1e-5:
            yield from answers(seed, (*so_far, token), reach * share)


def said(tokens):
    """Which of NUMBERS an answer is where a longer number is another one, and where it counts for what was spelt first.

    A longer word counts for what its tokens spelt first, in both.
    """
    text = "".join(tokens).lstrip()
    passed = [form for form in NUMBERS if form in ["".join(tokens[:n]).lstrip() for n in range(len(tokens) + 1)]]
    whole = [form for form in NUMBERS if re.match(re.escape(form) + r"(?![a-z0-9])(?![.,]?[0-9])", text)]
    words = [form for form in passed if form.isalpha() or " " in form]
    return max(whole + words, key=len, default=None), max(whole + passed, key=len, default=None)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, len(TOKENS)))
def test_the_bounds_of_labels_hold_whatever_a_model_makes_of_them(seed, k):
    masses = [dict.fromkeys([*NUMBERS, None], 0.0), dict.fromkeys([*NUMBERS, None], 0.0)]
    for tokens, p in answers(seed):
        for mass, label in zip(masses, said(tokens), strict=True):
            mass[label] += p
    draw, so_far, entries = np.random.default_rng(seed), (), []
    while not so_far or so_far[-1] != "":
        shares = toy(seed, so_far)
        rivals = sorted(shares.items(), key=lambda one: -one[1])[:k]
        names = [name for name, _ in rivals]
        token = str(draw.choice(list(shares), p=list(shares.values())))
        own = {"logprob": math.log(shares[token]) if token in names else -9999.0, "token": token, "bytes": None}
        entries.append({**chosen([(name, share) for name, share in rivals if share > 0]), **own})
        so_far = (*so_far, token)
    result = LogprobTable.from_wire(entries).classify(NUMBERS)
    for mass in masses:
        total = sum(mass[label] for label in NUMBERS)
        for label in NUMBERS if total > 1e-3 else ():
            share = result[label].share
            assert share.low - 1e-3 <= mass[label] / total <= share.high + 1e-3, (label, result)
        assert result.rest.low - 1e-3 <= 1 - total <= result.rest.high + 1e-3


def tokens_of(whole, *texts):
    """The probability of a text in the whole distribution at a place, by any of its spellings."""
    shares = np.exp(whole.logprobs) / np.exp(whole.logprobs).sum()
    return sum(float(share) for token, share in zip(whole.tokens, shares, strict=True) if token in texts)


def test_shares_hold_against_the_model_where_it_writes_a_blank_and_a_digit(model):
    first, blank, four = (model.whole("How many legs has a dog?", "A dog has", *begun) for begun in ([], [" "],
                                                                                                     [" ", "4"]))
    entries = [first.entry(chosen=first.tokens.index(" ")), blank.entry(chosen=blank.tokens.index("4")), four.entry()]
    result = LogprobTable.from_wire(entries, model="SmolLM2").classify(["4", "four"])
    begins = tokens_of(first, " ") * tokens_of(blank, "4") + tokens_of(first, "4")
    ends = begins * (1 - tokens_of(four, *map(str, range(10))))
    word = tokens_of(first, " four", "four", " Four") + tokens_of(first, " ") * tokens_of(blank, "four", " four")
    for digit in (begins, ends):
        assert result["4"].share.low <= digit / (digit + word) <= result["4"].share.high
        assert result["four"].share.low <= word / (digit + word) <= result["four"].share.high
    assert result.advice is None, "and they are of use"


def test_of_numbers_that_are_no_distribution_it_says_so_rather_than_to_ask_for_more():
    made_up = [{"token": "yes", "logprob": 0.0, "top_logprobs": [{"token": "yes", "logprob": 0.0}]}] * 3
    with pytest.raises(ValueError, match="no probability distribution"):
        LogprobTable.from_wire(made_up).classify(["yes", "no"])
