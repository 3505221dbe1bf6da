"""A result as one page of HTML."""

import os
import re
import threading

import pandas as pd
import pytest

import ds_magic
from ds_magic import Answers
from ds_magic.api.errors import InvalidRequestError
from tests.magics.test_functions_and_json import calling
from tests.servers.scripted import said

KEY = "sk-0123456789abcdef0123456789abcdef"


@pytest.fixture
def cell(ask, shell):  # noqa: F811
    """Run a cell that must not fail."""

    def run(text):
        shell.run_cell(text, store_history=True).raise_error()

    run.server = ask.server
    return run


def refused(shell, cell, capsys):
    result = shell.run_cell(cell, store_history=True)
    assert isinstance(result.error_in_exec, InvalidRequestError)
    return " ".join(capsys.readouterr().out.replace("│", " ").split())


def test_a_page_says_what_was_asked_of_whom_how_and_when(completion):
    path = ds_magic.share(completion, "page.html")
    html = path.read_text()
    for told in ("Be short.", "What is the capital?", "It is ", "tiny at scripted", "temperature 0.5", "max_tokens 9",
                 'stop ["\\n"]', "top_logprobs 2", "2025-11-30", f"ds_magic {ds_magic.__version__}", "Canberra"):
        assert told.replace('"', "&quot;") in html, told
    assert "<script" not in html and "default-src 'none'" in html


def test_a_link_to_click_is_given_for_a_page_below_the_folder_of_now(completion):
    assert 'href="page.html"' in ds_magic.share(completion, "page.html")._repr_html_()


def test_a_recording_stays_marked(cell, folder):
    cell("%%deepseek --journal run.jsonl\nHi")
    cell("%%deepseek --replay run.jsonl --speed 0 -o again\nHi\n")
    cell("%ds_share again page.html")
    assert len(re.findall("RECORDING 20", (folder / "page.html").read_text())) == 2


def test_without_a_file_it_is_named_by_its_question_and_no_page_is_written_over(completion, folder):
    names = [ds_magic.share(completion).name for _ in range(2)]
    assert names == ["what-is-the-capital.html", "what-is-the-capital-2.html"]
    assert sorted(each.name for each in folder.iterdir()) == sorted(names)


def test_a_file_that_is_no_page_of_ours_is_left_as_it_is_and_a_page_of_ours_is_written_anew(completion, folder):
    (folder / "mine.html").write_text("<p>mine")
    with pytest.raises(InvalidRequestError, match="mine.html is there already, and is no page of ds_magic"):
        ds_magic.share(completion, "mine.html")
    assert (folder / "mine.html").read_text() == "<p>mine"
    ds_magic.share(completion.logprobs, "page.html")
    assert "Be short." in ds_magic.share(completion, "page.html").read_text()


def test_a_page_is_whole_or_not_there(completion, folder, monkeypatch):
    ds_magic.share(completion, "page.html")
    before = (folder / "page.html").read_text()

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    for file in ("page.html", None):
        with pytest.raises(InvalidRequestError, match="No space left"):
            ds_magic.share(completion, file)
    assert [each.name for each in folder.iterdir()] == ["page.html"] and (folder / "page.html").read_text() == before


@pytest.mark.parametrize("make", [
    lambda one: one.logprobs, lambda one: one.logprobs[0],
    lambda one: Answers.of(one, one), lambda one: Answers.of(one, one).counts(),
    lambda one: Answers.of(one, one).divergence(), lambda one: Answers.of(one).marked(lambda row: True).reliability(),
    lambda one: ds_magic.compare(one, one), lambda one: one.tree(), lambda one: pd.DataFrame({"a": ["Canberra"]}),
    lambda one: [one, one.logprobs],
], ids=["table", "token", "answers", "counts", "divergence", "reliability", "comparison", "tree", "frame", "list"])
def test_whatever_has_a_static_form_is_shared(make, completion):
    html = ds_magic.share(make(completion)).read_text()
    assert re.search("Canberra|right", html.partition("<section")[2])


