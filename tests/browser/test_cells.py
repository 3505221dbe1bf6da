"""The cell that asks for a text goes into the notebook below the one that shows it."""

import pytest

from .jupyter import Jupyter


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    server = Jupyter(tmp_path_factory.mktemp("jupyter"), labextension=True)
    yield server
    server.end()


INSERTED = """async ([selector, text]) => {
  const registered = [...jupyterapp.pluginRegistry._services.keys()];
  const tracker = registered.find(({ name }) => name === "@jupyterlab/notebook:INotebookTracker");
  const notebooks = await jupyterapp.resolveRequiredService(tracker);
  const { insertBelow } = await import("/lab/extensions/ds_magic/labextension/js/output/cells.js");
  return insertBelow(notebooks, document.querySelector(selector), text);
}"""
CELLS = """() => { const { content } = jupyterapp.shell.currentWidget;
  return [content.widgets.map(({ model }) => model.sharedModel.getSource()), content.activeCellIndex]; }"""
TEXT = "%%deepseek --prefix \"a\\n\"\nHi"


def test_a_cell_goes_below_the_one_that_shows_the_text_and_can_be_taken_back(lab):
    notebook = lab("print('first')", "print('second')")
    page = notebook.page
    notebook.run_all()
    page.wait_for_selector(".jp-OutputArea-output:has-text('second')")
    assert page.evaluate(INSERTED, [".jp-Notebook .jp-OutputArea-output", TEXT]) is True
    assert page.evaluate(CELLS) == [["print('first')", TEXT, "print('second')"], 1]
    cell = page.locator(".jp-Cell.jp-mod-active")
    assert "%%deepseek" in cell.inner_text() and page.evaluate(
        "document.querySelector('.jp-Notebook').contains(document.activeElement)"
    )
    page.keyboard.press("z")  # the notebook's undo
    assert page.evaluate(CELLS)[0] == ["print('first')", "print('second')"]


def test_what_stands_in_no_notebook_gets_no_cell(lab):
    page = lab("1").page
    assert page.evaluate(INSERTED, ["#jp-top-panel", TEXT]) is False
    assert page.evaluate(CELLS)[0] == ["1"]
