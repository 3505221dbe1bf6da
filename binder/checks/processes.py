"""What the processes of a visit take of the memory, by kind: JupyterLab, kernels, the model's server. Linux only.

PSS counts a page of memory once: of a page that three processes have, each gets a third. RSS counts it three times.
Both in MB of 1,000,000 bytes.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MARK = "BINDER_CHECK"
"""The variable in the environment of every process of a visit, by which they are found, whoever started them."""
KINDS = {"JupyterLab": "jupyter-notebook", "model server": "ds_magic.local", "kernels": "ipykernel_launcher"}
"""What stands in the command line of each kind."""


class Process(NamedTuple):
    pid: int
    kind: str
    pss: float
    rss: float


def of_visit(mark: str) -> list[Process]:
    """Those whose environment has the mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended, or belongs to somebody else
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().decode(errors="replace")
                kind = next((kind for kind, word in KINDS.items() if word in command), "other")
                found.append(Process(int(folder.name), kind, *_pss_and_rss(folder / "smaps_rollup")))
    return found


def _pss_and_rss(rollup: Path) -> tuple[float, float]:
    lines = (line.split() for line in rollup.read_text().splitlines())
    sizes = {line[0]: int(line[1]) * 1024 / 1e6 for line in lines if line[0] in ("Pss:", "Rss:")}
    return sizes.get("Pss:", 0.0), sizes.get("Rss:", 0.0)


def pss(processes: list[Process]) -> float:
    return sum(process.pss for process in processes)


class Watch(threading.Thread):
    """Keeps `highest`, the moment that took most; where more than `limit` MB are taken, ends the largest process.

    That is what Binder's system does with who goes over his limit.
    """

    def __init__(self, mark: str, limit: float):
        super().__init__(daemon=True)
        self.mark, self.limit = mark, limit
        self.highest: list[Process] = []
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.5):
            self.look()

    def look(self) -> list[Process]:
        """What there is at this moment."""
        now = of_visit(self.mark)
        if pss(now) > pss(self.highest):
            self.highest = now
        if pss(now) > self.limit:
            with suppress(OSError):
                os.kill(max(now, key=lambda process: process.pss).pid, signal.SIGKILL)
        return now

    def end(self) -> None:
        self._ended.set()
        self.join()


def table(moments: dict[str, list[Process]]) -> str:
    """A line for each moment, a column for each kind: PSS, and RSS behind it."""
    present = {process.kind for processes in moments.values() for process in processes}
    kinds = [kind for kind in (*KINDS, "other") if kind in present]
    lines = [["MB: PSS (RSS)", *kinds, "together"]]
    for moment, processes in moments.items():
        columns = [[each for each in processes if each.kind == kind] for kind in kinds]
        lines.append([moment, *(_cell(column) for column in columns), _cell(processes)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _cell(processes: list[Process]) -> str:
    if not processes:
        return ""
    return f"{pss(processes):.0f} ({sum(process.rss for process in processes):.0f})"
