import math
import re
from html.parser import HTMLParser

import pytest

from ds_magic.logprobs.table import LogprobTable
from ds_magic.views.size import widest_tint
from ds_magic.views.tokens import numbers, tables, tables_text, tints

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><b>",
    "a\nb\tc\r",
    "\x00\x07",
    "\u202eevil\u2066",
    "\ud83d",
    "| `x` | ![y](javascript:1) <svg onload=1>",
    "\u0301\u0302",
    "שלום",
    "\u200d",
    "x" * 5000,
]


def entry(token, p, alternatives=(), **fields):
    tops = [{"token": name, "logprob": math.log(share), "bytes": None} for name, share in alternatives]
    return {"token": token, "logprob": math.log(p), "bytes": None, "top_logprobs": tops, **fields}


CONTEST = [
    entry(" Canberra", 0.57, [(" Canberra", 0.57), (" Sydney", 0.38), (" Port", 0.007)]),
    entry(".", 0.51, [(".", 0.51), (",", 0.46)]),
    entry("", 0.69, [("", 0.69), (" It", 0.04)]),
]


TAGS = {"div", "span", "table", "thead", "tbody", "tr", "th", "td", "b", "i", "bdi", "br", "wbr", "details", "summary"}


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found, self.attributes, self.text, self.open = set(), set(), "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in ("br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def all_forms(table):
    return tables.to_html(table), tables.to_text(table), tables.to_markdown(table)


def all_texts(table):
    """What is read of each form."""
    html, *texts = all_forms(table)
    return Tags(html).text, *texts


def test_a_short_answer_shows_bars_with_everything_else_and_the_chosen_token_marked():
    text = Tags(tables.to_html(LogprobTable.from_wire(CONTEST, model="smollm2"))).text
    assert "57.0 %" in text and "·Sydney" in text and "38.0 %" in text
    assert "▸ ·Canberra" in text
    assert "49,149 others4.3 %" in text
    assert "⟨end⟩" in text


def test_a_long_answer_shows_its_least_certain_tokens_and_no_bars():
    table = LogprobTable.from_wire([entry(f"t{i}", 0.9 - i / 100) for i in range(50)])
    for form in (tables.least_certain_html(table), *all_forms(table)[1:]):
        assert "Least certain tokens (10 of 50)" in form
        assert "others" not in form
        assert "t49" in form and "t20" not in form


def test_what_else_was_nearly_said_is_broken_before_a_token_and_not_before_a_blank():
    uncertain = entry("a", 0.1, [("b", 0.5), ("c", 0.2), ("a", 0.1)])
    text = Tags(tables.to_html(LogprobTable.from_wire([uncertain] * 30))).text
    assert "b\xa050.0\xa0%\xa0\xa0 c\xa020.0\xa0%" in text


def test_a_chosen_token_outside_the_first_five_has_a_bar_of_its_own():
    tops = [(name, 0.15) for name in "abcde"]
    bars = numbers.bars(LogprobTable.from_wire([entry("z", 0.05, tops)])[0])
    assert [bar.kind for bar in bars] == ["alternative"] * 5 + ["chosen", "rest"]
    assert sum(bar.prob for bar in bars) == pytest.approx(1.0)


def test_a_censored_token_shows_a_bound_and_never_a_number():
    table = LogprobTable.from_wire([{**entry("z", 0.5, [("a", 0.6), ("b", 0.343)]), "logprob": -9999.0}])
    row = table[0]
    assert numbers.chance(row) == "< 0.31 %"
    assert math.exp(row.logprob_upper) <= 0.0031
    assert numbers.rank_text(row) == "> 2"
    assert numbers.bits(row).startswith("≥ 8.")
    for form in all_forms(table):
        assert "0.31 %" in form and "9999" not in form and "50.0 %" not in form


def test_a_missing_probability_shows_as_a_dash():
    table = LogprobTable.from_wire([{**entry("z", 0.5), "logprob": None}])
    assert numbers.chance(table[0]) == numbers.bits(table[0]) == numbers.rank_text(table[0]) == "—"
    for form in all_forms(table):
        assert "%" not in form


