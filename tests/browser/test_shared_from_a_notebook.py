"""`%ds_share` and `%ds_reset` in JupyterLab."""

from .jupyter import PATIENCE

MADE = """%load_ext ds_magic
from tests.browser.tables import contest
table = contest()"""


def ran(notebook, text):
    """Run all, until `text` is printed."""
    notebook.run_all()
    notebook.page.get_by_text(text, exact=True).last.wait_for(timeout=PATIENCE * 1000)
    return notebook.page


def test_the_link_below_the_cell_opens_the_page(lab):
    page = ran(lab(MADE, "%ds_share table shared.html", "print('written')"), "written")
    page.locator(".jp-OutputArea-output a", has_text="shared.html").click()
    frame = page.frame_locator("iframe.jp-HTMLViewer, .jp-HTMLViewer iframe")
    frame.get_by_role("heading", name="Token probabilities").wait_for(timeout=PATIENCE * 1000)


def test_an_explorer_is_closed_and_what_the_notebook_keeps_of_it_stays(lab):
    notebook = lab(MADE, "table.explore()", "input('on?')", "%ds_reset")
    notebook.run_all()
    page = notebook.page
    page.wait_for_selector(".dsx-map", timeout=PATIENCE * 1000)
    page.locator(".jp-Stdin-input").press("Enter")
    page.get_by_text("Set back: 1 open view.").wait_for(timeout=PATIENCE * 1000)
    page.wait_for_selector(".dsx-map", state="detached", timeout=PATIENCE * 1000)
    assert page.locator(".jp-OutputArea-output", has_text="49,998 others").first.is_visible()
