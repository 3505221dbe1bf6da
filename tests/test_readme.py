"""The README says what the code does."""

import re
from pathlib import Path

import ds_magic
from ds_magic.magics.options import options_table_markdown

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
AGAIN = "print(__import__('ds_magic.magics.options', fromlist=['_']).options_table_markdown())"


def test_the_table_of_options_is_that_of_the_code():
    assert options_table_markdown() in README, f'put the output of python -c "{AGAIN}" into README.md'


def test_every_file_that_the_readme_names_is_there():
    named = re.findall(r"\]\(((?!http)[^)#]+)\)", README) + re.findall(r"^bash (\S+)", README, re.MULTILINE)
    assert named and [path for path in named if not (ROOT / path).exists()] == []


def test_every_extra_that_the_readme_names_is_in_pyproject():
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {"local", "plot", "many", "lab", "test"} == set(extras)
    assert all(f"`{extra}`" in README for extra in extras)


def test_every_public_name_can_be_had():
    assert all(getattr(ds_magic, name) for name in ds_magic.__all__)


def test_the_public_names_are_those_that_the_readme_lists():
    table = README.partition("These names are public")[2].partition("\n\n#")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert sorted(name for row in rows for name in re.findall(r"`(\w+)`", row)) == sorted(ds_magic.__all__)
