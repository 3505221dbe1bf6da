"""The live view where our extension is in the page: a page that comes late shows what has come, and goes on.

| what happens in mid-answer | on the screen | in the file that this page saves |
|---|---|---|
| the page is reloaded | what had come, at once, and what comes | what had come; the whole answer |
| a second page | in both what has come, and what comes | likewise |
| the same, and nothing was saved | likewise, in the cell that runs, and what else that prints | likewise |
| the kernel is restarted, killed | what had come, and that the kernel has gone | what was kept |
| the connection is lost for a while | what had come, and that it is lost; then the whole | the whole answer |
| the notebook is opened without its kernel | what was kept, and that it had not ended | what was kept |
"""

import json
import time

import pytest

from ds_magic.views.answer.blocks import MARKUP
from ds_magic.views.answer.live_widget import HERE
from ds_magic.views.answer.told import Told
from ds_magic.views.scripts import joined
from tests.browser.jupyter import PATIENCE, Jupyter, Lab, Notebook7
from tests.browser.test_background import begin, endless
from tests.browser.test_interruptions import (
    BEGUN,
    KEPT,
    KERNEL,
    PID,
    WHOLE,
    printed_process,
    saved_outputs,
    stands_still,
)
from tests.browser.test_live import SETUP, shows, text_of
from tests.servers.scripted import ScriptedServer
from tests.views.answer.test_told import messages  # noqa: F401
from tests.views.making import HOSTILE

AT_ONCE = "from ds_magic.views.answer import live\nlive.KEPT, live.GROWN = 0.0, 1.0\n"
MORE = """
live.KEPT = float("inf")
view.delta(delta(content=" that goes"))
"""


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """A server whose pages load our extension."""
    server = Jupyter(tmp_path_factory.mktemp("jupyter"), labextension=True)
    yield server
    server.end()


