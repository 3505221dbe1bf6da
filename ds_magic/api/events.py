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
class Note:
    """Something that was changed or will be ignored; also on the completion's `notes`."""

    text: str

    def __str__(self) -> str:
        return self.text


Event = Retrying | Queued | Note
