"""A real IPython shell with the extension loaded, and environments without anybody's key."""

import atexit

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

OURS = ("DEEPSEEK_", "DS_MAGIC_")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    import os

    from ds_magic import backend
    from ds_magic.api.spent import SPENT

    SPENT.clear()
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("DS_MAGIC_VIEW", "none")
    # A port where nobody listens: a test that forgot its server must not start the embedded one.
    monkeypatch.setenv("DEEPSEEK_BASE_URL", "http://127.0.0.1:9")
    yield
    backend.logout()


@pytest.fixture
def bare_shell():
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell(config=config)
    yield shell
    atexit.unregister(shell.atexit_operations)
    shell.displayhook.do_full_cache = False  # whose end is a search for garbage, 0.2 s of it
    shell.atexit_operations()


@pytest.fixture
def shell(bare_shell):
    bare_shell.run_cell("%load_ext ds_magic").raise_error()
    yield bare_shell
    bare_shell.run_cell("%unload_ext ds_magic")


@pytest.fixture
def ask(shell, monkeypatch):
    """Run a cell against a scripted server; returns the JSON that arrived."""
    from tests.servers.scripted import ScriptedServer, said

    with ScriptedServer(said("Hello", " world")) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.url)

        def run(cell):
            shell.run_cell(cell, store_history=True).raise_error()
            return server.requests[-1].json

        run.server = server
        yield run
