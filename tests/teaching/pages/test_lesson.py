"""A saved notebook as one page of HTML."""

import base64
import json
from pathlib import Path

import pytest

from ds_magic.__main__ import main
from ds_magic.api.errors import InvalidRequestError
from ds_magic.teaching.pages.lesson import write_lesson

ROOT = Path(__file__).parents[3]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PNG = b"\x89PNG\r\n\x1a\nrest"


def output(**data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


@pytest.fixture
def lesson(folder):
    """Write a notebook of cells, a text being Markdown and a list code with its outputs; gives its page."""

    def made(*cells):
        written = [
            {"cell_type": "markdown", "metadata": {}, "source": each} if isinstance(each, str) else
            each if isinstance(each, dict) else
            {"cell_type": "code", "metadata": {}, "source": each[0], "execution_count": 1, "outputs": each[1:]}
            for each in cells
        ]
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"language_info": {"name": "python"}}}
        (folder / "lesson.ipynb").write_text(json.dumps({**notebook, "cells": written}))
        return write_lesson("lesson.ipynb").read_text()

    return made


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_lesson_of_the_course_has_all_its_pictures_and_needs_nothing(path, folder):
    html = write_lesson(path, folder / "page.html").read_text()
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        for each in cell.get("outputs", ()):
            for bar in ("border-top:0.85em solid", "<details", "print-color-adjust:exact"):
                assert "".join(each.get("data", {}).get("text/html", "")).count(bar) <= html.count(bar)
    assert html.count("data:image/png") == path.read_text().count('"image/png"')
    assert "<script" not in html and "https://cdn" not in html and "Left out" not in html


def test_texts_code_and_what_was_printed_stand_in_their_order(lesson):
    printed = {"output_type": "stream", "name": "stdout", "text": ["10 %\r20 %\r\n", "\x1b[31mred\x1b[0m <b>\n"]}
    failed = {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["\x1b[0;31mE\x1b[0m: <i>why"]}
    html = lesson("# A *first* lesson\n\ntext", ["x = 'one'", printed, failed], ["%%deepseek -t 0\nWhy is it for me?"])
    assert "<title>A *first* lesson</title>" in html and '<h1 dir="auto" id="A-*first*-lesson">' in html
    order = ["text</p>", "x = ", "20 %\nred &lt;b&gt;", "E: &lt;i&gt;why", "Why is it for me?"]
    assert [html.index(each) for each in order] == sorted(html.index(each) for each in order) and "10 %" not in html


def test_an_author_may_fold_an_answer_and_write_formulas(lesson):
    html = lesson("<details><summary>And?</summary>\n\nIt **is** $e^{x}$.\n\n</details>")
    assert "<details><summary>And?</summary>" in html and "<strong>is</strong>" in html
    assert '<span class="mathjax_process">e^{x}</span>' in html


def test_pictures_of_the_folder_and_those_attached_are_in_the_page(lesson, folder):
    (folder / "images").mkdir()
    (folder / "images/a b.png").write_bytes(PNG)
    data = base64.b64encode(PNG).decode()
    attached = {"cell_type": "markdown", "source": "![two](attachment:b.png)",
                "attachments": {"b.png": {"image/png": data}}}  # fmt: skip
    html = lesson('![one](images/a%20b.png) <img src="images/a%20b.png">', attached)
    assert html.count(f"data:image/png;base64,{data}") == 3 and 'alt="one"' in html and 'alt="two"' in html


@pytest.mark.parametrize("address", ["../secret.png", "text.png", "link.png", "https://a.example/x.png", "%00.png"])
def test_no_other_file_gets_into_the_page(address, lesson, folder):
    (folder.parent / "secret.png").write_bytes(PNG)
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    (folder / "text.png").write_text("password")
    html = lesson(f"![it]({address})")
    assert "<img" not in html and "[image: it]" in html


def test_html_of_others_is_cleaned_and_what_needs_a_script_is_a_picture_or_text(lesson):
    script = "<div id=x></div><script>alert(1)</script>"
    html = lesson(
        ["a", output(**{"text/html": "<b onclick=x()>bold</b><script>y()</script>", "text/plain": "plain"})],
        ["b", output(**{"text/html": script, "image/png": base64.b64encode(PNG).decode(), "text/plain": "a figure"})],
        ["c", output(**{"text/html": script, "text/plain": "instead"})],
        ["d", output(**{"application/javascript": "alert(2)", "text/plain": "<Javascript>"})],
        ["e", output(**{"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider(value=0)"})],
        ["f", output(**{"image/svg+xml": "<svg onload='alert(3)'/>", "text/plain": "drawn"})],
        "<iframe src=//x></iframe><script>z()</script>done",
    )
    assert "<b>bold</b>" in html and 'alt="a figure"' in html and "instead" in html and "IntSlider(value=0)" in html
    assert "Left out of this page: a frame, a script." in html
    assert html.count("Left out of this page: a script.") == 3 and "data:image/svg+xml;base64," in html
    assert "<script" not in html and "onclick" not in html and "<iframe" not in html and "alert(" not in html


def test_a_key_in_a_cell_or_an_output_is_masked(lesson):
    key = "sk-0123456789abcdef0123456789abcdef"
    html = lesson(f"the key {key}", [f"login({key})", {"output_type": "stream", "text": key}],
                  ["x", output(**{"text/html": f"<b>{key}</b>"})])  # fmt: skip
    assert "0123456789abcdef" not in html and html.count("****") == 4


@pytest.mark.parametrize("text", [
    "", "{", "[]", '{"nbformat": 3, "worksheets": []}', '{"nbformat": 4, "cells": 7}', "\ud800",
    '{"nbformat": 4, "cells": [{"cell_type": "code", "source": {}, "outputs": [{"data": []}]}]}', "[" * 100_000,
])
def test_what_is_no_notebook_is_refused(text, folder):
    (folder / "x.ipynb").write_text(text, errors="surrogatepass")
    with pytest.raises(InvalidRequestError, match="not a notebook"):
        write_lesson("x.ipynb")


def test_a_notebook_may_hold_what_nobody_expects(lesson):
    html = lesson({"cell_type": "raw", "source": "<script>raw"}, {"cell_type": "code", "source": "1", "outputs": [
        {"output_type": "display_data", "data": {"image/png": "!", "text/plain": ["a", 7, None]}},
        {"output_type": "new"}, {"output_type": "display_data", "data": {"text/html": 5}},
    ]})  # fmt: skip
    assert "&lt;script&gt;raw" in html and "<pre>a</pre>" in html


def test_the_program_writes_each_page_beside_its_notebook_and_says_so(lesson, folder, capsys):
    lesson("# One")
    (folder / "two.ipynb").write_text((folder / "lesson.ipynb").read_text())
    assert main(["page", "lesson.ipynb", "two.ipynb", "--large"]) == 0
    assert capsys.readouterr().out.split() == ["lesson.html", "two.html"]
    assert '<body class="large">' in (folder / "two.html").read_text()
    assert main(["page", "two.ipynb", "-o", "named.html"]) == 0 and (folder / "named.html").exists()
    (folder / "two.html").write_text("mine")
    assert main(["page", "two.ipynb", "missing.ipynb"]) == 1
    told = capsys.readouterr().err
    assert "no page of ds_magic" in told and "missing.ipynb: No such file" in told


def test_a_magic_writes_the_page_of_its_own_notebook(lesson, folder, shell, monkeypatch):  # noqa: F811
    lesson("# One")
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "lesson.ipynb"))
    assert shell.run_cell("%ds_share --notebook own.html").raise_error() is None
    assert "One</h1>" in (folder / "own.html").read_text()
