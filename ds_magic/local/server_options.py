"""How the embedded server is run: every option of `ds-magic serve`, with its default, and what else is set for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .faults import Fault

LARGEST_CONTEXT = 8192
"""Tokens of prompt and answer together, where no `context` is asked for and the model could hold more."""
DEFAULT_MAX_TOKENS = 4096
"""Tokens of an answer whose request does not say."""
KEEP_ALIVE = 3.0
"""Seconds of silence after which a waiting client is told that it still waits."""


@dataclass(frozen=True)
class ServerOptions:
    """The options of one server; the program's are called the same."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = 0
    """0: any that is free."""
    api_key: str = field(default="", repr=False)
    """What clients must send."""
    model: str | None = None
    """A GGUF file; None: the one that is fetched."""
    threads: int = 0
    """Threads to compute with; 0: the free cores."""
    parallel: int = 4
    """Requests answered at once."""
    waiting: int = 32
    """Requests that may wait for their turn."""
    context: int | None = None
    """Tokens of prompt and answer together; None: what the model holds, up to LARGEST_CONTEXT."""
    today: bool = False
    """Whether DeepSeek's service of today is spoken, rather than its reference of 2025."""
    fault: Fault | None = None
    """What shall go wrong."""

    @property
    def is_loopback_only(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in ("127.0.0.1", "::1", "localhost")
