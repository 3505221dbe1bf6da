"""The playground in JupyterLab in Chromium: by mouse and by keyboard, at the width of a desk and of half a screen."""

import threading

import pytest

from tests.servers.scripted import ScriptedServer, chunk, event, head, refused, said, text_chunk

from .accessible import troubles
from .jupyter import Jupyter, Lab, Notebook7

FORM = ".dsp"


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    server = Jupyter(tmp_path_factory.mktemp("jupyter"), labextension=True)
    yield server
    server.end()


def begin(server):
    return (
        f"import os; os.environ['DEEPSEEK_API_KEY'] = 'k'; os.environ['DEEPSEEK_BASE_URL'] = {server.url!r}\n"
        "%load_ext ds_magic"
    )


@pytest.fixture
def show(lab):
    """Run cells in a new notebook, the first of which points at a server, and wait for the form."""

    def show(server, *cells):
        notebook = lab(begin(server), *cells)
        notebook.run_all()
        notebook.page.wait_for_selector(FORM)
        notebook.wait_for_kernel()
        return notebook

    return show


class Endless:
    """A script that begins an answer and never ends it, until the client goes."""

    def __init__(self):
        self.was_closed = threading.Event()

    def __call__(self, connection):
        connection.send(head())
        connection.send(chunk(event(text_chunk("Half of it"))))
        connection.wait_until_closed()
        self.was_closed.set()


def cell(page):
    return page.eval_on_selector(".dsp-cell", "one => one.textContent")


def becomes(page, text):
    """Wait until the cell that asks the same is this one, as the kernel has said."""
    page.wait_for_function(
        "text => document.querySelector('.dsp-cell').textContent === text && !document.querySelector('.dsp-stale')",
        arg=text,
    )


def answers(page, text):
    """Wait until it has answered, and the output below has this text."""
    page.wait_for_function(
        "text => !document.querySelector('.dsp-running')"
        " && [...document.querySelectorAll('.jp-OutputArea-output')].some(one =>"
        " one.style.display !== 'none' && !one.querySelector('.dsp') && one.textContent.includes(text))",
        arg=text,
    )


def control(page, name):
    return page.locator(".dsp-control", has=page.locator(f"label:text-is('{name}')")).locator(
        "input, select, textarea"
    )


def sources(page):
    return page.evaluate(
        "[...jupyterapp.shell.currentWidget.content.model.cells].map((one) => one.sharedModel.getSource())"
    )


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")


def test_by_mouse_a_question_is_changed_asked_and_put_into_the_notebook(show):
    with ScriptedServer(said("Perth", "."), said("Sydney", ".")) as server:
        page = show(server, "%%deepseek --playground -t 0.5\nThe capital?").page
        assert cell(page) == "%%deepseek --temperature 0.5\nThe capital?" and server.requests == []
        page.click(".dsp-run")
        answers(page, "Perth.")
        control(page, "max_tokens").fill("7")
        becomes(page, "%%deepseek --temperature 0.5 --max-tokens 7\nThe capital?")
        page.click("button[aria-label='Leave out temperature']")
        becomes(page, "%%deepseek --max-tokens 7\nThe capital?")
        page.click("text=Add a message")
        page.keyboard.type("It is")
        page.select_option("select[aria-label='Role of message 2']", "prefix")
        becomes(page, '%%deepseek --prefix "It is" --max-tokens 7\nThe capital?')
        page.click(".dsp-run")
        answers(page, "It isSydney.")
        first, second = (request.json for request in server.requests)
        assert first["temperature"] == 0.5 and "max_tokens" not in first
        assert second["max_tokens"] == 7 and "temperature" not in second
        assert second["messages"][1] == {"role": "assistant", "content": "It is", "prefix": True}
        page.click("text=Copy >> nth=0")
        page.wait_for_selector(".dsp-buttons button:text('Copied')")
        assert page.evaluate("navigator.clipboard.readText()") == cell(page)
        page.click(".dsp-past >> nth=0")
        becomes(page, "%%deepseek --temperature 0.5\nThe capital?")
        answers(page, "Perth.")
        page.click("text=Insert below")
        page.wait_for_selector(".dsp-buttons button:text('Inserted below')")
        assert sources(page)[2] == cell(page)


