import dataclasses
import datetime
from typing import TypedDict

import pytest
from pydantic import BaseModel

from ds_magic.api.errors import InvalidRequestError
from ds_magic.api.request import ChatRequest
from ds_magic.api.response import ChatCompletion
from ds_magic.conversation.answer_schema import (
    AnySchema,
    Schema,
    SchemaUse,
    UnfitAnswerError,
    parse_answer,
    repair_messages,
)


class Invoice(BaseModel):
    number: int
    due: datetime.date


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Person(TypedDict, total=False):
    name: str


RAW = {
    "type": "object",
    "properties": {"pet": {"$ref": "#/$defs/Pet"}},
    "required": ["pet"],
    "$defs": {"Pet": {"enum": ["cat", "dog"]}},
}


def said(text, finish="stop", prefix=None):
    messages = [{"role": "user", "content": "json"}]
    if prefix:
        messages.append({"role": "assistant", "content": prefix, "prefix": True})
    return ChatCompletion.from_wire(
        {"choices": [{"message": {"content": text}, "finish_reason": finish}]},
        request=ChatRequest.build(messages, response_format={"type": "json_object"}),
    )


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Invoice, '{"number": 7, "due": "2026-01-02"}', Invoice(number=7, due=datetime.date(2026, 1, 2))),
        (Point, '{"x": 1}', Point(1, 0)),
        (Person, '{"name": "Ada"}', {"name": "Ada"}),
        (list[int], '{"value": [1, 2]}', [1, 2]),
        (int | None, '{"value": null}', None),
        (list[Person], '{"value": [{"name": "Ada"}]}', [{"name": "Ada"}]),
        (dict[str, int], '{"a": 1}', {"a": 1}),
        (list[Invoice], '{"value": []}', []),
        (RAW, '{"pet": "cat"}', {"pet": "cat"}),
        ({"type": "array", "items": {"$ref": "#/$defs/P"}, "$defs": {"P": {"enum": [1]}}}, '{"value": [1]}', [1]),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_an_answer_becomes_the_object_that_was_asked_for(kind, text, value):
    completion = said(text)
    assert parse_answer(completion, Schema(kind, "T")) == value
    assert completion.parsed == value


@pytest.mark.parametrize(
    ("server", "kind", "told"),
    [
        ({"is_embedded": False, "is_deepseek": True}, "json_object", True),
        ({"is_embedded": True, "is_deepseek": False}, "json_schema", False),
        ({"is_embedded": False, "is_deepseek": False}, "json_schema", True),
    ],
    ids=["DeepSeek", "embedded", "another"],
)
def test_each_kind_of_server_is_told_of_a_schema_in_its_way(server, kind, told):
    schema, use = Schema(Invoice, "Invoice"), SchemaUse.at(**server)
    sent = schema.response_format(use)
    assert sent["type"] == kind
    assert kind == "json_object" or sent["json_schema"]["schema"]["required"] == ["number", "due"]
    assert ('"number": {"type": "integer"}' in (schema.instructions(use) or "")) == told


@pytest.mark.parametrize(
    ("text", "finish", "says"),
    [
        ("", "stop", "blank"),
        (" \n\n ", "length", "blank"),
        ('{"number": 7, "du', "length", "cut off"),
        ('{"number": 7,}', "stop", "column 14"),
        ("Sure! {}", "stop", "line 1, column 1"),
        ("[1]", "stop", "not a JSON object"),
        ('{"number": "x", "due": "2026-01-02"}', "stop", "number: "),
        ('{"number": 7}', "stop", "due: Field required"),
        ('{"a": ' * 100_000, "stop", ""),
    ],
)
def test_an_answer_that_does_not_fit_is_an_error_with_the_text_and_the_place(text, finish, says):
    completion = said(text, finish)
    with pytest.raises(UnfitAnswerError) as caught:
        parse_answer(completion, Schema(Invoice, "Invoice"))
    assert says in str(caught.value) and caught.value.partial is completion
    assert text[:10].strip() in str(caught.value)


def test_a_json_schema_says_what_does_not_fit():
    with pytest.raises(UnfitAnswerError, match="pet: 'cow' is not one of"):
        parse_answer(said('{"pet": "cow"}'), Schema(RAW, "RAW"))


def test_json_without_a_schema_is_any_object():
    completion = said('{"a": [1]}')
    assert parse_answer(completion, AnySchema()) == {"a": [1]} == completion.parsed


def test_a_prefix_is_part_of_the_json():
    assert parse_answer(said("1}", prefix='{"x": '), Schema(Point, "Point")) == Point(1)


def test_a_repair_tells_the_model_its_answer_and_what_is_wrong():
    answer = said('{"x": "one"}')
    with pytest.raises(UnfitAnswerError) as caught:
        parse_answer(answer, Schema(Point, "Point"))
    said_before, told = repair_messages(answer, caught.value.reason)
    assert said_before == {"role": "assistant", "content": '{"x": "one"}'}
    assert "x: " in told["content"]


NO_TYPES = [42, "Invoice", len, object(), {"type": "no such type"}, {"properties": 1}]


@pytest.mark.parametrize("kind", NO_TYPES, ids=[*"012345"])
def test_what_is_no_type_is_refused(kind):
    with pytest.raises(InvalidRequestError, match="T"):
        Schema(kind, "T")


class Opaque:
    pass


def test_a_type_that_json_cannot_say_is_refused():
    with pytest.raises(InvalidRequestError, match="has no JSON Schema"):
        Schema(Opaque, "Opaque")


def test_a_number_of_too_many_digits_is_an_answer_that_does_not_fit():
    for text in ("7" * 5000, f'{{"a": {"7" * 5000}}}'):
        completion = ChatCompletion.from_wire({"choices": [{"message": {"content": text}}]})
        with pytest.raises(UnfitAnswerError):
            parse_answer(completion, Schema(list[int], "x"))
