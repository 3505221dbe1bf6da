"""A visit of Binder, as `bash binder/check` makes it, in the environment of the tests and without a model."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.browser.jupyter import SCRATCH

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux says who shares what"),
]


@pytest.fixture
def visit(tmp_path):
    """Visits a course of notebooks of a cell each; returns how that ended and what it said."""

    def made(*cells, options=()):
        (tmp_path / "notebooks").mkdir()
        for number, cell in enumerate(cells):
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
            nbformat.write(notebook, tmp_path / f"notebooks/{number:02}.ipynb")
        scratch = {name: str(tmp_path / folder) for name, folder in SCRATCH.items()}
        command = [sys.executable, ROOT / "binder/checks/visit.py", "--idle", "0", *options]
        run = subprocess.run(command, cwd=tmp_path, env={**os.environ, **scratch}, capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr

    return made


BUFFER = """
from ipykernel.comm import Comm
Comm(target_name="a widget", data={}, buffers=[b"bytes"])
"""


def test_the_course_runs_with_four_notebooks_open_and_is_measured(visit):
    status, said = visit("1", BUFFER, "import os\nassert int(os.environ['MEM_LIMIT']) == 10**9", "4", "5")
    assert status == 0, said
    assert "Every cell of the course ran." in said
    rows = {line[:23].strip(): line[23:].split() for line in said.splitlines() if "notebooks" in line}
    two, four = (float(rows[f"{number} notebooks have run"][2]) for number in ("two", "four"))
    assert four > 1.5 * two > 20  # what the kernels have
    five = next(line for line in said.splitlines() if line.startswith("the others have run"))
    assert abs(float(five[23:].split()[2]) - four) < 0.2 * four  # the first of them was closed


def test_a_cell_that_fails_and_a_kernel_that_is_ended_for_its_memory_fail_the_visit(visit):
    greedy = "held = bytearray(10**9)\nwhile True: pass"
    status, said = visit("1", greedy, "1 / 0", "4", options=["--limit", "800"])
    assert status == 1
    assert "01.ipynb, cell 0: its kernel died" in said
    assert "02.ipynb, cell 0: ZeroDivisionError: division by zero" in said
    assert "may have 800" in said
