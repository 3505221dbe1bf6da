"""How many cores this process may compute on: the container's share, and what others leave of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
"""Where the control groups say what they allow; in a container, what it may have."""
_STAT = Path("/proc/stat")


def free_cores(cgroups: Path = CGROUPS, stat: Path = _STAT, watch: float = 0.15) -> int:
    """The number of threads to compute with, at least 1. Watches the machine for `watch` seconds.

    It is the cores that nobody uses, less one for the notebook and the browser, which wake up when
    tokens come. llama.cpp's threads wait for each other hundreds of times a token, so one that must
    share its core holds up the others. Seen on 2 cores, in tokens a second: idle, 2 threads 109 and
    1 thread 75; with one core busy 35 and 78; with both busy 0.6 and 16.
    """
    cores = allowed_cores(cgroups)
    if cores > 2 and (idle := _idle_cores(stat, watch)) is not None:
        cores = min(cores, round(idle))
    return max(1, cores - 1)


def allowed_cores(cgroups: Path = CGROUPS) -> int:
    """The cores that this process may use, at least 1.

    The least of what the scheduler lets it run on and the quota of its control group (version 2 or 1),
    rounded down.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        cores = os.cpu_count() or 1
    quota = _quota(cgroups)
    return max(1, cores if quota is None else min(cores, int(quota)))


def _quota(cgroups: Path) -> float | None:
    """The control group's quota in cores, or None where there is none."""
    try:
        limit, period = (cgroups / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (cgroups / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (cgroups / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    try:
        return int(limit) / int(period) if int(limit) > 0 else None
    except (ValueError, ZeroDivisionError):  # "max": no limit
        return None


def _idle_cores(stat: Path, watch: float) -> float | None:
    """How many cores had nothing to do for the last `watch` seconds, or None where nobody says (not Linux)."""
    before = _ticks(stat)
    time.sleep(watch)
    after = _ticks(stat)
    if before is None or after is None or after[1] <= before[1]:
        return None
    cores = os.cpu_count() or 1
    return cores * (after[0] - before[0]) / (after[1] - before[1])


def _ticks(stat: Path) -> tuple[int, int] | None:
    """Idle and total time of all cores so far."""
    try:
        ticks = [int(value) for value in stat.read_text().split("\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    return (ticks[3] + ticks[4], sum(ticks)) if len(ticks) >= 5 else None
