"""Columns of a terminal, where a character may take none, one or two."""

import pytest

from ds_magic.views.terminal_width import columns, fit

FAMILY = "👨\u200d👩\u200d👧\u200d👦"


@pytest.mark.parametrize(
    ("text", "taken"),
    [("abc", 3), ("日本", 4), (FAMILY, 2), ("e\u0301", 1), ("می\u200cخواهم", 7), ("❤\ufe0f", 2), ("🇩🇪", 2), ("", 0)],
)
def test_columns_are_those_of_a_terminal(text, taken):
    assert columns(text) == taken


@pytest.mark.parametrize("text", ["abc", "日本語テキスト", FAMILY * 5, "e\u0301" * 9, "می\u200cخواهم کتاب", "a日" * 4])
@pytest.mark.parametrize("size", [5, 6, 7])
def test_text_is_padded_or_cut_to_its_columns(text, size):
    shown = fit(text, size)
    assert columns(shown) == size
    assert shown.rstrip() == text or shown.rstrip(" ").endswith("…")


def test_no_character_is_cut_in_two():
    assert fit(FAMILY * 3, 4) == FAMILY + "… "
    assert fit("日本語", 4) == "日… "


def test_a_report_of_usage_is_aligned_where_a_name_is_wide():
    from ds_magic.api.spent import UsageLog
    from ds_magic.api.usage import Usage
    from ds_magic.magics.usage_report import UsageReport

    log = UsageLog()
    for model in ("日本語モデル", "tiny", FAMILY):
        log.add(model, "here", Usage(prompt_tokens=1, completion_tokens=1))
    titles, *rows = repr(UsageReport(log.sums, {})).splitlines()[:4]
    assert {columns(row.split("here")[0]) for row in rows} == {columns(titles.split("where")[0])}


def test_the_panel_of_an_error_is_no_wider_than_asked():
    import re

    from ds_magic.api.errors import DeepSeekError
    from ds_magic.views.panel import panel

    lines = panel(DeepSeekError("模型不存在" * 20, remedy=FAMILY * 30), width=40)
    assert len(lines) > 5
    assert max(columns(re.sub(r"\x1b\[\d+m", "", line)) for line in lines) <= 40
