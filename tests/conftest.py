"""What several rooms' tests need: one embedded server for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

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
