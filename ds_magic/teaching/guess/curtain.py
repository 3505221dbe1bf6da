"""What is seen of an answer that is to be guessed: that it comes, and then its words, hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ds_magic.api.clean_text import escaped, on_one_line
from ds_magic.api.errors import InvalidRequestError
from ds_magic.views.answer.display import Place
from ds_magic.views.answer.static import QUIET, alive, mimebundle, root_html

from .guess import Guess

if TYPE_CHECKING:
    from ds_magic.api.delta import Delta
    from ds_magic.api.errors import DeepSeekError
    from ds_magic.api.events import Event
    from ds_magic.api.request import ChatRequest
    from ds_magic.api.response import ChatCompletion

BEHIND = "The model answers behind the curtain …"


class Curtain:
    """A view that shows nothing of an answer while it comes, and then what there is to guess.

    `kind` as for `make_view`, but `none`: where it is `live` the cell says that the answer comes.
    """

    def __init__(self, kind: str, *, vote: bool = False) -> None:
        self._kind, self._vote = kind, vote
        self._place = Place()

    def start(self, request: ChatRequest, backend: str) -> None:
        """Say that it comes."""
        if self._kind == "live":
            self._place.reserve(_said(BEHIND))

    def event(self, event: Event) -> None:
        """What it waits for."""
        if self._kind == "live":
            self._place.keep(_said(on_one_line(str(event), 400)))

    def delta(self, delta: Delta) -> None:
        """Nothing is seen of it."""

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        """Show what there is to guess; an answer of which nothing can be guessed as it is."""
        bundle, metadata = _shown(completion, self._vote)
        if self._kind == "live":
            self._place.keep(bundle, metadata)
        elif bundle and self._kind == "text":
            print(bundle["text/plain"])
        elif bundle:
            from IPython.display import display

            display(bundle, raw=True, metadata=metadata)


def _shown(completion: ChatCompletion | None, vote: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    if completion is None:
        return {}, {}
    try:
        return Guess(completion, vote=vote).bundle(), {}
    except InvalidRequestError:
        return alive(completion, mimebundle(completion))


def _said(text: str) -> dict[str, Any]:
    return {"text/html": root_html(f'<div style="{QUIET}">{escaped(text)}</div>'), "text/plain": text}
