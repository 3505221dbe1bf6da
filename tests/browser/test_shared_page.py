"""Pages that were shared, opened in Chromium from disk with the network blocked."""

import json
from pathlib import Path

import pandas as pd
import pytest

import ds_magic
from ds_magic import Answers, ChatCompletion
from ds_magic.teaching.pages.lesson import write_lesson
from ds_magic.views.size import set_size
from tests.views.making import HOSTILE

from .accessible import troubles
from .chromium import guarded
from .tables import contest

LESSON = Path(__file__).parents[2] / "notebooks/01-what-it-nearly-said.ipynb"


@pytest.fixture(scope="module")
def opened(browser):
    page = guarded(browser.new_page())
    yield page
    page.close()


@pytest.fixture
def show(opened):
    """Open a page, and check in the end that it ran nothing and asked for nothing."""

    def show(path, width=1100, scheme="light"):
        opened.errors.clear()
        opened.strangers.clear()
        opened.set_viewport_size({"width": width, "height": 900})
        opened.emulate_media(color_scheme=scheme)
        opened.goto(path.absolute().as_uri())
        return opened

    yield show
    assert opened.errors == [] and opened.strangers == []


@pytest.fixture
def answer():
    body = {"model": "tiny", "choices": [{"message": {"content": "The capital is Paris."}, "finish_reason": "stop"}]}
    return ChatCompletion.from_wire(body)


def hostile_notebook(folder):
    texts = [*HOSTILE, '<img src="https://evil.example/x.png"><link rel=stylesheet href="https://evil.example/x.css">',
             "<style>@import 'https://evil.example/y.css'</style>", "<p style='background:url(https://evil.example/)'>x",
             "<div style='position:fixed;inset:0;z-index:9;background:red;margin:-900px;width:9000px;height:9000px'>x",
             "<div style='margin-top:-900px;opacity:0.99;height:1000px;width:9000px;background:red'>x",
             "<div style='height:0;opacity:0.99'><div style='height:9000px;background:red'>x"]
    cells = [{"cell_type": "markdown", "source": text} for text in ("the beginning", *texts)]
    outputs = [{"output_type": "display_data", "data": {"text/html": text}} for text in texts]
    outputs.append({"output_type": "display_data", "data": {
        "image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script>"
        "<image href='https://evil.example/x.png'/></svg>"}})  # fmt: skip
    cells.append({"cell_type": "code", "source": "1", "outputs": outputs})
    cells.append({"cell_type": "markdown", "source": "the end"})
    path = folder / "hostile.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}))
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 600])
def test_a_lesson_can_be_read_by_everybody_at_any_width(width, scheme, show, tmp_path):
    page = show(write_lesson(LESSON, tmp_path / "page.html"), width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert troubles(page, "html") == []
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(17, 17, 17)")


def test_long_lines_are_broken_rather_than_cut_off(show, tmp_path):
    printed = {"output_type": "stream", "text": "a long line " * 50 + "\n" + "x" * 500}
    code = "print('" + "many words " * 50 + "')"
    notebook = {"nbformat": 4, "cells": [{"cell_type": "code", "source": code, "outputs": [printed]}]}
    (tmp_path / "x.ipynb").write_text(json.dumps(notebook))
    page = show(write_lesson(tmp_path / "x.ipynb"), 600)
    assert page.evaluate("[...document.querySelectorAll('*')].every((one) => one.scrollWidth <= one.clientWidth + 1"
                         " || getComputedStyle(one).display === 'inline')")  # fmt: skip


def test_a_result_can_be_read_by_everybody(show, answer, tmp_path):
    for width, scheme in ((1100, "light"), (600, "dark")):
        path = ds_magic.share([contest(), answer, Answers.of(answer, answer)], tmp_path / "page.html")
        page = show(path, width, scheme)
        assert troubles(page, "html") == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_hostile_notebook_runs_nothing_fetches_nothing_and_stays_in_its_frames(show, tmp_path):
    page = show(write_lesson(hostile_notebook(tmp_path)))
    assert page.evaluate("document.scripts.length") == 0
    covers = "([x, y]) => document.elementFromPoint(x, y).textContent.trim()"
    for text in ("the beginning", "the end"):
        element = page.get_by_text(text, exact=True)
        element.scroll_into_view_if_needed()
        place = element.bounding_box()
        assert page.evaluate(covers, [place["x"] + 5, place["y"] + 5]) == text
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("projector", [False, True])
def test_a_large_page_is_half_as_large_again_whatever_size_its_outputs_were_drawn_at(projector, show, tmp_path):
    set_size("projector" if projector else "normal")
    try:
        path = ds_magic.share(contest(), tmp_path / "page.html", large=True)
    finally:
        set_size("normal")
    page = show(path)
    sizes = "[...document.querySelectorAll('bdi')].map((one) => parseFloat(getComputedStyle(one).fontSize))"
    assert 20 < page.evaluate(f"Math.max(...{sizes})") <= 24 and page.evaluate(f"Math.min(...{sizes})") > 18


def test_on_paper_folded_answers_are_open(show, tmp_path):
    notebook = {"nbformat": 4, "cells": [
        {"cell_type": "markdown", "source": "<details><summary>And?</summary>\n\nIndeed.\n\n</details>"}]}  # fmt: skip
    (tmp_path / "x.ipynb").write_text(json.dumps(notebook))
    page = show(write_lesson(tmp_path / "x.ipynb"))
    assert not page.get_by_text("Indeed.").is_visible()
    page.emulate_media(media="print")
    assert page.get_by_text("Indeed.").is_visible()
    page.emulate_media(media="screen")


def test_on_paper_the_bars_of_a_place_stay_together_and_rows_of_data_do_not(show, tmp_path):
    page = show(ds_magic.share([contest(), pd.DataFrame({"row": range(200)})], tmp_path / "page.html"))
    page.emulate_media(media="print")
    breaks = "one => getComputedStyle(one.closest('table').parentElement).breakInside"
    assert page.eval_on_selector("td:has-text('Paris')", breaks) == "avoid"
    assert page.eval_on_selector("table.dataframe td", breaks) == "auto"
    page.emulate_media(media="screen")
