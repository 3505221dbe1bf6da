"""The exported explorer in Chromium, opened from disk with the network blocked."""

import pytest

from ds_magic import ChatCompletion, ChatRequest
from ds_magic.logprobs.table import LogprobTable

from .accessible import troubles
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
    """The text of the card that floats beside a token."""
    page.wait_for_selector(".dsx-floating:popover-open")
    return page.inner_text(".dsx-floating")


def unfold(page):
    page.click(".dsx-floating summary")


def box(page, selector):
    return page.locator(selector).first.bounding_box()


@pytest.fixture
def many():
    """Enough tokens that there is something to search in."""
    return LogprobTable.from_wire(
        [*[entry(f" w{i}", 0.9, [(f" w{i}", 0.9)]) for i in range(30)], entry(" rare", 0.02, [(" rare", 0.02)]),
         entry(" odd", 0.01, [(" odd", 0.01)])], vocabulary_size=50_000,
    )  # fmt: skip


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
        "▸·Paris chosen 87.0 % 87.0 %",
        "·Lyon 5.0 % 92.0 %",
        "·Nice 1.0 % 93.0 %",
        "everything else (49,997 others) 7.0 %",
    ]
    heads = page.locator(".dsx-floating th").all_inner_texts()
    assert heads == ["token", "probability", "cumulative"] and "20 50 61" not in card(page)
    unfold(page)
    assert '" Paris"' in card(page) and "20 50 61 72 69 73" in card(page)


def test_the_first_six_alternatives_are_drawn_and_the_others_unfold(show):
    page = show(long(40))
    page.click(".dsx-map .dsx-t >> nth=1")
    rows = page.locator(".dsx-floating tbody tr")
    assert rows.count() == 7 and "49,994 others" in rows.last.inner_text()
    assert "9.7 %" in rows.last.inner_text()
    page.click("text=14 more")
    assert rows.count() == 21 and "49,980 others" in rows.last.inner_text() and "4.0 %" in rows.last.inner_text()
    page.keyboard.press("Escape")
    page.click(".dsx-map .dsx-t >> nth=2")
    assert rows.count() == 21
    page.click("text=fewer")
    assert rows.count() == 7


def test_the_cell_that_asks_for_a_text_is_copied_and_nothing_is_offered_where_there_is_none(show):
    asked = ChatRequest.build("Capital of </script>?", prefix=" It's «")
    choice = {"message": {"content": "x"}, "logprobs": {"content": [entry("x", 0.5)]}}
    answer = ChatCompletion.from_wire({"choices": [choice]}, request=asked)
    page = show(answer)
    assert page.locator(".dsx-actions button").all_inner_texts() == ["Copy as cell"]
    page.click("text=Copy as cell")
    page.wait_for_selector("button:text('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == answer.as_cell()
    assert page.inner_text(".dsx-status") == "Copied"
    page.wait_for_selector("button:text('Copy as cell')")
    page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('no')))")
    page.click("text=Copy as cell")
    page.wait_for_selector("button:text('Not allowed here')")
    assert show(contest()).locator(".dsx-actions").count() == 0


def test_a_saved_page_says_why_nothing_can_be_gone_on_with(show):
    page = show(contest())
    page.click("text=·Paris")
    assert page.locator(".dsx-floating table button").count() == 0 and "A saved page cannot ask" in card(page)


def test_a_probability_too_small_for_the_payload_is_shown_as_a_bound(show):
    tiny = {"token": "x", "bytes": [120], "logprob": -70.0}
    page = show(LogprobTable.from_wire([{**entry("a", 0.9), "top_logprobs": [entry("a", 0.9), tiny]}]))
    start(page)
    assert "< 1e-14" in card(page) and "4e-31" not in card(page)


def test_the_chosen_token_has_one_share_in_all_places(show):
    page = show(LogprobTable.from_wire([entry("a", 0.08352, [("b", 0.1), ("a", 0.08352)])]))
    start(page)
    assert page.inner_text(".dsx-card-head .dsx-strong") == "8.4 %"
    assert page.inner_text(".dsx-chosen .dsx-end").strip() == "8.4 %"


