import os
import time

import pytest

from tests.browser.chromium import chromium
from tests.browser.jupyter import PATIENCE, Jupyter, Lab, Notebook7


@pytest.fixture(scope="package")
def jupyter(tmp_path_factory):
    """A running Jupyter server; with DS_MAGIC_LABEXTENSION=1 its pages load our extension."""
    labextension = os.environ.get("DS_MAGIC_LABEXTENSION") == "1"
    server = Jupyter(tmp_path_factory.mktemp("jupyter"), labextension=labextension)
    yield server
    server.end()


# Playwright's loop stands still in this thread while it is up, and no other loop can run beside it: so it
# ends with the last test of this folder.
@pytest.fixture(scope="package")
def browser(tmp_path_factory):
    """Chromium with a profile of its own."""
    options = {"viewport": {"width": 1100, "height": 900}, "permissions": ["clipboard-read", "clipboard-write"]}
    with chromium(tmp_path_factory.mktemp("profile"), **options) as context:
        yield context


@pytest.fixture
def page(browser):
    """A fresh page that fails the test on a dialog, and on an error in a widget's module (a blob)."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    troubles = []
    page.on("pageerror", lambda error: troubles.append(error.stack) if "blob:" in (error.stack or "") else None)

    def refuse(dialog):
        troubles.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", refuse)
    yield page
    page.close()
    assert not troubles


@pytest.fixture(params=[Lab, Notebook7], ids=lambda kind: kind.__name__)
def either(request, page, jupyter):
    """Opens cells in JupyterLab, and in another run in Notebook 7."""
    return opener(request, request.param, page, jupyter)


@pytest.fixture
def lab(request, page, jupyter):
    """Opens cells in JupyterLab."""
    return opener(request, Lab, page, jupyter)


def opener(request, kind, page, jupyter):
    def opened(*cells):
        name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name) + ".ipynb"
        jupyter.write(name, cells)
        return kind(page, jupyter, name)

    return opened


@pytest.fixture(scope="module")
def pictures(browser, jupyter):
    """Draws what cells give, in a notebook of its own: `pictures(name, cells)`, which returns the notebook."""
    pages = []

    def drawn(name, cells):
        page = browser.new_page()
        pages.append(page)
        jupyter.write(name, [*cells, "print('drawn')"])
        notebook = Lab(page, jupyter, name)
        page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
        notebook.run_all()
        page.wait_for_function(
            "[...document.querySelectorAll('.jp-OutputArea-output')].some(one => one.textContent.trim() === 'drawn')",
            timeout=PATIENCE * 1000,
        )
        return notebook

    yield drawn
    for page in pages:
        page.close()


@pytest.fixture
def look(opened):
    """Sets the width of the window, the theme, and the size of the text in per cent, in the notebook `opened`."""

    def set_to(width=1100, theme="JupyterLab Light", size=100):
        opened.page.set_viewport_size({"width": width, "height": 2400})
        opened.theme(theme)
        opened.page.evaluate(
            "size => document.documentElement.style.setProperty('--jp-content-font-size1', `${size}px`)",
            14 * size / 100,
        )
        return opened.page

    yield set_to
    set_to()


class Gate:
    """Stops a cell at a line until the test lets it through."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path = path
        self.code = f"open({str(path)!r}).read()"

    def open(self):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                os.close(os.open(self.path, os.O_WRONLY | os.O_NONBLOCK))
                return
            except OSError:  # nobody stands at the gate yet
                assert time.monotonic() < deadline, "the cell did not come to its gate"
                time.sleep(0.02)


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path / "gate")
