import math

from ds_magic.logprobs.bounded import Bounded
from ds_magic.logprobs.table import LogprobTable
from ds_magic.views.tokens.small_tables import bounded_percent


def entry(text, p, alternatives=()):
    tops = [{"token": name, "logprob": math.log(share), "bytes": None} for name, share in alternatives]
    return {"token": text, "bytes": None, "logprob": math.log(p), "top_logprobs": tops}


def test_fields_are_a_table_with_shared_tokens_marked():
    page = (
        LogprobTable.from_wire([entry('{"a": ', 0.9), entry('"<b>",', 0.5), entry('"n": 1}', 0.25)])
        .fields()
        ._repr_html_()
    )
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert "50.0 %" in page and "25.0 %" in page
    assert "also holds punctuation" in page


def test_an_answer_without_json_says_so():
    assert "No JSON values" in LogprobTable.from_wire([entry("hello", 0.5)]).fields()._repr_html_()


def test_another_temperature_is_shown_beside_what_came_with_its_interval():
    table = LogprobTable.from_wire([entry("a", 0.6, [("a", 0.6), ("<b>", 0.3)])], vocabulary_size=1000)
    page = table.at_temperature(1.5)._repr_html_()
    assert "60.0 %" in page and " – " in page and "not returned" in page and "&lt;b&gt;" in page
    assert "33.3 %" not in table.at_temperature(0)._repr_html_() and "> 99.9 %" in table.at_temperature(
        0
    )._repr_html_().replace("&gt;", ">")


def test_bounds_are_shown_as_bounds():
    shown = [
        bounded_percent(Bounded(low, high)) for low, high in ((0.5, 0.5), (0, 0.03), (0.1, 0.2), (math.nan, math.nan))
    ]
    assert shown == ["50.0 %", "≤ 3.0 %", "10.0 % – 20.0 %", "—"]
