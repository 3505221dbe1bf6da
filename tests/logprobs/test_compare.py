import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_magic.logprobs.compare import compare
from ds_magic.logprobs.refused import NotGivenError
from ds_magic.logprobs.scores import Scores
from ds_magic.logprobs.table import LogprobTable


def entry(text, p, alternatives=()):
    raw = text if isinstance(text, bytes) else text.encode()
    tops = [{"token": name, "logprob": math.log(share), "bytes": list(name.encode())} for name, share in alternatives]
    return {"token": raw.decode(errors="replace"), "bytes": list(raw), "logprob": math.log(p), "top_logprobs": tops}


def table(*parts, **options):
    return LogprobTable.from_wire([entry(*part) for part in parts], **options)


def test_different_tokens_of_the_same_text_are_aligned_by_bytes():
    result = compare(table(("un", 0.5), ("til", 0.5), (" now", 0.5)), table(("until", 0.5), (" now", 0.25)))
    assert [(stretch.text, len(stretch.a), len(stretch.b)) for stretch in result] == [("until", 2, 1), (" now", 1, 1)]
    assert float(result.shared[0].difference) == pytest.approx(math.log(2))
    assert float(result.shared[1].difference) == pytest.approx(-math.log(2))
    assert result.divergence is None and len(result.rest_a) == len(result.rest_b) == 0


CITIES = [(" Canberra", 0.6), (" Sydney", 0.3)]


def test_the_first_divergence_is_marked_with_what_each_held_of_the_other():
    a = table(("It is", 0.5), (" Canberra", 0.6, CITIES), (".", 0.9))
    b = table(("It is", 0.5), (" Sydney", 0.3, CITIES), (" now", 0.9))
    result = compare(a, b, names=("cold", "warm"))
    assert [stretch.text for stretch in result] == ["It is"]
    assert (result.divergence.a, result.divergence.b) == (1, 1)
    assert result.divergence.b_in_a == pytest.approx(0.3) and result.divergence.a_in_b == pytest.approx(0.6)
    assert result.rest_a.token == [" Canberra", "."] and result.rest_b.token == [" Sydney", " now"]


def test_differences_stand_on_the_shared_part_only():
    frame = compare(table(("a", 0.5), ("b", 0.5)), table(("a", 0.25), ("c", 0.5), ("d", 0.5))).to_pandas()
    assert frame["part"].tolist() == ["shared", "a", "b", "b"]
    assert frame["difference"].isna().tolist() == [False, True, True, True]
    assert frame["logprob_b"].notna().tolist() == [True, False, True, True]


def test_one_run_may_end_where_the_other_goes_on():
    result = compare(table(("a", 0.5)), table(("a", 0.5), ("b", 0.5)))
    assert result.divergence.a is None and result.divergence.b == 1
    assert '"a" had ended' in repr(result)


def test_a_censored_token_makes_the_difference_a_bound():
    censored = LogprobTable.from_wire([{**entry("a", 0.5, [("b", 0.9)]), "logprob": -9999.0}])
    stretch = compare(table(("a", 0.5)), censored).shared[0]
    assert stretch.difference.low == -math.inf and stretch.difference.high < math.log(0.1)
    assert stretch.difference.value is None


def test_two_runs_that_part_inside_a_character_part_before_it():
    result = compare(table(("a", 0.5), (b"\xc3\xa9", 0.5)), table(("a", 0.5), (b"\xc3", 0.5), (b"\xa8", 0.5)))
    assert [stretch.text for stretch in result] == ["a"] and len(result.rest_b) == 2


def test_the_ends_of_both_are_compared():
    result = compare(table(("a", 0.5), ("", 0.5)), table(("a", 0.5), ("", 0.25)))
    assert result.divergence is None and float(result.shared[-1].difference) == pytest.approx(-math.log(2))


def test_answers_without_logprobs_say_what_to_do():
    class Answer:
        logprobs = None

    with pytest.raises(ValueError, match="-l"):
        compare(Answer(), table(("a", 0.5)))


def test_the_page_escapes_what_the_models_said():
    page = compare(table(("<b>x", 0.5), ("<i>", 0.5)), table(("<b>x", 0.1), ("</script>", 0.5)))._repr_html_()
    assert "<b>x" not in page and "<i>" not in page and "</script>" not in page
    assert "&lt;/script&gt;" in page


def cut(text, places):
    raw = text.encode()
    bounds = [0, *sorted(place % (len(raw) + 1) for place in places), len(raw)]
    return table(*((raw[i:j], 0.5) for i, j in zip(bounds, bounds[1:], strict=False) if j > i))


