"""The explorer's JavaScript and CSS, as a widget and a page of its own take them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ...scripts import joined
from ...size import font_size, is_projected, widest_tint

_HERE = Path(__file__).parent / "js"
_SHARED = (
    "elements.js",
    "decode.js",
    "card.js",
    "popover.js",
    "overview.js",
    "toolbar.js",
    "text.js",
    "formatted_text.js",
    "actions.js",
    "view.js",
    "tree.js",
    "session.js",
    "places.js",
)


@cache
def script(last: str) -> str:
    """One module out of the shared ones and `last` (`widget.js` or `page.js`)."""
    return joined(_HERE, *_SHARED, last)


@cache
def css() -> str:
    """The style sheet, in which `look` says how strong the colours are."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("colours.css", "style.css"))


def look() -> str:
    """The inline style of an explorer: its size, and how strong its tints are, for a reader or a class."""
    small = "--dsx-small:none;" if is_projected() else ""
    return f"{font_size()}{small}--dsx-widest:{widest_tint():.2f}"