def test_a_click_pins_the_card_and_escape_lets_go_of_it(show):
    page = show(contest())
    page.click("text=·is")
    page.click("text=·Paris")
    assert "·Paris" in card(page) and page.locator(".dsx-floating.dsx-pinned").count() == 1
    assert page.locator(".dsx-pin").count() == 1
    page.hover("text=·capital")
    page.wait_for_timeout(400)
    assert "·Paris" in card(page)
    page.keyboard.press("Escape")
    page.wait_for_selector(".dsx-floating", state="hidden")
    assert focused(page).startswith("token ' Paris'")
    page.keyboard.press("Enter")
    assert page.locator(".dsx-pin").inner_text().strip("\u200b") == "·Paris" and "·Paris" in card(page)


def test_the_pointer_brings_a_card_and_may_go_into_it(show):
    page = show(contest())
    page.hover("text=·Paris")
    assert "·Lyon" in card(page)
    page.hover(".dsx-floating summary")
    page.wait_for_timeout(400)
    assert "·Lyon" in card(page)
    page.mouse.move(5, 5)
    page.wait_for_selector(".dsx-floating", state="hidden")


@pytest.mark.parametrize("width", [600, 1300])
def test_a_card_stands_beside_its_token_and_within_the_explorer(show, width):
    page = show(long(400))
    page.set_viewport_size({"width": width, "height": 640})
    frame = box(page, ".dsx-stage")
    sides = set()
    for at in range(0, 150, 11):
        token = page.locator(".dsx-map .dsx-t").nth(at)
        token.click()
        card(page)
        lines = token.evaluate("span => [...span.getClientRects()].filter(r => r.width).map(r => [r.top, r.bottom])")
        here = box(page, ".dsx-floating")
        assert here["x"] >= frame["x"] - 1 and here["x"] + here["width"] <= frame["x"] + frame["width"] + 1
        is_below = here["y"] >= max(bottom for _, bottom in lines)
        assert is_below or here["y"] + here["height"] <= lines[0][0]
        assert here["y"] >= 0 and here["y"] + here["height"] <= 640
        sides.add(is_below)
    assert sides == {True, False}
    page.set_viewport_size({"width": 1300, "height": 1000})


def test_several_tokens_are_pinned_beside_each_other_and_let_go_one_by_one(show):
    page = show(contest())
    page.click("text=·Paris")
    page.click("text=·is", modifiers=["Shift"])
    heads = ".dsx-cards .dsx-token"
    assert page.locator(heads).all_inner_texts() == ["·Paris", "·is"]
    assert not page.is_visible(".dsx-floating") and "2 tokens" in page.inner_text("[role=status]")
    first, second = (page.locator(".dsx-cards .dsx-card").nth(at).bounding_box() for at in (0, 1))
    assert first["y"] == second["y"] and second["x"] > first["x"] + first["width"]
    page.click(".dsx-cards [aria-label='Let go of the card'] >> nth=0")
    assert "·is" in card(page) and page.locator(".dsx-cards .dsx-card").count() == 0


def test_a_token_is_marked_in_the_text_where_it_is_pointed_at_in_the_overview(show):
    page = show(long(400))
    canvas = box(page, ".dsx-overview")
    page.mouse.move(canvas["x"] + canvas["width"] / 2, canvas["y"] + 10)
    assert page.locator(".dsx-linked").evaluate("span => span.group") == 200
    picture = "canvas => canvas.toDataURL()"
    before = page.locator(".dsx-overview").evaluate(picture)
    page.hover(".dsx-map .dsx-t >> nth=20")
    assert page.locator(".dsx-overview").evaluate(picture) != before


def test_a_short_answer_has_no_overview_and_no_room_below_it(show):
    page = show(contest())
    assert not page.is_visible(".dsx-overview") and not page.is_visible(".dsx-search")
    assert box(page, ".dsx-stage")["height"] < 80


def test_a_split_character_lists_its_parts(show):
    page = show(contest())
    page.click("text=🚀")
    parts = page.eval_on_selector_all(".dsx-part", "all => all.map((one) => one.textContent)")
    assert parts == ["⟨F0⟩ 90.0 %", "⟨9F⟩ 90.0 %", "⟨9A⟩ 90.0 %", "⟨80⟩ 90.0 %"]
    assert "4 tokens make 🚀. This is part 1" in card(page)
    page.click(".dsx-part >> nth=2")
    unfold(page)
    assert "bytes\n9A" in card(page) and "This is part 3" in card(page)


