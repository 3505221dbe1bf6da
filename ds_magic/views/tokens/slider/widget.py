"""A live widget over a place: its temperature, top-p and top-k are moved in the page, which asks nobody."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
from traitlets import Bytes, Dict, Float, Int, Unicode

from ds_magic.logprobs.distribution import SOFTMAX_ERROR
from ds_magic.logprobs.tempered_place import TemperedPlace

from ... import default_view, in_kernel
from ...scripts import joined
from ..explorer import assets
from ..tempered_place import ORDER, TAKEN, drawn_of, tempered_place_html, tempered_place_text

_HERE = Path(__file__).parent / "js"
_SHARED = "../../explorer/js"
SHOWN = 12
HOTTEST = 2.0
ELSEWHERE = "The slider needs a notebook; `token.tempered([0, 0.5, 1])` has the same as a table, and as numbers."


@cache
def script() -> str:
    """The widget's module."""
    shared = (f"{_SHARED}/{name}" for name in ("elements.js", "decode.js", "places.js"))
    return joined(_HERE, *shared, "shares.js", "picture.js", "widget.js")


@cache
def css() -> str:
    """The explorer's style sheet, and what is the slider's own."""
    return f"{assets.css()}\n{(_HERE / 'style.css').read_text(encoding='utf-8')}"


class TemperatureSlider(anywidget.AnyWidget):
    """A place with sliders for temperature, top-p and top-k; the page computes the shares from what the widget holds.

    `temperature`, `top_p` (1 cuts nothing) and `top_k` (0 cuts nothing) follow the sliders when they are let go, and
    can be set from here. A saved notebook keeps the place as it was asked for, as a table.
    """

    _esm = script()
    _css = css()

    temperature = Float(1.0, min=0.0).tag(sync=True)
    top_p = Float(1.0, min=0.0, max=1.0).tag(sync=True)
    top_k = Int(0, min=0).tag(sync=True)
    payload = Bytes(b"", help="the log-probabilities, as little-endian floats of 32 bits").tag(sync=True)
    place = Dict(help="what else is known of the place").tag(sync=True)
    look = Unicode("", help="an inline style").tag(sync=True)
    mark = Unicode("", help="the class of the output that keeps it").tag(sync=True)

    def __init__(self, place: TemperedPlace) -> None:
        self._place = place
        first = next((each for each in place.settings if each.temperature == 1), place.settings[0])
        super().__init__(
            temperature=float(first.temperature),
            top_p=1.0 if first.top_p is None else float(first.top_p),
            top_k=first.top_k or 0,
            payload=place.logprobs.astype("<f4").tobytes(),
            place=_told(place),
            look=assets.look(),
            mark=f"ds-slider-{secrets.token_hex(6)}",
        )

    def __repr__(self) -> str:
        said = f"TemperatureSlider({self.temperature:g}, top_p={self.top_p:g}, top_k={self.top_k or None})"
        return said if in_kernel() else f"{said}\n{ELSEWHERE}"

    def _ipython_display_(self) -> None:
        """Show it, and have the notebook keep the table, beside which JupyterLab and Notebook draw it."""
        from IPython.display import display, publish_display_data

        kept = {
            "text/html": f'<div class="{self.mark}">{tempered_place_html(self._place)}</div>',
            "text/plain": tempered_place_text(self._place),
        }
        if default_view() == "live":
            publish_display_data(kept)
            return
        view: Any = self._repr_mimebundle_()
        data, metadata = view if isinstance(view, tuple) else (view or {}, {})
        display({**data, **kept}, raw=True, metadata=metadata)


def _told(place: TemperedPlace) -> dict[str, Any]:
    """What the page needs beside the numbers: the first tokens, the chosen one, and how much is not known."""
    row = place.row
    return {
        "tokens": [
            {"label": one.label, "rank": one.rank, "chosen": one.chosen} for one in drawn_of(place, SHOWN)
        ],
            "outside": None if place.chosen is not None else row.label,
        "outsideLogprob": place.outside,
        "mass": float(row.top_mass),
        "others": place.others if np.isfinite(place.others) else None,
        "size": row.vocabulary_size,
        "error": SOFTMAX_ERROR,
        "hottest": max(HOTTEST, *(float(each.temperature) for each in place.settings)),
        "notes": [ORDER, TAKEN],
    }
