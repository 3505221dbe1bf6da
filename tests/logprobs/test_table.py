import csv
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_magic.logprobs.alternatives import only
from ds_magic.logprobs.distribution import SOFTMAX_ERROR
from ds_magic.logprobs.provenance import Provenance
from ds_magic.logprobs.table import LogprobTable

NOT_RETURNED = -9999.0


def alternative(token, p=None, *, logprob=None, token_bytes="of the text"):
    logprob = math.log(p) if logprob is None else logprob
    token_bytes = list(token.encode()) if token_bytes == "of the text" else token_bytes
    return {"token": token, "logprob": logprob, "bytes": token_bytes}


def entry(token, p=None, alternatives=(), **fields):
    return {**alternative(token, p, **fields), "top_logprobs": [alternative(*one) for one in alternatives]}


CONTEST = entry(" Canberra", 0.57, [(" Canberra", 0.57), (" Sydney", 0.38), (" Perth", 0.01)])


def test_a_row_has_the_numbers_that_the_api_gave_and_what_follows_from_them():
    row = LogprobTable.from_wire([CONTEST])[0]
    assert (row.token, row.status, row.rank, row.n_alternatives) == (" Canberra", "exact", 1, 3)
    assert row.logprob == math.log(0.57)
    assert row.prob == pytest.approx(0.57)
    assert row.surprisal == pytest.approx(-math.log2(0.57))
    assert row.margin == pytest.approx(math.log2(0.57 / 0.38))
    assert row.top_mass == pytest.approx(0.96)
    assert row.rest_mass == pytest.approx(0.04)


def test_minus_9999_is_censored_and_bounded_by_the_least_alternative_and_by_the_rest():
    shared = [("a", 0.6), ("b", 0.3)]
    row = LogprobTable.from_wire([entry("z", logprob=NOT_RETURNED, alternatives=shared)])[0]
    assert row.status == "censored"
    assert math.isnan(row.logprob) and math.isnan(row.prob) and row.rank is None
    assert row.raw_logprob == NOT_RETURNED
    assert math.exp(row.logprob_upper) == pytest.approx(min(0.3, (0.1 + SOFTMAX_ERROR) / (21 - 2)))
    assert row.surprisal == pytest.approx(-math.log2((0.1 + SOFTMAX_ERROR) / 19))


def test_the_least_alternative_bounds_a_censored_token_when_the_rest_is_large():
    twenty = [(str(i), 0.03 - 0.001 * i) for i in range(20)]
    row = LogprobTable.from_wire([entry("z", logprob=NOT_RETURNED, alternatives=twenty)])[0]
    assert math.exp(row.logprob_upper) == pytest.approx(0.011)


def test_a_censored_token_without_alternatives_has_no_bound():
    table = LogprobTable.from_wire([entry("z", logprob=NOT_RETURNED), entry("a", 0.5)])
    assert table[0].status == "censored"
    assert math.isnan(table[0].logprob_upper) and math.isnan(table[0].surprisal)


@pytest.mark.parametrize("logprob", [None, math.nan, "no number", True, math.inf, 3.5, {}, [], 10**400])
def test_what_is_no_number_is_missing(logprob):
    row = LogprobTable.from_wire([{**CONTEST, "token": "other", "bytes": None, "logprob": logprob}])[0]
    assert row.status == "missing"
    assert math.isnan(row.prob) and math.isnan(row.surprisal) and math.isnan(row.logprob_upper)


def test_zero_throughout_is_no_distribution():
    table = LogprobTable.from_wire([entry("a", 1.0, [("a", 1.0)]), entry("b", 1.0)])
    assert table.status.tolist() == ["degenerate", "degenerate"]
    assert np.isnan(table.prob).all() and np.isnan(table.alternatives().prob).all()
    assert "no probability distribution" in table.notes[0]


def test_only_zero_and_minus_9999_is_no_distribution():
    table = LogprobTable.from_wire([entry("a", 1.0), entry("b", logprob=NOT_RETURNED)])
    assert table.status.tolist() == ["degenerate", "degenerate"]


