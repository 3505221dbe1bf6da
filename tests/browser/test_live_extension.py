"""The live view where our extension is in the page: a page that comes late shows what has come, and goes on.

| what happens in mid-answer | on the screen | in the file that this page saves |
|---|---|---|
| the page is reloaded | what had come, at once, and what comes | what had come; the whole answer |
| a second page | in both what has come, and what comes | likewise |
| the kernel is restarted, killed | what had come, and that the kernel has gone | what was kept |
| the connection is lost for a while | what had come, and that it is lost; then the whole | the whole answer |
| the notebook is opened without its kernel | what was kept, and that it had not ended | what was kept |
"""

import json

import pytest

from tests.browser.jupyter import PATIENCE, Jupyter, Lab, Notebook7
from tests.browser.test_interruptions import BEGUN, KEPT, KERNEL, PID, WHOLE, printed_process, saved_outputs, stands_still
from tests.browser.test_live import SETUP, shows, text_of
from tests.views.making import HOSTILE

MORE = """
live.KEPT = float("inf")
view.delta(delta(content=" that goes"))
"""


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """A server whose pages load our extension."""
    server = Jupyter(tmp_path_factory.mktemp("jupyter"), labextension=True)
    yield server
    server.end()


@pytest.fixture
def other(browser):
    """A second page."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    page.close()


@pytest.fixture
def streaming(lab, gate, jupyter):
    """A notebook in mid-answer, of which more has come than is kept in it."""
    notebook = lab(BEGUN + gate.code + MORE + gate.code + WHOLE, "print(f'<{answer.content}>')")
    notebook.run_all()
    shows(notebook.page, "Half an answer", ".ds-answer")
    notebook.page.wait_for_function(KEPT)
    save(notebook)
    gate.open()
    shows(notebook.page, "Half an answer that goes", ".ds-answer")
    assert "that goes" not in json.dumps(saved_outputs(jupyter, notebook))
    return notebook


def save(notebook):
    notebook.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    notebook.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")


def test_a_reloaded_page_shows_what_had_come_and_goes_on_and_saves_the_whole(streaming, gate, jupyter, page):
    late = Lab(page, jupyter, streaming.notebook)
    shows(page, "Half an answer that goes", ".ds-answer")
    assert page.is_visible(".ds-stop")
    gate.open()
    shows(page, "Half an answer is whole", ".jp-RenderedHTML")
    page.wait_for_selector(".ds-live", state="detached")
    save(late)
    assert "Half an answer is whole" in json.dumps(saved_outputs(jupyter, late))
