import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_magic.logprobs.json_spans import value_spans
from ds_magic.logprobs.table import LogprobTable


def table_of(*parts, **options):
    """A table of (text or bytes, probability) tokens."""
    entries = []
    for text, p in parts:
        raw = text if isinstance(text, bytes) else text.encode()
        logprob = math.log(p) if p else -9999.0
        entries.append(
            {"token": raw.decode(errors="replace"), "bytes": list(raw), "logprob": logprob, "top_logprobs": []}
        )
    return LogprobTable.from_wire(entries, **options)


ORDER = [
    ('{"', 0.9),
    ("item", 0.9),
    ('":', 0.9),
    (' "', 0.9),
    ("blue", 0.8),
    (" umb", 0.5),
    ('rella",', 0.5),
    (' "n":', 0.9),
    (" 3", 0.25),
    ("}", 0.9),
]


def test_a_field_has_the_product_the_least_and_the_geometric_mean_of_its_tokens():
    item = table_of(*ORDER).fields()["item"]
    assert item.value == item.text == "blue umbrella"
    assert (item.start, item.end, item.n_tokens) == (4, 7, 3)
    assert float(item.prob) == pytest.approx(0.2)
    assert float(item.minimum) == pytest.approx(0.5)
    assert float(item.geometric_mean) == pytest.approx(0.2 ** (1 / 3))


def test_a_token_shared_with_punctuation_is_marked():
    fields = table_of(*ORDER).fields()
    assert fields["item"].shared
    alone = table_of(("[", 0.9), ("12", 0.5), ("]", 0.9)).fields()
    assert not alone["[0]"].shared and float(alone["[0]"].prob) == pytest.approx(0.5)


def test_nested_values_have_paths():
    text = '{"a": {"b c": [1, {"d": null}]}, "e": true}'
    fields = table_of((text, 0.5)).fields()
    assert [(field.path, field.value) for field in fields] == [
        ("a['b c'][0]", 1),
        ("a['b c'][1].d", None),
        ("e", True),
    ]


def test_a_value_of_split_characters_takes_all_their_tokens():
    rocket = "🚀".encode()
    fields = table_of(('["', 0.9), *((bytes([byte]), 0.5) for byte in rocket), ('"]', 0.9)).fields()
    assert fields["[0]"].value == "🚀"
    assert fields["[0]"].n_tokens == 4
    assert float(fields["[0]"].prob) == pytest.approx(0.5**4)


def test_escapes_are_read_and_stand_for_their_own_bytes():
    fields = table_of(('{"a":"', 0.9), ("\\u00e9", 0.5), ("\\n", 0.5), ('"}', 0.9)).fields()
    assert fields["a"].value == "é\n" and fields["a"].text == "\\u00e9\\n" and fields["a"].n_tokens == 2


def test_an_empty_string_has_its_quotes():
    fields = table_of(('{"a":', 0.9), (' ""', 0.5), ("}", 0.9)).fields()
    assert fields["a"].value == "" and float(fields["a"].prob) == pytest.approx(0.5)


def test_fenced_json_and_json_in_prose_are_found():
    fenced = 'Here you are:\n```json\n{"a": 1}\n```\nDone {now}.'
    assert [(span.path, span.value) for span in value_spans(fenced)] == [("a", 1)]
    assert [(span.path, span.value) for span in value_spans('Sure: {"a": 1} ok')] == [("a", 1)]


def test_json_that_begins_in_a_prefix_is_read_with_it():
    fields = table_of(("blue", 0.5), (' hat"', 0.5), (', "n": 3}', 0.25)).fields(prefix='{"id": 7, "item": "dark ')
    assert [(field.path, field.value) for field in fields] == [("item", "dark blue hat"), ("n", 3)]
    assert float(fields["item"].prob) == pytest.approx(0.25) and fields["item"].shared


def test_a_scalar_alone_is_a_value_and_prose_is_none():
    assert [(span.path, span.value) for span in value_spans(" 42\n")] == [("", 42)]
    assert [span.value for span in value_spans('"yes"')] == ["yes"]
    assert value_spans("true story") == []
    assert value_spans("3 apples") == []
    assert value_spans("No JSON here") == []
    assert value_spans("") == []


def test_broken_off_json_yields_what_was_whole():
    assert [span.value for span in value_spans('{"a": "x", "b": [1, 2')] == ["x", 1]
    assert [span.value for span in value_spans('{"a": "x", "b": "unfin')] == ["x"]
    assert value_spans("[" * 5000) == []


