"""The live view as a reader sees it."""

import json
import subprocess
import sys
import threading

import pytest

from tests.browser.jupyter import PATIENCE, Lab
from tests.servers.scripted import ScriptedServer, chunk, event, head, text_chunk
from tests.views.making import HOSTILE

SETUP = """
from ds_magic.api.request import ChatRequest
from ds_magic.views import make_view
from tests.views.making import completion, delta, prefixed

view = make_view("live")
view.start(ChatRequest.build("q"), "embedded model")
"""


def shows(page, text, where=".ds-live"):
    page.wait_for_function(
        "([where, text]) => [...document.querySelectorAll(where)].some(one => one.textContent.includes(text))",
        arg=[where, text],
    )


def text_of(page, where):
    return page.eval_on_selector(where, "element => element.textContent")


def test_text_is_in_the_page_while_the_cell_runs(either, gate):
    notebook = either(SETUP + f"""
view.delta(delta(content="Hello"))
view.delta(delta(content=" **world**"))
{gate.code}
view.finish(completion("Hello **world**"), None)
""")
    notebook.run_all()
    shows(notebook.page, "Hello world", ".ds-live p")
    gate.open()
    shows(notebook.page, "Hello world", ".jp-RenderedHTML")
    notebook.page.wait_for_selector(".ds-live", state="detached")


def test_what_came_last_is_shown_although_the_stream_stalls(lab, gate):
    notebook = lab(SETUP + f"""
for word in ["one", " two", " three", " four"]: view.delta(delta(content=word))
{gate.code}
view.finish(completion("one two three four"), None)
""")
    notebook.run_all()
    shows(notebook.page, "one two three four")
    gate.open()


def test_thinking_is_open_and_folds_when_the_answer_begins(either, gate):
    notebook = either(SETUP + f"""
view.delta(delta(reasoning_content="Let me think."))
{gate.code}
view.delta(delta(content="Yes."))
{gate.code}
view.finish(completion("Yes.", reasoning="Let me think."), None)
""")
    notebook.run_all()
    shows(notebook.page, "Let me think.", ".ds-live details[open]")
    shows(notebook.page, "Thinking", ".ds-live summary")
    gate.open()
    shows(notebook.page, "Yes.", ".ds-answer")
    notebook.page.wait_for_selector(".ds-live details:not([open])", state="attached")
    assert "Thought for" in text_of(notebook.page, ".ds-live summary")
    gate.open()
    shows(notebook.page, "Thought for", ".jp-RenderedHTML summary")


def test_reasoning_that_the_reader_unfolded_stays_unfolded(lab, gate):
    notebook = lab(SETUP + f"""
view.delta(delta(reasoning_content="Hm."))
view.delta(delta(content="Yes."))
{gate.code}
view.finish(completion("Yes.", reasoning="Hm."), None)
""")
    notebook.run_all()
    shows(notebook.page, "Yes.", ".ds-answer")
    notebook.page.click(".ds-live summary")
    gate.open()
    notebook.page.wait_for_selector(".jp-RenderedHTML details[open]")


def test_blocks_are_formatted_while_they_come(lab, gate):
    notebook = lab(SETUP + f"""
text = "# Title\\n\\n- one\\n- two\\n\\n```python\\ndef f():\\n    return 1\\n```\\n\\n"
text += "|a|b|\\n|-|-|\\n|1|2|\\n\\nso $x^2$ is\\n\\nthe end"
for letter in text: view.delta(delta(content=letter))
{gate.code}
view.finish(completion(text), None)
""")
    notebook.run_all()
    shows(notebook.page, "the end", ".ds-answer p")
    for selector in ("h3", "ul li", "pre code b", "table td", "mjx-container"):
        notebook.page.wait_for_selector(f".ds-answer {selector}")
    gate.open()


