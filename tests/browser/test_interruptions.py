"""What is on the screen, in the file and in the variable after whatever can come between.

| what happens in mid-answer | on the screen | in the saved file | in the variable |
|---|---|---|---|
| Run All once more | the view, with Stop, until it ends | the new run's answer | the answer |
| the notebook is saved and opened elsewhere | what had come, and that it had not ended | likewise | the answer |
| the page is reloaded | what was saved, then the whole answer | what was saved | the answer |
| the kernel is restarted, shut down, killed | what had come, and that the kernel has gone | what was kept | nothing |
| the tab is closed, and opened when all is over | the whole answer | what was saved | the answer |
| a second tab | in both what has come, then the answer | the answer | the answer |
| the connection is lost for a while | what had come, and that it is lost; then the whole | the answer | the answer |
| the Jupyter server is killed | what had come, and that the connection is lost | what was saved | nothing |
| ... and started again | what had come, and that the kernel has gone | what was saved | nothing |
| the embedded server is killed | what had come, a panel; the next cell is answered | likewise | what had come |

Where nothing can come, there is no Stop and no clock runs.
"""

import json

import psutil
import pytest

from ds_magic.local import weights
from tests.browser.jupyter import PATIENCE, Jupyter, Lab
from tests.browser.test_live import SETUP, shows, text_of

AT_ONCE = "from ds_magic.views.answer import live\nlive.KEPT, live.GROWN = 0.0, 1.0\n" + SETUP
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
KEPT = "[...document.querySelectorAll('.jp-RenderedHTML')].some(one => one.textContent.includes('Half an answer'))"
PID = "import os; print('pid', os.getpid())"


def printed_process(page):
    """The process whose number the first cell has printed."""
    return psutil.Process(int(page.inner_text(".jp-OutputArea-output >> text=pid").split()[1]))


@pytest.fixture
def streaming(lab, gate):
    """A notebook in mid-answer."""
    notebook = lab(BEGUN + gate.code + WHOLE, "print(f'<{answer.content}>')")
    notebook.run_all()
    shows(notebook.page, "Half an answer", ".ds-answer")
    notebook.page.wait_for_function(KEPT)
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


def stands_still(page):
    """Nothing that could be pressed, and no clock that runs."""
    assert not page.is_visible(".ds-stop")
    figures = text_of(page, ".ds-figures")
    page.wait_for_timeout(1200)  # two beats of the clock
    assert text_of(page, ".ds-figures") == figures


KERNEL = "jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"


@pytest.mark.parametrize("how", ["restart", "shutdown", "kill"])
def test_a_view_whose_kernel_has_gone_ends_and_keeps_what_had_come(lab, gate, how):
    notebook = lab(PID, BEGUN + gate.code + WHOLE)
    page = notebook.page
    notebook.run_all()
    shows(page, "Half an answer", ".ds-answer")
    if how == "kill":
        printed_process(page).kill()
    else:
        page.evaluate(f"void {KERNEL}.{how}()")
    shows(page, "the kernel has gone", ".ds-status")
    assert "Half an answer" in text_of(page, ".ds-answer")
    stands_still(page)


def test_a_view_goes_on_when_a_connection_that_was_lost_is_back(streaming, gate):
    page = streaming.page
    page.context.set_offline(True)
    page.evaluate(f"void {KERNEL}.reconnect()")  # a socket that is open stays so
    shows(page, "no connection", ".ds-status")
    assert "Half an answer" in text_of(page, ".ds-answer")
    stands_still(page)
    page.context.set_offline(False)
    page.evaluate(f"void {KERNEL}.reconnect()")  # what the page does by itself, some seconds later
    shows(page, "answering", ".ds-status")
    assert page.is_visible(".ds-stop")
    gate.open()
    shows(page, "<Half an answer is whole>", ".jp-OutputArea-output")
    shows(page, "Half an answer is whole", ".jp-RenderedHTML")


def test_a_view_whose_jupyter_server_is_killed_says_so_and_what_was_saved_is_there_with_the_next(tmp_path, page, gate):
    server = Jupyter(tmp_path)
    try:
        server.write("killed.ipynb", [PID, BEGUN + gate.code + WHOLE])
        notebook = Lab(page, server, "killed.ipynb")
        notebook.run_all()
        shows(page, "Half an answer", ".ds-answer")
        page.wait_for_function(KEPT)
        wait_until_saved(notebook, server, "Half an answer")
        kernel = printed_process(page)
        server.kill()
        shows(page, "no connection", ".ds-status")
        shows(page, "The connection to the Jupyter server is lost", ".ds-note")
        assert "Half an answer" in text_of(page, ".ds-answer")
        stands_still(page)
        kernel.wait(PATIENCE)
        server.start()
        page.evaluate("void jupyterapp.serviceManager.kernels.refreshRunning()")  # as the page does now and then
        shows(page, "the kernel has gone", ".ds-status")
        assert "Half an answer" in text_of(page, ".ds-answer")
        Lab(page, server, "killed.ipynb")
        shows(page, "Half an answer", ".jp-RenderedHTML")
        shows(page, "had not ended", ".jp-RenderedHTML")
    finally:
        server.end()


def test_an_answer_whose_embedded_server_is_killed_stays_and_the_next_cell_is_answered(lab, jupyter, tmp_path):
    own = f"""import os
os.environ["DS_MAGIC_LOCAL_MODEL"] = {str(weights.model_path())!r}
os.environ["DS_MAGIC_CACHE"] = {str(tmp_path)!r}
from ds_magic.local import launch
launch.LINGER = 0.0
%load_ext ds_magic
"""
    pid = "print('pid', launch.ensure().pid)"
    notebook = lab(
        own + pid, "%%deepseek -t 0 --max-tokens 3000 -o answer\nTell me a long story about a king.",
        "print('kept', answer.interrupted, answer.content.strip())",
        "%%deepseek --max-tokens 2 -o answer\nHi", "print('then', answer.finish_reason)",
    )
    page = notebook.page
    notebook.run_all()
    page.wait_for_function("document.querySelector('.ds-answer')?.textContent.length > 20")
    begun = text_of(page, ".ds-answer p")[:10]
    printed_process(page).kill()
    page.wait_for_selector(".ds-live", state="detached")
    shows(page, begun, ".jp-RenderedHTML p")
    shows(page, "this answer is partial", ".jp-RenderedHTML")
    shows(page, "Run it again for the whole answer.", ".jp-OutputArea-output")
    wait_until_saved(notebook, jupyter, "this answer is partial")
    notebook.run_from(2)
    shows(page, "then length", ".jp-OutputArea-output")
    shows(page, "kept True " + begun, ".jp-OutputArea-output")
