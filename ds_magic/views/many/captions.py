"""What stands above and beside several answers, in words: their factors, how far they are, times and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any, Protocol

from ...api.clean_text import on_one_line
from ..tokens import style

_LONGEST = 60
_ONE_LINE = "flex:1 1 26em;min-width:0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis"


class Going(Protocol):
    """How far many requests are; see `many.progress.Progress`."""

    @property
    def total(self) -> int | None: ...
    @property
    def done(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def tokens(self) -> float: ...
    @property
    def rate(self) -> float: ...
    @property
    def left(self) -> tuple[float, float] | None: ...
    @property
    def paused(self) -> float: ...
    @property
    def reason(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def plan(self) -> str: ...
    @property
    def changed(self) -> str: ...
    @property
    def cost(self) -> str: ...


def factor_text(value: Any) -> str:
    """A factor's value, short and on one line."""
    if isinstance(value, float):
        return f"{value:g}"
    return on_one_line(str(value), _LONGEST)


def factors_text(factors: Mapping[str, Any]) -> str:
    """`temperature 0, model deepseek-flash`."""
    return ", ".join(f"{on_one_line(str(name), 40)} {factor_text(value)}" for name, value in factors.items())


def progress_text(going: Going) -> str:
    """`37 of 100 · 2 failed · 8 running · 18 – 25 s left · 4,210 tokens · spent 0.012 so far · 3.2 a second`."""
    said = [f"{going.done:,} of {going.total:,}" if going.total is not None else f"{going.done:,} done"]
    if going.failed:
        said.append(f"{going.failed:,} failed")
    if going.in_flight:
        said.append(f"{going.in_flight:,} running")
    if going.paused:
        said.append(f"waiting {duration(going.paused)}: {on_one_line(going.reason, 60)}")
    elif (left := left_text(going.left)) and going.done != going.total:
        said.append(left)
    if going.tokens:
        said.append(f"{going.tokens:,.0f} tokens")
    if going.cost:
        said.append(going.cost)
    if going.done and going.rate:
        said.append(f"{going.rate:.2g} a second" if going.rate < 10 else f"{going.rate:,.0f} a second")
    return " · ".join(said)


def head_html(going: Going, *, is_over: bool = False) -> str:
    """What is asked and how far it is, above a thin bar; of what is over what it took, and the bar's place."""
    share = f'value="{going.done}" max="{going.total}"' if going.total else ""
    bar = "" if is_over else (
        f'<progress {share} aria-label="answers" style="display:block;width:100%;height:100%;margin:0"></progress>'
    )
    took = [f"{going.tokens:,.0f} tokens in and out"] if going.tokens else []
    took += [going.cost] if going.cost else []
    took += [duration(going.seconds)] if going.seconds >= 0.05 else []
    said = " · ".join(took) if is_over else progress_text(going)
    changed = style.small(style.prose(on_one_line(going.changed, 400))) if going.changed and not is_over else ""
    # On one line whatever it says, so that nothing below it moves; what does not fit is what is least wanted.
    return (
        f'<div style="display:flex;flex-wrap:wrap;align-items:baseline;column-gap:1em">{style.heading(going.plan)}'
        f'<span style="{style.SMALL};{style.DIM};{_ONE_LINE}" title="{escape(said)}">{escape(said)}</span></div>'
        f'<div style="height:0.35em;margin:0.1em 0 0.6em 0">{bar}</div>{changed}'
    )


def left_text(left: tuple[float, float] | None) -> str:
    """`18 – 25 s left`, `2 – 4 min left`; empty where nobody can say."""
    if left is None or math.isinf(left[1]):
        return ""
    unit, size = ("h", 3600) if left[1] >= 7200 else ("min", 60) if left[1] >= 120 else ("s", 1)
    low, high = math.floor(left[0] / size), math.ceil(left[1] / size)
    return f"{low} – {high} {unit} left" if low != high else f"{high} {unit} left"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