@pytest.fixture
def other(browser):
    """A second page."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    page.close()


@pytest.fixture
def streaming(lab, gate, jupyter):
    """A notebook in mid-answer, of which more has come than is kept in it."""
    notebook = begun(lab, gate)
    gate.open()
    shows(notebook.page, "Half an answer that goes", ".ds-answer")
    assert "that goes" not in json.dumps(saved_outputs(jupyter, notebook))
    return notebook


def begun(lab, gate):
    """A notebook in mid-answer, that was saved with what had come."""
    notebook = lab(PID, BEGUN + gate.code + MORE + gate.code + WHOLE, "print(f'<{answer.content}>')")
    notebook.run_all()
    shows(notebook.page, "Half an answer", ".ds-answer")
    notebook.page.wait_for_function(KEPT)
    save(notebook)
    return notebook


CELL = "jupyterapp.shell.currentWidget.context.model.toJSON().cells[1]"


def save(notebook):
    notebook.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    notebook.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")


def wait_until_saved_with(jupyter, notebook, text):
    deadline = time.monotonic() + PATIENCE
    while text not in json.dumps(saved_outputs(jupyter, notebook)):
        assert time.monotonic() < deadline, f"{text!r} is not in the file"
        notebook.page.wait_for_timeout(50)


def test_a_reloaded_page_shows_what_had_come_and_goes_on_and_saves_the_whole(streaming, gate, jupyter, page):
    late = Lab(page, jupyter, streaming.notebook)
    shows(page, "Half an answer that goes", ".ds-answer")
    assert page.is_visible(".ds-stop")
    gate.open()
    shows(page, "Half an answer is whole", ".jp-RenderedHTML")
    page.wait_for_selector(".ds-live", state="detached")
    save(late)
    assert "Half an answer is whole" in json.dumps(saved_outputs(jupyter, late))


def test_two_pages_show_the_same_and_each_has_the_whole_when_it_is_over(streaming, gate, jupyter, page, other):
    late = Notebook7(other, jupyter, streaming.notebook)
    shows(other, "Half an answer that goes", ".ds-answer")
    assert other.inner_text(".ds-answer") == page.inner_text(".ds-answer")
    seconds = [int(text_of(each, ".ds-figures").split()[0]) for each in (page, other)]
    assert abs(seconds[0] - seconds[1]) <= 1
    gate.open()
    for each in (page, other):
        shows(each, "Half an answer is whole", ".jp-RenderedHTML")
        each.wait_for_selector(".ds-live", state="detached")
        assert "had not ended" not in each.inner_text(".jp-Notebook")
    late.save()
    wait_until_saved_with(jupyter, late, "Half an answer is whole")


@pytest.mark.parametrize("how", ["restart", "shutdown", "kill"])
def test_where_the_kernel_goes_the_first_page_and_a_late_one_say_so(streaming, jupyter, page, other, how):
    Lab(other, jupyter, streaming.notebook)
    shows(other, "Half an answer that goes", ".ds-answer")
    if how == "kill":
        printed_process(page).kill()
    else:
        page.evaluate(f"void {KERNEL}.{how}()")
    for each in (page, other):
        shows(each, "the kernel has gone", ".ds-status")
        assert "Half an answer that goes" in text_of(each, ".ds-answer")
        stands_still(each)


def test_a_notebook_of_mid_answer_that_is_opened_without_its_kernel_has_the_text_and_nothing_that_runs(
    streaming, gate, jupyter, page
):
    saved = jupyter.saved(streaming.notebook)
    saved["metadata"]["kernelspec"] = {"name": "nobodys", "display_name": "Nobody's", "language": "python"}
    (jupyter.folder / "elsewhere.ipynb").write_text(json.dumps(saved))
    gate.open()
    shows(page, "<Half an answer is whole>", ".jp-OutputArea-output")
    save(streaming)
    Lab(page, jupyter, "elsewhere.ipynb")
    shows(page, "Half an answer", ".jp-RenderedHTML")
    shows(page, "had not ended", ".jp-RenderedHTML")
    assert not page.locator(".ds-live").count()


def test_a_page_that_was_not_there_at_the_end_is_given_the_whole(streaming, gate, jupyter, page):
    page.goto("about:blank")
    gate.open()
    jupyter.wait_until_idle(streaming.notebook)
    late = Lab(page, jupyter, streaming.notebook)
    shows(page, "Half an answer is whole", ".jp-RenderedHTML")
    save(late)
    assert "Half an answer is whole" in json.dumps(saved_outputs(jupyter, late))


def test_what_was_missed_while_the_connection_was_lost_is_there_when_it_is_back(lab, gate, jupyter, page, other):
    notebook = begun(lab, gate)
    Lab(other, jupyter, notebook.notebook)  # for as long as a page is there the server keeps nothing for others
    shows(other, "Half an answer", ".ds-answer")
    network = page.context.new_cdp_session(page)
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", {**offline, "offline": True})
    page.evaluate(f"void {KERNEL}.reconnect()")  # a socket that is open stays so
    shows(page, "no connection", ".ds-status")
    gate.open()
    shows(other, "Half an answer that goes", ".ds-answer")
    network.send("Network.emulateNetworkConditions", {**offline, "offline": False})
    page.evaluate(f"void {KERNEL}.reconnect()")  # what the page does by itself, some seconds later
    shows(page, "Half an answer that goes", ".ds-answer")
    gate.open()
    shows(page, "Half an answer is whole", ".jp-RenderedHTML")


def test_stop_in_a_late_page_stops_the_answer(lab, jupyter, page, other):
    with ScriptedServer(endless) as server:
        notebook = lab(begin(server), AT_ONCE + "%deepseek -o answer Go on for ever.", "print(answer.interrupted)")
        notebook.run_all()
        shows(page, "without end", ".ds-answer")
        page.wait_for_function(KEPT.replace("Half an answer", "without end"))
        save(notebook)
        Lab(other, jupyter, notebook.notebook)
        shows(other, "without end", ".ds-answer")
        other.click(".ds-stop")
        for each in (page, other):
            shows(each, "stopped: this answer is partial", ".jp-RenderedHTML")
        shows(page, "True", ".jp-OutputArea-output")


def test_stop_ends_an_answer_in_the_background_while_another_cell_runs(lab, gate, page):
    with ScriptedServer(endless) as server:
        notebook = lab(begin(server), "handle = %deepseek --bg Go on for ever.", gate.code)
        notebook.run_all()
        shows(page, "without end", ".ds-answer")
        page.click(".ds-stop")
        shows(page, "stopped: this answer is partial", ".jp-RenderedHTML")
        gate.open()


def test_hostile_texts_run_nothing_in_a_late_page(lab, gate, jupyter, page, other):
    notebook = lab(
        f"texts = {HOSTILE!r}\n" + AT_ONCE + SETUP.split("view =")[0] + f"""
views = []
for text in texts:
    view = make_view("live")
    view.start(ChatRequest.build("q"), text)
    view.delta(delta(reasoning_content=text))
    for at in range(0, len(text), 7): view.delta(delta(content=text[at : at + 7]))
    view.delta(delta(tool_calls=[{{"index": 0, "function": {{"name": text, "arguments": text}}}}]))
    views.append(view)
{gate.code}
for view, text in zip(views, texts):
    view.finish(completion(text, reasoning=text, calls=[(text, text)], finish=text), None)