def test_blanks_that_formatting_leaves_out_are_there_when_more_comes(lab, gate):
    notebook = lab("from ds_magic.views.answer import live\nlive.INTERVAL = 0.0" + SETUP + f"""
for piece in ["- one\\n\\nThe ", "end\\nof ", "*it* ", "all"]: view.delta(delta(content=piece))
{gate.code}
view.finish(completion("- one\\n\\nThe end\\nof *it* all"), None)
""")
    notebook.run_all()
    shows(notebook.page, "all", ".ds-answer")
    assert notebook.page.inner_text(".ds-answer p").split() == ["The", "end", "of", "it", "all"]
    gate.open()


def test_in_a_narrow_window_no_figure_is_cut_and_no_name_is_broken(lab, gate):
    notebook = lab(SETUP + f"""
import time
from ds_magic.api.delta import Delta
name = "a-model-with-hyphens"
for number in range(60):
    view.delta(Delta.of({{"model": name}}, {{"index": 0, "delta": {{"content": "word "}}}}))
    time.sleep(0.02)
{gate.code}
whole = completion("word " * 60)
whole.model = name
view.finish(whole, None)
""")
    page = notebook.page
    page.set_viewport_size({"width": 620, "height": 700})
    notebook.run_all()
    shows(page, "tokens/s", ".ds-figures")
    widths = (620, 560)
    for width in widths:
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate(SEEN_FIGURES), f"at {width}"
    gate.open()
    page.wait_for_selector(".ds-live", state="detached")
    for width in widths:
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate(LINES_OF_THE_NAME) == 1, f"at {width}"


SEEN_FIGURES = """() => {
  const box = document.querySelector(".ds-figures").getBoundingClientRect();
  const all = [...document.querySelectorAll(".ds-figures > span")].map((one) => one.getBoundingClientRect());
  const seen = all.filter(({ top }) => top < box.bottom - 1);
  const end = document.querySelector(".ds-live .ds-line").getBoundingClientRect().right;
  const stop = document.querySelector(".ds-stop").getBoundingClientRect().right;
  return seen.length > 0 && seen.every(({ right }) => right <= box.right + 1) && stop <= end + 1;
}"""
LINES_OF_THE_NAME = """() => {
  const lines = document.createRange();
  lines.selectNodeContents(document.querySelectorAll(".jp-RenderedHTML bdi")[0]);
  return new Set([...lines.getClientRects()].map(({ top }) => Math.round(top))).size;
}"""


def test_money_is_not_typeset_beside_a_formula(lab, gate):
    notebook = lab(SETUP + f"""
view.delta(delta(content="It costs $5 and $10, so $x$ is 3.\\n\\nMore"))
{gate.code}
view.finish(completion("It costs $5 and $10, so $x$ is 3.\\n\\nMore"), None)
""")
    notebook.run_all()
    notebook.page.wait_for_selector(".ds-answer mjx-container")
    assert "It costs $5 and $10, so" in text_of(notebook.page, ".ds-answer p")
    gate.open()
    shows(notebook.page, "It costs $5 and $10, so", ".jp-RenderedHTML p")
    notebook.page.wait_for_selector(".jp-RenderedHTML mjx-container")


def test_nothing_jumps_when_the_answer_is_finished(lab, gate):
    text = "## Title\\n\\nA paragraph.\\n\\n- one\\n- two\\n\\n```python\\nx = 1\\n```\\n\\n|a|\\n|-|\\n|1|\\n\\n> end"
    notebook = lab(SETUP + f"""
view.delta(delta(reasoning_content="Hm."))
view.delta(delta(content="{text}"))
{gate.code}
view.finish(completion("{text}", reasoning="Hm."), None)
""", "1 + 1")
    notebook.run_all()
    shows(notebook.page, "end", ".ds-answer blockquote")
    notebook.page.evaluate("""() => {
      window.frames_seen = [];
      const places = () => ["h4", "p", "li", "pre", "td", "blockquote"].map((tag) => {
        const found = document.querySelectorAll(`.ds-live ${tag}, .jp-RenderedHTML ${tag}`);
        const seen = [...found].map((one) => one.getBoundingClientRect()).filter(({ height }) => height);
        return seen.map(({ top }) => Math.round(top));
      });
      const look = () => { frames_seen.push(JSON.stringify(places())); requestAnimationFrame(look); };
      look();
    }""")
    gate.open()
    shows(notebook.page, "end", ".jp-RenderedHTML blockquote")
    notebook.page.wait_for_selector(".ds-live", state="detached")
    assert len(set(notebook.page.evaluate("window.frames_seen"))) == 1


