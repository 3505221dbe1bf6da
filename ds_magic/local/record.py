"""Where a running server is found by the next kernel of the same user: a file with its address and its key."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import weights
from .models.names import asked
from .models.obtain import identity


class Record:
    """The file of one server, which only its user can read."""

    def __init__(self, path: Path):
        self.path = path

    @classmethod
    def of_this_kernel(cls, model: str | None = None) -> Record:
        """The record of the server that this kernel would start: of this machine, Python, version and model.

        `model` is a name as `--local-model` takes it; without one that of the environment, else ours.
        """
        digest = hashlib.sha256(json.dumps(_identity(asked(model))).encode()).hexdigest()
        return cls(weights.cache_dir() / "servers" / f"{digest[:16]}.json")

    @property
    def lock(self) -> Path:
        """What is locked while it is looked for and started."""
        return self.path.with_suffix(".lock")

    def make_folder(self) -> None:
        """Make what it lies in. Raises OSError where that cannot be."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self) -> dict[str, Any] | None:
        """What was written, or None where nothing is there or others could have written or read it."""
        try:
            with self.path.open(encoding="utf-8") as file:
                about = os.fstat(file.fileno())
                if os.name != "nt" and (about.st_uid != os.getuid() or about.st_mode & 0o077):
                    return None
                told = json.load(file)
        except (OSError, ValueError):
            return None
        return told if isinstance(told, dict) else None

    def write(self, told: dict[str, Any]) -> None:
        """Put it there in one step. Raises OSError."""
        number, name = tempfile.mkstemp(dir=self.path.parent)  # made for its user alone
        with open(number, "w", encoding="utf-8") as file:
            json.dump(told, file)
        os.replace(name, self.path)

    def remove(self, pid: int) -> None:
        """Remove it if it is that of the process `pid`, which ends."""
        with suppress(OSError):
            if (self.read() or {}).get("pid") == pid:
                self.path.unlink()


def records() -> list[Record]:
    """Those of all servers of this user."""
    return [Record(path) for path in sorted((weights.cache_dir() / "servers").glob("*.json"))]


def _identity(named: str) -> list[str]:
    """What two kernels must have in common to share a server."""
    here = Path(__file__).parent
    changed = max(file.stat().st_mtime_ns for file in here.rglob("*.py"))  # an update writes them anew
    model = identity(named) if named else weights.SHA256
    return [platform.node(), sys.executable, str(here), str(changed), _version("xllamacpp"), model]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
