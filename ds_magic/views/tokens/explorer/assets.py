"""The explorer's JavaScript and CSS, as a widget and a page of its own take them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ...scripts import joined
from ..tints import METRICS, TINT, tint

_HERE = Path(__file__).parent
_SHARED = ("decode.js", "card.js", "overview.js", "toolbar.js", "view.js")


@cache
def script(last: str) -> str:
    """One module out of the shared ones and `last` (`widget.js` or `page.js`)."""
    return joined(_HERE, *_SHARED, last)


@cache
def css() -> str:
    """The style sheet with the colours of the heat map's classes."""
    rules = [
        f":root{{--dsx-tint:rgb({','.join(map(str, TINT))});--dsx-tint-soft:{tint(0.6)};--dsx-tint-faint:{tint(0.22)}}}"
    ]
    for name, metric in METRICS.items():
        for class_ in range(1, len(metric.names)):
            line = ";border-bottom:2px solid" if class_ == len(metric.edges) else ""
            colour = f"background-color:{tint(metric.alpha(class_))}{line}"
            rules.append(f'.dsx[data-metric="{name}"] .dsx-{name}{class_}{{{colour}}}')
        rules.append(f'.dsx[data-metric="{name}"] .dsx-{name}-1{{border-bottom:1px dashed}}')
    return "\n".join(rules) + "\n" + (_HERE / "style.css").read_text(encoding="utf-8")