def test_a_certain_token_among_uncertain_ones_is_exact():
    table = LogprobTable.from_wire([entry("a", 1.0, [("a", 1.0)]), CONTEST])
    assert table.status.tolist() == ["exact", "exact"]


def test_a_sum_slightly_above_one_is_a_rounded_one_and_leaves_finite_bounds():
    table = LogprobTable.from_wire(
        [
            entry("a", 0.7, [("a", 0.7), ("b", 0.300001)]),
            entry("z", logprob=NOT_RETURNED, alternatives=[("a", 0.7), ("b", 0.300001)]),
        ],
        vocabulary_size=1000,
    )
    assert table.status.tolist() == ["exact", "censored"]
    assert table.rest_mass.tolist() == [0.0, 0.0]
    assert 0 < table.entropy_high[0] - table.entropy_low[0] < 0.02
    assert math.isfinite(table.logprob_upper[1])


@pytest.mark.parametrize("second", [0.9, 0.11])
def test_a_sum_that_no_rounding_explains_is_no_distribution(second):
    table = LogprobTable.from_wire([entry("a", 0.9, [("a", 0.9), ("b", second)]), CONTEST])
    assert table.status.tolist() == ["degenerate", "exact"]


@pytest.mark.parametrize(
    "entries",
    [
        [entry("a", 1.0, [("b", math.exp(-25))])],
        [entry("a", 1.0, [("a", 1.0), ("b", math.exp(-25))])],
        [*[entry("a", 1.0) | {"top_logprobs": [alternative("b", logprob=NOT_RETURNED)]}] * 5, entry("b", 0.9999)],
    ],
    ids=["one far below", "itself and one far below", "one that is nearly certain"],
)
def test_certainty_with_nothing_between_it_and_nothing_is_no_distribution(entries):
    table = LogprobTable.from_wire(entries)
    assert set(table.status.tolist()) == {"degenerate"} and np.isnan(table.prob).all()
    assert "no probability distribution" in table.notes[0]


def test_certainty_beside_rivals_that_a_model_may_have_is_exact():
    rivals = [("b", 1e-8), ("c", 1e-9)]
    assert LogprobTable.from_wire([entry("a", 1.0, [("a", 1.0), *rivals])]).status.tolist() == ["exact"]


def test_a_constrained_token_keeps_its_number_only_as_raw():
    row = LogprobTable.from_wire([{**CONTEST, "constrained": True}])[0]
    assert row.status == "constrained" and math.isnan(row.prob)
    assert row.raw_logprob == CONTEST["logprob"]


def test_the_chosen_token_outside_the_alternatives_counts_in_the_mass_and_not_as_the_least():
    row = LogprobTable.from_wire([entry("z", 0.01, [("a", 0.6), ("b", 0.3)])], vocabulary_size=10)[0]
    assert row.status == "exact" and row.rank is None
    assert row.top_mass == pytest.approx(0.91)
    known = -sum(p * math.log2(p) for p in (0.6, 0.3, 0.01))
    assert row.entropy_low == pytest.approx(known - 0.09 * math.log2(0.09), rel=5e-3)
    assert row.entropy_high == pytest.approx(known - 0.09 * math.log2(0.09) + 0.09 * math.log2(10 - 3), rel=5e-3)


def test_alternatives_are_sorted_and_ranked_whatever_order_they_came_in():
    table = LogprobTable.from_wire([entry("b", 0.3, [("c", 0.1), ("b", 0.3), ("a", 0.6)])])
    assert table[0].rank == 2
    assert [one.token for one in table[0].alternatives] == ["a", "b", "c"]
    assert [one.chosen for one in table[0].alternatives] == [False, True, False]


def test_the_long_form_has_rank_cumulative_share_and_the_chosen_mark():
    long = LogprobTable.from_wire([CONTEST, CONTEST]).alternatives()
    assert long.position.tolist() == [0, 0, 0, 1, 1, 1]
    assert long.rank.tolist() == [1, 2, 3, 1, 2, 3]
    assert long.cumulative == pytest.approx([0.57, 0.95, 0.96] * 2)
    assert long.chosen.tolist() == [True, False, False] * 2


