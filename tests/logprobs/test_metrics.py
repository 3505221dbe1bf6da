import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_magic.logprobs.bounded import Bounded
from ds_magic.logprobs.distribution import SOFTMAX_ERROR
from ds_magic.logprobs.provenance import Provenance
from ds_magic.logprobs.samples import entropy
from ds_magic.logprobs.table import LogprobTable


def entry(token, p, alternatives=(), **fields):
    tops = [{"token": name, "logprob": math.log(share), "bytes": None} for name, share in alternatives]
    return {"token": token, "logprob": math.log(p), "bytes": None, "top_logprobs": tops, **fields}


def censored(token, alternatives=()):
    return {**entry(token, 0.5, alternatives), "logprob": -9999.0}


def test_perplexity_and_its_kin_have_the_values_worked_out_by_hand():
    table = LogprobTable.from_wire([entry("ab", 0.5), entry("cd", 0.125)])
    assert float(table.perplexity) == pytest.approx(4.0)  # sqrt(2 · 8)
    assert float(table.mean_surprisal) == pytest.approx(2.0)  # (1 + 3) / 2 bits
    assert float(table.bits_per_byte) == pytest.approx(1.0)  # 4 bits, 4 bytes
    assert float(table.probability) == pytest.approx(1 / 16)


def test_a_censored_token_turns_perplexity_into_a_lower_bound_that_says_so():
    table = LogprobTable.from_wire([entry("a", 0.5), censored("z", [("a", 0.6), ("b", 0.38)])])
    assert not table.perplexity.exact
    assert table.perplexity.low == pytest.approx(math.sqrt(2 * 19 / (0.02 + SOFTMAX_ERROR)))
    assert str(table.perplexity) == "≥ 43.1, 1 token censored"
    assert str(table.probability).startswith("≤ ")
    with pytest.raises(ValueError, match="Only bounds"):
        float(table.perplexity)


def test_a_censored_token_without_any_bound_counts_as_at_most_certain():
    table = LogprobTable.from_wire([entry("a", 0.25), censored("z")])
    assert table.perplexity.low == pytest.approx(2.0)
    assert table.perplexity.high == math.inf


def test_forced_constrained_missing_and_degenerate_tokens_are_left_out_and_counted():
    table = LogprobTable.from_wire(
        [
            entry("forced", 0.001),
            entry("a", 0.5),
            entry("grammar", 0.001, constrained=True),
            {**entry("lost", 0.5), "logprob": None},
            entry("wrong", 0.9, [("wrong", 0.9), ("b", 0.9)]),
        ],
        forced=1,
    )
    assert float(table.perplexity) == pytest.approx(2.0)
    assert str(table.perplexity) == "2, 4 left out"


def test_nothing_known_is_shown_as_a_dash():
    for measure in (LogprobTable.from_wire([]).perplexity, LogprobTable.from_wire([]).bits_per_byte):
        assert format(measure) == "—"


def test_an_interval_shows_both_ends():
    assert str(Bounded(1.5, 2.25, " bits")) == "1.5 – 2.25 bits"
    assert str(Bounded(2.0, 2.0)) == "2"


def test_the_mean_entropy_lies_between_the_means_of_the_bounds():
    table = LogprobTable.from_wire([entry("a", 0.5, [("a", 0.5), ("b", 0.5)]), entry("c", 0.5)], vocabulary_size=9)
    assert table.mean_entropy.low == pytest.approx(1.0)
    assert table.mean_entropy.tokens == 1


def test_relative_probability_is_the_share_of_the_likeliest():
    table = LogprobTable.from_wire([entry("b", 0.2, [("a", 0.8), ("b", 0.2)]), entry("x", 0.5)])
    assert table.relative_probability[0] == pytest.approx(0.25)
    assert math.isnan(table.relative_probability[1])


def test_windows_slide_the_confidence_and_find_the_lowest_group():
    sure, unsure = [("a", 0.98), ("b", 0.01)], [("a", 0.5), ("b", 0.4)]
    table = LogprobTable.from_wire([entry("a", dict(top)["a"], top) for top in (sure, sure, unsure, unsure, sure)])
    windows = table.windows(2)
    expected = [-(math.log(top[0][1]) + math.log(top[1][1])) / 2 for top in (sure, sure, unsure, unsure, sure)]
    assert windows.confidence == pytest.approx([sum(expected[i : i + 2]) / 2 for i in range(4)])
    assert windows.lowest.position.tolist() == [2, 3]
    assert windows.k_least == windows.k_most == 2


def test_windows_of_a_table_without_alternatives_know_nothing():
    for table in (LogprobTable.from_wire([entry("a", 0.5)]), LogprobTable.from_wire([])):
        assert len(table.windows(4).lowest) == 0
        table.windows(4).to_pandas()


weights = st.lists(st.floats(0.001, 1.0), min_size=3, max_size=12)


