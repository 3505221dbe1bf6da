"""What loading costs: CPU time that `%load_ext ds_magic` adds to a bare IPython, and that of the first cell.

    python tests/bench/load.py [--rounds 5] [--against jupyter_ai_magics]

Each round is a fresh process with a real shell. The first cell's time ends when its request has reached
the server (a scripted one on loopback, in the same process).
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

LOAD = """
import json, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("pass")
began = time.process_time(), time.perf_counter()
shell.run_line_magic("load_ext", {extension!r})
print(json.dumps([time.process_time() - began[0], time.perf_counter() - began[1]]))
"""

FIRST_CELL = """
import json, os, sys, time
sys.path.insert(0, {root!r})
from IPython.core.interactiveshell import InteractiveShell
from tests.servers.scripted import ScriptedServer, said
shell = InteractiveShell.instance()
shell.run_cell("pass")
shell.run_line_magic("load_ext", "ds_magic")
answer = said("Hello")
def script(connection):
    arrived.append((time.process_time(), time.perf_counter()))
    answer(connection)
arrived = []
with ScriptedServer(script) as server:
    os.environ.update(DEEPSEEK_BASE_URL=server.url, DEEPSEEK_API_KEY="bench", DS_MAGIC_VIEW="static")
    began = time.process_time(), time.perf_counter()
    shell.run_cell("%%deepseek\\nHi")
print()
print(json.dumps([arrived[0][0] - began[0], arrived[0][1] - began[1]]))
"""


def measured(code):
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT,
                         env={**os.environ, "PYTHONPATH": str(ROOT)})
    if run.returncode:
        sys.exit(run.stderr)
    return json.loads(run.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against", action="append", default=[], help="another extension, for comparison")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
          f"median of {arguments.rounds} fresh processes")
    print(f"{'':34}{'CPU s':>8}{'wall s':>8}")
    rows = {f"%load_ext {name}": LOAD.format(extension=name) for name in ("ds_magic", *arguments.against)}
    rows["first %%deepseek, until it is sent"] = FIRST_CELL.format(root=str(ROOT))
    for name, code in rows.items():
        measured(code)
        cpu, wall = zip(*(measured(code) for _ in range(arguments.rounds)), strict=True)
        print(f"{name:34}{statistics.median(cpu):8.3f}{statistics.median(wall):8.3f}")


if __name__ == "__main__":
    main()