def test_every_character_of_a_stream_at_full_speed_arrives(lab, gate):
    notebook = lab(SETUP + f"""
words = [f" w{{number}}" for number in range(8000)]
for word in words: view.delta(delta(content=word))
{gate.code}
view.finish(completion("".join(words)), None)
""")
    notebook.run_all()
    expected = "".join(f" w{number}" for number in range(8000)).strip()
    shows(notebook.page, "w7999", ".ds-answer")
    assert text_of(notebook.page, ".ds-answer").strip() == expected
    gate.open()
    shows(notebook.page, "w7999", ".jp-RenderedHTML")
    assert expected in text_of(notebook.page, ".jp-RenderedHTML p")


def test_a_second_view_shows_the_same_text(lab, gate):
    notebook = lab(SETUP + f"""
view.delta(delta(reasoning_content="Hm."))
view.delta(delta(content="One\\n\\ntwo"))
{gate.code}
view.delta(delta(content=" three"))
{gate.code}
view.finish(completion("One\\n\\ntwo three"), None)
""")
    notebook.run_all()
    shows(notebook.page, "two", ".ds-answer")
    notebook.second_view(0)
    notebook.page.wait_for_function("document.querySelectorAll('.ds-live').length === 2")
    gate.open()
    notebook.page.wait_for_function(
        "[...document.querySelectorAll('.ds-answer')].every(one => /two three\\s*$/.test(one.textContent))"
    )
    first, second = notebook.page.eval_on_selector_all(
        ".ds-live", "views => views.map(view => view.querySelector('.ds-answer').innerHTML)"
    )
    assert first == second
    gate.open()


def test_tool_calls_build_up(lab, gate):
    notebook = lab(SETUP + f"""
view.delta(delta(tool_calls=[{{"index": 0, "id": "c", "function": {{"name": "get_weather", "arguments": ""}}}}]))
view.delta(delta(tool_calls=[{{"index": 0, "function": {{"arguments": '{{"city": '}}}}]))
{gate.code}
view.finish(completion(None, calls=[("get_weather", '{{"city": "Rome"}}')]), None)
""")
    notebook.run_all()
    shows(notebook.page, "get_weather", ".ds-calls")
    shows(notebook.page, '{"city": ', ".ds-calls pre")
    gate.open()
    shows(notebook.page, '"Rome"', ".jp-RenderedHTML pre")


def test_surprising_tokens_are_tinted_as_they_arrive(lab, gate):
    notebook = lab(SETUP + f"""
from ds_magic.api.delta import Delta

def said(text, logprob):
    logprobs = {{"content": [{{"token": text, "logprob": logprob, "bytes": None, "top_logprobs": []}}]}}
    return Delta.of({{"model": "tiny"}}, {{"index": 0, "delta": {{"content": text}}, "logprobs": logprobs}})

for text, logprob in [("The", -0.01), (" **cap", -1.5), ("ital**", -0.1), (" is", -9999.0), (" 😀", -3.0), ("!", 0.0)]:
    view.delta(said(text, logprob))
{gate.code}
view.finish(completion("The **capital** is 😀!"), None)
""")
    notebook.run_all()
    shows(notebook.page, "The capital is 😀!", ".ds-answer")
    tints = notebook.page.eval_on_selector_all(
        ".ds-answer [class^=ds-tint]", "spans => spans.map(span => [span.className, span.textContent])"
    )
    merged = {}
    for name, text in tints:
        merged[name] = merged.get(name, "") + text
    assert merged == {"ds-tint-2": " cap", "ds-tint-4": " is", "ds-tint-3": " 😀"}
    gate.open()


