"""Outputs that are alive, in JupyterLab and Notebook 7 with our extension: read, gone on from, saved and reopened."""

import json
import re

import pytest

from ds_magic.api.response import ChatCompletion
from ds_magic.views.answer.static import alive, mimebundle
from ds_magic.views.tokens.explorer.living import TYPE

from .accessible import troubles
from .chromium import watched
from .jupyter import PATIENCE, Jupyter, Lab, Notebook7
from .tables import CONTEST, HOSTILE, entry

LOADED = "%load_ext ds_magic"
ASKED = """%%deepseek -t 0 --max-tokens 8 -l --prefix "The capital of Australia is" -o answer
What is the capital of Australia?"""
CARD = ".dsx-floating:not([hidden])"
OWN = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
LANGUAGE = {
    "name": "python", "version": "3.11.7", "mimetype": "text/x-python", "file_extension": ".py",
    "codemirror_mode": {"name": "ipython", "version": 3}, "nbconvert_exporter": "python", "pygments_lexer": "ipython3",
}
"""What JupyterLab writes into a notebook that it opens with a kernel."""
MARKED = "- A **bold** word, `code` and [a link](https://example.org)\n- $x^2$ is <b>"


@pytest.fixture(scope="module")
def jupyter(local_server, tmp_path_factory):
    """Its pages load the extension, and its kernels ask the embedded model."""
    asked = {"DEEPSEEK_BASE_URL": local_server.base_url, "DEEPSEEK_API_KEY": local_server.api_key}
    server = Jupyter(tmp_path_factory.mktemp("jupyter"), labextension=True, **asked)
    yield server
    server.end()


@pytest.fixture
def page(jupyter, browser):
    # Notebook 7 has an error of its own at its start.
    with watched(browser, PATIENCE, may_err=True) as page:
        yield page


def answered(text_or_entries):
    """An answer with probabilities, of a text in short pieces or of entries of the wire."""
    pieces = re.findall(r"\s*[\w]+|\s*[^\w\s]|\s+$", text_or_entries) if isinstance(text_or_entries, str) else ()
    entries = [entry(piece, 0.4, [(piece, 0.4), (" else", 0.3)]) for piece in pieces] or text_or_entries
    content = b"".join(bytes(each["bytes"]) for each in entries).decode()
    choice = {"message": {"content": content}, "logprobs": {"content": entries}, "finish_reason": "stop"}
    return ChatCompletion.from_wire({"model": "a model", "choices": [choice]}, backend="a server")


def kept(*answers):
    """The outputs that a notebook has saved of them."""
    made = [alive(answer, mimebundle(answer)) for answer in answers]
    return [{"output_type": "display_data", "data": data, "metadata": metadata} for data, metadata in made]


def reopened(jupyter, page, name, *outputs, kind=Lab, kernel=False):
    """A notebook of saved outputs that nobody trusts; without a kernel unless one is wanted."""
    jupyter.write(name, ["'a cell'"], {0: outputs})
    notebook = jupyter.saved(name)
    notebook["metadata"] = {"kernelspec": OWN, "language_info": LANGUAGE} if kernel else {}
    (jupyter.folder / name).write_text(json.dumps(notebook))
    opened = kind(page, jupyter, name)
    if not kernel:
        page.select_option(".jp-Dialog select", label="No Kernel")
        page.click(".jp-Dialog .jp-mod-accept")
    page.wait_for_selector(".dsx-living .dsx-t")
    if kernel:
        opened.wait_for_kernel()
    return opened


def forked(page, token="Canberra", instead="Sydney"):
    page.click(f".dsx-living .dsx-t:has-text('{token}')")
    page.click(f"{CARD} button:has-text('{instead}')")


def has_branched(page):
    page.wait_for_function("document.querySelector('.dsx-status').textContent.includes('of 2: [ and ]')")


