"""`python -m ds_magic`, or `ds-magic`: the programs beside the notebook.

`serve`, `fetch`, `models`, `unload`, `journal`, `page`.
"""

from __future__ import annotations

import sys


def main(arguments: list[str] | None = None) -> int:
    """Run the program that the first argument names; returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["journal"]:
        from .many.journal_program import main as journal

        return journal(arguments[1:])
    if arguments[:1] == ["page"]:
        from .teaching.pages.page_program import main as page

        return page(arguments[1:])
    from .local.__main__ import main as local

    return local(arguments)


if __name__ == "__main__":
    sys.exit(main())