""",
        "print('untouched')",
    )
    notebook.run_all()
    page.wait_for_function("at => document.querySelectorAll('.ds-live').length === at", arg=len(HOSTILE))
    page.wait_for_function("at => document.querySelectorAll('.ds-calls pre').length === at", arg=len(HOSTILE))
    save(notebook)
    asked, troubles = [], []
    other.on("request", lambda request: asked.append(request.url))
    other.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
    Lab(other, jupyter, notebook.notebook)
    other.wait_for_function("at => document.querySelectorAll('.ds-live').length === at", arg=len(HOSTILE))
    texts = "all => all.map((one) => one.innerText)"
    assert other.eval_on_selector_all(".ds-answer", texts) == page.eval_on_selector_all(".ds-answer", texts)
    found = other.eval_on_selector_all(".ds-live *", "all => [...new Set(all.map((one) => one.tagName))]")
    assert not {"SCRIPT", "STYLE", "IMG", "SVG", "IFRAME", "FORM", "INPUT"} & set(found)
    gate.open()
    other.wait_for_selector(".ds-live", state="detached")
    assert not troubles and not [url for url in asked if "example.org" in url]


def test_a_page_that_knows_nothing_of_a_run_shows_its_answers_where_they_stand_and_what_comes_with_them(
    lab, gate, jupyter, page, other
):
    code = f"""print("between")
view = make_view("live")
view.start(ChatRequest.build("q"), "embedded model")
view.delta(delta(content="Another answer"))
{gate.code}
view.finish(completion("Another answer"), None)
1 + 1"""
    notebook = lab("1 + 1", BEGUN + gate.code + WHOLE + code)
    notebook.run_all()
    shows(page, "Half an answer", ".ds-answer")
    late = Lab(other, jupyter, notebook.notebook)
    shows(other, "Half an answer", ".jp-Cell:nth-child(2) .ds-answer")
    gate.open()
    shows(other, "Half an answer is whole", ".jp-Cell:nth-child(2) .jp-RenderedHTML")
    shows(other, "Another answer", ".jp-Cell:nth-child(2) .ds-answer")
    gate.open()
    for each in (page, other):
        each.wait_for_function(f"{KERNEL}.status === 'idle'")
    first, second = (each.evaluate(CELL) for each in (page, other))
    kinds = [output["output_type"] for output in first["outputs"]]
    assert kinds == ["display_data", "stream", "display_data", "execute_result"]
    assert second["outputs"] == first["outputs"]
    assert second["execution_count"] == first["execution_count"] == 2
    save(late)
    assert len(saved_outputs(jupyter, late)) == 4


def test_reasoning_that_the_reader_unfolded_stays_unfolded_in_an_output_that_is_alive(lab, gate, page):
    notebook = lab(SETUP + f"""
from ds_magic import ChatCompletion
view.delta(delta(reasoning_content="Hm."))
view.delta(delta(content="Yes."))
{gate.code}
entry = {{"token": "Yes.", "logprob": -0.7, "bytes": [89, 101, 115, 46], "top_logprobs": []}}
message = {{"content": "Yes.", "reasoning_content": "Hm."}}
choice = {{"message": message, "logprobs": {{"content": [entry]}}, "finish_reason": "stop"}}
view.finish(ChatCompletion.from_wire({{"model": "tiny", "choices": [choice]}}, backend="a server"), None)
""")
    notebook.run_all()
    shows(page, "Yes.", ".ds-answer")
    page.click(".ds-live summary")
    gate.open()
    page.wait_for_selector(".ds-output details[open]")


STATES = """async ([script, messages, wholes]) => {
  const { Answer } = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const taken = (messages) => {
    const answer = new Answer({ prefix_units: 22 }, { markup: MARKUP, tints: ["", "a", "b", "c", "d"] });
    for (const message of messages) answer.take(message);
    const { began, first, counted, ...state } = answer;
    return JSON.stringify({ ...state, calls: [...answer.calls], seen: [...answer.seen] });
  };
  return [taken(messages), ...wholes.map((whole, at) => taken([whole, ...messages.slice(at)]))];
}"""


def test_a_page_that_takes_the_whole_and_then_the_rest_has_what_one_has_that_was_there(page, messages):  # noqa: F811
    wholes = []
    told = Told()
    for message in messages:
        wholes.append(told.message())
        wholes[-1] = json.loads(json.dumps(wholes[-1]))
        told.take(message)
    script = joined(HERE, "elements.js", "live_answer.js")
    expected, *found = page.evaluate(STATES.replace("MARKUP", json.dumps(MARKUP)), [script, messages, wholes])
    assert len(json.loads(expected)["finished"]) >= 5
    assert set(found) == {expected}
