"""What is on the screen, in the file and in the variable after whatever can come between.

| what happens in mid-answer | on the screen | in the saved file | in the variable |
|---|---|---|---|
| Run All once more | the view, with Stop, until it ends | the new run's answer | the answer |
| the notebook is saved and opened elsewhere | what had come, and that it had not ended | likewise | the answer |
| the page is reloaded | what was saved, then the whole answer | what was saved | the answer |
| the kernel is restarted or killed | what had come, and that the kernel has gone; no Stop | what was kept | nothing |
| the tab is closed, and opened when all is over | the whole answer | what was saved | the answer |
| a second tab | in both what has come, then the answer | the answer | the answer |
"""

import json
import os
import signal

import pytest

from tests.browser.jupyter import Lab
from tests.browser.test_live import SETUP, shows, text_of

AT_ONCE = "from ds_magic.views.answer import live\nlive.KEPT = 0.0\n" + SETUP
BEGUN = AT_ONCE + """
answer = None
view.delta(delta(content="Half an "))
view.delta(delta(content="answer"))
"""
WHOLE = """
view.delta(delta(content=" is whole"))
answer = completion("Half an answer is whole")
view.finish(answer, None)
"""


@pytest.fixture
def streaming(lab, gate):
    """A notebook in mid-answer."""
    notebook = lab(BEGUN + gate.code + WHOLE, "print(f'<{answer.content}>')")
    notebook.run_all()
    shows(notebook.page, "Half an answer", ".ds-answer")
    kept = "[...document.querySelectorAll('.jp-RenderedHTML')].some(one => one.textContent.includes('Half an answer'))"
    notebook.page.wait_for_function(kept)
    return notebook


def saved_outputs(jupyter, notebook):
    return [output for cell in jupyter.saved(notebook.notebook)["cells"] for output in cell["outputs"]]


def wait_until_saved(notebook, jupyter, text):
    """Until the file on the disk holds `text`."""
    notebook.save()
    notebook.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    assert text in json.dumps(saved_outputs(jupyter, notebook))


def test_run_all_leaves_the_view_and_its_stop_until_the_answer_ends(streaming, gate):
    page = streaming.page
    streaming._command("notebook:run-all-cells")
    page.wait_for_function("!document.querySelector('.jp-RenderedHTML')")  # the page has cleared the outputs
    assert page.is_visible(".ds-live .ds-stop")
    assert "Half an answer" in text_of(page, ".ds-answer")
    gate.open()
    page.wait_for_function(
        "document.querySelectorAll('.ds-live').length === 1 && document.querySelector('.ds-live').dataset.state"
        " === 'answering' && document.querySelector('.jp-RenderedHTML')"
    )
    gate.open()
    shows(page, "<Half an answer is whole>", ".jp-OutputArea-output")
    page.wait_for_selector(".ds-live", state="detached")
    assert page.locator(".jp-RenderedHTML").count() == 1


def test_a_notebook_that_was_saved_in_mid_answer_has_what_had_come(streaming, gate, jupyter, page):
    wait_until_saved(streaming, jupyter, "Half an answer")
    saved = jupyter.saved(streaming.notebook)
    outputs = saved_outputs(jupyter, streaming)
    assert "application/vnd.jupyter.widget-view+json" not in json.dumps(outputs)
    assert "Half an answer" in "".join(outputs[0]["data"]["text/plain"])
    saved["metadata"]["kernelspec"] = {"name": "nobodys", "display_name": "Nobody's", "language": "python"}
    (jupyter.folder / "elsewhere.ipynb").write_text(json.dumps(saved))
    gate.open()
    shows(page, "<Half an answer is whole>", ".jp-OutputArea-output")
    wait_until_saved(streaming, jupyter, "is whole")
    Lab(page, jupyter, "elsewhere.ipynb")
    shows(page, "Half an answer", ".jp-RenderedHTML")
    shows(page, "had not ended", ".jp-RenderedHTML")
    assert "Error displaying widget" not in page.inner_text(".jp-Notebook")


def test_a_page_that_is_reloaded_in_mid_answer_shows_what_was_saved_and_then_the_whole(streaming, gate, jupyter, page):
    wait_until_saved(streaming, jupyter, "Half an answer")
    Lab(page, jupyter, streaming.notebook)
    shows(page, "had not ended", ".jp-RenderedHTML")
    gate.open()
    shows(page, "Half an answer is whole", ".jp-RenderedHTML")
    assert "had not ended" not in page.inner_text(".jp-Notebook")
    assert "Error displaying widget" not in page.inner_text(".jp-Notebook")


def test_a_page_that_is_closed_and_opened_when_all_is_over_shows_the_whole(streaming, gate, jupyter, browser):
    wait_until_saved(streaming, jupyter, "Half an answer")
    streaming.page.goto("about:blank")
    gate.open()
    jupyter.wait_until_idle(streaming.notebook)
    page = browser.new_page()
    Lab(page, jupyter, streaming.notebook)
    shows(page, "Half an answer is whole", ".jp-RenderedHTML")
    assert "Error displaying widget" not in page.inner_text(".jp-Notebook")
    page.close()


def test_a_second_tab_shows_the_answer_when_it_is_there(streaming, gate, jupyter, browser):
    wait_until_saved(streaming, jupyter, "Half an answer")
    other = browser.new_page()
    Lab(other, jupyter, streaming.notebook)
    shows(other, "Half an answer", ".jp-RenderedHTML")
    gate.open()
    for page in (streaming.page, other):
        shows(page, "Half an answer is whole", ".jp-RenderedHTML")
        assert "Error displaying widget" not in page.inner_text(".jp-Notebook")
    other.close()


@pytest.mark.parametrize("how", ["restarted", "killed"])
def test_a_view_whose_kernel_has_gone_ends_and_keeps_what_had_come(lab, gate, jupyter, how):
    notebook = lab("import os; print('pid', os.getpid())", BEGUN + gate.code + WHOLE)
    page = notebook.page
    notebook.run_all()
    shows(page, "Half an answer", ".ds-answer")
    if how == "killed":
        os.kill(int(page.inner_text(".jp-OutputArea-output >> text=pid").split()[1]), signal.SIGKILL)
    else:
        page.evaluate("void jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()")
    shows(page, "the kernel has gone", ".ds-status")
    assert "Half an answer" in text_of(page, ".ds-answer")
    assert not page.is_visible(".ds-stop")
    figures = text_of(page, ".ds-figures")
    page.wait_for_timeout(1200)  # two beats of the clock
    assert text_of(page, ".ds-figures") == figures
