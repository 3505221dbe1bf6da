"""The explorer and the static form in JupyterLab in Chromium."""

import nbformat
import pytest

from .chromium import guarded
from .jupyter import PATIENCE, Jupyter, Lab
from .tables import contest, hostile

TABLE = "from tests.browser.tables import contest, hostile, long\n"


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
    page = guarded(browser.new_page())
    page.set_viewport_size({"width": 1300, "height": 1000})
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    page.close()
    assert page.errors == [] and page.strangers == []


@pytest.fixture
def show(lab):
    """Run cells in a new notebook and wait for the explorer."""

    def show(*cells):
        notebook = lab(*cells)
        notebook.run_all()
        notebook.page.wait_for_selector(".dsx-card")
        return notebook

    return show


LOADED = "%load_ext ds_magic"
ASKED = """%%deepseek -t 0 --max-tokens 8 --explore --prefix "The capital of Australia is" -o answer
What is the capital of Australia?"""


def test_the_mouse_and_the_keyboard_work_and_the_notebooks_shortcuts_stay_out(show):
    page = show(TABLE + "contest().explore()").page
    page.click(".dsx-t:has-text('Paris')")
    assert "·Paris" in page.inner_text(".dsx-card") and "pinned" in page.inner_text(".dsx-card")
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    for key in ("n", "p", "End", "Home", "a", "b", "d", "d", "Escape"):
        page.keyboard.press(key)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("token 'The'")


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


def test_an_alternative_is_clicked_and_the_branch_streams_in_below(show):
    page = show(LOADED, ASKED).page
    page.click(".dsx-t:has-text('Canberra')")
    page.click("button.dsx-alternative:has-text('Sydney')")
    page.wait_for_selector(".dsx-branch button:has-text('Explore')")
    branch = page.inner_text(".dsx-branch")
    assert "Sydney" in branch and "instead of ·Canberra" in branch
    assert "2 requests: the answer and 1 branch" in page.inner_text(".dsx-branches")
    page.click(".dsx-branch button:has-text('Explore')")
    page.wait_for_selector(".dsx-t.dsx-forced:has-text('Sydney')")
    assert page.locator(".dsx-tab[aria-selected=true]").inner_text().startswith("branch 1")


def test_a_branch_of_the_explorer_is_in_the_answers_tree(show):
    page = show(LOADED, ASKED, "").page
    page.click(".dsx-t:has-text('Canberra')")
    page.click("button.dsx-alternative:has-text('Sydney')")
    page.wait_for_selector(".dsx-branch button:has-text('Explore')")
    page.evaluate(
        """async () => { const cell = jupyterapp.shell.currentWidget.content.widgets[2];
        cell.model.sharedModel.setSource("print([b.branch.instead for b in answer.branches])");
        jupyterapp.shell.currentWidget.content.activeCellIndex = 2;
        await jupyterapp.commands.execute('notebook:run-cell'); }"""
    )
    page.wait_for_selector("text=[' Sydney']")


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
    assert "Least certain tokens" in text and "·Paris" in text and "surprise, bits" in text
    paris = first.locator("span[title]", has_text=".↵").first
    assert paris.evaluate("(span) => getComputedStyle(span).backgroundColor") == "rgba(72, 134, 138, 0.45)"
    assert ", 90.0 %" in paris.get_attribute("title")
    cell = first.locator("td").first
    assert cell.evaluate("(cell) => getComputedStyle(cell).textAlign") == "right"
    token = first.locator("tbody tr").first
    assert token.evaluate("(row) => getComputedStyle(row).backgroundColor") == "rgba(0, 0, 0, 0)"
    assert page.locator(".jp-OutputArea-output").nth(1).locator("img, script").count() == 0
    assert "bold" in page.locator(".jp-OutputArea-output").nth(1).inner_text()
