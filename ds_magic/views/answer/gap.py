"""A gap that was filled, where it stands: the text before it and behind it muted, what of them is far away folded."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from ...api.clean_text import for_code
from ...api.completion_request import CompletionRequest
from .code import CODE_STYLE, WRAPPED_STYLE

if TYPE_CHECKING:
    from ...api.request import ChatRequest
    from ...api.response import ChatCompletion

NEAR_LINES, NEAR = 12, 1600
"""Lines, and characters, on each side of a gap that are shown unasked; fewer than `FEW` more are not folded."""
FEW = 3
MUTED = "opacity:.65"
OPENS, CLOSES = "⟦", "⟧"
"""Around what was filled in, where nothing else tells it apart."""
_NAMED = re.compile("⟨U\\+[0-9A-F]{4}⟩")


class Side(NamedTuple):
    """The text on one side of a gap: what is near, what is far, and how much that is, in words."""

    near: str
    far: str = ""

    @property
    def folded(self) -> str:
        """How much is far away."""
        lines = self.far.count("\n") + (not self.far.endswith("\n"))
        return f"{len(self.far):,} characters" if lines == 1 else f"{lines:,} lines"


def gap_of(request: ChatRequest | None) -> CompletionRequest | None:
    """The request, where it asks to fill a gap."""
    return request if isinstance(request, CompletionRequest) else None


def before(text: str) -> Side:
    """The side before a gap."""
    at = len(text) - 1
    for _ in range(NEAR_LINES):
        at = text.rfind("\n", 0, max(at, 0))
        if at < 0:
            break
    cut = max(at + 1, len(text) - NEAR)
    few = text.count("\n", 0, cut) < FEW and cut < NEAR
    return Side(text) if few else Side(text[cut:], text[:cut])


def behind(text: str) -> Side:
    """The side behind a gap."""
    at = -1
    for _ in range(NEAR_LINES):
        at = text.find("\n", at + 1)
        if at < 0:
            break
    cut = min(len(text) if at < 0 else at + 1, NEAR)
    few = text.count("\n", cut) < FEW and len(text) - cut < NEAR
    return Side(text) if few else Side(text[:cut], text[cut:])


def gap_html(request: ChatRequest, prefix: str, filled: str) -> str:
    """One block of code: the `prefix`, what was `filled` in, as HTML, and the suffix of the request."""
    above, below = before(prefix), behind(request.behind)
    parts = [_folded(above, f"… {above.folded} before"), _muted(above.near)]
    # Where a page drops all styles, the weight tells it apart.
    parts += [f'<b style="font-weight:normal">{filled}</b>', _muted(below.near)]
    parts.append(_folded(below, f"… {below.folded} behind"))
    return f'<pre dir="ltr" style="{WRAPPED_STYLE}"><code style="{CODE_STYLE}">{"".join(parts)}</code></pre>\n'


def filled_html(content: str) -> str:
    """What was filled in, escaped, as code. What is named there is an element, so that the text beside it has tints."""
    return _NAMED.sub(r"<span>\g<0></span>", escape(for_code(content)))


def _muted(text: str) -> str:
    return f'<span style="{MUTED}">{filled_html(text)}</span>' if text else ""


def _folded(side: Side, title: str) -> str:
    if not side.far:
        return ""
    text = filled_html(side.far).removesuffix("\n")
    return f'<details style="{MUTED}"><summary style="cursor:pointer">{title}</summary>{text}</details>'


def gap_text(completion: ChatCompletion, prefix: str, content: str, shown: Callable[[str], str]) -> str:
    """The same as text, what was filled in between marks."""
    assert completion.request is not None
    above, below = before(prefix), behind(completion.request.behind)
    parts = [f"… {above.folded} before\n" if above.far else "", above.near, OPENS, content, CLOSES, below.near]
    parts.append(f"{'' if below.near.endswith(chr(10)) else chr(10)}… {below.folded} behind" if below.far else "")
    return shown("".join(parts))


def live_gap(request: ChatRequest) -> dict[str, list[str]] | None:
    """What a live view draws around the text that comes: on each side what is near, and how much is not; else None."""
    if gap_of(request) is None:
        return None
    above, below = before(request.prefix or ""), behind(request.behind)
    return {
        "before": [for_code(above.near), f"… {above.folded} before" if above.far else ""],
        "behind": [for_code(below.near), f"… {below.folded} behind" if below.far else ""],
    }
