"""What happens between a request and its first token, and what is worth a word: told to `on_event`."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from .errors import DeepSeekError


@dataclass(frozen=True, slots=True)
class Retrying:
    """A request failed and is sent again after `wait` seconds: retry number `attempt` of at most `of`."""

    error: DeepSeekError
    wait: float
    attempt: int
    of: int

    def __str__(self) -> str:
        return f"{self.error} Trying again in {self.wait:.1f} s ({self.attempt} of {self.of})."


@dataclass(frozen=True, slots=True)
class Queued:
    """The server said that it is alive and that the request waits: a keep-alive before the first token."""

    def __str__(self) -> str:
        return "The request waits in the server's queue."


@dataclass(frozen=True, slots=True)
class Preparing:
    """The embedded server gets its model ready: it loads it, or has fetched `done` bytes of `total` (0: not known).

    Of a model that somebody named it says before it is loaded what it takes, in bytes: its `weights`, the `cache` for
    conversations, and of how many that are `free`.
    """

    is_fetching: bool = False
    done: int = 0
    total: int = 0
    weights: int = 0
    cache: int = 0
    free: int = 0

    @property
    def share(self) -> float | None:
        """How much of it is fetched, from 0 to 1; None where that is not known."""
        return min(1.0, self.done / self.total) if self.total else None

    def __str__(self) -> str:
        if not self.is_fetching:
            of = f" of {self.free / 1e9:.1f} GB that are free" if self.free else ""
            takes = f" It takes {(self.weights + self.cache) / 1e9:.1f}{of or ' GB'}." if self.weights else ""
            return f"The model is being loaded.{takes}"
        far = f": {self.done / 1e6:.0f} of {self.total / 1e6:.0f} MB" if self.total else ""
        return f"The model is being fetched, once{far}."


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was changed or will be ignored; also on the completion's `notes`."""

    text: str

    def __str__(self) -> str:
        return self.text


Event = Retrying | Queued | Preparing | Note

_log = logging.getLogger("ds_magic")


def log_event(event: Event) -> None:
    """Where events go that nobody asked for: to the logger "ds_magic"."""
    _log.log(logging.DEBUG if isinstance(event, Queued | Preparing) else logging.WARNING, "%s", event)


def unheard(event: Event) -> None:
    """Where waits go of a question that nobody asked."""

KEEP_ALIVE = b"keep-alive"
"""The comment by which DeepSeek says that a request waits in its queue. The embedded server adds what it waits for."""


def waiting(comment: bytes) -> Queued | Preparing | None:
    """What a comment of a stream says that the request waits for; None where it says nothing of it."""
    match comment.split():
        case [b"keep-alive"] | [b"keep-alive", b"queued"]:
            return Queued()
        case [b"keep-alive", b"loading"]:
            return Preparing()
        case [b"keep-alive", b"loading", *sizes] if len(sizes) == 3 and all(map(bytes.isdigit, sizes)):
            return Preparing(False, 0, 0, *(int(size[:15]) for size in sizes))
        case [b"keep-alive", b"fetching", done, total] if done.isdigit() and total.isdigit():
            return Preparing(True, int(done[:15]), int(total[:15]))
    return None