def test_an_alternative_that_came_twice_counts_once():
    table = LogprobTable.from_wire([entry("a", 0.6, [("a", 0.6), ("a", 0.6), ("b", 0.3)])])
    assert table[0].n_alternatives == 2 and table[0].top_mass == pytest.approx(0.9)
    assert "came twice" in table.notes[0]


def test_alternatives_marked_as_not_returned_are_no_numbers():
    table = LogprobTable.from_wire([entry("a", 0.6, [("a", 0.6), ("b", 0.3)])])
    with_more = [*CONTEST["top_logprobs"], alternative("x", logprob=NOT_RETURNED)]
    table = LogprobTable.from_wire([{**CONTEST, "top_logprobs": with_more}])
    assert table[0].n_alternatives == 3
    assert math.isnan(table[0].alternatives[-1].prob)


def test_a_token_that_stands_among_the_alternatives_was_returned_even_if_its_own_field_denies_it():
    table = LogprobTable.from_wire([entry("b", logprob=NOT_RETURNED, alternatives=[("a", 0.6), ("b", 0.3)])])
    assert table[0].status == "exact" and table[0].prob == pytest.approx(0.3)


def test_a_known_model_gives_its_vocabulary_to_the_upper_bound_and_an_unknown_one_gives_none():
    assert LogprobTable.from_wire([CONTEST], model="deepseek-chat").vocabulary_size == 129_280
    assert LogprobTable.from_wire([CONTEST], model="SmolLM2-135M-Instruct").vocabulary_size == 49_152


@pytest.mark.parametrize("name", ["deepseek-r1:1.5b", "DeepSeek-R1-Distill-Qwen-7B", "deepseek-coder", "my-deepseek"])
def test_a_model_that_is_only_called_like_one_has_an_unknown_vocabulary(name):
    assert LogprobTable.from_wire([CONTEST], model=name).vocabulary_size is None


@pytest.mark.parametrize(("told", "size"), [(151_936, 151_936), (0, None), ("9", None), (True, None), (10**12, None)])
def test_a_server_says_how_many_tokens_its_model_has(told, size):
    provenance = Provenance(more={"vocabulary_size": told})
    assert LogprobTable.from_wire([CONTEST], model="m", provenance=provenance).vocabulary_size == size
    assert LogprobTable.from_wire([CONTEST]).entropy_high[0] == math.inf


@settings(deadline=None)
@given(
    st.lists(st.floats(0.001, 1.0), min_size=3, max_size=12),
    st.integers(1, 11),
    st.integers(0, 11),
)
def test_every_bound_holds_for_every_full_distribution(weights, k, chosen):
    full = np.sort(np.array(weights) / sum(weights))[::-1]
    k, chosen = min(k, len(full)), chosen % len(full)
    top = [(str(i), p) for i, p in enumerate(full[:k])]
    censored = chosen >= k
    own = {"logprob": NOT_RETURNED} if censored else {"p": full[chosen]}
    wire = [entry(str(chosen), alternatives=top, **own)]
    row = LogprobTable.from_wire(wire, vocabulary_size=len(full))[0]
    entropy = -float(np.sum(full * np.log2(full)))
    if row.status == "degenerate":  # one token with probability 1 is all that came
        return
    assert row.entropy_low <= entropy + 1e-6
    assert row.entropy_high >= entropy - 1e-6
    if censored and len(full) >= 21:
        assert full[chosen] <= math.exp(row.logprob_upper) + 1e-9


def test_the_bounds_meet_where_everything_was_returned():
    row = LogprobTable.from_wire([entry("a", 0.75, [("a", 0.75), ("b", 0.25)])], vocabulary_size=2)[0]
    assert row.entropy_low == pytest.approx(row.entropy_high) == pytest.approx(0.8112781)


def test_the_lower_bound_is_reached_by_a_rest_of_equally_likely_tokens():
    row = LogprobTable.from_wire([entry("a", 0.4, [("a", 0.4), ("b", 0.2)])], vocabulary_size=4)[0]
    assert row.entropy_low == pytest.approx(-0.4 * math.log2(0.4) - 3 * 0.2 * math.log2(0.2), rel=1e-3)