def test_by_keyboard_alone_a_slider_moves_the_cell_and_no_key_reaches_the_notebook(show):
    with ScriptedServer(said("Perth", ".")) as server:
        notebook = show(server, "%%deepseek --playground\nThe capital?", "print(_ds.content, p)")
        page = notebook.page
        control(page, "temperature").focus()
        page.keyboard.press("ArrowLeft")
        becomes(page, "%%deepseek --temperature 0.95\nThe capital?")
        assert control(page, "temperature").get_attribute("aria-valuetext") == "0.95"
        page.keyboard.press("Home")
        becomes(page, "%%deepseek --temperature 0\nThe capital?")
        reason = "no effect at temperature 0, where nothing is drawn"
        described = control(page, "top_p").get_attribute("aria-describedby")
        assert page.inner_text(f"[id='{described}']") == reason
        page.keyboard.press("x")  # would cut the cell
        page.keyboard.press("Control+Enter")
        answers(page, "Perth.")
        assert focused(page) is not None and page.evaluate("document.activeElement.matches('.dsp-slider')")
        assert len(sources(page)) == 3
        page.focus("[aria-label='Text of message 1']")
        page.keyboard.press("End")
        page.keyboard.type(" Which?")
        becomes(page, "%%deepseek --temperature 0\nThe capital? Which?")
        page.focus("text=Add a message")
        page.keyboard.press("Enter")
        assert focused(page) == "Text of message 2"
        page.keyboard.type("Be brief.")
        page.focus("[aria-label='Role of message 2']")
        page.keyboard.press("s")  # system
        page.focus("[aria-label='Move message 2 up']")
        page.keyboard.press("Enter")
        becomes(page, '%%deepseek --system "Be brief." --temperature 0\nThe capital? Which?')
        assert focused(page) == "Move message 1 up"
        page.focus("[aria-label='Remove message 1']")
        page.keyboard.press("Enter")
        becomes(page, "%%deepseek --temperature 0\nThe capital? Which?")
        assert focused(page) == "Text of message 1"


def without_subshells(page):
    """As with kernels and pages that have no thread of its own for what widgets say."""
    kernel = "jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
    page.evaluate(f"{kernel}.commsOverSubshells = 'disabled'")


def keep_busy(page, code):
    """Run a third cell."""
    page.evaluate(
        """code => { const { content } = jupyterapp.shell.currentWidget;
        content.model.sharedModel.insertCell(2, {cell_type: "code", source: code, metadata: {trusted: true}});
        content.activeCellIndex = 2;
        void jupyterapp.commands.execute("notebook:run-cell"); }""",
        code,
    )
    page.wait_for_selector(".jp-Cell:nth-child(3) .jp-InputPrompt:text('[*]')")
    # The page has asked by then; that the kernel has begun is heard later.
    page.wait_for_function("jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.status === 'busy'")


def test_escape_ends_an_answer_while_the_kernel_is_busy_with_another_cell(show, gate):
    endless = Endless()
    with ScriptedServer(endless) as server:
        page = show(server, "%%deepseek --playground\nGo on.").page
        without_subshells(page)
        page.click(".dsp-run")
        page.wait_for_selector(".ds-live .ds-answer:has-text('Half of it')")
        keep_busy(page, f"{gate.code}\nprint('went on:', _ds.content)")
        page.focus(".dsp-stop")
        page.keyboard.press("Escape")
        answers(page, "stopped: this answer is partial")
        assert endless.was_closed.wait(60)
        assert page.inner_text(".jp-Cell:nth-child(3) .jp-InputPrompt") == "[*]:"
        gate.open()
        page.wait_for_selector("text=went on: Half of it")


def test_what_a_busy_kernel_has_not_begun_is_stopped_before_it_is_asked(show, gate):
    endless = Endless()
    with ScriptedServer(endless) as server:
        page = show(server, "%%deepseek --playground\nGo on.").page
        without_subshells(page)
        keep_busy(page, f"{gate.code}\nprint('free')")
        page.click(".dsp-run")
        page.wait_for_selector(".dsp-status:has-text('busy')")
        control(page, "temperature").focus()
        page.keyboard.press("ArrowRight")  # the form is drawn anew, and says it still
        assert "busy" in page.inner_text(".dsp-status")
        page.keyboard.press("Escape")
        page.wait_for_selector(".dsp-status:has-text('Stopping')")
        gate.open()
        page.wait_for_selector("pre:text-is('free')")
        page.wait_for_function("document.querySelector('.dsp-stop').getAttribute('aria-disabled') === 'true'")
        page.wait_for_selector(".dsp-status:text-is('')", state="attached")
        assert not server.requests or endless.was_closed.wait(60)


