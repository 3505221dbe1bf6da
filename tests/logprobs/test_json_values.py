import json
import math
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from ds_magic.logprobs.json_spans import value_spans
from ds_magic.logprobs.schema_choices import allowed_values
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
    assert not alone["[0]"].shared and alone["[0]"].prob.high == pytest.approx(0.5)


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
    assert fields["[0]"].prob.high == pytest.approx(0.5**4)


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
    with pytest.raises(KeyError, match="There are item, n"):
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


def chosen(alternatives, at=0, **fields):
    """An entry of these (token, probability) alternatives, of which the one at `at` was chosen."""
    tops = [{"token": token, "logprob": math.log(share), "bytes": None} for token, share in alternatives]
    return {**tops[at], "top_logprobs": tops, **fields}


def test_a_number_has_the_probability_of_ending_where_it_does():
    entries = [chosen([("[", 0.9)]), chosen([("10", 0.5), ("7", 0.4)]), chosen([("]", 0.6), ("0", 0.3), (",", 0.05)])]
    prob = LogprobTable.from_wire(entries).fields()["[0]"].prob
    assert prob.low == pytest.approx(0.5 * 0.65) and prob.high == pytest.approx(0.5 * 0.7, rel=1e-3)


def test_a_string_has_the_probability_of_its_closing_quote():
    entries = [chosen([('["', 0.9)]), chosen([("cat", 0.5)]), chosen([('"]', 0.6), ("alogue", 0.3), ('",', 0.05)])]
    prob = LogprobTable.from_wire(entries).fields()["[0]"].prob
    assert prob.low == pytest.approx(0.5 * 0.65) and prob.high == pytest.approx(0.5 * 0.7, rel=1e-3)


def test_what_holds_its_end_or_cannot_go_on_has_the_probability_of_its_tokens():
    entries = [chosen([("[", 0.9)]), chosen([("10,", 0.5)]), chosen([(" true", 0.25)]), chosen([("]", 0.9)])]
    fields = LogprobTable.from_wire(entries).fields()
    assert float(fields["[0]"].prob) == pytest.approx(0.5) and float(fields["[1]"].prob) == pytest.approx(0.25)


COLOURS = {
    "type": "object",
    "properties": {"colour": {"$ref": "#/$defs/colour"}, "ok": {"type": "boolean"}},
    "$defs": {"colour": {"enum": ["red", "reddish", "blue"]}},
}
COLOURED = [
    chosen([('{"', 0.9)]),
    chosen([("colour", 0.9)]),
    chosen([('":', 0.9)]),
    chosen([(' "', 0.9), (" [", 0.1)], constrained=True),
    chosen([("green", 0.5), ("red", 0.35), ("blue", 0.15)], 1, constrained=True),
    chosen([('",', 0.8), ("dish", 0.2)]),
    chosen([(' "ok":', 0.9)]),
    chosen([(" maybe", 0.7), (" true", 0.2), (" false", 0.1)], 1, constrained=True),
    chosen([("}", 1 - 1e-3)]),
]


def test_an_enum_has_the_distribution_over_what_is_allowed_and_the_mass_of_what_is_not():
    field = LogprobTable.from_wire(COLOURED, schema=COLOURS).fields()["colour"]
    assert field.value == "red" and math.isnan(field.prob.low)
    assert {label.label for label in field.allowed.labels} == {"red", "reddish", "blue"}
    red, reddish, blue = 0.35 * 0.8, 0.35 * 0.2, 0.15
    total = red + reddish + blue
    for label, share in (("red", red), ("reddish", reddish), ("blue", blue)):
        assert field.allowed[label].share.low <= share / total <= field.allowed[label].share.high
        assert field.allowed[label].share.high - field.allowed[label].share.low < 0.01
    assert field.share == field.allowed["red"].share
    assert field.allowed.rest.low == pytest.approx(0.1 + 0.9 * 0.5)
    assert field.unconstrained.low == pytest.approx(0.35 * 0.8)
    assert "what the schema allows" in repr(field) and "by itself 28.0 %" in repr(field)


def test_without_a_constraint_a_value_may_still_become_another_than_is_listed():
    free = [{**entry, "constrained": None} for entry in COLOURED]
    field = LogprobTable.from_wire(free, schema=COLOURS).fields()["colour"]
    assert field.prob.low == pytest.approx(0.35 * 0.8) and field.unconstrained.low == field.prob.low
    assert field.allowed["blue"].share.low == 0 and field.allowed["blue"].share.high > 0.25


def test_what_a_constraint_forbade_after_the_choice_had_narrowed_falls_to_what_is_left():
    wide = [*COLOURED]
    wide[5] = chosen([('",', 0.4), ("dish", 0.1), (" as", 0.5)], constrained=True)
    allowed = LogprobTable.from_wire(wide, schema=COLOURS).fields()["colour"].allowed
    drawn = {"red": 0.7 * 0.8, "reddish": 0.7 * 0.2, "blue": 0.3}  # by a sampler that masks each token
    for label, share in drawn.items():
        assert allowed[label].share.low <= share <= allowed[label].share.high


def test_a_pydantic_model_may_stand_for_its_schema():
    class Coloured(BaseModel):
        colour: Literal["red", "reddish", "blue"]
        ok: bool

    table = LogprobTable.from_wire(COLOURED)
    with_schema = LogprobTable.from_wire(COLOURED, schema=COLOURS).fields()
    assert repr(table.fields(schema=Coloured)) == repr(with_schema)


def test_true_and_false_are_what_a_boolean_may_be():
    field = LogprobTable.from_wire(COLOURED, schema=COLOURS).fields()["ok"]
    assert {label.label for label in field.allowed.labels} == {"true", "false"}
    assert field.share.low < 2 / 3 < field.share.high and field.allowed["true"].ratio == pytest.approx(2 / 3, rel=1e-3)
    assert field.unconstrained.low == pytest.approx(0.2)


def test_a_forced_value_without_a_list_has_what_the_model_gave_it_unconstrained():
    field = LogprobTable.from_wire(COLOURED).fields()["ok"]
    assert field.allowed is None and math.isnan(field.prob.low)
    assert float(field.unconstrained) == pytest.approx(0.2) and "forced; by itself 20.0 %" in repr(field)
    assert "by itself" in LogprobTable.from_wire(COLOURED).fields()._repr_html_()


@pytest.mark.parametrize(
    ("schema", "keys", "values"),
    [
        ({"properties": {"a": {"items": {"enum": [1, "x"]}}}}, ("a", 3), [1, "x"]),
        ({"prefixItems": [{"const": None}], "items": {"type": "string"}}, (0,), [None]),
        ({"prefixItems": [{"const": None}], "items": {"type": "string"}}, (1,), None),
        ({"properties": {"a": {"anyOf": [{"enum": ["x"]}, {"type": "null"}]}}}, ("a",), ["x", None]),
        ({"properties": {"a": {"anyOf": [{"enum": ["x"]}, {"type": "integer"}]}}}, ("a",), None),
        ({"additionalProperties": {"type": ["boolean", "null"]}}, ("b",), [True, False, None]),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, ("a",), None),
        ({"$ref": "#"}, ("a",), None),
        (7, ("a",), None),
    ],
)
def test_a_schema_lists_what_may_stand_at_a_place(schema, keys, values):
    assert allowed_values(schema, keys) == values