def test_a_character_split_over_tokens_is_one_glyph_with_its_text_on_the_last():
    rocket = "🚀".encode()
    parts = [entry("�", 0.5, token_bytes=[byte]) for byte in rocket]
    table = LogprobTable.from_wire([entry("to", 0.5), *parts, entry("!", 0.5)], content="to🚀!")
    assert table.text == ["to", "", "", "", "🚀", "!"]
    assert table.glyph.tolist() == [0, 1, 1, 1, 1, 5]
    assert table.char_start.tolist() == [0, 2, 2, 2, 2, 3]
    assert table.char_end.tolist() == [2, 2, 2, 2, 3, 4]
    assert table.matches_content is True
    assert not table.damaged.any()


def test_an_answer_cut_off_inside_a_character_still_matches_its_content():
    table = LogprobTable.from_wire([entry("a", 0.5), entry("�", 0.5, token_bytes=[0xF0, 0x9F])], content="a")
    assert table.matches_content is True
    assert table.text_content == "a�"


def test_replacement_bytes_mark_the_row_as_damaged():
    table = LogprobTable.from_wire([entry("�", 0.5)], content="é")
    assert table.damaged.tolist() == [True]
    assert table.matches_content is False
    assert any("lost bytes" in note for note in table.notes)


def test_tokens_that_do_not_spell_the_content_are_told():
    assert "agree for 3 characters" in LogprobTable.from_wire([entry("catch", 0.5)], content="cat.").notes[0]
    assert "first 4 characters" in LogprobTable.from_wire([entry("tail", 0.5)], content="the tail").notes[0]
    assert "3 characters more" in LogprobTable.from_wire([entry("end###", 0.5)], content="end").notes[0]
    assert LogprobTable.from_wire([entry("cat", 0.5)]).matches_content is None


def test_null_bytes_are_those_of_the_token():
    table = LogprobTable.from_wire([entry("né", 0.5, token_bytes=None)], content="né")
    assert table[0].bytes == "né".encode() and not table[0].bytes_given
    assert table.matches_content is True


def test_lone_surrogates_become_replacement_characters():
    table = LogprobTable.from_wire([entry("\ud83d", logprob=-1.0, token_bytes=None)], content="\ud83d")
    assert table[0].token == "�" and table.matches_content is True
    table.to_pandas()


def test_a_token_that_spells_nothing_is_labelled_by_its_name():
    marks = ("", "<|im_end|>", "<｜end▁of▁sentence｜>", "</s>", "<|im_start|>")
    table = LogprobTable.from_wire([{**entry(mark, 0.5), "bytes": []} for mark in marks])
    assert [row.label for row in table] == [
        "⟨end⟩", "⟨end: im_end⟩", "⟨end: end▁of▁sentence⟩", "⟨end: s⟩", "⟨mark: im_start⟩",
    ]  # fmt: skip
    assert table.text_content == ""
    assert LogprobTable.from_wire([entry("", 0.5, token_bytes=None)])[0].label == "⟨end⟩"
    assert len(LogprobTable.from_wire([{**entry("<" * 9 + "end" * 99, 0.5), "bytes": []}])[0].label) == 40


def test_forced_tokens_are_those_of_the_prefix():
    entries = [entry("The", 0.5), entry(" cat", 0.5), entry(" sat", 0.5)]
    assert LogprobTable.from_wire(entries, forced=2).forced.tolist() == [True, True, False]
    assert LogprobTable.from_wire(entries, forced_bytes=5).forced.tolist() == [True, True, False]


def test_a_character_that_llama_cpp_merged_is_found_among_its_alternatives():
    merged = entry("ط", 0.3)
    merged["top_logprobs"] = [
        alternative("�", 0.4, token_bytes=[166]),
        alternative("�", 0.3, token_bytes=[183]),
    ]
    table = LogprobTable.from_wire([merged])
    assert table[0].status == "exact" and table[0].rank == 2
    assert "merged" in table.notes[0]


