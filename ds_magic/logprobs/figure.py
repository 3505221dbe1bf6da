"""The figure that pictures of ours are drawn on."""

from __future__ import annotations

from typing import Any

import matplotlib
from matplotlib.figure import Figure


class TransparentFigure(Figure):
    """Lets the page be seen, and is saved fit for a paper: text stays text, and nothing is cut off."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.set_facecolor("none")

    def add_subplot(self, *args: Any, **options: Any) -> Any:
        """Axes through which the page is seen as well."""
        axes = super().add_subplot(*args, **options)
        axes.set_facecolor("none")
        return axes

    def savefig(self, fname: Any, **options: Any) -> None:
        """As Figure's. Text in SVG and PDF can be searched and edited; margins are those of what is drawn."""
        with matplotlib.rc_context({"svg.fonttype": "none", "pdf.fonttype": 42, "ps.fonttype": 42}):
            super().savefig(fname, **{"bbox_inches": "tight", **options})