def test_of_several_answers_it_says_what_holds_of_all(cell, folder):
    cell("%%deepseek --sweep temperature=0,1 -o many -s Short\nHi")
    cell("%ds_share many page.html")
    html = (folder / "page.html").read_text()
    assert "<dd>Short</dd>" in html and "<dt>settings" not in html


def test_without_a_name_all_that_cells_answered_is_shared_in_order(cell, folder):
    cell.server.scripts = [said("one"), said("two"), said("three"), said("four")]
    for text in ("%%deepseek\nFirst?", "%%deepseek --quiet\nSecond?", "for _ in 1, 2:\n    %deepseek Third?"):
        cell(text)
    cell("%ds_share page.html")
    found = re.findall(r"<h2>(\w+)\?</h2>|>(one|two|three|four)</p>", (folder / "page.html").read_text())
    assert [one or other for one, other in found] == [
        "First", "one", "Second", "two", "Third", "three", "Third", "four",
    ]  # fmt: skip


def test_a_cell_that_is_run_again_stands_where_it_stood_with_its_new_answer(cell, folder):
    cell.server.scripts = [said("one"), said("two"), said("new")]
    for text in ("%%deepseek\nFirst?", "%%deepseek\nSecond?", "%%deepseek\nFirst?"):
        cell(text)
    cell("%ds_share page.html")
    html = (folder / "page.html").read_text()
    assert html.index("First?") < html.index("new") < html.index("Second?") and ">one<" not in html


def test_an_answer_in_several_rounds_or_in_the_background_stands_once_in_the_place_of_its_cell(cell, folder, shell):  # noqa: F811
    cell("def add(a: int, b: int) -> int:\n    'Add.'\n    return a + b")
    asked_again, may_end = threading.Event(), threading.Event()

    def late(connection):
        asked_again.set()
        connection.wait(may_end)
        said("three")(connection)

    cell.server.scripts = [said("other"), calling(), late]
    cell("for _ in (): pass\n%deepseek Other?")
    cell("handle = %deepseek --bg --tools add First?")
    cell.server.scripts[3:] = [said("two")]
    assert asked_again.wait(60)
    cell("%deepseek Second?")
    may_end.set()
    shell.user_ns["handle"].result(60)
    cell("%ds_share page.html")
    found = re.findall(r"<h2>(\w+)\?</h2>|>(other|two|three)</p>", (folder / "page.html").read_text())
    assert [one or other for one, other in found] == ["Other", "other", "First", "three", "Second", "two"]


def test_a_key_is_never_in_a_page(completion, monkeypatch):
    own = "a-key-of-another-form-4711"
    monkeypatch.setenv("DEEPSEEK_API_KEY", own)
    completion.choices[0].message.content = f"{KEY} and {own}"
    frame = pd.DataFrame({KEY: [own]})
    html = ds_magic.share([completion, frame]).read_text()
    assert KEY not in html and own not in html and "****" in html


def test_for_a_room_the_page_is_large(completion, cell, folder):
    assert 'class="large"' not in ds_magic.share(completion).read_text()
    assert 'class="large"' in ds_magic.share(completion, large=True).read_text()
    cell("%config DeepSeekMagics.size = 'projector'\n%deepseek Hi")
    cell("%ds_share page.html\n%ds_reset")
    assert 'class="large"' in (folder / "page.html").read_text()


@pytest.mark.parametrize(("line", "said"), [
    ("answr", "Did you mean `answer`"), ("answer page.txt", "ends in .html"), ("--larg", "no `--larg`"),
    ("'a", "No closing quotation"), ("answer.nothing", "nothing"), ("--notebook", "ds-magic page"),
    ("answer /no/such/place/page.html", "No such file"), ("number", "no static form"),
    ("answer[:]", "more than a name"),
])
def test_a_line_that_means_nothing_says_what_would(line, said, cell, shell, capsys, monkeypatch):  # noqa: F811
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    cell("%deepseek -o answer Hi\nnumber = 1")
    assert said in refused(shell, f"%ds_share {line}", capsys)


def test_before_anything_was_asked_there_is_nothing_to_share(shell, capsys):  # noqa: F811
    assert "nothing to share yet" in refused(shell, "%ds_share", capsys)