@pytest.mark.parametrize("kind", [Lab, Notebook7])
def test_without_a_kernel_each_word_shows_what_else_was_nearly_said(jupyter, page, kind):
    reopened(jupyter, page, f"{kind.__name__}.ipynb", *kept(answered(CONTEST)), kind=kind)
    page.hover(".dsx-living .dsx-t:has-text('Paris')")
    page.wait_for_selector(CARD)
    spaced = "rows => rows.map(row => row.innerText.split(/\\s+/).join(' '))"
    rows = page.eval_on_selector_all(f"{CARD} tbody tr", spaced)
    assert [row.rpartition(" %")[0] for row in rows[1:3]] == ["·Lyon 5.0 % 92.0", "·Nice 1.0 % 93.0"]
    assert "87.0 %" in page.inner_text(CARD) and "There is no kernel" in page.inner_text(CARD)
    assert not page.locator(f"{CARD} .dsx-go").count()


def test_opening_a_notebook_changes_nothing_in_it(jupyter, page):
    reopened(jupyter, page, "unchanged.ipynb", *kept(answered("One. Two.")), kernel=True)
    assert page.evaluate("jupyterapp.shell.currentWidget.context.model.dirty") is False
    assert "a server" in page.inner_text(".dsx-footer") and not page.locator(".dsx-static-end").count()


def test_the_text_is_formatted_and_every_token_that_is_seen_is_alive_in_it(jupyter, page):
    reopened(jupyter, page, "marked.ipynb", *kept(answered(MARKED)))
    text = page.locator(".dsx-formatted")
    assert [text.locator(f"{where} .dsx-t").inner_text() for where in ("strong", "code")] == ["bold", "code"]
    assert text.locator("a .dsx-t").all_inner_texts() == ["a", " link"]
    page.wait_for_selector(".dsx-formatted mjx-container")  # the page's typesetter is fetched first
    assert "<b>" in text.inner_text() and not text.locator("li b").count()
    page.hover(".dsx-formatted mjx-container")
    page.wait_for_selector(f"{CARD} .dsx-token")
    # Marks are tokens, too: the keyboard comes by them.
    text.locator("li strong .dsx-t").click()
    page.keyboard.press("ArrowRight")
    assert page.inner_text(f"{CARD} .dsx-token") == "*"
    page.click("button:text('tokens')")
    assert page.inner_text(".dsx-map").replace("\u200b", "").startswith("-·A·**bold**")
    page.click("button:text('tokens')")
    page.wait_for_selector(".dsx-formatted mjx-container")


def test_arrow_keys_go_as_a_text_from_the_right_does_and_details_are_a_line_each(jupyter, page):
    reopened(jupyter, page, "right.ipynb", *kept(answered("שלום עולם.")))
    page.click(".dsx-formatted .dsx-t:text-is('שלום')")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text(f"{CARD} .dsx-token") == "·עולם"
    page.click(f"{CARD} summary")
    names = page.locator(f"{CARD} dt")
    assert names.all_inner_texts() == ["token", "entropy", "bytes", "escaped"]
    assert {name.bounding_box()["height"] < 30 for name in names.all()} == {True}


def test_metrics_search_and_pins_work_and_nothing_hinders_a_reader(jupyter, page):
    notebook = reopened(jupyter, page, "tools.ipynb", *kept(answered("A word, a word. " * 12)))
    page.click("button:text('rank')")
    assert page.get_attribute(".dsx-view", "data-metric") == "rank"
    page.fill(".dsx-search", "word.")
    assert page.locator(".dsx-match").count() == 24
    page.locator(".dsx-t").nth(0).click()
    page.locator(".dsx-t").nth(1).click(modifiers=["Shift"])
    assert page.locator(".dsx-cards .dsx-card").count() == 2
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        assert troubles(page, ".ds-output") == []