@pytest.mark.slow
@settings(deadline=None)
@given(st.text(min_size=1), st.text(), st.text(), st.lists(st.integers(0, 99)), st.lists(st.integers(0, 99)))
def test_however_texts_are_cut_shared_and_rest_give_each_back(shared, tail_a, tail_b, cuts_a, cuts_b):
    a, b = cut(shared + tail_a, cuts_a), cut(shared + tail_b, cuts_b)
    result = compare(a, b)
    for whole, rest, side in ((a, result.rest_a, "a"), (b, result.rest_b, "b")):
        parts = [piece for stretch in result for piece in getattr(stretch, side).bytes]
        assert b"".join(parts) + b"".join(rest.bytes) == b"".join(whole.bytes)
    for stretch in result:
        assert b"".join(stretch.a.bytes) == b"".join(stretch.b.bytes)
    assert np.isfinite([stretch.difference.low for stretch in result]).all()
    repr(result), result._repr_html_(), result.to_pandas()


def test_a_forced_shared_part_keeps_its_numbers():
    forced = LogprobTable.from_wire([entry("a", 0.5), entry("b", 0.5)], forced=1)
    result = compare(table(("a", 0.25), ("b", 0.5)), forced)
    assert float(result.shared[0].difference) == pytest.approx(math.log(2))


def test_scores_of_one_text_under_two_models_are_compared_under_the_models_names():
    one, other = (table(*parts, model=name) for name, parts in {
        "small": [("un", 0.5), ("til", 0.25)], "large": [("until", 0.5)]}.items())
    found = compare(Scores([("until", one)]), Scores([("until", other)]))
    assert found.names == ("small", "large") and found.divergence is None
    assert [each.value for each in found.bits_per_byte] == pytest.approx([3 / 5, 1 / 5])
    assert compare(one, other, names=("x", "y")).names == ("x", "y") and compare(one, one).names == ("a", "b")


def test_of_scores_of_several_texts_it_must_be_said_which():
    several = Scores([("yes", table(("yes", 0.5))), ("no", table(("no", 0.5)))])
    with pytest.raises(NotGivenError, match=r"compare\(a\[\"yes\"\]"):
        compare(several, several)
    assert compare(several["yes"], several["yes"]).divergence is None


def test_a_perplexity_is_said_not_to_compare_where_tokens_differ_or_may():
    until, parted = table(("until", 0.5)), table(("un", 0.5), ("til", 0.5))
    assert any("tokens differ: what compares is bits per byte" in note for note in compare(until, parted).notes)
    two = compare(table(("a", 0.5), model="one"), table(("a", 0.5), model="two"))
    assert any("tokens may differ" in note for note in two.notes) and not two.same_tokens
    assert compare(until, until).notes == () and compare(until, until).same_tokens


def test_what_a_server_lost_of_characters_is_said_and_is_no_sure_parting():
    lost = LogprobTable.from_wire([{"token": "\ufffd", "bytes": None, "logprob": -1.0, "top_logprobs": []}] * 2)
    (note,) = compare(lost, table(("é", 0.5)), names=("here", "there")).notes[:1]
    assert '"here" has U+FFFD in 2 tokens' in note and "no parting" in note


def test_tokens_without_bytes_are_those_of_their_text_and_that_is_said():
    bare = LogprobTable.from_wire([{"token": "un", "bytes": None, "logprob": -1.0, "top_logprobs": []},
                                   {"token": "til", "bytes": None, "logprob": -1.0, "top_logprobs": []}])
    found = compare(bare, table(("until", 0.5)))
    assert found.divergence is None and any("2 tokens of \"a\" came without bytes" in note for note in found.notes)


def test_what_was_thought_is_said_to_be_compared_by_itself():
    class Answer:
        reasoning_content = "Hm."
        logprobs = table(("a", 0.5))

    assert "reasoning_logprobs" in compare(Answer(), Answer()).notes[-1]


def test_where_tokens_differ_the_first_byte_that_does_is_counted_within_them():
    found = compare(table(("It", 0.5), (" the", 0.5)), table(("It", 0.5), (" th", 0.5), ("ose", 0.5)), names=("x", "y"))
    assert repr(found).startswith("They part after 2 characters.")  # the same tokens as far as anybody knows
    found = compare(table(("It", 0.5), (" the", 0.5)), table(("I", 0.5), ("t", 0.5), (" th", 0.5), ("ose", 0.5)))
    assert found.divergence.byte == 5 and repr(found).startswith("They part after 5 characters.")


def test_an_end_that_only_one_says_is_no_parting_of_texts():
    assert repr(compare(table(("a", 0.5), ("", 0.5)), table(("a", 0.5)))).startswith(
        'They say the same to the end, which only "a" says.')
    assert repr(compare(table(), table())) == "Both are empty."
    assert repr(compare(table(), table(("a", 0.5)))).startswith("They part at the first token.")
