"""Guessing and voting in an output: by keyboard and by mouse, alone and as a class, saved and reopened."""

import json

import pytest

from ds_magic.api.recorded import Recorded
from ds_magic.teaching.guess.guess import TYPE
from ds_magic.views import size
from tests.servers.scripted import ScriptedServer, streamed, text_chunk
from tests.teaching.making import ENTRIES, answered

from .accessible import troubles
from .chromium import watched
from .jupyter import PATIENCE, Jupyter, Lab, Notebook7
from .tables import HOSTILE, entry

KEPT = "ds_magic_guess"
INPUT = ".dsg-input"
CELLS = "document.querySelectorAll('.jp-Notebook .jp-Cell').length"


@pytest.fixture(scope="module")
def server():
    """Speaks the answer that is guessed."""
    pieces = [text_chunk(bytes(one["bytes"]).decode(), logprobs={"content": [one]}) for one in ENTRIES]
    with ScriptedServer(streamed(*pieces, text_chunk("", finish="stop"))) as server:
        yield server


@pytest.fixture(scope="module")
def jupyter(server, tmp_path_factory):
    asked = {"DEEPSEEK_BASE_URL": server.url, "DEEPSEEK_API_KEY": "k", "DS_MAGIC_MODEL": "tiny"}
    jupyter = Jupyter(tmp_path_factory.mktemp("jupyter"), labextension=True, **asked)
    yield jupyter
    jupyter.end()


@pytest.fixture
def page(browser):
    # Notebook 7 has an error of its own at its start.
    with watched(browser, PATIENCE, may_err=True) as page:
        yield page


def output(answer=None, *, vote=False, kept=None):
    """What a notebook has saved of a guess."""
    metadata = {} if kept is None else {KEPT: kept}
    bundle = (answer or answered()).guess(vote=vote).bundle()
    return {"output_type": "display_data", "data": bundle, "metadata": metadata}


@pytest.fixture
def saved(request, page, jupyter):
    """Opens a notebook whose first cell holds these outputs; without a kernel unless it is asked for."""

    def opened(*outputs, kind=Lab, kernel=True):
        name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name) + ".ipynb"
        jupyter.write(name, ["first", "second"], {0: list(outputs)})
        if not kernel:
            return without_kernel(page, jupyter, name)
        opened = kind(page, jupyter, name)
        page.wait_for_selector(".dsg")
        return opened

    return opened


def without_kernel(page, jupyter, name):
    """A copy of a saved notebook, opened without one."""
    notebook = jupyter.saved(name)
    notebook["metadata"] = {}
    (jupyter.folder / f"copy-{name}").write_text(json.dumps(notebook))
    opened = Lab(page, jupyter, f"copy-{name}")
    page.select_option(".jp-Dialog select", label="No Kernel")
    page.click(".jp-Dialog .jp-mod-accept")
    page.wait_for_selector(".dsg")
    return opened


def status(page):
    return page.inner_text(".dsg-status")


def typed(page, word):
    page.keyboard.type(word)
    page.keyboard.press("Enter")


def has_focus(page, selector, text=""):
    focus = "one => document.activeElement.matches(one) && document.activeElement.innerText"
    shown = page.evaluate(focus, selector)
    return shown is not False and text in shown


