"""A gap that is filled, as a reader sees it: in its place while the text comes, and afterwards."""

import pytest

from tests.browser.conftest import opener
from tests.browser.jupyter import Jupyter, Lab
from tests.browser.test_live import shows, text_of

SETUP = """
from ds_magic.api.delta import Delta
from ds_magic.views import make_view
from tests.views.answer.test_gap import LINES, answer

def came(text):
    return Delta.of({}, {"index": 0, "delta": {"content": text}})

after = "\\n\\nf(3)</pre><script>alert(1)</script>"
whole = answer("    return n<b>", LINES + "def f(n):\\n", after, ["    return", " n<b>"])
view = make_view("live")
view.start(whole.request, "embedded model")
"""
TEXT = "def f(n):\n    return n<b>\n\nf(3)</pre><script>alert(1)</script>"


def test_both_sides_stand_around_what_comes_and_what_came(lab, gate):
    notebook = lab(SETUP + f"""
view.delta(came("    ret"))
{gate.code}
view.delta(came("urn n<b>"))
view.finish(whole, None)
""")
    notebook.run_all()
    shows(notebook.page, "def f(n):\n    ret\n\nf(3)</pre>", ".ds-live pre")
    assert text_of(notebook.page, ".ds-live .ds-given").startswith("… 89 lines before\nline 89")
    gate.open()
    shows(notebook.page, TEXT, ".jp-RenderedHTML pre")
    notebook.page.wait_for_selector(".ds-live", state="detached")


BROKEN = """where => [...document.querySelectorAll(where)].flatMap((pre) => {
    const texts = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT), broken = [];
    for (let text; (text = texts.nextNode()); )
        for (const word of text.data.matchAll(/[a-z]+/g)) {
            const range = document.createRange();
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map((one) => one.top)).size > 1) broken.push(word[0]);
        }
    return broken;
})"""


def test_lines_of_a_text_are_broken_between_words(lab, gate):
    notebook = lab("""
from ds_magic.api.delta import Delta
from ds_magic.views import make_view
from tests.views.answer.test_gap import answer

words = "nine or more ordinary words " * 20
whole = answer(words, words, words)
view = make_view("live")
view.start(whole.request, "embedded model")
view.delta(Delta.of({}, {"index": 0, "delta": {"content": words}}))
""" + f"{gate.code}\nview.finish(whole, None)")
    notebook.run_all()
    shows(notebook.page, "words", ".ds-live pre .ds-answer, .ds-live pre.ds-answer")
    assert notebook.page.evaluate(BROKEN, ".ds-live pre") == []
    gate.open()
    notebook.page.wait_for_selector(".ds-live", state="detached")
    assert notebook.page.evaluate(BROKEN, ".jp-RenderedHTML pre") == []


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A server whose pages load our extension."""
    server = Jupyter(tmp_path_factory.mktemp("extended"), labextension=True)
    yield server
    server.end()


def test_the_editor_draws_the_gap_and_leaves_code_as_code(request, page, extended):
    cell = "%%deepseek --fim -l\n# *a* title\n@user\n\\@gap\n@gap\n- {{ x }}"
    notebook = opener(request, Lab, page, extended)(cell, "%%deepseek\n@gap\n@user\nHi")
    page.wait_for_selector(".dsp-role-name")
    drawn = page.eval_on_selector_all(".jp-Notebook .jp-CodeCell", """cells => cells.map((cell) => [
        [...cell.querySelectorAll(".cm-line")].map((line) => /dsp-(\\\\w+)/.exec(line.className)?.[1]),
        [...cell.querySelectorAll(".dsp-role-name")].map((name) => name.textContent),
        cell.querySelectorAll(".dsp-heading, .dsp-em").length])""".replace("\\\\", "\\"))
    assert drawn[0] == [["magic", "code", "code", "code", "role", "code"], ["@gap"], 0]
    assert drawn[1] == [["magic", "said", "role", "said"], ["@user"], 0]
    assert notebook.page.eval_on_selector(".dsp-mark", "one => one.textContent") == "\\"
