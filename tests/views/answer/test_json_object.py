import pytest

from ds_magic.views.answer.json_object import partial_object, to_html


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, "b": "hal', {"a": 1, "b": "hal"}),
        ('{"a": [1, 2', {"a": [1, 2]}),
        ('{"a', {}),
        ("{", {}),
        ("", None),
        ("Sure", None),
        ("[1", None),
        ('{"a": ' * 100_000, None),
    ],
)
def test_what_has_come_of_an_object_is_known(text, value):
    assert partial_object(text) == value


def test_fields_that_are_still_to_come_are_shown_as_such():
    html = to_html({"number": 7, "extra": [1]}, ["number", "due"])
    assert html.index("number") < html.index("due") < html.index("extra")
    assert html.count("…") == 1


def test_what_a_model_says_never_becomes_markup():
    html = to_html({"<script>": "</td><img src=x onerror=alert(1)>\u202e"})
    assert "<script>" not in html and "<img" not in html and "\u202e" not in html
