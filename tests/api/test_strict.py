"""What strict functions ask of a schema, and schemas that are made so."""

import pytest

from ds_magic import ChatRequest, InvalidRequestError
from ds_magic.api.strict import made_strict, unfit

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def closed(**properties):
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def function(name, schema=None, strict=True):
    return {"type": "function", "function": {"name": name, "parameters": schema or closed(), "strict": strict}}


@pytest.mark.parametrize("schema", [
    {}, closed(), closed(a=TEXT, b=NUMBER), closed(a={"type": "array", "items": closed(b=TEXT)}),
    closed(a={"anyOf": [NUMBER, {"type": "null"}], "default": None}),
    {**closed(a={"$ref": "#/$defs/B"}), "$defs": {"B": closed(b={"enum": ["x", "y"]})}},
    closed(a={"type": "string", "pattern": "^x", "format": "email"}, b={"type": "number", "minimum": 0}),
    closed(minLength=TEXT, required=NUMBER, properties=TEXT),
])
def test_a_schema_in_which_all_is_required_and_nothing_else_allowed_is_fit(schema):
    assert unfit(schema) is None and made_strict(schema)[1] == []


@pytest.mark.parametrize(("schema", "where", "why"), [
    ({**closed(a=TEXT, b=TEXT), "required": ["a"]}, "", "`b` is not required"),
    ({"type": "object", "properties": {"a": TEXT}, "required": ["a"]}, "", "additionalProperties must be false"),
    (closed(a={"type": "object", "additionalProperties": NUMBER}), "properties.a", "in `a` other properties"),
    (closed(a={"type": ["object", "null"]}), "properties.a", "additionalProperties must be false"),
    (closed(a={"type": "string", "minLength": 1}), "properties.a", "in `a` there is minLength"),
    (closed(a={"type": "array", "maxItems": 3, "items": TEXT}), "properties.a", "in `a` there is maxItems"),
    (closed(a={"type": "array", "items": closed(b={"type": "string", "maxLength": 5})}),
     "properties.a.items.properties.b", "in `a.b` there is maxLength"),
    ({**closed(a={"$ref": "#/$defs/B"}), "$defs": {"B": {"type": "object", "properties": {"b": TEXT}}}},
     "$defs.B", "in `B` `b` is not required"),
    (closed(a={"anyOf": [NUMBER, {"type": "array", "minItems": 1}]}), "properties.a.anyOf.1", "minItems"),
])
def test_the_first_place_that_is_not_allowed_is_named_with_the_reason(schema, where, why):
    place, reason = unfit(schema)
    assert ".".join(place) == where and why in reason


def test_what_a_schema_holds_is_looked_at_however_deep_and_whatever_it_is():
    schema = {"type": "string", "minLength": 1}
    for _ in range(20_000):
        schema = {"type": "array", "items": schema}
    assert "minLength" in unfit(schema)[1]
    assert unfit({"type": "object", "properties": [1], "required": [{}], "additionalProperties": False}) is None
    assert "`a` is not" in unfit({"properties": {"a": 1}, "required": "a"})[1]


def test_made_strict_all_is_required_and_what_was_not_is_told_and_the_old_one_stays_as_it_was():
    inner = {"type": "object", "properties": {"c": TEXT, "d": {**TEXT, "default": "x"}}, "required": ["c"]}
    schema = {"type": "object", "properties": {"a": NUMBER, "b": {**NUMBER, "default": 2}, "inner": inner},
              "required": ["a", "inner"]}  # fmt: skip
    made, optional = made_strict(schema)
    assert unfit(made) is None and optional == ["b", "d"]
    assert made["properties"]["b"]["default"] == 2, "which the model may well take"
    assert schema["required"] == ["a", "inner"] and inner["required"] == ["c"]
    assert unfit(made_strict({"type": "object", "additionalProperties": NUMBER})[0]), "that cannot be mended"


@pytest.mark.parametrize(("tools", "field", "why"), [
    ([function("f"), function("g", strict=False)], "tools[1].function.strict", "all must be, or none"),
    ([function("g", strict=None), function("f")], "tools[0].function.strict", "all must be, or none"),
    ([function("f"), function("g", closed(a={"type": "string", "maxLength": 1}))],
     "tools[1].function.parameters.properties.a", "maxLength"),
])
def test_what_the_service_would_refuse_is_refused_before_it_is_sent_and_named(tools, field, why):
    with pytest.raises(InvalidRequestError) as caught:
        ChatRequest.build("Hi", tools=tools).prepared()
    assert caught.value.field == field and why in caught.value.message and "--strict" in caught.value.remedy


def test_functions_that_are_strict_go_to_beta_and_others_may_be_of_any_kind():
    request = ChatRequest.build("Hi", tools=[function("f"), function("g", closed(a=TEXT))])
    assert request.needs_beta and request.prepared().request is request
    loose = ChatRequest.build("Hi", tools=[function("f", {"type": "object", "minItems": 1}, strict=False)])
    assert not loose.needs_beta and loose.prepared().request is loose
