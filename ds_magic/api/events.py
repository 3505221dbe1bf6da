"""What happens between a request and its first token, and what is worth a word: told to `on_event`."""

from __future__ import annotations

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
    """The embedded server gets its model ready: it fetches it (`done` of `total` bytes), or loads it (`total` is 0)."""

    done: int = 0
    total: int = 0

    def __str__(self) -> str:
        if not self.total:
            return "The model is being loaded."
        return f"The model is being fetched, once: {self.done / 1e6:.0f} of {self.total / 1e6:.0f} MB."


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was changed or will be ignored; also on the completion's `notes`."""

    text: str

    def __str__(self) -> str:
        return self.text


Event = Retrying | Queued | Preparing | Note


def waiting(comment: bytes) -> Queued | Preparing | None:
    """What a comment of a stream says that the request waits for; None where it says nothing of it.

    `keep-alive` alone is DeepSeek's, and means its queue. The embedded server adds what it waits for.
    """
    words = comment.split()
    if words == [b"keep-alive"] or words == [b"keep-alive", b"queued"]:
        return Queued()
    if words == [b"keep-alive", b"loading"]:
        return Preparing()
    if len(words) == 4 and words[:2] == [b"keep-alive", b"fetching"] and all(word.isdigit() for word in words[2:]):
        return Preparing(*(int(word[:15]) for word in words[2:]))
    return None
