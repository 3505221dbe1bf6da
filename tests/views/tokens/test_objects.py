"""What a comparison, a classification and their kin look like: words first, bars, bounds in words, bits."""

import math

import pytest

from ds_magic.logprobs.compare import compare
from ds_magic.logprobs.scores import Scores
from ds_magic.logprobs.table import LogprobTable
from tests.views.making import HOSTILE, Page


def entry(text, p, alternatives=()):
    tops = [{"token": name, "logprob": math.log(share), "bytes": None} for name, share in alternatives]
    return {"token": text, "bytes": None, "logprob": math.log(p), "top_logprobs": tops}


def table(*parts, **options):
    return LogprobTable.from_wire([entry(*part) for part in parts], **options)


def seen(result):
    """The words of the page, on one line."""
    return " ".join(Page(result._repr_html_()).text.split())


CITIES = [(" Paris", 0.7), (" Lyon", 0.2)]
SURE = table((" Paris", 0.7, CITIES), vocabulary_size=1000)


def test_a_classification_is_a_sentence_and_a_bar_for_each_label():
    choice = SURE.classify(["Paris", "Lyon"])
    assert repr(choice).splitlines() == [
        '"Paris" is the likeliest: between 70.0 % and 80.0 %.',
        "  Paris  █████████████████░░  between 70.0 % and 80.0 %",
        "  Lyon   █████░░              between 20.0 % and 30.0 %",
        "Shares of what fell to these labels. Other answers had at most 10.0 %.",
    ]
    assert '"Paris" is the likeliest: between 70.0 % and 80.0 %.' in seen(choice)
    assert "width:70.0%" in choice._repr_html_() and "width:10.0%" in choice._repr_html_()


def test_labels_of_which_nothing_came_are_not_said_to_be_likelier_than_each_other():
    choice = SURE.classify(["yes", "no"])
    for shown in (repr(choice), seen(choice)):
        assert shown.startswith('What came tells little of the choice between "yes" and "no".')
        assert "not known" in shown and "not returned" in shown and "score" in shown
    assert "`" not in seen(choice)


def test_labels_whose_bounds_overlap_are_not_decided():
    close = table((" a", 0.4, [(" a", 0.4), (" b", 0.3)]), vocabulary_size=1000).classify(["a", "b"])
    assert repr(close).startswith('"a" is ahead of "b", but what was not returned may turn it.')


def test_two_runs_part_in_words_with_the_token_of_each_and_of_the_other():
    warm = table((" Lyon", 0.2, CITIES), (".", 0.9), vocabulary_size=1000)
    result = compare(SURE, warm, names=("cold", "warm"))
    assert repr(result).splitlines()[:3] == [
        "They part at the first token.",
        '"cold" said ·Paris (70.0 %); the other\'s ·Lyon had 20.0 % there.',
        '"warm" said ·Lyon (20.0 %); the other\'s ·Paris had 70.0 % there.',
    ]
    page = seen(result)
    assert '"cold" said ·Paris (70.0 %); the other\'s ·Lyon had 20.0 % there.' in page
    assert page.count("998 others") == 2 and page.count("10.0 %") == 2


def test_the_shared_text_has_a_legend_only_where_the_two_differ_on_it():
    same, other = (table(("It is", 0.5), (" so", p)) for p in (0.5, 0.1))
    assert "in bits" not in seen(compare(same, same))
    assert "in bits" in seen(compare(same, other)) and 'title="1.0 bits and 3.3 bits"' in compare(
        same, other
    )._repr_html_()
    assert 'so  2.3 bits less surprising to "a"' in repr(compare(same, other))


ONE = table(("It", 0.5), (" is", 0.5), (" until", 0.25), (" Paris", 0.7, CITIES), model="one", vocabulary_size=1000)
PARTS = [("It", 0.5), (" is", 0.5), (" un", 0.5), ("til", 0.0625)]
OTHER = table(*PARTS, (" P", 0.5, [(" P", 0.5), (" Paris", 0.25)]), ("erth", 0.5), model="other", vocabulary_size=2)


def test_where_tokens_differ_each_ones_are_seen_on_the_shared_text_with_bits_per_byte():
    found = compare(ONE, OTHER)
    lines = repr(found).splitlines()
    assert "In both: |It| is| unˌtil" in lines
    assert 'Where tokens begin: | in both, ˈ in "one", ˌ in "other".' in lines
    assert [line.split() for line in lines if "bits  bits per byte" in line or line.startswith("  o")] == [
        ["tokens", "bits", "bits", "per", "byte"], ["one", "3", "4.0", "0.364"], ["other", "4", "7.0", "0.636"]]
    page = found._repr_html_()
    assert page.count("vertical-align:-") == 1 and "vertical-align:1" not in page
    assert "vertical-align:1" in compare(OTHER, ONE)._repr_html_()
    assert ">0.364<" in page and ">0.636<" in page and "perplexity is a mean over tokens" in seen(found)


def test_a_difference_has_its_line_on_the_side_of_the_one_that_was_more_surprised():
    assert "border-bottom:1px solid" in (below := compare(ONE, OTHER)._repr_html_()) and "border-top:1px" not in below
    assert "border-top:1px solid" in (above := compare(OTHER, ONE)._repr_html_()) and "border-bottom:1px" not in above