def test_a_failure_is_said_once_with_what_to_do(show):
    with ScriptedServer(refused(401, "the key is wrong")) as server:
        page = show(server, "%%deepseek --playground\nHi").page
        page.click(".dsp-run")
        answers(page, "the key is wrong")
        assert page.inner_text(".jp-Notebook").count("the key is wrong") == 1
        assert "why stands below" in page.inner_text(".dsp-status")


def test_the_form_goes_on_while_an_answer_comes(show):
    endless = Endless()
    with ScriptedServer(endless) as server:
        page = show(server, "%%deepseek --playground\nGo on.").page
        page.click(".dsp-run")
        page.wait_for_selector(".ds-live .ds-answer:has-text('Half of it')")
        control(page, "temperature").focus()
        page.keyboard.press("Home")
        becomes(page, "%%deepseek --temperature 0\nGo on.")
        assert troubles(page, FORM) == []
        page.keyboard.press("Escape")
        answers(page, "stopped: this answer is partial")
        assert endless.was_closed.wait(60)


def test_what_cannot_be_is_said_and_not_asked(show):
    with ScriptedServer(said("no")) as server:
        page = show(server, "%%deepseek --playground\nHi").page
        control(page, "max_tokens").fill("0")
        page.wait_for_selector(".dsp-trouble:has-text('max_tokens')")
        page.click(".dsp-run")
        page.wait_for_selector(".dsp-status:has-text('max_tokens')")
        assert server.requests == []


@pytest.mark.parametrize("width", [1100, 600])
def test_everybody_can_use_it_in_both_themes_and_nothing_is_cut_off(show, width):
    with ScriptedServer(said("Perth", ".")) as server:
        notebook = show(server, "%%deepseek --playground -t 0 -l 5\n@system\nBe brief.\n@user\nThe capital?")
        page = notebook.page
        page.set_viewport_size({"width": width, "height": 1400})
        page.click(".dsp-run")
        answers(page, "Perth.")
        for theme in ("JupyterLab Light", "JupyterLab Dark"):
            notebook.theme(theme)
            assert troubles(page, FORM) == []
            # JupyterLab draws what is not set in fields of one line paler than can be read, and only there.
            assert page.eval_on_selector_all(".dsp-input[placeholder]", """all => all.filter((one) =>
              getComputedStyle(one, '::placeholder').color !== getComputedStyle(one).color).length""") == 0
        cut_off = "(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.querySelector('.dsp'))"
        assert page.evaluate(cut_off) <= 0
        beside = page.evaluate("""() => {
          const [question, same] = [".dsp-question", ".dsp-same"].map((each) => document.querySelector(each));
          return same.getBoundingClientRect().left > question.getBoundingClientRect().right;
        }""")
        assert beside == (width == 1100)


def test_a_reason_for_no_effect_is_not_what_the_eye_finds_first(show):
    with ScriptedServer(said("no")) as server:
        page = show(server, "%%deepseek --playground -t 0\nHi").page
        weight = "one => Number(getComputedStyle(one).fontWeight)"
        assert page.eval_on_selector(".dsp-idle .dsp-help", weight) < page.eval_on_selector(".dsp-title", weight)


