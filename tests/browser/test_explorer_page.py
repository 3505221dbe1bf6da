"""The exported explorer in Chromium, opened from disk with the network blocked."""

import pytest

from ds_magic.logprobs.table import LogprobTable

from .chromium import guarded
from .tables import contest, entry, hostile, long


@pytest.fixture(scope="module")
def page(browser):
    page = guarded(browser.new_page())
    page.set_viewport_size({"width": 1300, "height": 1000})
    yield page
    page.close()


@pytest.fixture
def show(page, tmp_path):
    """Export a table, open the file, and check that nothing failed and nothing was fetched."""

    def show(table):
        page.errors.clear()
        page.strangers.clear()
        page.goto(table.to_html(tmp_path / "page.html").as_uri())
        page.wait_for_selector(".dsx", state="attached")
        return page

    yield show
    assert page.errors == [] and page.strangers == []


def spans(page):
    return page.eval_on_selector_all(
        ".dsx-map .dsx-t", "all => all.map((one) => one.textContent.replaceAll('\\u200b', ''))"
    )


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('aria-label')")


def start(page):
    """Put the focus on the first token."""
    page.focus(".dsx-map [tabindex='0']")
    page.keyboard.press("Home")


def card(page):
    return page.inner_text(".dsx-card")


def test_every_token_is_drawn_with_its_white_space_and_split_characters_once(show):
    page = show(contest())
    assert spans(page) == ["The", "·capital", "·is", "·Paris", ".↵\n", "🚀", "·odd", "⟨end⟩"]


def test_everything_else_is_what_the_table_has(show):
    page = show(LogprobTable.from_wire([
        entry("a", 0.9925, [("a", 0.9925)]), entry("b", 0.999834, [("b", 0.999834)]), entry("c", 0.5, [("c", 0.5)]),
    ]))
    start(page)
    assert "everything else" in card(page) and "0.75 %" in card(page)
    page.keyboard.press("ArrowRight")
    assert "< 0.067 %" in card(page)


def test_the_keyboard_walks_the_tokens_with_one_tab_stop(show):
    page = show(contest())
    assert page.locator(".dsx-map [tabindex='0']").count() == 1
    start(page)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert focused(page) == "token ' Paris', 87.0 percent, rank 1"
    page.keyboard.press("End")
    assert focused(page).startswith("token '⟨end⟩'")
    page.keyboard.press("Home")
    assert focused(page).startswith("token 'The'")
    page.keyboard.press("ArrowDown")
    assert "🚀" in focused(page)
    assert page.locator(".dsx-map [tabindex='0']").count() == 1


def test_a_censored_token_is_read_as_a_bound(show):
    page = show(contest())
    start(page)
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert "at most" in focused(page) and "rank above 1" in focused(page)
    assert "only bounded" in card(page) and "9999" not in card(page)


def test_the_card_has_the_alternatives_with_cumulative_shares_and_everything_else(show):
    page = show(contest())
    page.click("text=·Paris")
    rows = page.eval_on_selector_all(
        ".dsx-alternative", "all => all.map((one) => one.innerText.replace(/\\s+/g, ' ').trim())"
    )
    assert rows == [
        "▸ ·Paris 87.0 % 87.0 %",
        "·Lyon 5.0 % 92.0 %",
        "·Nice 1.0 % 93.0 %",
        "everything else 7.0 %",
    ]
    assert '" Paris"' in card(page) and "20 50 61 72 69 73" in card(page)


def test_a_probability_too_small_for_the_payload_is_shown_as_a_bound(show):
    tiny = {"token": "x", "bytes": [120], "logprob": -70.0}
    page = show(LogprobTable.from_wire([{**entry("a", 0.9), "top_logprobs": [entry("a", 0.9), tiny]}]))
    assert "< 1e-14" in card(page) and "4e-31" not in card(page)


def test_a_click_pins_the_card_and_escape_lets_go_of_it_then_closes_it(show):
    page = show(contest())
    page.click("text=·Paris")
    assert "pinned" in card(page)
    page.hover("text=·capital")
    assert "·Paris" in card(page)
    page.keyboard.press("Escape")
    assert "pinned" not in card(page)
    page.hover("text=·is")
    assert "·is" in card(page)
    page.mouse.move(5, 5)
    page.keyboard.press("Escape")
    assert not page.is_visible(".dsx-card")
    page.keyboard.press("Enter")
    assert "pinned" in card(page)


