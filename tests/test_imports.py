"""Imports run downwards only, and importing costs nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ds_magic

PACKAGE = Path(ds_magic.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT = {
    "logprobs": set(),
    "api": {"logprobs"},
    "local.launch": {"api", "local"},
    "local": {"api"},
    "recording": {"api"},
    "backend": {"api", "recording", "local.launch", "local.models.names", "local.models.obtain"},
    "stop": set(),
    "run": {"api", "stop"},
    "views": {"api", "logprobs", "stop"},
    "conversation": {"api", "logprobs", "backend", "run", "stop", "views", "local.launch"},
    "conveniences": {"api", "logprobs", "views", "branch", "conversation", "many", "teaching", "magics.cell_text"},
    "branch": {"api", "logprobs", "backend", "run", "stop", "views", "local.launch", "conversation"},
    "many": {
        "api", "logprobs", "backend", "run", "stop", "views", "local.launch", "conversation", "__version__",
    },
    "teaching": {
        "api", "logprobs", "backend", "run", "stop", "views", "local.launch", "conversation", "branch", "many",
        "magics.cell_text", "magics.observers", "recording", "__version__",
    },
    "magics": {
        "api", "logprobs", "backend", "run", "stop", "views", "local", "conversation", "branch", "many", "teaching",
        "recording", "",
    },
    "__main__": {"local", "many", "teaching"},
    "": {"magics"},
}
"""What each room may import of ours, beside itself; "" is the package's own module."""

UPWARDS = {
    ("api/client.py", None, "conveniences"),
    ("api/errors.py", None, "conveniences"),
    ("api/response.py", None, "conveniences"),
    ("api/saved.py", None, "conveniences"),
    ("logprobs/pictured.py", None, "conveniences"),
    ("logprobs/rows.py", None, "conveniences"),
    ("logprobs/tempered_place.py", None, "conveniences"),
    ("logprobs/refused.py", None, "conveniences"),
    ("logprobs/table.py", None, "conveniences"),
}
"""(file, function, what it imports): what results and errors can do beyond holding values, all by one module."""

PUBLIC_IN_INIT = "__init__.py"
"""Loads public names lazily and names them for type checkers, so it is read only within its functions."""


def room_of(path):
    """The room of a module's file, as in MAY_IMPORT."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts == ("__init__",):
        return ""
    return "local.launch" if parts == ("local", "launch") else parts[0]


def imports_of(path):
    """(what is imported, the function it is imported in or None) for each import of ours in a file."""
    package = ["ds_magic", *path.relative_to(PACKAGE).parent.parts]

    def walk(node, function):
        for child in ast.iter_child_nodes(node):
            inner = function
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = f"{function}.{child.name}" if function else child.name
            if isinstance(child, ast.Import):
                for name in child.names:
                    yield name.name, function
            elif isinstance(child, ast.ImportFrom):
                base = package[: len(package) - child.level + 1] if child.level else []
                module = ".".join([*base, *([child.module] if child.module else [])])
                for name in child.names:
                    yield (f"{module}.{name.name}" if child.module is None else module), function
            yield from walk(child, inner)

    for name, function in walk(ast.parse(path.read_text()), None):
        if name == "ds_magic" or name.startswith("ds_magic."):
            yield name.removeprefix("ds_magic").removeprefix("."), function


def allowed(room, target):
    head = target.split(".")[0]
    mine = room.split(".")[0]
    if head == mine and (room != "local" or target != "local.launch"):
        return True
    return any(target == each or (each and target.startswith(each + ".")) for each in MAY_IMPORT[room])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards_only(path):
    room, name = room_of(path), str(path.relative_to(PACKAGE))
    assert room in MAY_IMPORT, f"{name} is in no room of MAY_IMPORT"
    for target, function in imports_of(path):
        if name == PUBLIC_IN_INIT and function is None:
            continue
        assert allowed(room, target) or (name, function, target) in UPWARDS, f"{name}: {function} imports {target}"


def test_every_listed_exception_is_still_there():
    found = {(str(path.relative_to(PACKAGE)), function, target) for path in MODULES
             for target, function in imports_of(path)}
    assert not UPWARDS - found


HEAVY = ("IPython", "ipywidgets", "anywidget", "numpy", "pandas", "matplotlib", "xllamacpp", "aiohttp")
HEAVIER = (*HEAVY, "pydantic", "msgspec", "requests", "urllib3", "markdown_it", "pygments", "wcwidth")


def loaded_by(program):
    """The modules that a plain script has loaded at its end."""
    script = program + "\nimport sys; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PACKAGE.parent, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_by("import ds_magic; dir(ds_magic)") & set(HEAVIER)


@pytest.mark.parametrize("program", [
    "import ds_magic.api",
    "from ds_magic import Client, ChatRequest, ChatCompletion, DeepSeekError, Stream, chat, stream",
    "import ds_magic.run, ds_magic.backend",
])
def test_the_wire_in_a_plain_script_loads_no_notebook_and_no_numbers(program):
    assert not loaded_by(program) & set(HEAVY)


def test_a_whole_conversation_in_a_plain_script_loads_no_notebook_and_no_numbers():
    program = """
import sys
sys.path.insert(0, "tests/servers")
from scripted import ScriptedServer, said, answered, completion, refused
import ds_magic
with ScriptedServer(said("a"), answered(completion("b")), refused(401)) as server:
    client = ds_magic.Client(server.url, "k")
    with client.stream("Hi", logprobs=True) as stream:
        assert "".join(delta.content for delta in stream) == "a"
    assert repr(client.chat("Hi")) and stream.completion.as_message()
    try:
        client.chat("Hi")
    except ds_magic.AuthenticationError:
        pass
"""
    assert not loaded_by(program) & set(HEAVY)


@pytest.mark.parametrize("name", ds_magic.__all__)
def test_each_public_name_loads_and_is_listed(name):
    assert getattr(ds_magic, name).__name__ == name and name in dir(ds_magic)
    assert getattr(ds_magic, name).__doc__


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Clinet'"):
        _ = ds_magic.Clinet


def test_every_public_name_is_named_for_type_checkers():
    (block,) = [node for node in ast.parse((PACKAGE / "__init__.py").read_text()).body if isinstance(node, ast.If)]
    named = {alias.name for node in block.body for alias in node.names}
    assert named == set(ds_magic.__all__)
