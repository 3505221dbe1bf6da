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
    said = [environment.get("MEM_LIMIT", "")]
    for file in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError):
            said.append((cgroups / file).read_text().strip())
    limits = [int(limit) for limit in said if limit.isascii() and limit.isdigit()]
    with suppress(AttributeError, OSError, ValueError):  # not on Windows
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min((limit for limit in limits if limit > 0), default=None)


def free_memory(
    cgroups: Path = CGROUPS, environment: Mapping[str, str] = os.environ, machine: Path = Path("/proc/meminfo")
) -> int | None:
    """The bytes that this process can still take, or None where nobody says.

    The least of what the machine has to give (what it only keeps of files counts as free) and what is left of
    `allowed_memory` beside what the control group uses.
    """
    free = []
    with suppress(OSError, ValueError, IndexError):
        found = [line.split() for line in machine.read_text().splitlines() if line.startswith("MemAvailable:")]
        free.append(1024 * int(found[0][1]))
    limit, used = allowed_memory(cgroups, environment), _used(cgroups)
    if limit is not None and used is not None:
        free.append(max(0, limit - used))
    elif limit is not None and not free:
        free.append(limit)
    return min(free, default=None)


def _used(cgroups: Path) -> int | None:
    """What the control group uses (version 2 or 1), without what it would let go of when asked; None where unsaid."""
    for usage, statistics in (
        ("memory.current", "memory.stat"), ("memory/memory.usage_in_bytes", "memory/memory.stat"),
    ):  # fmt: skip
        with suppress(OSError, ValueError):
            used = int((cgroups / usage).read_text())
            lines = (line.split() for line in (cgroups / statistics).read_text().splitlines())
            told = {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdigit()}
            return max(0, used - told.get("total_inactive_file", told.get("inactive_file", 0)))
    return None
