"""What memory the processes of a visit have, as `bash binder/check` measures it."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from binder.checks.processes import MARK, Process, Watch, of_visit, pss, table

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux says who shares what")

HOLD = "import sys; held = bytearray(int(sys.argv[1])); print('ready', flush=True); sys.stdin.read()"


@contextmanager
def holding(size, *words, mark):
    """A process that holds `size` bytes; `words` are in its command line."""
    command = [sys.executable, "-c", HOLD, str(size), *words]
    environment = {**os.environ, MARK: mark}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout.readline() == b"ready\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_processes_of_a_visit_are_found_with_their_kind_and_their_memory(tmp_path):
    mark = tmp_path.name + str(os.getpid())
    with holding(50_000_000, "-m", "ipykernel_launcher", mark=mark) as kernel, holding(0, mark=f"{mark}0"):
        (found,) = of_visit(mark)
    assert (found.pid, found.kind) == (kernel.pid, "kernels")
    assert 50 < found.pss <= found.rss < 90


def test_above_the_limit_the_largest_process_is_ended_and_the_highest_moment_kept(tmp_path):
    mark = tmp_path.name + str(os.getpid())
    watch = Watch(mark, limit=100)
    with holding(20_000_000, mark=mark) as small, holding(40_000_000, mark=mark) as large:
        watch.look()
        assert pss(watch.highest) > 60 and large.poll() is None
        watch.limit = 60
        watch.look()
        assert large.wait(60) == -signal.SIGKILL and small.poll() is None
        watch.look()
    assert len(watch.highest) == 2


def test_the_table_sums_up_each_kind_at_each_moment():
    lab, kernel = Process(1, "JupyterLab", 70, 80), Process(2, "kernels", 40.4, 60)
    assert table({"at first": [lab], "later": [lab, kernel, kernel]}).splitlines() == [
        "MB: PSS (RSS)  JupyterLab  kernels   together",
        "at first       70 (80)               70 (80)",
        "later          70 (80)     81 (120)  151 (200)",
    ]
