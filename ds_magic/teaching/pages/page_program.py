"""`ds-magic page NOTEBOOK.ipynb`: a saved notebook as one page of HTML."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ...api.errors import InvalidRequestError
from .lesson import write_lesson


def main(arguments: list[str]) -> int:
    """Run the program; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="ds-magic page",
        description="Write a saved notebook, with its outputs, as one page of HTML without network or scripts.",
    )
    parser.add_argument("notebook", type=Path, nargs="+", help="NAME.ipynb; the page is NAME.html beside it")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="the name of the page, where it is one")
    parser.add_argument("--large", action="store_true", help="for a projector")
    given = parser.parse_args(arguments)
    if given.output is not None and len(given.notebook) > 1:
        parser.error("-o names one page, and there are several notebooks")
    status = 0
    for notebook in given.notebook:
        try:
            print(write_lesson(notebook, given.output, large=given.large or None))
        except InvalidRequestError as error:
            print(f"ds-magic: {error} {error.remedy}", file=sys.stderr)
            status = 1
    return status