def test_a_split_character_lists_its_parts(show):
    page = show(contest())
    page.click("text=🚀")
    parts = page.eval_on_selector_all(".dsx-part", "all => all.map((one) => one.textContent)")
    assert parts == ["⟨F0⟩ 90.0 %", "⟨9F⟩ 90.0 %", "⟨9A⟩ 90.0 %", "⟨80⟩ 90.0 %"]
    page.click(".dsx-part >> nth=2")
    assert "bytes\n9A" in card(page)


def test_n_and_p_go_round_the_uncertain_tokens_and_the_threshold_says_which(show):
    page = show(contest())
    assert "2 tokens ≥ 4 bits" in page.inner_text(".dsx-uncertain")
    start(page)
    page.keyboard.press("n")
    assert focused(page).startswith("token '.")
    page.keyboard.press("n")
    assert focused(page).startswith("token ' odd'")
    page.keyboard.press("n")
    assert focused(page).startswith("token '.")
    page.keyboard.press("p")
    assert focused(page).startswith("token ' odd'")
    page.fill(".dsx-slider", "6")
    assert "1 token ≥ 6 bits" in page.inner_text(".dsx-uncertain")


def test_changing_the_metric_recolours_by_fixed_classes_and_changes_the_legend(show):
    page = show(contest())
    colour = "(span) => getComputedStyle(span).backgroundColor"
    before = page.locator(".dsx-t", has_text="Paris").evaluate(colour)
    assert before == "rgba(0, 0, 0, 0)" and "≥ 7" in page.inner_text(".dsx-legend")
    page.click("role=radio[name='probability']")
    assert page.locator(".dsx-t", has_text="Paris").evaluate(colour) == "rgba(72, 134, 138, 0.15)"
    assert "< 1 %" in page.inner_text(".dsx-legend") and "≥ 7" not in page.inner_text(".dsx-legend")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("role=radio[name='rank']", "aria-checked") == "true"


def test_search_marks_matches_across_tokens(show):
    page = show(contest())
    page.fill(".dsx-search", "capital is P")
    assert page.eval_on_selector_all(".dsx-match", "all => all.map((one) => one.textContent.trim())") == [
        "\u200b·capital",
        "\u200b·is",
        "\u200b·Paris",
    ]
    assert "3 tokens found" in page.inner_text(".dsx-status")
    page.keyboard.press("Escape")
    assert page.locator(".dsx-match").count() == 0


def test_no_token_becomes_markup(show):
    page = show(hostile())
    for span in range(len(spans(page))):
        page.evaluate(f"document.querySelectorAll('.dsx-map .dsx-t')[{span}].click()")
    page.wait_for_load_state("networkidle")
    assert page.title() == "Token probabilities"
    assert page.locator("#explorer img, #explorer b, #explorer script").count() == 0
    assert "</script><script>" in "".join(spans(page)).replace("·", " ")
    assert "\u202e" not in page.inner_text("#explorer")


def test_brushing_the_overview_scrolls_a_long_answer(show):
    page = show(long())
    box = page.locator(".dsx-overview").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + 10)
    page.wait_for_function(
        """() => { const map = document.querySelector('.dsx-map').getBoundingClientRect();
        const seen = [...document.querySelectorAll('.dsx-t')].findIndex((t) => t.getBoundingClientRect().top > map.top);
        return 3500 < seen && seen < 4700; }"""
    )


def test_search_goes_to_a_match_far_away(show):
    page = show(long())
    page.fill(".dsx-search", "w500")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_function(
        """() => { const map = document.querySelector('.dsx-map').getBoundingClientRect();
        const found = document.querySelector('.dsx-current');
        const span = found?.getBoundingClientRect();
        return span?.top >= map.top && span.bottom <= map.bottom && found.textContent.includes('w500'); }"""
    )


def test_an_empty_table_opens(show):
    assert "The answer, 0 tokens" in show(contest()[:0]).get_attribute(".dsx-map", "aria-label")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_schemes(show, scheme):
    page = show(contest())
    page.emulate_media(color_scheme=scheme)
    ink = page.locator(".dsx-map .dsx-t").first.evaluate("(span) => getComputedStyle(span).color")
    paper = page.locator("body").evaluate("(body) => getComputedStyle(body).backgroundColor")
    light = ("rgba(0, 0, 0, 0.87)", "rgb(255, 255, 255)")
    assert (ink, paper) == (light if scheme == "light" else ("rgb(255, 255, 255)", "rgb(17, 17, 17)"))