def test_nothing_moves_that_its_reader_did_not_move(show):
    with ScriptedServer(said("Perth", ".")) as server:
        page = show(server, "%%deepseek --playground -t 1\nThe capital?").page
        tops = """(() => {
          const box = document.querySelector(".dsp").getBoundingClientRect();
          const parts = [...document.querySelectorAll(".dsp-control, .dsp-bar, .dsp-runs")];
          const tops = parts.map((one) => one.getBoundingClientRect().top);
          return [...tops, box.bottom].map((each) => Math.round(each - box.top));
        })()"""
        before = page.evaluate(tops)
        control(page, "temperature").focus()
        page.keyboard.press("Home")
        becomes(page, "%%deepseek --temperature 0\nThe capital?")
        for name in ("frequency_penalty", "presence_penalty", "top_p"):
            control(page, name).press("Home")
        control(page, "thinking").select_option("on")
        control(page, "max_tokens").fill("123456789")
        page.wait_for_function("document.querySelector('.dsp-cell').textContent.includes('123456789')")
        page.click(".dsp-run")
        answers(page, "Perth.")
        page.wait_for_selector(".dsp-past")
        assert page.evaluate(tops) == before


def test_a_saved_notebook_keeps_the_answer_and_the_cell_that_asks_for_it(show, jupyter, page):
    with ScriptedServer(said("Perth", ".")) as server:
        notebook = show(server, "%%deepseek --playground\nHi")
        control(page, "max_tokens").fill("9")
        becomes(page, "%%deepseek --max-tokens 9\nHi")
        page.click(".dsp-run")
        answers(page, "Perth.")
        notebook.save()
        page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    form, answer = jupyter.saved(notebook.notebook)["cells"][1]["outputs"]
    assert set(form["data"]) == {"text/html", "text/plain"}
    assert "--max-tokens 9\nHi" in "".join(form["data"]["text/plain"])
    assert "Perth." in "".join(answer["data"]["text/html"])
    page.evaluate("jupyterapp.commands.execute('kernelmenu:shutdown')")
    Lab(page, jupyter, notebook.notebook)
    page.wait_for_selector("text=--max-tokens 9")
    assert page.locator(FORM).count() == 0 and page.locator("text=Error displaying").count() == 0


def test_two_pictures_of_one_playground_are_one(show):
    with ScriptedServer(said("Perth", ".")) as server:
        page = show(server, "import ds_magic\np = ds_magic.playground('Hi'); p", "p").page
        page.wait_for_function("document.querySelectorAll('.dsp').length === 2")
        page.locator("[aria-label='Text of message 1']").nth(0).fill("Hello")
        page.wait_for_function(
            "[...document.querySelectorAll('.dsp-cell')].every((one) => one.textContent === '%%deepseek\\nHello')"
        )
        assert page.locator("[aria-label='Text of message 1']").nth(1).input_value() == "Hello"
        page.locator(".dsp-run").nth(1).click()
        page.wait_for_function(
            "[...document.querySelectorAll('.jp-RenderedHTML')].filter((one) => one.textContent.includes('Perth.'))"
            ".length === 2"
        )


def test_in_a_page_that_was_loaded_anew_the_form_goes_on_and_its_answers_are_shown(show, jupyter, page):
    with ScriptedServer(said("Perth", "."), said("Sydney", ".")) as server:
        notebook = show(server, "%%deepseek --playground\nHi")
        page.click(".dsp-run")
        answers(page, "Perth.")
        notebook.save()
        page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
        Lab(page, jupyter, notebook.notebook)
        page.wait_for_selector(FORM)
        page.click(".dsp-run")
        answers(page, "Sydney.")


def test_in_notebook_7_it_is_asked_and_the_cell_goes_into_the_notebook(page, jupyter):
    with ScriptedServer(said("Perth", ".")) as server:
        jupyter.write("seven.ipynb", [begin(server), "%%deepseek --playground\nHi"])
        Notebook7(page, jupyter, "seven.ipynb").run_all()
        page.click(".dsp-run")
        answers(page, "Perth.")
        page.click("text=Insert below")
        page.wait_for_selector(".dsp-buttons button:text('Inserted below')")
        assert page.locator(".jp-Notebook .jp-CodeCell").count() == 3


def test_without_our_extension_the_cell_is_copied_alone(page, tmp_path):
    server = Jupyter(tmp_path)
    try:
        with ScriptedServer(said("Perth", ".")) as asked:
            server.write("plain.ipynb", [begin(asked), "%%deepseek --playground\nHi"])
            Lab(page, server, "plain.ipynb").run_all()
            page.click(".dsp-run")
            answers(page, "Perth.")
            assert page.locator(".dsp-buttons button:visible").all_inner_texts() == ["Copy"]
    finally:
        server.end()
