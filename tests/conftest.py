"""What several rooms' tests need: one embedded server for the whole run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from ds_magic.local import launch


@pytest.fixture(scope="session")
def local_server() -> Iterator[launch.LocalServer]:
    """The embedded server with its real model: `.base_url`, `.api_key`, `.model`.

    It serves DS_MAGIC_LOCAL_MODEL if that is set, else the cached weights, which it fetches at need.
    """
    server = launch.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def todays_server() -> Iterator[SimpleNamespace]:
    """`ds-magic serve --today`, a program of its own: `.base_url`, `.api_key`, `.model`."""
    command = [sys.executable, "-m", "ds_magic.local", "serve", "--today", "--api-key", "sk-" + "0a1b" * 8]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        base_url, key, model = (process.stdout.readline().partition("=")[2].strip() for _ in range(3))
        yield SimpleNamespace(base_url=base_url, api_key=key, model=model)
    finally:
        process.kill()
        process.wait()