def test_what_does_not_fit_and_what_has_no_probabilities_is_static(jupyter, page):
    plain = ChatCompletion.from_wire({"choices": [{"message": {"content": "plain"}}]})
    (output,) = kept(answered("Alive."))
    (without,) = kept(plain)
    assert TYPE in output["data"] and TYPE not in without["data"]
    broken = {**output, "data": {**output["data"], TYPE: {"version": 1}}}
    notebook = reopened(jupyter, page, "static.ipynb", output, without, broken)
    page.wait_for_function("document.querySelectorAll('.dsx-static-text').length === 1")
    assert page.inner_text(".dsx-static-text").strip() == "Alive." and page.locator(".dsx-living").count() == 1
    assert notebook.page.locator(".jp-OutputArea-output:has-text('plain')").count() == 1


def test_hostile_text_stays_text(jupyter, page):
    tokens = [entry(token, 0.3, [(token, 0.3), (HOSTILE[0], 0.2)]) for token in HOSTILE]
    reopened(jupyter, page, "hostile.ipynb", *kept(answered(tokens)))
    for token in page.locator(".dsx-formatted .dsx-t").all():
        token.hover()
        page.wait_for_selector(f"{CARD} .dsx-token")
        page.mouse.move(0, 0)
        page.wait_for_selector(CARD, state="detached")  # it would cover the next one
    page.click("button:text('tokens')")
    assert page.title() != "pwned" and not page.locator(".ds-output script, .ds-output img").count()
    assert page.errors == []


def test_a_branch_grows_in_place_and_is_in_the_notebook_that_is_saved(jupyter, lab):
    notebook = lab(LOADED, ASKED, "print('<', answer.tree().requests, '>')")
    page = notebook.page
    notebook.run_all()
    page.wait_for_selector(".dsx-living .dsx-t:has-text('Canberra')")
    forked(page)
    has_branched(page)
    assert "Sydney" in page.inner_text(".dsx-formatted") and not page.locator(".dsx-static-bars").count()
    page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex = 2")
    page.evaluate("jupyterapp.commands.execute('notebook:run-cell')")
    page.wait_for_selector(".jp-OutputArea-output:has-text('< 2 >')")  # it is the answer's own branch
    notebook.save()
    (output,) = jupyter.saved(notebook.notebook)["cells"][1]["outputs"]
    assert [place.get("label") for place in output["data"][TYPE]["nodes"]] == [None, "·Sydney"]
    assert "2 requests" in "".join(output["data"]["text/html"])

    # Reopened with another kernel: one that has no ds_magic says so, one that has goes on from what is held.
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    page.reload()
    page.wait_for_selector(".dsx-way:has-text('Sydney')")
    notebook.wait_for_kernel()
    forked(page, instead="Perth")
    page.wait_for_selector(".dsx-stage + .dsx-notice:has-text('no ds_magic') code")
    page.keyboard.press("Escape")
    page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex = 0")
    page.evaluate("jupyterapp.commands.execute('notebook:run-cell')")
    forked(page, instead="Perth")
    page.wait_for_function("document.querySelector('.dsx-status').textContent.includes('of 3: [ and ]')")
    notebook.save()
    (output,) = jupyter.saved(notebook.notebook)["cells"][1]["outputs"]
    assert [place.get("label") for place in output["data"][TYPE]["nodes"]] == [None, "·Sydney", "·Perth"]


def test_in_a_tab_of_its_own_an_output_is_its_notebooks(lab):
    notebook = lab(LOADED, ASKED)
    page = notebook.page
    notebook.run_all()
    page.wait_for_selector(".dsx-living .dsx-t:has-text('Canberra')")
    notebook.second_view(1)
    page.click(".jp-LinkedOutputView .dsx-t:has-text('Canberra')")
    page.click(f"{CARD} button:has-text('Sydney')")
    page.wait_for_selector(".jp-LinkedOutputView .dsx-way")
    page.wait_for_selector(".jp-Notebook .dsx-way:has-text('Sydney')")  # it is one output, seen twice
    page.click(".jp-LinkedOutputView button:text('Insert cell')")
    page.wait_for_selector(".jp-LinkedOutputView button:text('Inserted below')")
    assert page.locator(".jp-Notebook .jp-Cell").count() == 3
    # They stand beside the legend, whether or not there are more tools above it.
    boxes = (page.locator(f".jp-LinkedOutputView .dsx-{name}").bounding_box() for name in ("legend", "actions"))
    legend, actions = (box["y"] + box["height"] / 2 for box in boxes)
    assert abs(legend - actions) < 4


