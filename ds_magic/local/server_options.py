"""How the embedded server is run: every option of `ds-magic serve`, with its default, and what else is set for it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from .service.faults import Fault

LARGEST_CONTEXT = 4096
"""Tokens of prompt and answer together, where no `context` is asked for and the model could hold more. Each of the
`parallel` places has a cache of so many: 90 MB for the model that is fetched."""
DEFAULT_MAX_TOKENS = 300
"""Tokens of an answer whose request does not say: a small model that goes on any longer only repeats itself."""
LINGER = 60.0
"""Seconds that a server goes on after the last kernel that used it has gone: it may only be restarted."""
KEEP_ALIVE = 3.0
"""Seconds of silence after which a waiting client is told that it still waits."""


def keep_asked() -> int:
    """Seconds for which an unused model is kept in memory: DS_MAGIC_KEEP where that is a number, else 300."""
    said = os.environ.get("DS_MAGIC_KEEP", "").strip()
    return max(1, int(said)) if said.isascii() and said.isdigit() else ServerOptions.sleep


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
    """Its name; None: that of the environment, else the one that comes with us."""
    threads: int = 0
    """Threads to compute with; 0: the free cores."""
    parallel: int = 0
    """Requests answered at once; 0: as many as the memory has room for."""
    waiting: int = 32
    """Requests that may wait for their turn."""
    context: int | None = None
    """Tokens of prompt and answer together; None: what the model holds, up to LARGEST_CONTEXT."""
    sleep: int = 300
    """Seconds without a request after which the model's memory is given back, until the next."""
    gpu_layers: int | None = None
    """Layers that a graphics processor computes, where there is one; None: as many as fit."""
    today: bool = False
    """Whether DeepSeek's service of today is spoken, rather than its reference of 2025."""
    linger: float | None = None
    """Seconds that it goes on after nobody holds a lease any longer; None: until it is ended."""
    fault: Fault | None = None
    """What shall go wrong."""

    @property
    def is_loopback_only(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in ("127.0.0.1", "::1", "localhost")
