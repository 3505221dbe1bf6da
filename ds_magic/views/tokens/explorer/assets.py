"""The explorer's JavaScript and CSS, as a widget and a page of its own take them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ...scripts import joined
from ...size import font_size, is_projected, widest_tint
from ..style import RIVAL
from ..tints import LEAST_CERTAIN, METRICS, TINT, tint

_HERE = Path(__file__).parent
_SHARED = (
    "elements.js",
    "decode.js",
    "card.js",
    "popover.js",
    "overview.js",
    "toolbar.js",
    "text.js",
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
    """The style sheet with the colours of the classes, which are as strong as `look` says."""
    colour = " ".join(map(str, TINT))
    rules = [f".dsx{{--dsx-tint:rgb({colour});--dsx-rival:{RIVAL};--dsx-soft:{tint(0.6)};--dsx-faint:{tint(0.22)}}}"]
    for name, metric in METRICS.items():
        last = len(metric.edges)
        for class_ in range(1, last + 1):
            line = f";{LEAST_CERTAIN}" if class_ == last else ""
            alpha = f"calc(var(--dsx-widest) * {class_ / last:.3f})"
            rules.append(
                f'.dsx-view[data-metric="{name}"] .dsx-{name}{class_}{{background-color:rgb({colour} / {alpha}){line}}}'
            )
        rules.append(f'.dsx-view[data-metric="{name}"] .dsx-{name}-1{{border-bottom:1px dashed}}')
    return "\n".join(rules) + "\n" + (_HERE / "style.css").read_text(encoding="utf-8")


def look() -> str:
    """The inline style of an explorer: its size, and how strong its tints are, for a reader or a class."""
    small = "--dsx-small:none;" if is_projected() else ""
    return f"{font_size()}{small}--dsx-widest:{widest_tint():.2f}"