def test_the_prefix_is_told_apart_from_its_continuation(lab, gate):
    notebook = lab(SETUP.replace('ChatRequest.build("q")', 'prefixed("The **capital** is")') + f"""
view.delta(delta(content=" Canberra."))
{gate.code}
view.finish(completion(" Canberra.", request=prefixed("The **capital** is")), None)
""")
    notebook.run_all()
    shows(notebook.page, "The capital is Canberra.", ".ds-answer")
    marked = notebook.page.eval_on_selector_all(".ds-answer [title]", "spans => spans.map(one => one.textContent)")
    assert "".join(marked) == "The capital is"
    gate.open()
    shows(notebook.page, "The capital is Canberra.", ".jp-RenderedHTML")


def test_waits_are_shown_until_something_comes(lab, gate):
    notebook = lab(SETUP + f"""
from ds_magic.api.events import Queued
view.event(Queued())
{gate.code}
view.delta(delta(content="Hi"))
{gate.code}
view.finish(completion("Hi"), None)
""")
    notebook.run_all()
    shows(notebook.page, "waits in the server's queue", ".ds-note")
    shows(notebook.page, "queued", ".ds-status")
    gate.open()
    shows(notebook.page, "Hi", ".ds-answer")
    assert not notebook.page.is_visible(".ds-note")
    gate.open()


def test_answer_and_code_can_be_copied(lab, gate):
    text = "See `x`:\\n\\n```python\\nx = 1\\n```\\n\\nend"
    notebook = lab(SETUP + f"""
view.delta(delta(content="{text}"))
{gate.code}
view.finish(completion("{text}"), None)
""")
    notebook.run_all()
    shows(notebook.page, "end", ".ds-answer")
    clipboard = "navigator.clipboard.readText()"
    notebook.page.click(".ds-line button:has-text('Copy')")
    shows(notebook.page, "Copied", ".ds-line")
    assert notebook.page.evaluate(clipboard) == text.encode().decode("unicode_escape")
    notebook.page.hover(".ds-code")
    notebook.page.click(".ds-code button")
    shows(notebook.page, "Copied", ".ds-code")
    assert notebook.page.evaluate(clipboard) == "x = 1"
    gate.open()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_text_is_readable_in_both_themes(lab, gate, theme):
    notebook = lab(SETUP + f"""
view.delta(delta(content="```python\\n# a comment\\n```\\n\\nText"))
{gate.code}
view.finish(completion("Text"), None)
""")
    notebook.run_all()
    shows(notebook.page, "Text", ".ds-answer p")
    notebook.theme(theme)
    ratios = notebook.page.evaluate("""() => {
      const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
      const painted = (...colours) => {
        for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
      };
      const light = (rgb) => rgb.map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
      const page = getComputedStyle(document.body).getPropertyValue("--jp-layout-color0");
      const texts = document.querySelectorAll(".ds-live p, .ds-live pre i, .ds-live bdi, .ds-line button");
      return [...texts].map((one) => {
        let layers = [], opacity = 1;
        for (let up = one; up && !up.classList.contains("jp-Notebook"); up = up.parentElement) {
          layers.unshift(getComputedStyle(up).backgroundColor);
          opacity *= getComputedStyle(up).opacity;
        }
        const behind = painted(page, ...layers);
        canvas.globalAlpha = opacity;
        const text = painted(`rgb(${behind})`, getComputedStyle(one).color);
        canvas.globalAlpha = 1;
        const [low, high] = [light(behind), light(text)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
      });
    }""")
    assert len(ratios) >= 5
    assert min(ratios) >= 4.5, ratios
    notebook.theme("JupyterLab Light")
    gate.open()


