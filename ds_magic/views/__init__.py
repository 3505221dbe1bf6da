"""What people see: an answer on a screen, while it comes and afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from .answer.display import Place

KINDS = ("live", "static", "text", "none")


def make_view(
    kind: str, *, on_stop: Callable[[], None] | None = None, out: TextIO | None = None, place: Place | None = None
) -> Any:
    """A sink for `run` that shows an answer: `live`, `static`, `text` or `none`.

    `on_stop` ends an answer that comes in the background, while other cells run; without it the answer
    belongs to the cell that runs. `out` is where `text` is written. `place`: where it is shown, if not where the
    cell is that runs; one answer after the other has it. Raises ValueError for another kind.
    """
    if kind == "live":
        from .answer.live import LiveView

        return LiveView(on_stop, place)
    if kind == "static":
        from .answer.display import StaticView

        return StaticView(in_background=on_stop is not None, place=place)
    if kind == "text" and on_stop is None:
        from .answer.terminal import TerminalView

        return TerminalView(out)
    if kind in ("none", "text"):  # two texts in one terminal would mix
        return NoView()
    raise ValueError(f"there is no view {kind!r}: choose one of {', '.join(KINDS)}")


def default_view() -> str:
    """`live` where a Jupyter server started the kernel, `static` in other kernels, `text` in a terminal."""
    # Colab runs a Jupyter server, but shows a notebook in a page of its own.
    if os.environ.get("JPY_SESSION_NAME") and "COLAB_RELEASE_TAG" not in os.environ:
        return "live"
    return "static" if in_kernel() else "text"


def in_kernel() -> bool:
    """Whether a kernel runs this, rather than a terminal or a script."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


class NoView:
    """Shows nothing."""

    def start(self, request: Any, backend: str) -> None:
        """Nothing."""

    def event(self, event: Any) -> None:
        """Nothing."""

    def delta(self, delta: Any) -> None:
        """Nothing."""

    def finish(self, completion: Any, error: Any) -> None:
        """Nothing."""
