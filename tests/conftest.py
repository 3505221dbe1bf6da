"""What several rooms' tests need: one embedded server a worker, and which tests need a model or a browser."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import hypothesis
import pytest

from ds_magic.local import launch

# A busy machine takes its time for an example, and that is no failure.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def local_server() -> Iterator[launch.LocalServer]:
    """The embedded server with its real model: `.base_url`, `.api_key`, `.model`.

    It serves DS_MAGIC_LOCAL_MODEL if that is set, else the cached weights, which it fetches at need.
    """
    server = launch.start()
    yield server
    server.release()


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


@pytest.fixture(autouse=True)
def same_main() -> Iterator[None]:
    """A shell of IPython takes the place of `__main__` for good, where the processes of a pool then look in vain."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def row(record_property) -> Callable[..., None]:
    """Adds a row to a table that is printed when the tests have ended: `row("Faults", fault="reset", raised="…")`."""

    def add(table: str, **cells: object) -> None:
        record_property("row", [table, {name.replace("_", " "): str(cell) for name, cell in cells.items()}])

    return add


def pytest_terminal_summary(terminalreporter) -> None:
    """The tables that the tests made, from whichever worker."""
    tables: dict[str, list[dict[str, str]]] = {}
    for report in [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, ())]:
        for name, value in report.user_properties if report.when == "call" else ():
            if name == "row":
                tables.setdefault(value[0], []).append(value[1])
    for title, rows in sorted(tables.items()):
        columns = list(dict.fromkeys(name for each in rows for name in each))
        lines = [columns, *([each.get(name, "") for name in columns] for each in rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.line("  ".join(map(str.ljust, line, widths)).rstrip())


NEEDS = {
    "model": {"local_server", "todays_server", "model_file", "model"},
    "browser": {"jupyter", "browser", "page"},
    "slow": {"kernel", "complete"},
}
"""By marker: the fixtures of which one makes a test need it (a kernel of its own takes seconds). A test that starts
a server itself is marked there."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        for marker, needed in NEEDS.items():
            if fixtures & needed:
                item.add_marker(marker)
        if item.path.suffix == ".ipynb":
            item.add_marker("model")
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: urgency(unit(item.nodeid)))


def pytest_collection_finish() -> None:
    """What is loaded now stays: each shell that ends collects garbage, and need not look through all of it."""
    gc.collect()
    gc.freeze()


LONG = (
    "tests/browser", "tests/local/test_crowd.py", "tests/test_notebooks.py", "notebooks",
    "tests/local", "tests/test_types.py", "tests/api", "tests/magics", "tests/views",
)
"""What takes long, longest first: it begins first, so that both workers end at the same time."""

STREAMS = tuple(f"tests/browser/test_{name}" for name in ("live", "interruptions", "background", "panels"))
TOGETHER = {"tests/browser: what streams": STREAMS, "tests/browser: what stands": ("tests/browser",)}
"""Files for one worker, which share a browser and a Jupyter server: more than two at once try anybody's patience."""
SPREAD = ("tests/test_notebooks.py", "tests/magics/test_today.py")
"""Files whose tests take long and share little."""


def unit(test: str) -> str:
    """The tests that one worker runs in one go, by the name of one of them."""
    file = test.split("::")[0]
    return test if file in SPREAD else next((name for name, paths in TOGETHER.items() if file.startswith(paths)), file)


def urgency(unit: str) -> int:
    return next((number for number, path in enumerate(LONG) if unit.startswith(path)), len(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Whole files to each worker, what takes long first, whatever `--dist` says: a notebook's cells need each other."""
    from xdist.scheduler import LoadScopeScheduling

    class Units(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit(nodeid)

    config.option.loadscopereorder = False  # they are in their order already
    return Units(config, log)