@settings(deadline=None)
@given(weights, st.integers(2, 11), st.sampled_from([0.25, 0.5, 0.9, 1.0, 1.3, 2.0]), st.booleans())
def test_shares_at_another_temperature_lie_within_their_bounds(weights, k, temperature, vocabulary_known):
    full = np.sort(np.array(weights) / sum(weights))[::-1]
    k = min(k, len(full))
    top = [(str(i), p) for i, p in enumerate(full[:k])]
    size = len(full) if vocabulary_known else None
    tempered = LogprobTable.from_wire([entry("0", full[0], top)], vocabulary_size=size).at_temperature(temperature)
    true = full ** (1 / temperature)
    true /= true.sum()
    for share, row in zip(true, tempered.at(0), strict=False):
        assert row.low - 1e-6 <= share <= row.high + 1e-6
    assert tempered.rest_low[0] - 1e-6 <= true[k:].sum() <= tempered.rest_high[0] + 1e-6


def test_at_temperature_one_nothing_changes():
    table = LogprobTable.from_wire([entry("a", 0.6, [("a", 0.6), ("b", 0.3)])])
    tempered = table.at_temperature(1)
    assert tempered.low.tolist() == pytest.approx([0.6, 0.3], rel=2 * SOFTMAX_ERROR)
    assert tempered.high.tolist() == pytest.approx([0.6, 0.3], rel=2 * SOFTMAX_ERROR)
    assert tempered.low[0] < 0.6 < tempered.high[0]
    assert tempered.rest_low[0] < 0.1 < tempered.rest_high[0]


def test_alternatives_that_sum_to_one_and_more_still_leave_something_to_the_rest():
    table = LogprobTable.from_wire([entry("a", 0.9001, [("a", 0.9001), ("b", 0.1)])], model="SmolLM2")
    tempered = table.at_temperature(2)
    assert tempered.low[0] < 0.7 < tempered.high[0] and tempered.rest_high[0] > 0.5


def test_a_token_without_alternatives_has_no_share_at_another_temperature():
    tempered = LogprobTable.from_wire([entry("a", 0.6)]).at_temperature(1.5)
    assert len(tempered) == 0 and tempered.at(0) == [] and math.isnan(tempered.rest_high[0])
    assert len(LogprobTable.from_wire([]).at_temperature(1.5)) == 0


def test_the_bounds_meet_where_the_whole_distribution_was_returned():
    table = LogprobTable.from_wire([entry("a", 0.8, [("a", 0.8), ("b", 0.2)])], vocabulary_size=2)
    tempered = table.at_temperature(0.5)
    assert tempered.low.tolist() == pytest.approx([0.64 / 0.68, 0.04 / 0.68])
    assert tempered.high.tolist() == pytest.approx(tempered.low.tolist())


def test_at_temperature_zero_the_likeliest_takes_all_and_ties_share_it():
    one = LogprobTable.from_wire([entry("a", 0.6, [("a", 0.6), ("b", 0.3)])]).at_temperature(0)
    assert one.low.tolist() == one.high.tolist() == [1.0, 0.0]
    tie = LogprobTable.from_wire([entry("a", 0.4, [("a", 0.4), ("b", 0.4)])]).at_temperature(0)
    assert tie.low.tolist() == [0.5, 0.5]


def test_with_an_unknown_vocabulary_a_high_temperature_bounds_from_above_only():
    tempered = LogprobTable.from_wire([entry("a", 0.6, [("a", 0.6), ("b", 0.3)])]).at_temperature(2)
    assert tempered.low.tolist() == [0.0, 0.0] and tempered.high[0] == pytest.approx(0.4727338, rel=1e-3)
    assert tempered.rest_high[0] == 1.0


def test_a_negative_temperature_is_refused():
    with pytest.raises(ValueError, match="0 or more"):
        LogprobTable.from_wire([]).at_temperature(-1)


class Answer:
    def __init__(self, text, *probabilities):
        self.content = text
        self.logprobs = LogprobTable.from_wire([entry("t", p) for p in probabilities]) if probabilities else None

    def __str__(self):
        return self.content


def test_length_normalised_entropy_is_the_mean_over_answers_of_the_mean_over_tokens():
    result = entropy([Answer("x", 0.5), Answer("y", 0.25, 0.0625)])
    assert float(result.length_normalised) == pytest.approx((1 + 3) / 2)


def test_semantic_entropy_counts_answers_that_mean_the_same_as_one():
    answers = [Answer(text, 0.5) for text in ("Canberra.", " canberra", "Sydney", "Sydney.", "Perth")]
    result = entropy(answers)
    assert [len(cluster) for cluster in result.clusters] == [2, 2, 1]
    assert result.semantic == pytest.approx(-(0.8 * math.log2(0.4) + 0.2 * math.log2(0.2)))
    assert entropy(answers, same=lambda a, b: True).semantic == 0.0


def test_answers_that_were_drawn_at_a_temperature_are_said_to_be_scored_without_it():
    def drawn(**used):
        answer = Answer("x")
        answer.logprobs = LogprobTable.from_wire([entry("t", 0.5)], provenance=Provenance(**used))
        return answer

    cold = entropy([drawn(temperature=0.5), drawn(temperature=1.0)])
    assert "temperature 0.5" in cold.notes[0] and cold.notes[0] in " ".join(repr(cold).split())
    assert "top_p 0.9" in entropy([drawn(top_p=0.9)]).notes[0]
    assert entropy([drawn(temperature=1), drawn()]).notes == ()


def test_an_answer_without_logprobs_counts_for_the_meaning_alone():
    result = entropy([Answer("a"), Answer("b")])
    assert result.semantic == 1.0 and format(result.length_normalised) == "—"
    with pytest.raises(ValueError, match="no answers"):
        entropy([])