@pytest.mark.parametrize("kind", [Lab, Notebook7], ids=lambda kind: kind.__name__)
def test_from_word_to_word_by_keyboard_the_focus_stays_and_the_score_runs(saved, kind):
    page = saved(output(), kind=kind).page
    assert "answered, 3 words to guess" in page.inner_text(".dsg-head")
    assert page.inner_text(".dsg-text").split() == ["The", "capital", "of", "Australia", "is", "blank"]
    page.focus(INPUT)
    page.keyboard.press("Enter")
    assert status(page) == "Type the next word first, or skip it."
    typed(page, "sydney")
    # Half as likely as the favourite: one bit.
    assert [line for line in status(page).split("\n") if line] == [
        "The word is “Canberra”, 50.0 %, the model's favourite. Your “sydney” had 25.0 %: 1.0 bits behind.",
        "You: 0 of 1 right, 1.0 bits behind. The model's favourite each time: 1 of 1 right.",
    ]
    marked = "rows => rows.filter(row => row.lastChild.innerText).map(row => row.innerText.split(/\\s+/).join(' '))"
    rows = page.eval_on_selector_all(".dsg-bars tbody tr", marked)
    assert rows == ["Canberra 50.0 % the word", "Sydney 25.0 % your guess"]
    assert has_focus(page, INPUT)
    page.keyboard.press("Enter")
    assert has_focus(page, INPUT) and "word 2 of 3" in page.inner_text(".dsg-head")
    page.keyboard.press("Escape")
    assert "The word is “not”, 12.5 %; the model's favourite was “a”, 50.0 %." in status(page)
    assert "0 of 1 right" in status(page)
    page.keyboard.press("Escape")
    # "Brazil" is none of the choices. It may begin with "B", 12.5 %, or be among the rest, 3.1 %: log2(50/15.6) bits.
    typed(page, "Brazil")
    assert "The word is “Brisbane”, which begins with “Bris”, 25.0 %" in status(page)
    assert "at most 15.7 %, since it may begin with “B”: at least 1.7 bits behind." in status(page)
    assert "You: 0 of 2 right, at least 2.7 bits behind. The model's favourite each time: 1 of 2 right." in status(page)
    assert "Brazil not returned your guess" in " ".join(page.inner_text(".dsg-bars tbody tr:last-child").split())
    page.keyboard.press("Enter")
    assert "Canberra, not Brisbane." in page.inner_text(".dsg-text") and "at least 2.7 bits" in status(page)
    assert has_focus(page, ".dsg-main", "Start again")
    page.keyboard.press("Enter")
    assert has_focus(page, INPUT) and status(page).strip() == ""


def test_the_whole_word_is_right_although_it_is_of_two_tokens(saved):
    page = saved(output(kept={"at": 2})).page
    page.focus(INPUT)
    typed(page, " “BRISBANE”!")
    assert status(page).startswith("Right: “Brisbane”, which begins with “Bris”, 25.0 %; ")
    assert "the model's favourite was “Sydney”, 50.0 %. 1.0 bits behind." in status(page)
    assert "You: 1 of 1 right, 1.0 bits behind. The model's favourite each time: 0 of 1 right." in status(page)


def test_by_mouse_one_picks_among_choices(saved):
    page = saved(output()).page
    page.click("button:text('Show choices')")
    choices = page.locator(".dsg-choices button")
    assert choices.all_inner_texts() == ["Canberra", "Hobart", "Melbourne", "Perth", "Sydney"]
    page.click(".dsg-choices button:text('Canberra')")
    assert status(page).startswith("Right: “Canberra”, 50.0 %; it was the model's favourite. 0.0 bits behind.")
    page.click(".dsg-choices button:text('Perth')", force=True)  # it is too late
    assert "1 of 1 right" in status(page)
    page.click("button:text('Next word')")
    assert has_focus(page, INPUT)
    assert choices.all_inner_texts() == ["a", "not", "the"]
    page.click("button:text('Skip')")
    page.click("button:text('Reveal all')")
    assert "Canberra, not Brisbane." in page.inner_text(".dsg-text") and "1 of 1 right" in status(page)


def test_by_keyboard_one_picks_among_choices_and_the_focus_stays_there(saved):
    page = saved(output()).page
    page.focus("button:text('Show choices')")
    page.keyboard.press("Enter")
    page.locator(".dsg-choices button").nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert "Your “Hobart” had 3.1 %: 4.0 bits behind." in status(page)
    page.keyboard.press("Enter")
    assert "word 2 of 3" in page.inner_text(".dsg-head") and has_focus(page, ".dsg-choices button", "not")
    page.keyboard.press("Alt+Enter")
    assert "Brisbane" in page.inner_text(".dsg-text") and has_focus(page, ".dsg-main")


