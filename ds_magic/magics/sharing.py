"""`%ds_share`: what is meant by its line, and how it is written."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ..api.errors import InvalidRequestError
from ..conversation.filling import EXPRESSION, lookup
from .objects import named

if TYPE_CHECKING:
    from ..views.tokens.explorer.page import WrittenPage
    from .deepseek import DeepSeekMagics

_USAGE = "`%ds_share NAME FILE.html`, either of them left out; `--notebook` for all of it, `--large` for a projector."


def share_line(magics: DeepSeekMagics, line: str) -> WrittenPage:
    """Write the page that a line of `%ds_share` asks for. Raises InvalidRequestError."""
    from ..teaching.pages.lesson import write_lesson
    from ..teaching.pages.share import share

    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InvalidRequestError(f"`%ds_share {line}`: {error}.", remedy=_USAGE) from None
    options = {word for word in words if word.startswith("-")}
    given = [word for word in words if word not in options]
    if unknown := sorted(options - {"--notebook", "--large"}):
        raise InvalidRequestError(f"`%ds_share` has no `{unknown[0]}`.", remedy=_USAGE)
    large = True if "--large" in options else None
    file = given.pop() if given and (len(given) == 2 or _is_file(given[0])) else None
    if len(given) > ("--notebook" not in options) or (file is not None and not _is_file(file)):
        raise InvalidRequestError("`%ds_share` takes a name and a file that ends in .html.", remedy=_USAGE)
    if "--notebook" in options:
        return write_lesson(_notebook(magics), file, large=large)
    if not given:
        return share(list(magics.results), file, large=large)
    name = re.split(r"[.\[]", given[0], maxsplit=1)[0]
    named(name, magics.user_ns, "%ds_share")
    if re.fullmatch(EXPRESSION, given[0]) is None:
        raise InvalidRequestError(
            f"`%ds_share {given[0]}` is more than a name.", remedy="Give it a name in a cell before this one."
        )
    return share(lookup(given[0], magics.user_ns), file, large=large)


def _is_file(word: str) -> bool:
    return word.lower().endswith((".html", ".htm"))


def _notebook(magics: DeepSeekMagics) -> Path:
    """The file of this kernel's notebook, as far as somebody says which it is."""
    # A Jupyter server names it in the environment, VS Code in a variable.
    name = os.environ.get("JPY_SESSION_NAME") or magics.user_ns.get("__vsc_ipynb_file__")
    if not isinstance(name, str) or not name.endswith(".ipynb"):
        raise InvalidRequestError(
            "Nobody says here which notebook this is.", remedy="In a terminal: `ds-magic page NOTEBOOK.ipynb`."
        )
    return Path(name)
