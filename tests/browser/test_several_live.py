"""Several answers of a cell, while they come and after: columns that fill, a table that grows, nothing that jumps."""

import threading

import pytest

from tests.browser.accessible import troubles
from tests.browser.jupyter import PATIENCE
from tests.browser.test_pictures import CONTRASTS, CUT
from tests.many.scripted_answers import entry
from tests.servers.scripted import LAST_CHUNK, ScriptedServer, answered, chunk, event, head, text_chunk
from tests.views.making import HOSTILE

SAYS = """text => [...document.querySelectorAll('.jp-OutputArea-output')].at(-1)?.textContent.includes(text)"""
PLACES = """() => [...[...document.querySelectorAll('.jp-OutputArea-output')].at(-1).querySelectorAll('p, td')]
  .map((element) => { const { left, top } = element.getBoundingClientRect(); return [left, top].map(Math.round); })"""


class Held:
    """A server that says half of an answer, and the other half when it is let go on."""

    def __init__(self, first="Half of it", second=" and *the rest*."):
        self.pieces, self.go_on = (first, second), threading.Event()

    def __call__(self, connection):
        said = connection.request.json["messages"][0]["content"]
        connection.send(head())
        for at, piece in enumerate(self.pieces):
            text = f"{said}: {piece}" if not at else piece
            entries = {"logprobs": {"content": [entry(text, 0.2)]}} if text.isprintable() else {}
            connection.send(chunk(event(text_chunk(text, **entries))))
            if not at:
                connection.wait(self.go_on)
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        connection.send(chunk(event(text_chunk("", finish="stop", usage=usage))))
        connection.send(chunk(b"data: [DONE]\n\n") + LAST_CHUNK)


@pytest.fixture
def begin(lab):
    """Runs a cell of several answers, and waits until its picture says something."""

    def begun(server, line, says, setup=""):
        cell = f"%%deepseek --base-url {server.url} -m scripted -l {line}"
        notebook = lab(f"%load_ext ds_magic\n{setup}", cell)
        notebook.run_all()
        notebook.page.wait_for_function(SAYS, arg=says)
        return notebook

    return begun


def test_columns_fill_side_by_side_under_a_bar_and_end_without_a_jump(begin):
    held = Held()
    with ScriptedServer(held) as server:
        prices = "%config DeepSeekMagics.prices = {'scripted': {'input': 1, 'output': 1e6}}"
        notebook = begin(server, "--max-tokens 2 --sweep system=one,two\nGo.", "two: Half", prices)
        page = notebook.page
        before = page.evaluate(PLACES)
        assert len(before) == 2 and len({top for _, top in before}) == 1 and len({left for left, _ in before}) == 2
        head_of = "document.querySelector('progress').closest('.jp-OutputArea-output').innerText.split('\\n\\n')[0]"
        said = page.evaluate(head_of)
        assert "2 systems" in said and "0 of 2 · 2 running · costs at most about 4.00" in said
        held.go_on.set()
        page.wait_for_function(SAYS, arg="10 tokens in and out · spent 4.00")
        page.wait_for_selector("progress", state="detached")
        assert page.evaluate(PLACES) == before and page.locator(".jp-OutputArea-output em").count() == 2
        assert troubles(page, ".jp-OutputArea-output .mathjax_ignore") == []


def test_many_are_a_table_from_the_beginning(begin):
    held = Held()
    with ScriptedServer(held) as server:
        notebook = begin(server, '--map rows -s "{{ x }}"\n{{ x }}', "3: Half", "rows = range(40)")
        page = notebook.page
        assert page.locator(".jp-OutputArea-output tbody tr").count() == 4
        place = page.evaluate(PLACES)[0]
        held.go_on.set()
        page.wait_for_function(SAYS, arg="and 20 more")
        page.wait_for_selector("progress", state="detached")
        assert page.locator(".jp-OutputArea-output tbody tr").count() == 20 and page.evaluate(PLACES)[0] == place


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_a_picture_of_what_runs_is_read_by_everybody_at_any_width(begin, theme):
    held = Held()
    with ScriptedServer(held) as server:
        notebook = begin(server, "--sweep system=one,two,three\nGo.", "three: Half")
        notebook.theme(theme)
        try:
            assert troubles(notebook.page, ".jp-OutputArea-output .mathjax_ignore") == []
            (words,) = notebook.page.evaluate(CONTRASTS, [".jp-OutputArea-output p span, .jp-OutputArea-output span"])
            assert min(words) >= 4.5
            for width in (1400, 600):
                notebook.page.set_viewport_size({"width": width, "height": 900})
                assert notebook.page.evaluate(CUT) == []
        finally:
            held.go_on.set()
            notebook.theme("JupyterLab Light")


def test_an_interrupt_keeps_what_had_come_marked(begin):
    held = Held()
    with ScriptedServer(held) as server:
        notebook = begin(server, "--sweep system=one,two,three\nGo.", "three: Half")
        notebook.page.evaluate("jupyterapp.commands.execute('notebook:interrupt-kernel')")
        notebook.page.wait_for_function(SAYS, arg="3 not whole")
        assert "two: Half of it" in notebook.page.inner_text(".jp-OutputArea-output p >> nth=1")
        held.go_on.set()


def test_nothing_that_comes_runs_or_becomes_markup(begin):
    text = "\n\n".join(each for each in HOSTILE if each.isprintable())
    held = Held(first=text, second=text)
    with ScriptedServer(held) as server:
        page = begin(server, "--sweep system=one,two\nGo.", "two: ").page  # a dialog fails the test
        assert page.locator(".jp-OutputArea-output .mathjax_ignore :is(script, img, iframe)").count() == 0
        held.go_on.set()
        page.wait_for_selector("progress", state="detached", timeout=PATIENCE * 1000)


def test_a_pause_is_shown_with_its_reason_and_is_over_when_it_is_over(begin):
    held, refusals = Held(), []

    def script(connection):
        if refusals:
            held(connection)
        else:
            refusals.append(1)
            answered({"error": {"message": "Too many."}}, "429 Too Many Requests", Retry_After="2")(connection)

    with ScriptedServer(script) as server:
        page = begin(server, "--times 1 -s one\nGo.", "waiting").page
        assert "Too many." in page.inner_text(".jp-OutputArea-output [title*=waiting]")
        page.wait_for_function(SAYS, arg="one: Half")
        page.wait_for_function(f"!({SAYS})('waiting')")
        held.go_on.set()
        page.wait_for_function(SAYS, arg="1 answer ·")
