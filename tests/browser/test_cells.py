"""The cell that asks for a text: copied from an answer in a notebook, and put into the notebook below it."""

import pytest

from ds_magic import ChatCompletion, ChatRequest
from ds_magic.views.answer.static import alive, mimebundle

from .jupyter import Jupyter
from .tables import entry


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    server = Jupyter(tmp_path_factory.mktemp("jupyter"), labextension=True)
    yield server
    server.end()


def answer():
    choice = {"message": {"content": " Canberra."}, "logprobs": {"content": [entry(" Canberra"), entry(".")]}}
    asked = ChatRequest.build("Capital?", prefix='"It" is\n', top_logprobs=2)
    return ChatCompletion.from_wire({"choices": [choice]}, request=asked)


def output(change=None):
    """The answer as a notebook holds it; `change` is made to what it says of its texts."""
    data, metadata = alive(answer(), mimebundle(answer()))
    for said in metadata["ds_magic"]["said"]:
        said.update(change or {})
    return {"output_type": "display_data", "data": data, "metadata": metadata}


@pytest.fixture
def saved(request, page, jupyter):
    """Opens a notebook whose first cell holds the answer: `saved(kind, output, *more_cells)`."""

    def opened(kind, output, *cells):
        name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name) + ".ipynb"
        jupyter.write(name, ["first", *cells], {0: [output]})
        notebook = kind(page, jupyter, name)
        page.wait_for_selector(".dsx-map")
        return notebook

    return opened


@pytest.fixture(params=["Lab", "Notebook7"])
def kind(request):
    from . import jupyter

    return getattr(jupyter, request.param)


def sources(page):
    return page.eval_on_selector_all(
        ".jp-Notebook .jp-InputArea-editor .cm-content",
        "all => all.map((one) => [...one.querySelectorAll('.cm-line')].map((line) => line.textContent).join('\\n'))",
    )


def test_a_cell_goes_below_the_one_that_shows_the_answer_and_can_be_taken_back(saved, kind):
    page = saved(kind, output(), "second").page
    page.click("text=Insert cell")
    page.wait_for_selector(".dsx-status:text('Inserted below')")
    assert sources(page) == ["first", answer().as_cell(), "second"]
    assert "Capital?" in page.inner_text(".jp-Cell.jp-mod-active")
    assert page.evaluate("document.querySelector('.jp-Notebook').contains(document.activeElement)")
    page.keyboard.press("z")  # the notebook's undo
    page.wait_for_function("document.querySelectorAll('.jp-Notebook .jp-CodeCell').length === 2")
    page.click("text=Copy as cell")
    page.wait_for_selector(".dsx-status:text('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == answer().as_cell()


def test_the_cell_that_was_put_in_is_in_view(saved, kind):
    page = saved(kind, output(), *["# line\n" * 30] * 20).page
    page.set_viewport_size({"width": 900, "height": 420})
    page.click("text=Insert cell")
    page.wait_for_selector(".dsx-status:text('Inserted below')")
    page.wait_for_function("""() => {
      const { top, bottom } = document.querySelector(".jp-Cell.jp-mod-active").getBoundingClientRect();
      return top > 0 && bottom <= innerHeight;
    }""")
    assert "Capital?" in page.inner_text(".jp-Cell.jp-mod-active")


def test_no_other_code_is_offered_than_a_question(saved, kind):
    page = saved(kind, output({"cell": "import os"})).page
    assert page.locator(".dsx-footer").count() == 1 and page.locator(".dsx-actions").count() == 0
