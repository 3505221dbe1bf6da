"""The widget of the live view: what the browser is told once, and the messages it is sent."""

from __future__ import annotations

import re
import secrets
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ..scripts import joined
from ..size import font_size
from ..tokens.tints import METRICS, tint_styles
from . import control_channel, static
from .blocks import MARKUP
from .tex import IGNORE

HERE = Path(__file__).parent / "js"
_SCRIPTS = (
    *("elements.js", "notebook_page.js", "growing_text.js", "live_answer.js", "live_view.js", "live_places.js"),
    *("live_shown.js", "live.js"),
)
PROTOCOL = 1
"""What the messages mean: an extension in the page that knows others leaves the view to the widget."""

RUN = ("run", "cell", "page", "count")
KEPT = ("mark", "kernel", "protocol", *RUN)
"""What the kept output says of an answer."""

_COMMENT = re.compile(r"//|/\*\*.*\*/$")


def _without_comments(text: str) -> str:
    """Without indentation and lines of comment: it travels to the browser with each widget."""
    lines = map(str.strip, text.splitlines())
    return "\n".join(line for line in lines if line and not _COMMENT.match(line))


class LiveWidget(anywidget.AnyWidget):
    """Shows a stream. Its text travels in custom messages, in order; nothing of it is kept as state.

    It is not displayed: a view that a notebook has saved is an error message for ever where its kernel has gone. It
    draws beside each output that has the class `mark`. A page that was loaded in mid-answer has such an output from
    the notebook's file, and asks for the final one: so the last few widgets are kept open for a while.

    Where our extension is in the page it hears the same messages, and draws instead. It asks by the control channel,
    and `on_asked` is called, in another thread; see control_channel.py.
    """

    _esm = _without_comments(joined(HERE, *_SCRIPTS))
    _css = _without_comments((HERE / "live.css").read_text(encoding="utf-8"))

    about = traitlets.Dict(help="backend, model, kernel, in_background, mark, is_asked, …").tag(sync=True)
    styles = traitlets.Dict(help="inline styles that the live and the static form share").tag(sync=True)

    def __init__(self, about: dict[str, Any], on_asked: Callable[[str, bool], None]) -> None:
        # The id stands in each message; the usual one is almost three times as long.
        number = secrets.token_hex(6)
        self.mark = f"ds-live-{number}"
        is_asked = control_channel.listen(self.mark, on_asked)
        about = {**about, "mark": self.mark, "is_asked": is_asked, "protocol": PROTOCOL}
        super().__init__(model_id=number, about=about, styles=_styles())
        self._final: str | None = None
        self._is_waited_for = False
        self.on_msg(self._asked)
        self.tell({"begins": True})  # a page that has not heard this came later

    @property
    def metadata(self) -> dict[str, Any]:
        """What the kept output says to our extension: which answer it is, of which kernel, in which run of a cell."""
        return {"ds_magic": {"live": {name: self.about[name] for name in KEPT}}}

    def retire(self, final: str, show_again: Callable[[], None]) -> None:
        """The answer is over: pages that were not there are told `final`, its HTML, or have it shown again.

        The eldest widget is closed.
        """
        self._final = final
        control_channel.listen(self.mark, lambda what, is_named: show_again() if is_named else None)
        if self._is_waited_for:
            self.tell({"final": final})
        _RETIRED.append(self)
        while len(_RETIRED) > _MOST_RETIRED:
            _RETIRED.popleft().close()

    def close(self) -> None:
        """Close it, and the layout that every widget brings along."""
        control_channel.forget(self.mark)
        self.layout.close()
        super().close()

    def _asked(self, widget: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, dict) and content.get("final"):
            self._is_waited_for = True
            if self._final is not None:
                self.tell({"final": self._final})

    def tell_whole(self, message: dict[str, Any]) -> None:
        """Send all that was told, to pages that have heard nothing yet; the others let it pass."""
        self.tell({"whole": message, "about": self.about, "styles": self.styles})

    def tell(self, message: dict[str, Any]) -> None:
        """Send a custom message, from any thread.

        It is of no cell in particular, which leaves out of each message a copy of the cell's own header:
        a quarter of the traffic.
        """
        comm = self.comm
        kernel = getattr(comm, "kernel", None)
        if kernel is None:
            self.send(message)
            return
        content = {"comm_id": comm.comm_id, "data": {"method": "custom", "content": message}}
        kernel.session.send(kernel.iopub_socket, "comm_msg", content, ident=comm.topic)


def _styles() -> dict[str, Any]:
    """What the live and the static form share, at the size that is set now."""
    return {
        "ignore": IGNORE,
        "root": font_size() + static.ROOT,
        "measure": static.MEASURE,
        "line": static.FOOTER,
        "reasoning": static.REASONING,
        "summary": static.SUMMARY,
        "thoughts": static.THOUGHTS,
        "quiet": static.QUIET,
        "markup": MARKUP,
        "tints": tint_styles(),
        "legend": {"title": METRICS["surprisal"].title, "names": METRICS["surprisal"].names},
    }


_RETIRED: deque[LiveWidget] = deque()
_MOST_RETIRED = 4


def run_of_cell(is_of_it: bool) -> dict[str, Any]:
    """Which run of which cell this is, and of which page; nothing where it goes on when the cell has ended.

    A page that has not begun the run does not know by itself where its outputs stand.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if not is_of_it or not hasattr(shell, "get_parent"):
        return dict.fromkeys(RUN)
    parent = shell.get_parent()
    header, metadata = parent.get("header", {}), parent.get("metadata", {})
    # IPython 9 counts a cell when it begins, earlier ones when it has ended; its prompts know.
    run = header.get("msg_id"), metadata.get("cellId"), header.get("session"), shell.displayhook.prompt_count
    return dict(zip(RUN, run, strict=True))


def kernel_id() -> str | None:
    """The id under which the Jupyter server knows this kernel, from its connection file; None elsewhere."""
    try:
        from ipykernel.connect import get_connection_file

        name = Path(get_connection_file()).name
    except (ImportError, RuntimeError):
        return None
    found = re.fullmatch(r"kernel-([\w-]+)\.json", name)
    return found and found.group(1)