def test_two_notebooks_in_a_page_may_have_one_kernel(jupyter, lab):
    notebook = lab(LOADED, ASKED)
    page = notebook.page
    notebook.run_all()
    page.wait_for_selector(".dsx-living .dsx-t:has-text('Canberra')")
    notebook.save()
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    (jupyter.folder / "other.ipynb").write_bytes((jupyter.folder / notebook.notebook).read_bytes())
    page.evaluate(
        """() => { const { kernel: { id } } = jupyterapp.shell.currentWidget.sessionContext.session;
        void jupyterapp.commands.execute('docmanager:open', {path: 'other.ipynb', kernel: {id}}); }"""
    )
    page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.handleComms === false")
    shown = ".jp-NotebookPanel:not(.lm-mod-hidden)"
    page.click(f"{shown} .dsx-t:has-text('Canberra')")
    page.click(f"{CARD} button:has-text('Sydney')")
    page.wait_for_selector(f"{shown} .dsx-way:has-text('Canberra')")


def test_with_explore_there_is_one_explorer_and_it_is_the_living_output(lab):
    notebook = lab(LOADED, ASKED.replace("-l", "--explore"))
    notebook.run_all()
    notebook.page.wait_for_selector(".dsx-living .dsx-t:has-text('Canberra')")
    forked(notebook.page)
    has_branched(notebook.page)
    assert notebook.page.locator(".dsx").count() == 1


def test_a_kernel_that_goes_in_a_branch_leaves_what_had_come(lab):
    notebook = lab(LOADED, "%%deepseek -t 0.8 --seed 1 --max-tokens 500 -l --stop ,\nTell a long story of a fox.")
    page = notebook.page
    notebook.run_all()
    page.wait_for_selector(".dsx-living .dsx-t")
    page.evaluate(
        """() => { const said = new MutationObserver(() => document.querySelector('.dsx-tail')?.textContent.length > 9
        && (said.disconnect(), jupyterapp.shell.currentWidget.sessionContext.restartKernel()));
        said.observe(document.body, {subtree: true, childList: true, characterData: true}); }"""
    )
    page.locator(".dsx-living .dsx-t").nth(0).click()
    page.locator(f"{CARD} .dsx-go").nth(2).click()
    page.wait_for_selector(".dsx-notice:has-text('The kernel has gone')")
    assert len(page.inner_text(".dsx-tail")) > 9 and not page.locator(".dsx-stop").count()
    assert not page.locator(".dsx-formatted .dsx-t:not(.dsx-fork *)").count()  # the branch stands in place of the rest


def test_of_several_choices_the_first_is_alive_and_the_others_stand_as_they_are(jupyter, page):
    choices = []
    for number, text in enumerate(("One.", "Two.")):
        entries = [entry(text[:3], 0.05, [("Ten", 0.9)]), entry(".", 0.9, [(".", 0.9)])]
        choices.append({"index": number, "message": {"content": text}, "logprobs": {"content": entries}})
    reopened(jupyter, page, "choices.ipynb", *kept(ChatCompletion.from_wire({"choices": choices})))
    assert page.inner_text(".dsx-formatted").strip() == "One." and page.locator(".dsx-living").count() == 1
    assert page.inner_text(".dsx-static-text").strip() == "Two."
    assert page.locator(".dsx-static-bars").count() == 2 and page.locator(".dsx-static-legend").count() == 1
