"""`ds-magic serve` with a model that a test made."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.local.conftest import Api


@contextmanager
def serve(model: Path, *options: str) -> Iterator[Api]:
    """A server of `model` for as long as the block lasts."""
    command = [sys.executable, "-m", "ds_magic.local", "serve", "--model", str(model), "--threads", "1", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        base_url, key, name = (process.stdout.readline().partition("=")[2].strip() for _ in range(3))
        yield Api(base_url, key, name)
    finally:
        process.kill()
        process.wait()
