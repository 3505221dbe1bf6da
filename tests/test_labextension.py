"""What JupyterLab and Notebook 7 load of us: what it may do, and that a wheel brings it and takes it away again."""

import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

import ds_magic

ROOT = Path(ds_magic.__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LABEXTENSION = ROOT / "ds_magic" / "labextension"
PACKAGE = json.loads((LABEXTENSION / "package.json").read_text())
SHARED = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
HOME = "share/jupyter/labextensions/ds_magic"
SCRIPTS = sorted((ROOT / "ds_magic").rglob("*.js"))

_IMPORTED = re.compile(
    r"""^(?:(?:import|export)\b[^;"'`]*\bfrom|import)\s*["']([^"']+)|\bimport\(\s*["'`]([^"'`]+)""", re.MULTILINE
)
_LINKED = re.compile(r"""\bnew URL\(\s*["'`]([^"'`]+)""")
_COMMENT = re.compile(r"/\*[\s\S]*?\*/|(?:^|(?<=\s))//[^\n]*", re.MULTILINE)


def code(script):
    return _COMMENT.sub("", script)


def imported(script):
    """What a script imports, by its address."""
    return ["".join(found) for found in _IMPORTED.findall(code(script))]


def linked(script):
    """The files that a script leads to; a part that is put together when it runs is a star."""
    found = [*imported(script), *_LINKED.findall(code(script))]
    return [re.sub(r"\$\{[^}]*\}", "*", each) for each in found]


def test_the_extension_has_the_version_of_the_package():
    assert PACKAGE["version"] == PROJECT["project"]["version"] == ds_magic.__version__
    assert PACKAGE["name"] == PROJECT["project"]["name"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT / "ds_magic")))
def test_a_script_imports_its_own_kind_and_makes_no_code_of_text(path):
    script = path.read_text()
    built = [each for each in imported(script) if each.startswith("${")]
    assert all(each.startswith(("./", "../")) for each in imported(script) if each not in built)
    assert not re.search(r"\beval\b|\bFunction\(|\bsetTimeout\(\s*[\"'`]|\bimportScripts\b|javascript:", code(script))
    assert not re.search(r"\bXMLHttpRequest\b|\bWebSocket\b|\bsendBeacon\b|\bEventSource\b", code(script))
    assert "sourceMappingURL" not in script


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT / "ds_magic")))
def test_a_script_asks_nobody_but_the_server_of_its_page(path):
    asked = re.findall(r"\bfetch\(.*", code(path.read_text()))
    assert all('credentials: "same-origin"' in each for each in asked)


@pytest.mark.parametrize(
    "path", sorted(LABEXTENSION.rglob("*.js")), ids=lambda path: str(path.relative_to(LABEXTENSION))
)
def test_the_extension_makes_html_in_templates_only(path):
    """There nothing runs and nothing is loaded."""
    script = code(path.read_text())
    assert set(re.findall(r"([\w.]+)\.innerHTML\s*\+?=", script)) <= {"template"}
    assert not re.search(r"\bouterHTML\s*=|\binsertAdjacentHTML\b|\bdocument\.write|\bsetHTMLUnsafe\b|srcdoc", script)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    left_out = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "ds_magic", folder / "tree" / "ds_magic", ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "tree")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(folder / "tree")]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def shipped(wheel):
    """The files of the extension in the wheel, by their path below the folder that JupyterLab serves."""
    with zipfile.ZipFile(wheel) as archive:
        named = {name.partition(f"/data/{HOME}/")[2]: name for name in archive.namelist()}
        return {path: archive.read(name).decode() for path, name in named.items() if path}


@pytest.mark.slow
def test_every_file_that_a_script_leads_to_is_in_the_wheel(shipped):
    waiting, seen = [PACKAGE["jupyterlab"]["_build"]["load"]], set()
    while waiting:
        path = waiting.pop()
        if path in seen or path.endswith(".css"):
            continue
        seen.add(path)
        for address in linked(shipped[path]):
            beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), address))
            wanted = address if address.startswith("*") else beside
            found = [each for each in shipped if fnmatch(each, wanted)]
            assert found, f"{path} leads to {address}, and the wheel has no {wanted}"
            waiting += found
    assert {"labextension/js/index.js", "labextension/js/output/plugin.js"} <= seen


@pytest.mark.slow
def test_the_wheel_lays_the_files_as_they_lie_in_the_tree_and_no_others(shipped):
    expected = {}
    for source, installed in SHARED.items():
        place = ROOT / source
        for file in [each for each in place.rglob("*") if each.is_file()] if place.is_dir() else [place]:
            below = file.relative_to(place).as_posix()
            expected[posixpath.normpath(f"{installed}/{below}").removeprefix(f"{HOME}/")] = file.read_text()
    assert shipped == expected
    assert {Path(path).suffix for path in shipped} == {".js", ".css", ".json"}


@pytest.fixture
def elsewhere(tmp_path):
    """Runs Python in an environment of its own, which has all that this one has but for what is installed into it."""
    place = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    python = place / "bin" / "python"
    own = sysconfig.get_path("purelib", vars={"base": str(place)})
    Path(own, "all-of-this.pth").write_text(sysconfig.get_path("purelib") + "\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHON"))}
    environment |= {"HOME": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "0", "NO_COLOR": "1"}

    def run(*arguments):
        done = subprocess.run(
            [str(python), "-m", *arguments], capture_output=True, text=True, env=environment, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        return re.sub(r"\x1b\[\d*m", "", done.stdout + done.stderr)

    return run


@pytest.mark.slow
def test_a_wheel_that_is_installed_brings_the_extension_and_takes_it_away_again(wheel, elsewhere):
    listed = ("jupyterlab.labextensions", "list")
    elsewhere("pip", "install", "--quiet", "--no-deps", "--ignore-installed", str(wheel))
    line = f"ds_magic v{ds_magic.__version__} enabled OK (python, ds_magic)"
    assert line in elsewhere(*listed)
    elsewhere("pip", "uninstall", "--quiet", "--yes", "ds_magic")
    assert "ds_magic" not in elsewhere(*listed)
