"""How much memory there is for this process, and how many requests are answered at once in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from .cores import CGROUPS

LITTLE = 3 * 10**9
"""Bytes. Below it each cache of 90 MB is missed by the notebooks: Binder gives 1 to 2 GB for everything."""


def places(memory: int | None) -> int:
    """Requests answered at once by who may have so many bytes (None: nobody says)."""
    return 2 if memory is not None and memory < LITTLE else 4


def allowed_memory(cgroups: Path = CGROUPS, environment: Mapping[str, str] = os.environ) -> int | None:
    """The bytes that this process and those beside it may have, or None where nobody says.

    The least of what the machine has, what its control group may have (version 2 or 1), and what JupyterHub says in
    MEM_LIMIT, as Binder's does.
    """
    said = environment.get("MEM_LIMIT", "")
    limits = [*_limits(cgroups), int(said) if said.isascii() and said.isdigit() else 0, _machine() or 0]
    return min((limit for limit in limits if limit > 0), default=None)


def free_memory(
    cgroups: Path = CGROUPS, environment: Mapping[str, str] = os.environ, meminfo: Path = Path("/proc/meminfo")
) -> int | None:
    """The bytes that this process can still take, or None where nobody says.

    The least of what the machine has to give (what it only keeps of files counts as free), and what is left of
    `allowed_memory`, where that is this control group's, beside what the group uses.
    """
    free = []
    with suppress(OSError, ValueError, IndexError):
        (line,) = [line for line in meminfo.read_text().splitlines() if line.startswith("MemAvailable:")]
        free.append(1024 * int(line.split()[1]))
    if (allowed := allowed_memory(cgroups, environment)) is not None:
        machine = _machine()
        is_limited = any(machine is None or limit < machine for limit in _limits(cgroups))
        free.append(max(0, allowed - (_used(cgroups) if is_limited else 0)))
    return min(free, default=None)


def _limits(cgroups: Path) -> list[int]:
    """What the control group may have, where it says so."""
    said = []
    for file in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError):
            said.append((cgroups / file).read_text().strip())
    return [int(limit) for limit in said if limit.isascii() and limit.isdigit()]


def _machine() -> int | None:
    with suppress(AttributeError, OSError, ValueError):  # not on Windows
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _used(cgroups: Path) -> int:
    """What the control group uses (version 2 or 1), without what it would let go of when asked."""
    for usage, statistics in (
        ("memory.current", "memory.stat"), ("memory/memory.usage_in_bytes", "memory/memory.stat"),
    ):  # fmt: skip
        with suppress(OSError, ValueError):
            used = int((cgroups / usage).read_text())
            lines = (line.split() for line in (cgroups / statistics).read_text().splitlines())
            told = {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdigit()}
            return max(0, used - told.get("total_inactive_file", told.get("inactive_file", 0)))
    return 0
