"""The explorer and the static form in JupyterLab in Chromium."""

import json

import nbformat
import pytest

from ds_magic.views.tokens.explorer.living import TYPE

from .accessible import troubles
from .chromium import watched
from .jupyter import PATIENCE, Jupyter, Lab, Notebook7
from .tables import contest, hostile

TABLE = "from tests.browser.tables import LogprobTable, contest, entry, hostile, long\n"


@pytest.fixture(scope="module")
def jupyter(local_server, tmp_path_factory):
    """Its kernels ask the embedded model."""
    asked = {"DEEPSEEK_BASE_URL": local_server.base_url, "DEEPSEEK_API_KEY": local_server.api_key}
    server = Jupyter(tmp_path_factory.mktemp("jupyter"), **asked)
    yield server
    server.end()


# The embedded model is started before the browser, which holds the thread's event loop.
@pytest.fixture
def page(jupyter, browser):
    with watched(browser, PATIENCE) as page:
        yield page


@pytest.fixture
def show(lab):
    """Run cells in a new notebook and wait for the explorer."""

    def show(*cells):
        notebook = lab(*cells)
        notebook.run_all()
        notebook.page.wait_for_selector(".dsx-map")
        return notebook

    return show


LOADED = "%load_ext ds_magic"
ASKED = """%%deepseek -t 0 --max-tokens 8 --explore --prefix "The capital of Australia is" -o answer
What is the capital of Australia?"""
DONE = "document.querySelector('.dsx-status').textContent.includes('of 2: [ and ]')"


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")


def ways(page):
    """The tabs in the text where branches part, the one that is shown in brackets."""
    way = "way => way.matches('button') ? way.innerText : `[${way.innerText.replace('\u200b', '')}]`"
    return page.eval_on_selector_all(".dsx-fork > *", f"all => all.map({way})")


def branched(page, token="Canberra", instead="Sydney"):
    """Go on with another token, by the mouse."""
    page.click(f".dsx-map .dsx-t:has-text('{token}')")
    page.click(f".dsx-floating button:has-text('{instead}')")
    page.wait_for_function(DONE)


def run_cell(page, number, code):
    """Run new code in a cell of the notebook."""
    page.evaluate(
        """async ([number, code]) => { const { content } = jupyterapp.shell.currentWidget;
        content.widgets[number].model.sharedModel.setSource(code);
        content.activeCellIndex = number;
        await jupyterapp.commands.execute('notebook:run-cell'); }""",
        [number, code],
    )


def test_the_mouse_and_the_keyboard_work_and_the_notebooks_shortcuts_stay_out(show):
    page = show(TABLE + "contest().explore()").page
    page.click(".dsx-t:has-text('Paris')")
    assert "·Paris" in page.inner_text(".dsx-floating.dsx-pinned")
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    for key in ("n", "p", "End", "Home", "a", "b", "d", "d", "Escape"):
        page.keyboard.press(key)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert focused(page).startswith("token 'The'")