def test_where_models_part_a_bar_for_either_shows_what_it_held_of_the_next_text():
    found = compare(ONE, OTHER)
    for shown in (" ".join(repr(found).split()), seen(found)):
        assert '"one" said ·Paris (70.0 %); the other\'s ·P had between 70.0 % and 80.0 % there.' in shown
        assert '"other" said ·P (50.0 %); the other\'s ·Paris had between 25.0 % and 50.0 % there.' in shown
        assert "75.0 %" in shown, "what begins with P: its own token, and the longer one"
    assert "They part after 13 characters." in seen(found)
    assert '<b style="background-color' in found._repr_html_() and ">aris</b>" in found._repr_html_()
    assert repr(found.next_bytes()).startswith("What each held of the text that comes next:")
    assert "25.0&nbsp;% and 50.0&nbsp;%" in found._repr_html_()  # no line breaks before the sign


def test_of_a_long_shared_text_the_end_is_drawn():
    one = table(*[(" ab", 0.5)] * 9000, ("x" * 9000, 0.5))
    other = table(*[(" ", 0.5), ("ab", 0.5)] * 9000, ("x" * 9000, 0.1))
    assert len(page := compare(one, other)._repr_html_()) < 9000 and "9,000 stretches left out" in page
    assert "8,400 stretches left out" in seen(compare(one[:9000], other[:18000]))


def test_another_temperature_stands_beside_what_came_with_all_that_is_not_drawn():
    tempered = SURE.at_temperature(2)
    assert repr(tempered).startswith("At temperature 2 what was unlikely becomes likelier.\n")
    for shown in (" ".join(repr(tempered).split()), seen(tempered)):
        assert "70.0 %" in shown and "between" in shown and "998 others" in shown
    assert "likely becomes likelier" in seen(SURE.at_temperature(0.5))
    assert " 100 %" in (greedy := repr(SURE.at_temperature(0))) and " 0 %" in greedy and "≈" not in greedy


def test_the_others_at_a_temperature_are_what_is_left_beside_the_drawn():
    (*drawn, others) = [(one.low, one.high) for one in SURE.at_temperature(1)]
    assert len([*drawn, others]) == 2
    text = repr(SURE.at_temperature(1))
    assert "998 others" in text and "10.0 %" in text.split("998 others")[1]


def test_at_temperature_one_the_picture_has_the_numbers_that_came():
    shares = [("a", 0.57013), ("b", 0.37849), ("c", 0.0431)]  # the bounds of b are 37.8 % and 37.9 %
    for shown in (repr(at_one := table(("a", 0.57013, shares), vocabulary_size=1000).at_temperature(1)), seen(at_one)):
        assert "between" not in shown and shown.count("37.8 %") == 2 and shown.count("0.83 %") == 2


def test_a_chosen_token_outside_the_alternatives_is_said_to_be_among_the_others():
    outside = table((" z", 0.01, CITIES), vocabulary_size=1000).at_temperature(2)
    assert "among the others" in repr(outside) and "among the others" in seen(outside)


def test_of_a_long_answer_the_least_certain_places_are_shown_at_a_temperature():
    parts = [(" Paris", 0.7, CITIES)] * 9 + [(" Lyon", 0.2, CITIES)]
    shown = seen(table(*parts).at_temperature(2))
    assert "The 4 least certain of 10 tokens." in shown and "token 9" in shown


def test_windows_speak_of_the_text_and_of_bits():
    sure, unsure = [(" sure", 0.5), (" b", 0.125)], [(" unsure", 0.5), (" b", 0.5)]
    windows = table((" sure", 0.5, sure), (" unsure", 0.5, unsure)).windows(1)
    for shown in (" ".join(repr(windows).split()), seen(windows)):
        assert "the least sure of 2 stretches" in shown and "bits" in shown and "nats" not in shown
    assert [line.split() for line in repr(windows).splitlines()[2:4]] == [["1", "unsure", "1.0"], ["0", "sure", "2.0"]]
    assert windows.confidence[1] == pytest.approx(math.log(2))
    assert "not known" in repr(table(("a", 0.5)).windows(4))


def test_fields_say_which_value_was_the_least_sure():
    fields = table(('{"a": ', 0.9), ('"<b>",', 0.5), ('"n": 1}', 0.25)).fields()
    assert repr(fields).splitlines()[0] == "The model was least sure of n: 25.0 %."
    page = fields._repr_html_()
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert "50.0 %" in seen(fields) and "width:50.0%" in page
    assert "50.0 %" in seen(fields["a"]) and "n" not in repr(fields["a"]).split("\n")[1].split()


def test_an_answer_without_json_says_so():
    fields = table(("hello", 0.5)).fields()
    assert repr(fields) == seen(fields) == "There are no JSON values."


def test_scores_are_bars_of_shares_with_the_surprise_in_bits():
    scores = Scores([("yes", table(("yes", 0.5))), ("no", table(("no", 0.125)))])
    for shown in (" ".join(repr(scores).split()), seen(scores)):
        assert shown.startswith('The likeliest is "yes": 80.0 %.')
        assert "3.0" in shown and "bits" in shown and "nats" not in shown
    assert repr(scores["no"]) == "Score('no', 3.0 bits, 20.0 % of all)"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_a_model_says_becomes_markup(hostile):
    tops = [(hostile, 0.6), (f"{hostile}b", 0.3)]
    odd = table((hostile, 0.6, tops), (f'{{"a{hostile}": "{hostile}"}}', 0.5, tops))
    other = table((f"{hostile}b", 0.3, tops))
    results = [odd.classify([hostile, "b"]), odd.at_temperature(2), odd.windows(1), odd.fields(), compare(odd, other),
               compare(odd, odd[:1], names=(hostile, "b")), compare(odd, odd[1:]),
               compare(table((hostile[:1], 0.5), (hostile[1:], 0.5, tops), model=hostile), odd),
               compare(odd[0], other[0]), Scores([(hostile, odd)])]  # fmt: skip
    for result in results:
        Page(result._repr_html_())
        repr(result).encode()
        assert not [one for one in repr(result) if ord(one) < 32 and one != "\n"]