def test_the_view_can_be_used_by_keyboard_and_says_its_start_and_end(lab, gate):
    notebook = lab(SETUP + f"""
view.delta(delta(reasoning_content="Hm."))
view.delta(delta(content="Yes."))
{gate.code}
view.finish(completion("Yes.", reasoning="Hm."), None)
""")
    notebook.run_all()
    shows(notebook.page, "Yes.", ".ds-answer")
    shows(notebook.page, "The answer begins.", "[aria-live=polite]")
    notebook.page.focus(".ds-live summary")
    order = []
    for _ in range(3):
        order.append(notebook.page.evaluate("document.activeElement.ariaLabel || document.activeElement.tagName"))
        notebook.page.keyboard.press("Tab")
    assert order == ["SUMMARY", "Stop the answer", "Copy the answer"]
    notebook.page.focus(".ds-live summary")
    notebook.page.keyboard.press("Enter")
    notebook.page.wait_for_selector(".ds-live details[open]")
    gate.open()
    shows(notebook.page, "The answer is complete.", "[aria-live=polite]")


def test_hostile_texts_stay_in_their_frame_and_run_nothing(lab, gate):
    texts = [*HOSTILE, "*" * 1_000_000]
    notebook = lab(
        f"texts = {texts!r}\n" + SETUP.split("view =")[0] + f"""
views = []
for text in texts:
    view = make_view("live")
    view.start(ChatRequest.build("q"), text)
    view.delta(delta(reasoning_content=text))
    for at in range(0, min(len(text), 3000), 7): view.delta(delta(content=text[at : at + 7]))
    view.delta(delta(content=text[3000:]))
    view.delta(delta(tool_calls=[{{"index": 0, "function": {{"name": text, "arguments": text}}}}]))
    views.append(view)
{gate.code}
for view, text in zip(views, texts):
    view.finish(completion(text, reasoning=text, calls=[(text, text)], finish=text), None)
""",
        "print('untouched')",
    )
    asked = []
    notebook.page.on("request", lambda request: asked.append(request.url))
    notebook.run_all()
    number = len(texts)
    notebook.page.wait_for_function(f"document.querySelectorAll('.ds-live .ds-calls pre').length === {number}")
    for where in (".ds-live", ".jp-RenderedHTML"):
        notebook.page.wait_for_function(f"document.querySelectorAll('{where}').length === {number}")
        found = notebook.page.eval_on_selector_all(
            f"{where}", "all => all.flatMap(one => [...one.querySelectorAll('*')].map(inner => inner.tagName))"
        )
        assert not {"SCRIPT", "STYLE", "IMG", "SVG", "IFRAME", "FORM", "INPUT"} & set(found)
        outside = notebook.page.eval_on_selector_all(f"{where} a", "all => all.map(one => one.protocol)")
        assert set(outside) <= {"http:", "https:", "mailto:"}
        if where == ".ds-live":
            gate.open()
    shows(notebook.page, "untouched", ".jp-OutputArea-output")
    assert not [url for url in asked if "example.org" in url]


class Endless:
    """A script that says two words and then waits to be hung up on."""

    def __init__(self):
        self.was_closed = threading.Event()

    def __call__(self, connection):
        connection.send(head())
        connection.send(chunk(event(text_chunk("Half an"))))
        connection.send(chunk(event(text_chunk(" answer"))))
        if connection.wait_until_closed():
            self.was_closed.set()


def test_stop_ends_the_answer_and_its_connection_and_the_next_cell_runs(either):
    endless = Endless()
    with ScriptedServer(endless) as server:
        notebook = either(
            f"import os; os.environ['DEEPSEEK_API_KEY'] = 'k'; os.environ['DEEPSEEK_BASE_URL'] = {server.url!r}",
            "%load_ext ds_magic",
            "%%deepseek -o answer\nGo on for ever.",
            "print(f'<{answer.content}> {answer.interrupted}')",
        )
        notebook.run_all()
        shows(notebook.page, "Half an answer", ".ds-answer")
        notebook.page.click(".ds-stop")
        shows(notebook.page, "<Half an answer> True", ".jp-OutputArea-output")
        shows(notebook.page, "stopped: this answer is partial", ".jp-RenderedHTML")
        assert endless.was_closed.wait(PATIENCE)
        assert "Traceback" not in notebook.page.inner_text(".jp-Notebook")
        is_in_it = notebook.page.evaluate("document.activeElement.matches('.jp-Notebook *')")
        assert is_in_it, "the focus went with the button"


