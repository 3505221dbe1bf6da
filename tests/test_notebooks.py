"""The notebooks as they are committed, the demo that runs the first of them, and all of them with a key.

That they run against the embedded model is what nbval sees, which collects them beside the tests.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "notebooks").glob("*.ipynb"))
NOTEBOOKS = [path for path in PAGES if path.stem != "glossary"]
LARGEST = 500_000
"""Bytes that a notebook and its recording may have."""


def outputs(path):
    cells = nbformat.read(path, as_version=4).cells
    return [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]


def prose(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]


def recording(path):
    return path.parent / "recordings" / f"{path.stem}.jsonl"


def given(path, cell):
    """What the first cell in which this stands gave, as text."""
    found = next(each for each in nbformat.read(path, as_version=4).cells
                 if each.cell_type == "code" and cell in each.source)  # fmt: skip
    texts = [each.get("text") or each.get("data", {}).get("text/plain", "") for each in found.outputs]
    return "\n".join(texts).replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def short(tmp_path, monkeypatch):
    """Answers that nobody has limited are short: their length is not the matter, and a small model may go on and on."""
    profile = tmp_path / "ipython/profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_kernel_config.py").write_text("c.DeepSeekMagics.max_tokens = 100\n")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))


def run_demo(notebook, *options, **environment):
    command = [sys.executable, ROOT / "binder/run_notebook.py", notebook, *options]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_committed_with_its_outputs_and_without_errors(path):
    assert outputs(path), "it has no outputs"
    assert [output for output in outputs(path) if output.output_type == "error"] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_saved_outputs_of_a_notebook_hold_no_script_and_no_dead_widget(path):
    for output in outputs(path):
        assert "<script" not in output.get("data", {}).get("text/html", "")
        assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_lesson_promises_asks_and_leads_on(path):
    first, *_, last = prose(path)
    assert " minutes** you " in first and "(glossary.ipynb)" in first
    assert sum("<details><summary>" in each for each in prose(path)) >= (1 if path.stem.startswith("06") else 2)
    assert "**Next**: [" in last or path == NOTEBOOKS[-1]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_what_a_lesson_links_to_is_there(path):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", "\n".join(prose(path))):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_lesson_and_its_recording_are_small(path):
    assert path.stat().st_size < LARGEST and recording(path).stat().st_size < LARGEST


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_lesson_gives_from_its_recording_what_it_gave_when_it_was_recorded(path):
    """Without a model and without a server: the address is one where nobody listens.

    Where a view has changed, they are recorded anew: `python binder/run_notebook.py NOTEBOOK --record`.
    """
    replay = {"DS_MAGIC_REPLAY": str(recording(path)), "DS_MAGIC_SPEED": "0", "DS_MAGIC_VIEW": "static",
              "DEEPSEEK_BASE_URL": "http://127.0.0.1:9"}  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", "--nbval",
               "--nbval-current-env", "--nbval-sanitize-with", str(ROOT / "tests/replayed.cfg"), path.name]  # fmt: skip
    run = subprocess.run(command, cwd=path.parent, env={**os.environ, **replay}, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_what_the_lessons_say_of_their_outputs_is_true_of_them():
    quick, nearly, chance, sure, talk, tools, many = NOTEBOOKS
    # 0: Canberra won, and Sydney was close; Istanbul stands before Ankara, and is surer than Canberra.
    capital, turkey = given(quick, "Australia is"), given(quick, "Turkey is")
    assert "The capital of Australia is Canberra." in capital
    assert share(capital, "Canberra") > share(capital, "Sydney") > 5 * share(capital, "Perth")
    assert share(turkey, "Istanbul") > share(capital, "Canberra") and share(turkey, "Ank") < share(turkey, "Istanbul")
    assert "Sydney (37.8 %) instead of" in given(quick, "sydney = answer.fork")
    # 1: the city between 1.45 and 1.6 bits, the last place the most open; either answer is justified.
    bits = re.findall(r"([\d.]+) to ([\d.]+) bits", given(nearly, "entropy_low"))
    assert 1.4 < float(bits[0][0]) < float(bits[0][1]) < 1.7 and float(bits[-1][0]) > float(bits[0][1])
    branches = given(nearly, 'prime.fork(0, "No")')
    assert "221 is not a prime number" in branches and "221 is indeed a prime number" in branches
    # 2: the likeliest word has 27.6 %, the next 12.2 %, what is computed lies within what was drawn; ones lead.
    counts = given(chance, "words.counts()")
    assert "27.6 %" in counts and "12.2 %" in counts
    for line in re.findall(r"% \((\d+) – (\d+)\) +([\d.]+) %", counts)[:4]:
        low, high, computed = map(float, line)
        assert low <= computed <= high
    assert re.search(r"·1 +1\d ", given(chance, "rolls.counts()"))
    assert re.search(r"at 0\n +·girl +█+ +100 %", given(chance, "place.tempered([0"))
    # 3: of the capitals most are right, of the sums most are wrong, also of those it was sure of.
    capitals, sums = re.findall(r"(\d+) of 20 answers are right", given(sure, "reliability(bins=4)"))
    assert int(capitals) >= 15 and int(sums) <= 9
    told = given(sure, "for row in capital")
    assert '"Paris" is the likeliest' in told and '"Lyon" is the likeliest' in told
    said = given(sure, "asked.entropy")
    assert "Istanbul × 4" in said and "Paris × 5" in said
    for invented in ("Zorland", "Mordor"):
        assert re.search(rf"{invented} +2\.32", said)
    # 4: it knows the name only where it was told; thinking gives another number than the right one.
    assert "Your dog is called Rex." in given(talk, "--chat pet -t 0 -l 5")
    assert "Rex" not in given(talk, "%%deepseek -t 0 -l 5 --prefix \"Your dog")
    # 5: 1234 + 4321 is not 5555 without a function; nobody said how many apples.
    alone, helped = (given(tools, cell) for cell in ("%%deepseek -t 0 --max-tokens 40", "--tool-choice add -t"))
    assert "5555" not in alone and "5555" in helped
    assert re.search(r"quantity=3.*colour='green', quantity=\d", given(tools, "display(order.parsed"), re.DOTALL)
    # 6: of one row more only that one is asked.
    assert "6 of 7 had been asked before, 1 now." in given(many, "more.notes")


def share(text, token):
    """The per cent of a token in bars of text."""
    return float(re.search(rf"{token} .*?([\d.]+) %", text)[1])


@pytest.mark.model
def test_the_demo_shows_an_answer_of_the_embedded_model_and_its_probabilities():
    run = run_demo(ROOT / "notebooks/00-quickstart.ipynb")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "The capital of Australia is Canberra" in run.stdout
    assert "embedded model" in run.stdout and "49,147 others" in run.stdout


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_notebook_runs_with_a_key_against_the_service_of_today(path, todays_server, short):
    keys = {"DEEPSEEK_BASE_URL": todays_server.base_url, "DEEPSEEK_API_KEY": todays_server.api_key}
    run = run_demo(path, "--with-key", **keys)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "deepseek-flash" in run.stdout and "embedded model" not in run.stdout
    for cell, shown in given_by_cell(path, run.stdout):
        assert (IGNORED in shown) == is_set_in_vain(cell), f"{cell}\n{shown}"


IGNORED = "temperature: ignored while the model thinks; `--no-thinking` makes it count."


def is_set_in_vain(cell):
    """Whether a cell sets a temperature that today's service passes over: a call that is forced is not thought about,
    and what follows it is."""
    line = cell.splitlines()[0] if "deepseek" in cell else ""
    settled = ("--no-thinking", "--dry-run", "--no-run-tools")
    return " -t " in line and not any(option in line for option in settled)


def given_by_cell(path, printed):
    """Each cell of code, and what it printed in a run of the notebook."""
    cells = [each.source for each in nbformat.read(path, as_version=4).cells if each.cell_type == "code"]
    for cell in filter(str.strip, cells):
        echo = "".join(f"> {line}\n" for line in cell.splitlines())
        _, found, printed = printed.partition(echo)
        assert found, cell
        yield cell, printed.split("\n> ")[0]


@pytest.mark.slow
def test_the_demo_fails_where_a_cell_fails(tmp_path):
    cells = [nbformat.v4.new_code_cell("%load_ext ds_magic"), nbformat.v4.new_code_cell("%%deepseek -t hot\nHi")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "broken.ipynb")
    run = run_demo(tmp_path / "broken.ipynb")
    assert run.returncode == 1 and "from 0 to 2" in run.stdout


def test_what_the_scripts_say_has_colours_in_a_terminal_only_and_none_under_no_color():
    def said(**environment):
        terminal, end = os.openpty()
        command = ["bash", "-c", ". binder/environment; say hello"]
        subprocess.run(command, stderr=end, cwd=ROOT, env={"PATH": os.environ["PATH"], **environment}, check=True)
        os.close(end)
        with open(terminal, "rb", buffering=0) as shown:
            return shown.read(100)

    piped = subprocess.run(["bash", "-c", ". binder/environment; say hello"], stderr=subprocess.PIPE, cwd=ROOT)
    assert b"\x1b" in said() and b"\x1b" not in said(NO_COLOR="1") and piped.stderr == b"hello\n"
