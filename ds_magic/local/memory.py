"""How many requests are answered at once: as many as the memory that this process may have has room for."""

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