def test_the_embedded_model_streams_into_the_view_with_its_surprisals(lab, local_server):
    notebook = lab(
        f"import os; os.environ['DEEPSEEK_API_KEY'] = {local_server.api_key!r}\n"
        f"os.environ['DEEPSEEK_BASE_URL'] = {local_server.base_url!r}\n%load_ext ds_magic",
        '%%deepseek -t 0 -l 5 --max-tokens 60 --prefix "The capital of Australia is"\nWhat is its capital?',
    )
    # It answers as fast as it can: the tints are noted as they come, however short they stay.
    notebook.page.evaluate("""() => {
        const isTinted = (node) => node.matches?.("[class^=ds-tint]") || node.querySelector?.("[class^=ds-tint]");
        window.tinted = false;
        new MutationObserver((records) => {
            tinted ||= records.some(({ addedNodes }) => [...addedNodes].some(isTinted));
        }).observe(document.body, { childList: true, subtree: true });
    }""")
    notebook.run_all()
    shows(notebook.page, "The capital of Australia is Canberra", ".jp-RenderedHTML")
    assert notebook.page.evaluate("tinted")
    assert local_server.model in text_of(notebook.page, ".jp-RenderedHTML")


def test_a_saved_answer_is_there_without_a_kernel(lab, jupyter, page):
    notebook = lab(SETUP + """
view.delta(delta(reasoning_content="Because."))
view.delta(delta(content="**Bold** answer"))
view.finish(completion("**Bold** answer", reasoning="Because.", finish="length"), None)
""")
    notebook.run_all()
    shows(notebook.page, "Bold answer", ".jp-RenderedHTML")
    notebook.save()
    saved = jupyter.saved(notebook.notebook)
    for cell in saved["cells"]:
        assert not any("application/vnd.jupyter.widget-view+json" in output["data"] for output in cell["outputs"])
    # As somebody else's file it is not trusted, and its kernel is one that nobody has.
    saved["metadata"]["kernelspec"] = {"name": "nobodys", "display_name": "Nobody's", "language": "python"}
    for cell in saved["cells"]:
        cell["metadata"].pop("trusted", None)
        cell["source"] = "# reopened"
    page.goto("about:blank")
    (jupyter.folder / "reopened.ipynb").write_text(json.dumps(saved))
    Lab(page, jupyter, "reopened.ipynb")
    shows(page, "Bold answer", ".jp-RenderedHTML")
    text = text_of(page, ".jp-RenderedHTML")
    for part in ("Because.", "embedded model", "tiny", "56 out", "cut off"):
        assert part in text
    assert "Error displaying widget" not in page.inner_text(".jp-Notebook")


def test_an_exported_page_shows_the_answer_without_the_network(lab, jupyter, page, browser, tmp_path):
    notebook = lab(SETUP + """
view.delta(delta(content="**Bold** $x$"))
view.finish(completion("**Bold** $x$", reasoning="Because."), None)
""")
    notebook.run_all()
    shows(notebook.page, "Bold", ".jp-RenderedHTML")
    notebook.save()
    source = jupyter.folder / notebook.notebook
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", "--output-dir", str(tmp_path), "--output", "page", source],
        check=True, capture_output=True, env=jupyter.environment,
    )
    page.route("**", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    page.goto(f"file://{tmp_path}/page.html")
    shows(page, "Bold", ".jp-RenderedHTML strong")
    assert "Because." in text_of(page, ".jp-RenderedHTML")
    assert "embedded model" in page.inner_text(".jp-RenderedHTML")