def test_arrow_keys_stay_among_the_alternatives_and_on_the_slider(show):
    page = show(TABLE + "LogprobTable.from_wire([entry(f' w{i}', 0.9) for i in range(30)]).explore()", "1", "2").page
    page.focus(".dsx-slider")
    for key in ("ArrowDown", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    assert page.input_value(".dsx-slider") == "4.5"
    assert page.evaluate("document.activeElement.className") == "dsx-slider"
    page = show(LOADED, ASKED, "1").page
    page.click(".dsx-map .dsx-t:has-text('Canberra')")
    page.keyboard.press("Enter")
    names = []
    for _ in range(6):
        names.append(focused(page))
        page.keyboard.press("ArrowDown")
    assert len(set(names)) == 5 and names[0] == names[5] and all(name.startswith("Go on with ·") for name in names)
    page.keyboard.press("ArrowUp")
    assert focused(page) == names[0]
    page.keyboard.press("Escape")
    assert focused(page).startswith("token ' Canberra'")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_text_and_tints_are_readable_in_both_themes(show, theme):
    notebook = show(TABLE + "contest().explore()")
    notebook.theme(theme)
    page = notebook.page
    ink, paper = page.evaluate(
        """() => { const style = (selector) => getComputedStyle(document.querySelector(selector));
        const root = getComputedStyle(document.body);
        return [style('.dsx-map .dsx-t').color, root.getPropertyValue('--jp-layout-color0').trim()]; }"""
    )
    expected = {
        "JupyterLab Light": ("rgba(0, 0, 0, 0.87)", ("white", "#fff")),
        "JupyterLab Dark": ("rgb(255, 255, 255)", ("#111",)),
    }
    assert ink == expected[theme][0] and paper in expected[theme][1]
    tint = page.locator(".dsx-t", has_text=".↵").evaluate("(span) => getComputedStyle(span).backgroundColor")
    assert tint == "rgba(72, 134, 138, 0.45)"


def test_hostile_tokens_stay_text_in_the_explorer_and_in_the_static_form(show):
    page = show(TABLE + "from IPython.display import display\ndisplay(hostile()); hostile().explore()").page
    title = page.title()
    for span in page.locator(".dsx-map .dsx-t").all():
        span.dispatch_event("click")
    assert page.title() == title != "pwned"
    assert page.locator(".jp-OutputArea-output img, .jp-OutputArea-output script").count() == 0


def test_a_branch_opens_in_place_of_the_rest_and_the_page_stays_where_it_is(show):
    page = show(LOADED, *["1"] * 12, ASKED, *["2"] * 12).page
    page.locator(".dsx-map").scroll_into_view_if_needed()
    page.click(".dsx-map .dsx-t:has-text('Canberra')")
    scrolled = "document.querySelector('.jp-WindowedPanel-outer').scrollTop"
    before = page.evaluate(scrolled), page.locator(".dsx-map").bounding_box()["y"]
    page.click(".dsx-floating button:has-text('Sydney')")
    page.wait_for_function(DONE)
    assert (page.evaluate(scrolled), page.locator(".dsx-map").bounding_box()["y"]) == before
    assert ways(page) == ["·Canberra", "[·Sydney]"]
    assert page.inner_text(".dsx-map").startswith("The capital of Australia is") and before[0] > 0
    assert focused(page).startswith("token ' Sydney'")
    page.keyboard.press("[")
    page.wait_for_function("document.querySelector('.dsx-status').textContent.includes('·Canberra, 1 of 2')")
    assert ways(page) == ["[·Canberra]", "·Sydney"]
    assert focused(page).startswith("token ' Canberra'") and page.evaluate(scrolled) == before[0]
    page.click(".dsx-way:has-text('Sydney')")
    page.wait_for_function("document.querySelector('.dsx-status').textContent.includes('·Sydney, 2 of 2')")
    assert ways(page) == ["·Canberra", "[·Sydney]"]


def test_a_branch_of_a_branch_is_made_by_the_keyboard_alone(show):
    page = show(LOADED, ASKED, "").page
    page.focus(".dsx-map [tabindex='0']")
    for key in ("Home", "Enter", "Enter", "Enter"):  # to the token, pin, into its card, go on with the first
        page.keyboard.press(key)
    page.wait_for_function(DONE)
    assert focused(page).startswith("token ' Sydney'")
    for key in ("ArrowRight", "Enter", "Enter", "Enter"):
        page.keyboard.press(key)
    page.wait_for_function("document.querySelectorAll('.dsx-fork').length === 2")
    page.wait_for_selector(".dsx-stop", state="detached")
    first, second = ways(page)[:2], ways(page)[2:]
    assert first == ["·Canberra", "[·Sydney]"] and len(second) == 2 and second[1].startswith("[")
    assert focused(page).startswith("token ")
    run_cell(page, 2, "print([len(b.branches) for b in answer.branches])")
    page.wait_for_selector("text=[1]")


def test_branches_that_python_made_are_shown_in_a_new_explorer(show):
    forked = """child = answer.fork('Canberra', 'Sydney')
child.fork(1, rank=2, max_tokens=4)
child.fork(0, rank=3, max_tokens=2)  # leaves it where it left the answer: one more way there
answer.explore()"""
    page = show(LOADED, ASKED.replace("--explore", "-l"), forked).page
    assert ways(page)[:2] == ["[·Canberra]", "·Sydney"] and len(ways(page)) == 3
    page.click(".dsx-way >> nth=0")
    page.wait_for_function("document.querySelectorAll('.dsx-fork').length === 2")
    page.click(".dsx-fork >> nth=1 >> .dsx-way")
    page.wait_for_function("document.querySelector('.dsx-status').textContent.includes('2 of 2')")
    assert page.locator(".dsx-fork").count() == 2


def test_an_explorer_whose_kernel_has_gone_says_why_it_cannot_go_on(show):
    page = show(LOADED, ASKED).page
    branched(page)
    page.evaluate("jupyterapp.shell.currentWidget.context.sessionContext.restartKernel()")
    page.wait_for_function("document.querySelector('.dsx-status').textContent.startsWith('The kernel has gone')")
    page.keyboard.press("[")
    page.click(".dsx-map .dsx-t:has-text('Canberra')")
    assert "The kernel has gone" in page.inner_text(".dsx-floating")
    assert page.locator(".dsx-go").count() == 1  # to the branch that came


def test_a_branch_opens_in_notebook_7_too(jupyter, browser):
    page = browser.new_page()
    jupyter.write("seven.ipynb", [LOADED, ASKED])
    Notebook7(page, jupyter, "seven.ipynb").run_all()
    page.wait_for_selector(".dsx-map", timeout=PATIENCE * 1000)
    branched(page)
    assert ways(page) == ["·Canberra", "[·Sydney]"]
    page.close()


def test_the_focus_is_kept_when_a_branch_is_stopped(show):
    page = show(LOADED, "%%deepseek -t 0 --max-tokens 150 --explore\nWrite a long story about a king.").page
    page.click(".dsx-map .dsx-t >> nth=0")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector(".dsx-stop")
    page.wait_for_function("document.activeElement.textContent === 'Stop'")
    page.keyboard.press("Enter")
    page.wait_for_selector(".dsx-stop", state="detached")
    assert focused(page).startswith(("token ", "branch with "))


def test_what_is_selected_goes_to_python_and_back(show):
    page = show(LOADED, ASKED.replace("--explore", "-l"), "shown = answer.explore()\nshown", "", "").page
    page.click(".dsx-map .dsx-t:has-text('Canberra')")
    run_cell(page, 3, "print('first', [row.label for row in shown.selected])")
    page.wait_for_selector("text=first ['·Canberra']")
    run_cell(page, 4, "shown.select('.'), shown.select(0, 1)")
    page.wait_for_function("document.querySelectorAll('.dsx-cards .dsx-card').length === 2")
    page.click(".dsx-cards [aria-label='Let go of the card'] >> nth=0")
    page.wait_for_selector(".dsx-floating.dsx-pinned")
    run_cell(page, 3, "print('then', [row.label for row in shown.selected])")
    page.wait_for_selector("text=then ['.']")


def test_a_saved_notebook_shows_the_heat_map_and_the_tree_and_lives_again_with_its_kernel(jupyter, show):
    notebook = show(LOADED, ASKED)
    page = notebook.page
    branched(page)
    # The page draws a branch before its output, which is what a notebook keeps, is brought up to date.
    held = "JSON.stringify(jupyterapp.shell.currentWidget.context.model.toJSON())"
    page.wait_for_function(f"{held}.includes('Sydney</b>')")
    notebook.save()
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    saved = jupyter.saved(notebook.notebook)
    kept = saved["cells"][1]["outputs"][-1]["data"]
    html = "".join(kept["text/html"])
    assert set(kept) == {TYPE, "text/html", "text/markdown", "text/plain"} and "Sydney</b>" in html
    assert html.index("Canberra") < html.index("Sydney</b>") < html.index("a probability is of a choice")
    page.reload()
    page.wait_for_selector(".dsx-fork")
    assert ways(page) == ["·Canberra", "[·Sydney]"]
    saved["metadata"]["kernelspec"] = {"name": "gone", "display_name": "Gone", "language": "python"}
    (jupyter.folder / "gone.ipynb").write_text(json.dumps(saved))
    Lab(page, jupyter, "gone.ipynb")
    page.wait_for_selector("text=2 requests: the answer and 1 branch")
    assert page.locator(".dsx").count() == 0 and "not found" not in page.inner_text(".jp-Notebook")
    assert page.locator("b:has-text('Sydney')").is_visible()


def test_everything_scales_with_the_notebooks_font_and_for_a_projector(show):
    page = show(TABLE + "contest().explore()", "", "").page
    page.click(".dsx-t:has-text('Paris')")
    size = "selector => parseFloat(getComputedStyle(document.querySelector(selector)).fontSize)"
    parts = (".dsx-map", ".dsx-floating td", ".dsx-tools button")
    before = [page.evaluate(size, part) for part in parts]
    page.evaluate("document.body.style.setProperty('--jp-content-font-size1', '21px')")
    assert [page.evaluate(size, part) for part in parts] == pytest.approx([1.5 * each for each in before])
    page.evaluate("document.body.style.removeProperty('--jp-content-font-size1')")
    run_cell(page, 1, "from ds_magic.views.size import set_size; set_size('projector'); contest().explore()")
    page.wait_for_function("document.querySelectorAll('.dsx-map').length === 2")
    large = page.locator(".dsx-map").nth(1).evaluate("map => parseFloat(getComputedStyle(map).fontSize)")
    assert large == pytest.approx(1.5 * before[0])
    assert not page.locator(".dsx-footer").nth(1).is_visible()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_of_the_explorer_hinders_a_reader_in_any_state(show, theme):
    notebook = show(LOADED, ASKED, "from tests.browser.tables import *\ncontest().explore()")
    notebook.theme(theme)
    page = notebook.page
    found = {}

    def look(state):
        found[state] = troubles(page, ".dsx")

    look("as it opens")
    page.click(".dsx-map .dsx-t:has-text('Canberra')")
    look("pinned")
    page.click(".dsx-floating summary >> visible=true")
    page.click("text=14 more")
    look("unfolded")
    page.click(".dsx-floating button:has-text('Sydney')")
    page.wait_for_function(DONE)
    look("a branch")
    page.click(".dsx-map >> nth=0 >> .dsx-t >> nth=0")
    page.click(".dsx-map >> nth=0 >> .dsx-t >> nth=1", modifiers=["Shift"])
    look("compared")
    for metric in ("probability", "rank", "entropy"):
        page.click(f"role=radio[name='{metric}'] >> nth=1")
        look(metric)
    assert found == dict.fromkeys(found, [])


def test_the_static_form_stands_above_the_explorer_and_survives_in_an_untrusted_notebook(jupyter, page):
    static = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
    data = [{**static, "data": {"text/html": table._repr_html_()}} for table in (contest(), hostile())]
    jupyter.write("untrusted.ipynb", ["1", "2"], outputs={0: [data[0]], 1: [data[1]]})
    trusted = [cell.metadata.get("trusted") for cell in nbformat.read(jupyter.folder / "untrusted.ipynb", 4).cells]
    assert trusted == [None, None]
    Lab(page, jupyter, "untrusted.ipynb")
    page.wait_for_selector(".jp-OutputArea-output table")
    first = page.locator(".jp-OutputArea-output").first
    text = first.inner_text()
    assert "all more certain" in text and "·Paris" in text and "surprise, bits" in text
    paris = first.locator("span[title]", has_text=".↵").first
    assert paris.evaluate("(span) => getComputedStyle(span).backgroundColor") == "rgba(72, 134, 138, 0.45)"
    assert ", 90.0 %" in paris.get_attribute("title")
    cell = first.locator("tr").first.locator("td").last
    assert cell.evaluate("(cell) => getComputedStyle(cell).textAlign") == "right"
    token = first.locator("tbody tr").first
    assert token.evaluate("(row) => getComputedStyle(row).backgroundColor") == "rgba(0, 0, 0, 0)"
    assert page.locator(".jp-OutputArea-output").nth(1).locator("img, script").count() == 0
    assert "bold" in page.locator(".jp-OutputArea-output").nth(1).inner_text()


def test_with_explore_the_answer_stands_there_once_with_all_that_stands_under_it(show):
    cut = ASKED.replace("--max-tokens 8", "--max-tokens 2").replace('Australia is"', 'Australia is "')  # which is noted
    page = show(LOADED, cut).page
    output = page.locator(".jp-OutputArea").nth(1)
    assert output.inner_text().count("Canberra") == 1
    shown = " ".join(output.inner_text().split())
    assert "■ cut off at max_tokens = 2 Note: The prefix ends" in shown
    assert "smollm2-135m-instruct · " in shown and "a probability is of a choice" in shown
