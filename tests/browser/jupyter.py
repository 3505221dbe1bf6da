"""JupyterLab and Notebook 7 in Chromium, driven as a reader drives them."""

import json
import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60
TOKEN = "a-token-of-the-tests"

SCRATCH = {
    "HOME": "home",
    "IPYTHONDIR": "ipython",
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
}


def link_labextension(share: Path):
    """Lay the files of the extension where a wheel puts them below `share/jupyter`, as links into this tree."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    for source, installed in data["shared-data"].items():
        link = share / Path(installed).relative_to("share/jupyter")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(ROOT / source)


class Jupyter:
    """A server of its own, in a folder of its own, with its notebooks in `folder`.

    `labextension`: whether the pages load our extension; as it stands in this tree, and not as it was installed.
    `environment`: variables that its kernels have beside those of this process.
    """

    def __init__(self, home: Path, *, labextension: bool = False, **environment: str):
        self.folder = home / "notebooks"
        self.folder.mkdir()
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        for name in ("DEEPSEEK_API_KEY", "DEEPSEEK_BASE_URL", "DS_MAGIC_VIEW"):
            self.environment.pop(name, None)
        for name, folder in SCRATCH.items():
            (home / folder).mkdir()
            self.environment[name] = str(home / folder)
        self.environment |= environment
        if labextension:
            link_labextension(home / "share")
            self.environment["JUPYTER_PATH"] = str(home / "share")
        else:
            disabled = {"disabledExtensions": {"ds_magic": True}}
            page_config = home / SCRATCH["JUPYTER_CONFIG_DIR"] / "labconfig" / "page_config.json"
            page_config.parent.mkdir()
            page_config.write_text(json.dumps(disabled))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.log = home / "log"
        self.start()

    def start(self):
        """Start it, and start it again after `kill`: in the same folder, at the same address."""
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--allow-root"),
                f"--port={self.url.rsplit(':')[-1]}",
                f"--IdentityProvider.token={TOKEN}",
                "--expose-app-in-browser",
                "--LabApp.news_url=None",
                f"--ServerApp.root_dir={self.folder}",
            ],
            env=self.environment,
            stdout=self.log.open("a"),
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def kill(self):
        """End it as a machine does that has no memory left: its kernels are told nothing."""
        self.process.kill()
        self.process.wait()

    def _answers(self):
        try:
            urllib.request.urlopen(f"{self.url}/api").close()
        except OSError:
            return False
        return True

    def _kernels(self, notebook):
        with urllib.request.urlopen(f"{self.url}/api/sessions?token={TOKEN}") as response:
            return [each["kernel"] for each in json.load(response) if each["path"] == notebook]

    def wait_for_a_client(self, notebook):
        """Until a page is connected to the kernel of a notebook, and the kernel is idle."""
        self._wait(notebook, lambda kernel: kernel["connections"] and kernel["execution_state"] == "idle")

    def wait_until_idle(self, notebook):
        """Until the kernel of a notebook runs nothing, whoever is connected to it."""
        self._wait(notebook, lambda kernel: kernel["execution_state"] == "idle")

    def _wait(self, notebook, is_so):
        deadline = time.monotonic() + PATIENCE
        while not any(map(is_so, kernels := self._kernels(notebook))):
            assert time.monotonic() < deadline, f"no such kernel: {kernels}"
            time.sleep(0.1)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE / 4)
        except subprocess.TimeoutExpired:  # its last thread may wait for work for ever (anyio's, seen with 4.16)
            self.process.kill()
            self.process.wait()

    def write(self, name, cells, outputs=None):
        """A notebook of code cells; `outputs`: those that are saved in it, by the number of their cell."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        for number, saved in (outputs or {}).items():
            notebook.cells[number].outputs = [nbformat.from_dict(output) for output in saved]
            notebook.cells[number].execution_count = 1
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / name)

    def saved(self, name):
        """The notebook as it was saved, also where the server is about to: it empties the file first."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return json.loads((self.folder / name).read_text())
            except ValueError:
                if time.monotonic() > until:
                    raise


class Lab:
    """A notebook in JupyterLab."""

    name = "JupyterLab"

    def __init__(self, page, jupyter, notebook):
        self.page, self.notebook = page, notebook
        workspace = f"auto-{time.time_ns()}"
        page.goto(f"{jupyter.url}/lab/workspaces/{workspace}/tree/{notebook}?reset&token={TOKEN}")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=PATIENCE * 1000)

    def wait_for_kernel(self):
        kernel = "window.jupyterapp?.shell?.currentWidget?.context?.sessionContext?.session?.kernel"
        self.page.wait_for_function(f"{kernel}?.status === 'idle'", timeout=PATIENCE * 1000)

    def run_all(self):
        """Begin to run all cells."""
        self.wait_for_kernel()
        self._command("notebook:run-all-cells")

    def run_from(self, cell):
        """Begin to run a cell and all below it."""
        self.page.evaluate("at => { jupyterapp.shell.currentWidget.content.activeCellIndex = at }", cell)
        self._command("notebook:run-all-below")

    def save(self):
        self.page.evaluate("jupyterapp.commands.execute('docmanager:save')")

    def theme(self, name):
        self.page.evaluate("name => jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)

    def second_view(self, cell):
        """The cell's output in a tab of its own, beside the notebook."""
        self.page.evaluate(
            "at => { jupyterapp.shell.currentWidget.content.activeCellIndex = at;"
            " jupyterapp.commands.execute('notebook:create-output-view') }",
            cell,
        )

    def _command(self, name):
        # Its promise would be waited for until the cells have ended.
        self.page.evaluate("name => void jupyterapp.commands.execute(name)", name)


class Notebook7:
    """A notebook in Notebook 7, which has no `jupyterapp`: its menus."""

    name = "Notebook 7"

    def __init__(self, page, jupyter, notebook):
        self.page, self.notebook, self.jupyter = page, notebook, jupyter
        page.goto(f"{jupyter.url}/notebooks/{notebook}?token={TOKEN}")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=PATIENCE * 1000)

    def wait_for_kernel(self):
        self.page.wait_for_selector(".jp-NotebookKernelStatus, .jp-Notebook-ExecutionIndicator[data-status=idle]")

    def run_all(self):
        # Its mark says idle also before the page has its kernel, and cells that are run then are not run.
        self.jupyter.wait_for_a_client(self.notebook)
        self.page.wait_for_selector(
            ".jp-Notebook-ExecutionIndicator[data-status=idle]", state="attached", timeout=PATIENCE * 1000
        )
        self._menu("Run", "Run All Cells")

    def save(self):
        self._menu("File", "Save Notebook")

    def _menu(self, menu, item):
        self.page.click(f".lm-MenuBar-item:has-text('{menu}')")
        self.page.click(f".lm-Menu-item:has(.lm-Menu-itemLabel:text-is('{item}'))")