def test_slices_are_tables_that_remember_where_their_rows_stood():
    table = LogprobTable.from_wire([entry(str(i), 0.5, [(str(i), 0.5), ("x", 0.1 + i / 100)]) for i in range(9)])
    part = table[4:8:2]
    assert part.position.tolist() == [4, 6] and part.token == ["4", "6"]
    assert [one.prob for one in part[1].alternatives] == pytest.approx([0.5, 0.16])
    assert len(table[20:]) == 0 and table[-1].token == "8"
    with pytest.raises(IndexError):
        table[9]


def test_least_certain_puts_the_unbounded_first_and_leaves_forced_tokens_out():
    table = LogprobTable.from_wire(
        [
            entry("forced", 0.001),
            entry("sure", 0.9),
            entry("unsure", 0.1),
            entry("censored", logprob=NOT_RETURNED),
            entry("missing", logprob=math.nan),
        ],
        forced=1,
    )
    assert table.least_certain(10).token == ["censored", "unsure", "sure"]
    assert table.least_certain(1).token == ["censored"]


def test_pandas_csv_and_json_lines_hold_every_column(tmp_path):
    table = LogprobTable.from_wire([CONTEST, entry("z\n,", logprob=NOT_RETURNED, alternatives=[("a", 0.5)])])
    frame = table.to_pandas()
    assert frame["status"].tolist() == ["exact", "censored"]
    assert frame["rank"].isna().tolist() == [False, True]
    with table.to_csv(tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["token"] == "z\n," and rows[1]["prob"] == "" and rows[0]["bytes"] == b" Canberra".hex()
    lines = table.to_jsonl(tmp_path / "t.jsonl").read_text().splitlines()
    assert json.loads(lines[1])["prob"] is None and json.loads(lines[0])["bytes"] == list(b" Canberra")
    assert list(json.loads(lines[0])) == list(frame.columns)
    assert len(table.alternatives().to_pandas()) == 4
    assert table.alternatives().to_csv(tmp_path / "a.csv").exists()


def test_frames_and_files_have_a_label_beside_the_token_as_it_came(tmp_path):
    table = LogprobTable.from_wire([entry(" a", 0.5, [(" a", 0.5), ("", 0.25)]), entry("", 0.5)])
    frame, long = table.to_pandas(), table.alternatives().to_pandas()
    assert frame["token"].tolist() == [" a", ""] and frame["label"].tolist() == ["·a", "⟨end⟩"]
    assert long["token"].tolist() == [" a", ""] and long["label"].tolist() == ["·a", "⟨end⟩"]
    assert table.at_temperature(2).to_pandas()["label"].tolist() == ["·a", "⟨end⟩"]
    assert table.column("label") == table.label == ["·a", "⟨end⟩"]
    assert "⟨end⟩" in table.to_csv(tmp_path / "a.csv").read_text(encoding="utf-8")


def test_an_empty_or_absent_list_is_an_empty_table():
    for nothing in (None, [], {}, "text", 3):
        table = LogprobTable.from_wire(nothing)
        assert len(table) == 0 and table.text_content == "" and len(table.least_certain(3)) == 0
        assert len(table.to_pandas()) == 0 and len(table.alternatives().to_pandas()) == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
hostile_logprobs = st.sampled_from([0.0, -0.1, -2.5, -9999.0, None, "x", 1e-9, -1e300]) | json_values
hostile_bytes = st.none() | st.binary(max_size=5).map(list) | json_values
hostile_tokens = st.text(st.characters(), max_size=4) | json_values


def hostile_items(**more):
    return st.fixed_dictionaries(
        {}, optional={"token": hostile_tokens, "logprob": hostile_logprobs, "bytes": hostile_bytes, **more}
    )


hostile_entries = hostile_items(
    top_logprobs=st.lists(hostile_items() | json_values, max_size=4) | json_values, constrained=json_values
)


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(hostile_entries | json_values, max_size=6) | json_values, st.none() | st.text())
def test_nothing_that_json_can_hold_crashes_the_table(entries, content):
    table = LogprobTable.from_wire(entries, content=content, vocabulary_size=100)
    for row in table:
        assert row.status in ("exact", "censored", "missing", "degenerate", "constrained")
        assert math.isnan(row.prob) == (row.status != "exact")
        assert math.isnan(row.prob) or 0 <= row.prob <= 1
        assert not row.entropy_low > row.entropy_high
        row.token.encode()
    assert "".join(table.text) == table.text_content
    repr(table), table.to_pandas(), table.alternatives().to_pandas(), table._repr_html_().encode()


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 1.0), min_size=22, max_size=40), st.integers(20, 39))
def test_the_bound_of_a_censored_token_holds_for_every_full_distribution(weights, chosen):
    full = np.sort(np.array(weights) / sum(weights))[::-1]
    chosen = 20 + chosen % (len(full) - 20)
    top = [(str(i), p) for i, p in enumerate(full[:20])]
    row = LogprobTable.from_wire([entry(str(chosen), logprob=NOT_RETURNED, alternatives=top)])[0]
    assert row.status == "censored"
    assert full[chosen] <= math.exp(row.logprob_upper) + 1e-9


