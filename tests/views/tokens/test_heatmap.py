import html
import math
import re

import numpy as np
import pytest

from ds_magic.logprobs.table import LogprobTable
from ds_magic.views.size import widest_tint
from ds_magic.views.tokens import style, tints
from ds_magic.views.tokens.heatmap import heatmap_html


def entry(text, p=0.5, alternatives=(), **fields):
    raw = text if isinstance(text, bytes) else text.encode()
    tops = [{"token": name, "logprob": math.log(share), "bytes": None} for name, share in alternatives]
    token = raw.decode(errors="replace")
    return {"token": token, "bytes": list(raw), "logprob": math.log(p), "top_logprobs": tops, **fields}


def spans(page):
    """(attributes, text) of the tokens' spans."""
    body = page.split('<div dir="auto"', 1)[1].split(f'<div style="{style.SMALL};margin', 1)[0]
    return [(attributes, html.unescape(text)) for attributes, text in re.findall(r"<span([^>]*)>(.*?)</span>", body)]


def test_tokens_are_tinted_by_fixed_classes_of_their_surprisal():
    found = tints.classes(LogprobTable.from_wire([entry("a", p) for p in (0.9, 0.4, 0.2, 0.05, 0.001)]))
    assert found.tolist() == [0, 1, 2, 3, 4]


def test_the_tint_does_not_stretch_to_the_answer():
    one = spans(heatmap_html(LogprobTable.from_wire([entry("a", 0.4)])))
    other = spans(heatmap_html(LogprobTable.from_wire([entry("a", 0.4), entry("b", 0.001)])))
    assert one[0][0] == other[0][0]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("probability", [0, 1, 2, 3, 4]), ("rank", [0, 1, 2, 3, tints.UNKNOWN]), ("entropy", None)],
)
def test_other_metrics_have_classes_of_their_own(metric, expected):
    if metric == "probability":
        rows = [entry("a", p) for p in (0.95, 0.6, 0.2, 0.05, 0.001)]
    else:
        twenty = [(str(i), 0.04 - i / 1000) for i in range(20)]
        rows = [entry("0", 0.04, twenty), entry("3", 0.037, twenty), entry("9", 0.031, twenty)]
        rows += [entry("z", 0.001, twenty), entry("a", 0.5)]
    found = tints.classes(LogprobTable.from_wire(rows, vocabulary_size=100), metric).tolist()
    assert found == expected if expected else found[-1] == tints.UNKNOWN


def test_an_entropy_interval_wider_than_0_7_bit_is_not_tinted():
    table = LogprobTable.from_wire([entry("a", 0.5, [("a", 0.5), ("b", 0.2)])], vocabulary_size=100_000)
    assert table.entropy_high[0] - table.entropy_low[0] > 0.7
    assert tints.classes(table, "entropy").tolist() == [tints.UNKNOWN]


def test_white_space_is_visible_and_a_line_break_still_breaks():
    page = heatmap_html(LogprobTable.from_wire([entry(" a\n"), entry("\tb")]))
    assert "<wbr>·a↵<br>" in page and "→b" in page


def test_a_character_of_several_tokens_is_drawn_once_with_its_parts_listed():
    rocket = [entry(bytes([byte]), 0.5) for byte in "🚀".encode()]
    found = spans(heatmap_html(LogprobTable.from_wire([entry("a"), *rocket])))
    assert [text for _, text in found] == ["a", "🚀"]
    assert "4 tokens make one character" in found[1][0] and "⟨F0⟩ 50.0 %" in found[1][0]


def test_the_title_has_the_first_five_alternatives():
    tops = [(f"t{i}", 0.16 - i / 100) for i in range(7)]
    attributes = html.unescape(spans(heatmap_html(LogprobTable.from_wire([entry("t0", 0.16, tops)])))[0][0])
    assert "t4 12.0 %" in attributes and "t5" not in attributes


def test_censored_unknown_and_least_certain_tokens_differ_without_colour():
    table = LogprobTable.from_wire(
        [
            {**entry("censored", 0.5, [("a", 0.9)]), "logprob": -9999.0},
            {**entry("missing"), "logprob": None},
            entry("unlikely", 0.001),
            entry("likely", 0.9),
        ]
    )
    page = heatmap_html(table)
    lines = [re.search(r"border-bottom:[^;\"]*", attributes) for attributes, _ in spans(page)]
    assert [line and line.group() for line in lines] == [
        "border-bottom:2px dotted",
        "border-bottom:1px dashed",
        "border-bottom:2px solid",
        None,
    ]
    assert "below the alternatives returned" in page and "not known" in page


def test_what_a_grammar_forced_is_said_to_be_forced_and_not_to_be_unknown():
    page = heatmap_html(LogprobTable.from_wire([entry("{") | {"constrained": True}, entry("a")]))
    assert page.count("forced by a grammar") == 2  # where the pointer rests, and in the legend
    assert "not known" not in page and "constrained" not in page


def test_a_long_answer_shows_the_neighbourhoods_of_its_least_certain_tokens_and_counts_the_rest():
    rows = [entry(f" t{i}", 0.9, [(f" t{i}", 0.9), (" x", 0.05)]) for i in range(8192)]
    rows[4000] = entry(" surprise", 0.0001)
    page = heatmap_html(LogprobTable.from_wire(rows))
    assert "·surprise" in page and "·t3995<" in page and "·t3000<" not in page
    shown = len(spans(page))
    left_out = sum(int(n.replace(",", "")) for n in re.findall(r"… ([\d,]+) tokens? left out", page))
    assert shown <= 600 and shown + left_out == 8192


def test_the_static_form_stays_under_200_kb_whatever_the_tokens_hold():
    tops = [("<" * 30 + str(i), 0.15) for i in range(6)]
    for n in (600, 8192):
        table = LogprobTable.from_wire([entry('"<&>"' * 20, 0.1, tops) for _ in range(n)])
        assert len(heatmap_html(table).encode()) < 200_000


def test_forced_tokens_are_set_apart_and_named_in_the_legend():
    page = heatmap_html(LogprobTable.from_wire([entry("The"), entry(" cat")], forced=1))
    assert "italic" in spans(page)[0][0] and "italic" not in spans(page)[1][0]
    assert "<i>part of the prefix</i>" in page


def test_what_was_forced_is_no_dimmer_in_a_prefix_that_is_dim_already():
    assert "opacity" not in spans(heatmap_html(LogprobTable.from_wire([entry("The")], forced=1)))[0][0]


def test_an_unknown_metric_is_told_with_those_there_are():
    with pytest.raises(ValueError, match="surprisal, probability, rank, entropy"):
        heatmap_html(LogprobTable.from_wire([entry("a")]), metric="perplexity")


def test_an_empty_table_has_no_heat_map():
    assert heatmap_html(LogprobTable.from_wire([])) == ""


def test_every_alpha_is_at_most_the_widest():
    for metric in tints.METRICS.values():
        alphas = np.array([metric.alpha(class_) for class_ in range(-1, len(metric.names))])
        assert alphas.min() == 0 and alphas.max() == widest_tint()
        assert len(metric.names) == len(metric.edges) + 1