@pytest.mark.parametrize("kind", [Lab, Notebook7], ids=lambda kind: kind.__name__)
def test_a_class_votes_with_a_key_a_choice_on_bars_that_have_no_words(saved, kind):
    page = saved(output(vote=True), kind=kind).page
    cells = page.evaluate(CELLS)
    page.click(".dsg-head strong")
    before = page.locator(".dsg-bars tbody th").all_inner_texts()
    assert before == ["?"] * 5 + ["all others"] and "50.0 %" in page.inner_text(".dsg-bars")
    for key in "aAeeeb":  # a hand for A, which is taken back; three for E, one for B
        page.keyboard.press(f"Shift+{key}" if key.isupper() else key)
    page.keyboard.press("a")
    assert page.locator(".dsg-hands").all_inner_texts() == ["1", "1", "0", "0", "3"]
    assert status(page).strip() == "A Canberra: 1"
    page.keyboard.press("d")
    page.keyboard.press("d")  # which would delete the cell
    page.keyboard.press("Shift+D")
    page.keyboard.press("Shift+D")
    page.keyboard.press("Shift+D")
    assert page.evaluate(CELLS) == cells and page.locator(".dsg-hands").all_inner_texts()[3] == "0"
    page.keyboard.press("Enter")
    spaced = "rows => rows.map(row => row.innerText.split(/\\s+/).join(' '))"
    rows = page.eval_on_selector_all(".dsg-bars tbody tr", spaced)
    assert rows[:2] == ["A Canberra 50.0 % 1 hand", "E Sydney 25.0 % 3 hands"]
    assert "The word is “Canberra”. The model: 50.0 %. You: 1 of 5 hands, 20.0 %." in status(page)
    assert "The word had the most hands 0 of 1 times." in status(page)
    page.keyboard.press("a")  # it is too late
    assert page.locator(".dsg-hands").all_inner_texts()[0] == "1"
    page.keyboard.press("Enter")
    assert page.locator(".dsg-bars tbody th").all_inner_texts() == ["?"] * 3 + ["all others"]


def test_a_class_votes_by_mouse(saved):
    page = saved(output(vote=True)).page
    for _ in range(2):
        page.click("button[aria-label='One hand more for A Canberra']")
    page.click("button[aria-label='One hand less for A Canberra']")
    assert has_focus(page, "[aria-label='One hand less for A Canberra']")
    page.click("button:text-is('Reveal')")
    assert "You: 1 of 1 hand, 100.0 %" in status(page).replace("> 99.9", "100.0")
    page.click("button:text('Reveal all')")
    assert "Brisbane" in page.inner_text(".dsg-text") and not page.locator(".dsg-vote").count()


def test_what_is_typed_runs_no_shortcut_of_the_notebook(saved):
    page = saved(output()).page
    cells = page.evaluate(CELLS)
    page.click(INPUT)
    typed(page, "dd")
    page.keyboard.type("aabbddmy1x")  # the field is read-only now, as a page in command mode is
    assert page.evaluate(CELLS) == cells and page.locator(".jp-MarkdownCell").count() == 0
    assert page.input_value(INPUT) == "dd"


@pytest.mark.parametrize("vote", [False, True])
def test_saved_and_reopened_with_no_kernel_it_goes_on_where_it_was(saved, jupyter, page, vote):
    notebook = saved(output(vote=vote))
    if vote:
        page.click(".dsg-head strong")
        for key in ("a", "a", "Enter", "Enter", "b"):
            page.keyboard.press(key)
    else:
        page.focus(INPUT)
        typed(page, "Sydney")
        page.keyboard.press("Enter")
        typed(page, "rain")
    notebook.wait_for_kernel()  # which writes into the notebook what it is
    notebook.save()
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    without_kernel(page, jupyter, notebook.notebook)
    assert "word 2 of 3" in page.inner_text(".dsg-head")
    if vote:
        assert page.locator(".dsg-hands").all_inner_texts() == ["0", "1", "0"]
        page.click(".dsg-head strong")
        page.keyboard.press("Enter")
        assert "The word had the most hands 2 of 2 times." in status(page)
    else:
        assert "Your “rain” was not returned" in status(page) and page.input_value(INPUT) == "rain"
        page.focus(INPUT)
        page.keyboard.press("Enter")
        typed(page, "Brisbane")
        assert "You: 1 of 3 right" in status(page)


def test_opening_a_notebook_changes_nothing_in_it(saved):
    outputs = [output(kept={"at": 1, "said": ["Sydney"]}), output(vote=True)]
    page = saved(*outputs).page
    assert "tiny · embedded model" in page.inner_text(".dsg .dsx-footer >> nth=0")
    assert page.evaluate("jupyterapp.shell.currentWidget.content.widgets[0].model.outputs.toJSON()") == outputs


def test_one_output_seen_twice_is_one_guess(saved):
    notebook = saved(output())
    page = notebook.page
    notebook.second_view(0)
    page.wait_for_selector(f".jp-LinkedOutputView {INPUT}")
    page.focus(f".jp-LinkedOutputView {INPUT}")
    typed(page, "Sydney")
    page.wait_for_selector(".jp-Notebook .dsg-told:has-text('Your “Sydney”')")
    assert has_focus(page, f".jp-LinkedOutputView {INPUT}")