def test_a_truth_value_is_no_logprob():
    table = LogprobTable.from_wire([{**entry("a", 0.5), "logprob": False}, CONTEST])
    assert table.status.tolist() == ["missing", "exact"]


@pytest.mark.parametrize("wrong", [[300], [-1], [1.5], ["a"], "abc", 5, 10**9, {"0": 97}])
def test_bytes_that_are_none_are_those_of_the_token(wrong):
    table = LogprobTable.from_wire([{**entry("a", 0.5), "bytes": wrong}, CONTEST])
    assert table.bytes == [b"a", b" Canberra"] and table.bytes_given.tolist() == [False, True]


@pytest.mark.parametrize("streamed", [True, False])
def test_tokens_that_spell_nothing_are_told_apart_by_their_marks(streamed):
    import json

    from msgspec.json import decode

    from ds_magic.logprobs.entries import Entry
    from ds_magic.logprobs.streamed import StreamColumns

    def mark(name, p):
        return {"token": "", "mark": name, "bytes": [], "logprob": math.log(p)}

    tops = [mark("<|im_end|>", 0.5), mark("<|im_start|>", 0.25), {"token": "", "bytes": [], "logprob": math.log(0.125)}]
    sent = [{**tops[0], "top_logprobs": tops}]
    if streamed:
        columns = StreamColumns()
        columns.add(decode(json.dumps(sent), type=list[Entry]))
        table = LogprobTable.from_wire(columns.columns())
    else:
        table = LogprobTable.from_wire(sent)
    assert [one.label for one in table[0].alternatives] == ["⟨end: im_end⟩", "⟨mark: im_start⟩", "⟨end⟩"]
    assert table[0].alternatives[0].chosen and table.text_content == ""


ABC = [("a", 0.6), ("b", 0.3), ("c", 0.1)]


def test_alternatives_are_made_when_they_are_asked_for_and_are_a_sequence():
    found = LogprobTable.from_wire([entry("b", 0.3, ABC)])[0].alternatives
    assert len(found) == 3 and found[-1].token == "c" and [one.rank for one in found] == [1, 2, 3]
    assert found[:2] == (found[0], found[1]) == found.top(2) and found.chosen == found[1]
    assert found[1].cumulative == pytest.approx(0.9)
    again = LogprobTable.from_wire([entry("b", 0.3, ABC)])[0].alternatives
    assert found == again and hash(found) == hash(again)
    with pytest.raises(IndexError):
        found[3]


def test_the_first_alternatives_of_a_table_leave_the_others_in_what_was_not_returned():
    shares = [("a", 0.6), ("b", 0.3), ("c", 0.06), ("d", 0.04)]
    table = LogprobTable.from_wire([entry("a", 0.6, shares), entry("d", 0.04, shares)])
    part = only(table, 2)
    assert part.n_alternatives.tolist() == [2, 2] and part.rest_mass == pytest.approx([0.1, 0.06])
    assert [[one.token for one in row.alternatives] for row in part] == [["a", "b"]] * 2
    assert part.rank.tolist() == [1, 4] and part.entropy_low.tolist() == table.entropy_low.tolist()
    assert only(table, 4) is table
