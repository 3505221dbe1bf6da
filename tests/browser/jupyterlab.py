"""A real JupyterLab in a real Chromium: a server in a scratch folder, notebooks opened, run and read."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

from .jupyter import BROWSER_ARGUMENTS, ROOT, find_browser

PATIENCE = 60
class Lab:
    """A running JupyterLab over `folder`."""

    def __init__(self, folder: Path, port: int):
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"

    def write(self, name: str, *cells: str, outputs: dict[int, list] | None = None) -> None:
        """Put a notebook of code cells into the folder."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        for number, saved in (outputs or {}).items():
            notebook.cells[number].outputs = [nbformat.from_dict(output) for output in saved]
            notebook.cells[number].execution_count = 1
        nbformat.write(notebook, self.folder / name)

    def open(self, page, name: str) -> None:
        """Open a notebook and wait until its kernel is ready."""
        page.goto(f"{self.url}/lab/workspaces/auto-{time.monotonic_ns()}/tree/{name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=PATIENCE * 1000)
        page.wait_for_function(
            "jupyterapp.shell.currentWidget?.context?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=PATIENCE * 1000,
        )

    def run_all(self, page) -> None:
        """Run all cells and wait until they have run."""
        page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")

    def theme(self, page, name: str) -> None:
        """Change the theme: "JupyterLab Light" or "JupyterLab Dark"."""
        page.evaluate(f"jupyterapp.commands.execute('apputils:change-theme', {{theme: {json.dumps(name)}}})")
        light = "true" if "Light" in name else "false"
        page.wait_for_function(f"document.body.dataset.jpThemeLight === '{light}'")

    def save(self, page) -> None:
        page.evaluate("jupyterapp.commands.execute('docmanager:save')")


@contextmanager
def running_lab(folder: Path, **environment: str) -> Iterator[Lab]:
    """JupyterLab on a free port, with nothing of the user's own; kernels see this checkout."""
    scratch = folder / ".scratch"
    names = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    names += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    for name in names:
        (scratch / name).mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, **{name: str(scratch / name) for name in names}, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password="]
    command += ["--expose-app-in-browser", "--LabApp.news_url=None", f"--ServerApp.root_dir={folder}"]
    with (scratch / "log").open("w") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api", process, scratch / "log")
        yield Lab(folder, port)
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start: {log.read_text()[-3000:]}")


@contextmanager
def browser_page(folder: Path, *, offline: bool = False, **options) -> Iterator:
    """A page of a fresh Chromium. Whatever it asks of another host than this one fails and is collected in
    `page.strangers`; `page.errors` has the errors of its scripts."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(folder),
            executable_path=find_browser(),
            args=BROWSER_ARGUMENTS,
            viewport={"width": 1300, "height": 1000},
            **options,
        )
        page = context.pages[0]
        page.strangers, page.errors = [], []

        def route(route):
            host = route.request.url.split("/")[2].split(":")[0] if "//" in route.request.url else ""
            if route.request.url.startswith(("data:", "blob:", "file:")) or host in ("127.0.0.1", "localhost"):
                return route.continue_()
            page.strangers.append(route.request.url)
            return route.abort()

        context.route("**/*", route)
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        yield page
        context.close()