def test_n_and_p_go_round_the_uncertain_tokens_and_the_threshold_says_which(show, many):
    page = show(many)
    assert "2 tokens ≥ 4 bits" in page.inner_text(".dsx-uncertain")
    start(page)
    for key, name in (("n", " rare"), ("n", " odd"), ("n", " rare"), ("p", " odd")):
        page.keyboard.press(key)
        assert focused(page).startswith(f"token '{name}'")
    page.fill(".dsx-slider", "6")
    assert "1 token ≥ 6 bits" in page.inner_text(".dsx-uncertain")


def test_changing_the_metric_recolours_by_fixed_classes_and_changes_the_legend(show):
    page = show(contest())
    colour = "(span) => getComputedStyle(span).backgroundColor"
    before = page.locator(".dsx-t", has_text="Paris").evaluate(colour)
    assert before == "rgba(0, 0, 0, 0)" and "4 – 7" in page.inner_text(".dsx-legend")
    page.click("role=radio[name='probability']")
    assert page.locator(".dsx-t", has_text="Paris").evaluate(colour) == "rgba(72, 134, 138, 0.15)"
    assert "< 1 %" in page.inner_text(".dsx-legend") and "4 – 7" not in page.inner_text(".dsx-legend")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("role=radio[name='rank']", "aria-checked") == "true"


def test_search_marks_matches_across_tokens(show, many):
    page = show(many)
    page.fill(".dsx-search", "w7 w8 w")
    marked = page.eval_on_selector_all(".dsx-match", "all => all.map((one) => one.textContent.trim())")
    assert marked == ["\u200b·w7", "\u200b·w8", "\u200b·w9"]
    assert "3 tokens found" in page.inner_text("[role=status]")
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


def test_an_answer_that_is_read_from_the_right_keeps_its_side_and_its_arrow_keys(show):
    page = show(LogprobTable.from_wire([entry(" عاصمة", 0.9), entry(" فرنسا", 0.9), entry(" باريس", 0.5)]))
    frame, words = box(page, ".dsx-map"), [page.locator(".dsx-map .dsx-t").nth(at).bounding_box() for at in range(3)]
    assert words[0]["x"] + words[0]["width"] > frame["x"] + frame["width"] - 20 and words[1]["x"] < words[0]["x"]
    start(page)
    page.keyboard.press("ArrowLeft")
    assert "فرنسا" in focused(page)


def test_the_legend_tells_what_a_grammar_forced_from_what_is_not_known(show):
    page = show(LogprobTable.from_wire([entry("{", 0.5) | {"constrained": True}, entry("a", 0.2)]))
    assert "forced by a grammar" in page.inner_text(".dsx-legend") and "not known" not in page.inner_text(".dsx-legend")


def test_what_is_code_in_a_note_is_drawn_as_code(page, tmp_path):
    noted = ChatCompletion.from_wire(
        {"choices": [{"message": {"content": "a"}, "logprobs": {"content": [entry("a", 0.5)]}}]},
        notes=["`%ds_login` takes a <key>."],
    )
    page.goto(noted.to_html(tmp_path / "noted.html").as_uri())
    assert page.inner_text(".dsx-remarks") == "Note: %ds_login takes a <key>."
    assert page.inner_text(".dsx-remarks code") == "%ds_login"


@pytest.mark.parametrize("width", [600, 1400])
def test_nothing_is_cut_off_at_the_side_of_a_page(show, width):
    page = show(long(400))
    page.set_viewport_size({"width": width, "height": 900})
    page.click(".dsx-map .dsx-t >> nth=3")
    page.click(".dsx-map .dsx-t >> nth=5", modifiers=["Shift"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wide = "all => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className)"
    assert page.eval_on_selector_all(".dsx-map, .dsx-tools, .dsx-cards .dsx-card, .dsx-alternatives", wide) == []
    page.set_viewport_size({"width": 1300, "height": 1000})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_of_the_page_hinders_a_reader(show, many, scheme):
    page = show(many)
    page.emulate_media(color_scheme=scheme)
    page.click(".dsx-map .dsx-t >> nth=30")
    unfold(page)
    assert troubles(page, "body") == []
    page.emulate_media(color_scheme="light")


def test_a_card_that_is_closed_gives_the_focus_back_to_its_token(show):
    page = show(contest())
    page.click("text=·Paris")
    page.click(".dsx-floating [aria-label='Let go of the card']")
    assert focused(page).startswith("token ' Paris'")
