"""A page of HTML that needs nothing: no network, no script, light and dark; and its way into a file."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from functools import cache
from html import escape
from pathlib import Path

from ... import __version__
from ...api.clean_text import MASK, heal_surrogates, on_one_line
from ...api.errors import InvalidRequestError
from ...backend import current_key
from ...views.size import is_projected
from ...views.tokens.explorer.page import WrittenPage, file_name

# Nothing is fetched and nothing runs, whatever stands in the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"
_OURS = '<meta name="generator" content="ds_magic '
_KEY = re.compile(r"\bsk-[A-Za-z0-9_\-]{8,}")
_TITLE_LIMIT = 80


@cache
def _css() -> str:
    return (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def keyless(text: str) -> str:
    """`text` without the key that is in use, and without what has the form of one."""
    key = current_key()
    if key is not None and key.is_in(text):
        text = text.replace(key.reveal(), MASK)
    return _KEY.sub(MASK, text)


def frame(html: str, name: str = "output") -> str:
    """What stands around an output, or what else has styles of its own: nothing in it is drawn outside; it scrolls by
    itself where it is wide, and can be reached by keyboard."""
    return f'<div class="out" role="group" aria-label="{name}" tabindex="0">{html}</div>\n'


def document(title: str, body: str, *, large: bool | None = None) -> str:
    """A whole page around `body`. `large`: for a projector; without it as `%config DeepSeekMagics.size` says."""
    title = escape(on_one_line(keyless(title), _TITLE_LIMIT) or "Answers")
    size = ' class="large"' if is_projected() or large else ""
    made = time.strftime("%Y-%m-%d")
    html = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'{_OURS}{__version__}">\n<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{_css()}</style></head>\n<body{size}>\n<main>\n{body}</main>\n"
        f"<footer>Written by ds_magic {__version__} on {made}.</footer>\n</body></html>\n"
    )
    return heal_surrogates(keyless(html))


def write(html: str, title: str, path: str | Path | None = None) -> WrittenPage:
    """Put a page into `path` in one step; returns it.

    Without a path it is named by its title, and is never written over another. Raises InvalidRequestError where a file
    is there that is no page of ours, and where none can be written.
    """
    try:
        if path is None:
            return _write_beside_others(html, file_name(title))
        target = WrittenPage(Path(path).expanduser())
        if target.exists() and not _is_ours(target):
            raise InvalidRequestError(
                f"{target} is there already, and is no page of ds_magic: it was left as it is.",
                remedy="Take another name, or move that file away.",
            )
        return _replace(target, html)
    except OSError as error:
        raise InvalidRequestError(
            f"{error.filename or path}: {error.strerror}.", remedy="Name a file in a folder that can be written to."
        ) from None


def _write_beside_others(html: str, name: str) -> WrittenPage:
    for number in range(1, 10_000):
        target = WrittenPage(f"{name}.html" if number == 1 else f"{name}-{number}.html")
        try:
            target.open("x").close()  # the name is taken; what stands there comes in one step
        except FileExistsError:
            continue
        try:
            return _replace(target, html)
        except OSError:
            target.unlink()
            raise
    raise InvalidRequestError(f"{name}.html and thousands more are there.", remedy="Name a file.")


def _replace(target: WrittenPage, html: str) -> WrittenPage:
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(html)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, target)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return target


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return _OURS.encode() in file.read(1_000)