def test_a_censored_token_makes_a_field_a_bound():
    field = table_of(("[", 0.9), ("1", None), ("]", 0.9)).fields()["[0]"]
    assert field.prob.low == 0 and field.prob.censored == 1 and not field.prob.exact
    assert math.isnan(table_of(("[", 0.9), ("1", None), ("]", 0.9)).fields().to_pandas()["prob"][0])


def test_an_unknown_path_is_told_with_those_there_are():
    with pytest.raises(KeyError, match="there are item, n"):
        table_of(*ORDER).fields()["colour"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def scalars(value):
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in scalars(inner)]
    return [leaf for inner in value for leaf in scalars(inner)] if isinstance(value, list) else [value]


@settings(deadline=None)
@given(json_values, st.booleans(), st.sampled_from([None, 1, 4]))
def test_every_scalar_of_any_json_is_found_with_its_text(value, ascii_only, indent):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    spans = value_spans(text)
    assert [span.value for span in spans] == scalars(value)
    for span in spans:
        written = text[span.start : span.end]
        quoted = isinstance(span.value, str) and written != '""'
        assert json.loads(f'"{written}"' if quoted else written) == span.value


@settings(deadline=None)
@given(st.text(), st.integers(0, 200))
def test_any_text_cut_anywhere_is_read_without_a_crash(text, cut):
    value_spans(text)
    value_spans(json.dumps({"a": [text, 1.5, {"b": text}]})[:cut])


def test_find_gives_the_tokens_of_every_occurrence():
    table = table_of(("The", 0.5), (" cat", 0.5), (" and", 0.5), (" the", 0.5), (" c", 0.5), ("at", 0.5))
    assert table.find("cat").position.tolist() == [1, 4, 5]
    assert table.find("dog").token == [] and table.find("").token == []


def test_find_takes_all_tokens_of_a_split_character():
    rocket = "🚀".encode()
    table = table_of(("a", 0.5), *((bytes([byte]), 0.5) for byte in rocket), ("b", 0.5))
    assert table.find("🚀").position.tolist() == [1, 2, 3, 4]


def choice(alternatives, chosen=0, p=None):
    tops = [{"token": token, "logprob": math.log(share), "bytes": None} for token, share in alternatives]
    token, share = alternatives[chosen]
    return LogprobTable.from_wire(
        [{"token": token, "logprob": math.log(p or share), "bytes": None, "top_logprobs": tops}]
    )


def test_a_label_gathers_its_surface_forms():
    result = choice([(" Yes", 0.5), ("yes", 0.1), (" No", 0.3), (" maybe", 0.08)]).classify(["yes", "no"])
    assert result["yes"].mass == pytest.approx(0.6) and result["yes"].forms == (" Yes", "yes")
    assert result["no"].mass == pytest.approx(0.3)
    assert result["yes"].ratio == pytest.approx(0.6 / 0.9)
    assert result["yes"].share.low == pytest.approx(0.6 / 0.92)
    assert result["yes"].share.high == pytest.approx(0.62 / 0.92)
    assert result.rest.high == pytest.approx(0.1) and result.rest.low == pytest.approx(0.08)


def test_a_label_that_was_not_returned_has_an_interval_from_nothing_to_the_rest():
    result = choice([(" Yes", 0.9), (" Maybe", 0.06)]).classify(["yes", "no"])
    assert not result["no"].returned and result["no"].ratio is None and result["yes"].ratio is None
    assert result["no"].share.low == 0 and result["no"].share.high == pytest.approx(0.04 / 0.94)
    assert str(result["no"].share).startswith("≤ ")


def test_a_token_that_only_begins_a_label_widens_its_interval():
    result = choice([("pos", 0.6), ("negative", 0.4)]).classify(["positive", "negative"])
    assert result["positive"].mass == 0
    assert result["positive"].share.high == pytest.approx(0.6)
    assert result["negative"].share.low == pytest.approx(0.4)


def test_labels_may_name_their_forms_and_the_place():
    table = choice([("A", 0.5), ("B", 0.4)])
    result = table.classify({"right": ["A"], "wrong": ["B", "C"]}, at=0)
    assert [each.label for each in result.labels] == ["right", "wrong"]
    assert result.to_pandas()["mass"].tolist() == pytest.approx([0.5, 0.4])


def test_classifying_without_alternatives_says_what_to_do():
    with pytest.raises(ValueError, match="-l"):
        table_of(("yes", 0.5)).classify(["yes", "no"])