def test_before_a_class_small_print_goes_but_not_that_it_is_a_recording(saved):
    recorded = answered(recorded=Recorded("embedded model", "tiny", "2026-11-01T12:00:00Z", is_replay=True))
    size.set_size("projector")
    try:
        page = saved(output(recorded), output()).page
    finally:
        size.set_size("normal")
    assert "RECORDING" in page.inner_text(".dsg >> nth=0") and "tiny" not in page.inner_text(".dsg >> nth=1")


HUGE = "x" * 100_000
DAMAGED = [
    "__proto__",
    {"at": 1e300, "said": {"__proto__": 1}, "isTold": "yes"},
    {"at": -5, "isTold": True, "said": [{"toString": None}, [], 1e9, HUGE], "hands": [["a", -1, 1e300, None], 7]},
    {"at": 0, "isTold": True, "said": [HUGE], "hands": {"length": 1e9}, "isOpen": {"a": 1}},
    {"at": 2, "isTold": True, "said": ["constructor", "__proto__", "toString"], "hands": [[3], [3], [3]]},
]


@pytest.mark.parametrize("vote", [False, True])
def test_whatever_is_kept_of_a_guess_it_can_be_played(saved, vote):
    page = saved(*(output(vote=vote, kept=kept) for kept in DAMAGED)).page
    assert page.locator(".dsg").count() == len(DAMAGED)
    for at in range(len(DAMAGED)):
        guess = page.locator(".dsg").nth(at)
        guess.locator("strong").first.click()
        page.keyboard.press("Alt+Enter")
        assert "Brisbane" in guess.locator(".dsg-text").inner_text()
    assert "NaN" not in page.inner_text(".jp-Notebook") and page.errors == []


def test_what_is_no_guess_stays_folded(saved):
    def damaged(**changes):
        whole = output()
        return {**whole, "data": {**whole["data"], TYPE: {**whole["data"][TYPE], **changes}}}

    place = output()["data"][TYPE]["places"][0]
    wrong = [
        damaged(places=[]), damaged(places={"length": 3}), damaged(version=2),
        damaged(places=[{**place, "chosen": "__proto__"}]), damaged(places=[{**place, "offered": [99]}]),
        damaged(places=[{**place, "choices": [["a", "a", "NaN", False]]}]), damaged(places=[None]),
    ]
    page = saved(*wrong, output()).page
    assert page.locator(".dsg").count() == 1
    assert page.locator(".ds-output > div > details").count() == len(wrong)


@pytest.mark.parametrize("vote", [False, True])
def test_hostile_texts_stay_texts(saved, vote):
    entries = [entry(f" a{token}", 0.3, [(f" a{token}", 0.3), (f" b{HOSTILE[0]}", 0.2)]) for token in HOSTILE]
    page = saved(output(answered(entries, prefix=HOSTILE[1], question=HOSTILE[0]), vote=vote)).page
    page.click(".dsg-head strong")
    for _ in HOSTILE:
        page.click("button:text-is('Reveal')" if vote else "button:text-is('Skip')")
        page.click(".dsg-main")
    assert page.title() != "pwned" and not page.locator(".ds-output script, .ds-output img, .ds-output p b").count()
    assert page.errors == []


@pytest.mark.parametrize("vote", [False, True])
@pytest.mark.parametrize("drawn", ["normal", "projector"])
def test_nothing_hinders_a_reader_and_it_fits_narrow_pages(saved, vote, drawn):
    size.set_size(drawn)
    try:
        outputs = [output(vote=vote, kept={"at": 0, "isOpen": True}), output(vote=vote, kept={"at": 0, "isTold": True})]
    finally:
        size.set_size("normal")
    notebook = saved(*outputs)
    page = notebook.page
    font = "one => parseFloat(getComputedStyle(one).fontSize)"
    around = page.eval_on_selector(".dsx-frame", font)
    assert page.eval_on_selector(".dsg", font) == pytest.approx(around * (1.5 if drawn == "projector" else 1))
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        assert troubles(page, ".jp-Notebook .jp-OutputArea") == []
    page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
    page.set_viewport_size({"width": 600, "height": 1000})
    too_wide = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth).length"
    assert page.eval_on_selector_all(".jp-OutputArea-output, .dsg, .dsg-beside, .dsg-form", too_wide) == 0


