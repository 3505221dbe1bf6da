"""What a notebook keeps of a playground: the cell that asks what was asked last. Script-free."""

from __future__ import annotations

from ...api.clean_text import for_terminal
from ...views.answer.code import code_to_html
from ...views.answer.static import QUIET, root_html

_SAID = "A playground. The cell that asks the same:"
_EMPTY = "A playground, in which nothing was asked yet."


def kept(cell: str, mark: str, elsewhere: str = "") -> dict[str, str]:
    """The form as `text/html`, in an element of the class `mark`, and as `text/plain`; `cell` may be empty.

    `elsewhere`: what to do where there is no page to draw the form.
    """
    said = f'<div style="{QUIET};margin-bottom:4px">{_SAID if cell else _EMPTY}</div>'
    html = root_html(said + (code_to_html(cell, wrap=True) if cell else ""), mark)
    plain = [f"{_SAID}\n\n{for_terminal(cell)}" if cell else _EMPTY, elsewhere]
    return {"text/html": html, "text/plain": "\n\n".join(filter(None, plain))}
