"""The notebooks as they are committed, the demo that runs the first of them, and all of them with a key.

That they run against the embedded model is what nbval sees, which collects them beside the tests.
"""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def outputs(path):
    cells = nbformat.read(path, as_version=4).cells
    return [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]


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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_saved_outputs_of_a_notebook_hold_no_script_and_no_dead_widget(path):
    for output in outputs(path):
        assert "<script" not in output.get("data", {}).get("text/html", "")
        assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})


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