def test_what_is_below_does_not_jump_from_word_to_word(saved):
    page = saved(output()).page
    page.focus(INPUT)
    typed(page, "Sydney")
    told = page.locator(".dsg").bounding_box()["height"]
    score = page.locator(".dsg-score").bounding_box()
    page.keyboard.press("Enter")
    assert page.locator(".dsg-score").bounding_box() == score
    assert told - page.locator(".dsg").bounding_box()["height"] < 30


def test_the_next_word_is_said_to_who_does_not_see_the_page(saved):
    page = saved(output()).page
    heard = page.locator(".dsg-text + [role=status]")
    assert heard.inner_text() == ""
    page.focus(INPUT)
    typed(page, "Sydney")
    assert heard.inner_text() == ""  # what came of the guess is said by the status
    page.keyboard.press("Enter")
    assert heard.inner_text() == "word 2 of 3: The capital of Australia is Canberra, blank"


@pytest.mark.parametrize("vote", [False, True])
def test_at_the_last_word_no_button_says_twice_what_another_does(saved, vote):
    page = saved(output(vote=vote, kept={"at": 1}), output(vote=vote, kept={"at": 2})).page
    shown = [each.is_visible() for each in page.locator("button:text-is('Reveal all')").all()]
    assert shown == [True, False]


def test_a_command_in_a_note_is_code_and_not_in_backticks(saved):
    answer = answered()
    answer.notes.append("`%ds_login` takes one")
    page = saved(output(answer)).page
    assert page.inner_text(".dsg-note") == "Note: %ds_login takes one"
    assert page.inner_text(".dsg-note code") == "%ds_login"


def test_what_marks_a_row_stands_below_its_heading_and_the_focus_is_framed_whole(saved):
    page = saved(output(vote=True, kept={"at": 0, "isTold": True, "hands": [[3]]})).page
    left = """one => { const range = document.createRange(); range.selectNodeContents(one);
      return range.getBoundingClientRect().left; }"""
    heading = page.eval_on_selector(".dsg-bars thead th:last-child", left)
    assert page.eval_on_selector(".dsg-bars .dsg-marks", left) == pytest.approx(heading, abs=1)
    page.click(".dsg-head strong")
    framed = """one => { const { left, top } = one.getBoundingClientRect();
      const { outlineOffset, outlineWidth } = getComputedStyle(one);
      const out = Number.parseFloat(outlineOffset) + Number.parseFloat(outlineWidth);
      const around = one.closest('.jp-OutputArea-output').getBoundingClientRect();
      return [left - out - around.left, top - out - around.top]; }"""
    assert min(page.eval_on_selector(".dsg", framed)) >= 0 and has_focus(page, ".dsg")


WATCH = """() => { window.seen = []; const all = document.querySelector('.jp-Notebook');
const changes = {subtree: true, childList: true, characterData: true};
new MutationObserver(() => seen.push(all.innerText)).observe(all, changes); }"""
ASKED = '%%deepseek {} --prefix "The capital of Australia is" -o answer\nWhat is the capital of Australia?'


@pytest.mark.parametrize("option", ["--guess", "--vote"])
def test_a_cell_hides_the_answer_while_it_comes_and_then_it_is_guessed(page, jupyter, server, option):
    name = f"cell{option}.ipynb"
    jupyter.write(name, ["%load_ext ds_magic", ASKED.format(option), "print('<', len(answer.logprobs), '>')"])
    notebook = Lab(page, jupyter, name)
    page.evaluate(WATCH)
    notebook.run_all()
    page.wait_for_selector(".jp-OutputArea-output:has-text('< 7 >')")
    page.wait_for_selector(".dsg")
    seen = page.evaluate("seen")
    assert any("behind the curtain" in text for text in seen)
    assert not any("Brisbane" in text or "Canberra, " in text for text in seen)
    assert server.requests[-1].json["top_logprobs"] == 20 and page.locator(".dsg").count() == 1
    page.click(".dsg-head strong")
    page.keyboard.press("Alt+Enter")
    notebook.save()
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    (kept,) = jupyter.saved(name)["cells"][1]["outputs"]
    assert kept["metadata"][KEPT]["at"] == 3 and "Brisbane" in page.inner_text(".dsg-text")


def test_python_gives_the_same(page, jupyter):
    made = "from tests.teaching.making import answered\nanswered().guess(vote=True)"
    jupyter.write("python.ipynb", [made])
    notebook = Lab(page, jupyter, "python.ipynb")
    notebook.run_all()
    page.wait_for_selector(".dsg-voting")
