"""An answer in a notebook as one display, made when it is finished."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .static import alive, error_bundle, mimebundle

if TYPE_CHECKING:
    from ...api.delta import Delta
    from ...api.errors import DeepSeekError
    from ...api.events import Event
    from ...api.request import ChatRequest
    from ...api.response import ChatCompletion


class ThinkingClock:
    """How long a model thought: from the first piece of reasoning to the first of the answer."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._ended: float | None = None

    def see(self, delta: Delta, at: float | None = None) -> None:
        """Take note of what kind of text came `at`, by `time.monotonic`; now where that is None."""
        if self._ended is not None:
            return
        if self._began is None:
            if delta.reasoning_content:
                self._began = at or time.monotonic()
        elif delta.content or delta.tool_calls:
            self._ended = at or time.monotonic()

    @property
    def is_thinking(self) -> bool:
        """Whether reasoning has come and no answer yet."""
        return self._began is not None and self._ended is None

    @property
    def seconds(self) -> float | None:
        """Seconds of thinking so far; None where there was none."""
        if self._began is None:
            return None
        return (self._ended or time.monotonic()) - self._began


class StaticView:
    """One display at the end, and nothing before: what documents and graders compare."""

    def __init__(self, *, in_background: bool = False, place: Place | None = None) -> None:
        self._clock = ThinkingClock()
        self._in_background = in_background
        self._place = place or Place()

    def start(self, request: ChatRequest, backend: str) -> None:
        """Nothing is shown yet."""
        if self._in_background:
            self._place.reserve({})

    def event(self, event: Event) -> None:
        """Waits are not kept."""

    def delta(self, delta: Delta) -> None:
        """Only the time of thinking is kept."""
        self._clock.see(delta)

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        """Show what came, if anything came."""
        self._place.show(completion, error, self._clock.seconds)


class Place:
    """Where the final output stands: one display, which nbval and others compare best.

    In the background a new display would go to the cell that runs by then, and a live answer is kept as far as it
    has come: there a place is reserved at the start, and filled with what there is by then. What comes after that
    takes its place.

    `name`: by which our extension finds it in a page that was loaded later; it begins as an answer's mark does.
    """

    def __init__(self, name: str | None = None) -> None:
        self._name = name
        self._handle: Any = None
        self._last: tuple[dict[str, Any], dict[str, Any]] = {}, {}

    def reserve(
        self, bundle: dict[str, str], display_id: str | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        """Hold a place, with `bundle` in it for as long as nothing else is there: the one there is, else in the cell
        that runs now."""
        if self._handle is not None:
            self.keep(bundle, metadata)
            return
        from IPython.display import display

        name = display_id or self._name or True
        self._handle = display(bundle, raw=True, display_id=name, metadata=self._with_name(metadata))

    def here(self) -> None:
        """Have the place in the cell that runs now, be it that it is in others too."""
        bundle, metadata = self._last
        if self._handle is None:
            self.reserve(bundle, metadata=metadata)
        else:
            self._handle.display(bundle, raw=True, metadata=self._with_name(metadata))

    def keep(self, bundle: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        """Have `bundle` in the place that was reserved, and in the notebook if it is saved now."""
        self._last = bundle, self._with_name(metadata)
        self.show_again()

    def _with_name(self, metadata: dict[str, Any] | None) -> dict[str, Any]:
        metadata = metadata or {}
        if self._name is None:
            return metadata
        return {**metadata, "ds_magic": {**metadata.get("ds_magic", {}), "place": self._name}}

    def show_again(self) -> None:
        """Send what is there, also to pages that have not heard of it."""
        bundle, metadata = self._last
        self._handle.update(bundle, raw=True, metadata=metadata)

    def show(
        self, completion: ChatCompletion | None, error: DeepSeekError | None, thinking_seconds: float | None
    ) -> dict[str, str]:
        """The static output; without one the `error`, where a place was reserved: nothing else may show it."""
        bundle: dict[str, Any] = {}
        metadata: dict[str, Any] = {}
        if completion is not None:
            if completion.recorded is not None:  # the clock here ran at the pace of the replay
                thinking_seconds = None
            bundle, metadata = alive(completion, mimebundle(completion, thinking_seconds=thinking_seconds))
        elif error is not None and self._handle is not None:
            bundle = error_bundle(error)
        if self._handle is not None:
            self.keep(bundle, metadata)
        elif bundle:
            from IPython.display import display

            display(bundle, raw=True, metadata=metadata)
        return bundle