def test_zeros_throughout_are_never_drawn_as_a_hundred_percent():
    table = LogprobTable.from_wire([entry("a", 1.0, [("a", 1.0)]), entry("b", 1.0)])
    for form in all_texts(table):
        assert "%" not in form
    assert "no probability distribution" in tables.table_html(table)


def test_an_answer_of_censored_tokens_alone_shows_no_number():
    table = LogprobTable.from_wire([{**entry(token, 0.5), "logprob": -9999.0} for token in ("a", "b")])
    assert table.status.tolist() == ["censored", "censored"]
    for form in all_texts(table):
        assert "%" not in form and "9999" not in form
    assert "only bounds are known" in tables.table_html(table)


def test_an_empty_table_shows_nothing_but_its_frame():
    for form in all_forms(LogprobTable.from_wire([])):
        assert "%" not in form and "None" not in form


@pytest.mark.parametrize("token", HOSTILE)
def test_a_hostile_token_stays_text(token):
    tops = [(token, 0.3), ("plain", 0.2)]
    for entries in ([entry(token, 0.3, tops)], [entry(token, 0.3, tops)] * 20):
        table = LogprobTable.from_wire(entries, content=token)
        html, text, markdown = all_forms(table)
        tags = Tags(html)
        assert tags.found <= TAGS
        assert tags.attributes <= {"style", "class", "title", "dir"}
        assert not tags.open
        for form in (html, text, markdown):
            form.encode("utf-8")
            assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069]", form)
        assert "<img" not in markdown and "<svg" not in markdown and "![" not in markdown
        assert len(html) < 80_000
        assert all(tables_text.columns(line) <= 80 for line in text.splitlines())


def test_a_pipe_in_a_token_does_not_break_the_markdown_table():
    markdown = tables.to_markdown(LogprobTable.from_wire([entry("a|b", 0.3)] * 20))
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}


def test_nothing_relies_on_style_sheets_scripts_or_classes_of_its_own():
    html = tables.to_html(LogprobTable.from_wire(CONTEST))
    assert not re.search(r"<(script|style|svg)|data-|var\(|url\(", html)
    assert set(re.findall(r'class="([^"]*)"', html)) == {"mathjax_ignore tex2jax_ignore"}


def luminance(colour):
    parts = (c / 255 for c in colour)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def over(top, alpha, below):
    return tuple(alpha * t + (1 - alpha) * b for t, b in zip(top, below, strict=True))


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


# JupyterLab 4: --jp-layout-color0 (and 1 in dark) behind --jp-content-font-color1.
THEMES = {
    "light": ((255, 255, 255), (0, 0, 0), 0.87),
    "dark": ((17, 17, 17), (255, 255, 255), 1.0),
    "dark cell": ((33, 33, 33), (255, 255, 255), 0.87),
}


@pytest.mark.parametrize("theme", THEMES)
def test_text_on_the_strongest_tint_has_a_contrast_of_at_least_4_5(theme):
    page, ink, alpha = THEMES[theme]
    for step in range(101):
        under = over(tints.TINT, widest_tint() * step / 100, page)
        assert contrast(over(ink, alpha, under), under) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_bars_stand_out_from_the_page(theme):
    page, _, _ = THEMES[theme]
    assert contrast(tints.TINT, page) >= 3.0


def test_a_rest_that_is_little_more_than_the_error_of_a_sum_is_a_bound():
    shown = [numbers.remainder(rest) for rest in (0.043, 0.0051, 0.00015, 0.0, math.nan)]
    assert shown == ["4.3 %", "0.51 %", "< 0.065 %", "< 0.050 %", "—"]


def test_percentages_have_about_two_digits_and_never_pretend_certainty():
    shown = [numbers.percent(p) for p in (0.57, 0.0099, 0.00043, 9.2e-6, 0.99999, 1e-9, 0.0, math.nan)]
    assert shown == ["57.0 %", "0.99 %", "0.043 %", "0.00092 %", "> 99.9 %", "1e-09", "≈ 0 %", "—"]
