"""Trouble on demand, for tests and for teaching what a client must stand.

Off unless asked for; while it is on, every response says so in the header X-DS-Fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

HEADER = "X-DS-Fault"

KINDS = {
    "delay": "SECONDS of waiting before anything else",
    "stall": "silence for good after N parts of the answer",
    "cut": "the connection is broken off after N parts of the answer",
    "malformed": "part N of the answer is no JSON",
    "aborted": "the answer ends after N parts, with this finish_reason",
    "insufficient_system_resource": "likewise",
    "429": "refused as too many requests, with SECONDS to wait in Retry-After (1)",
    "500": "refused as a failure of the server",
    "503": "refused as overloaded",
    "times": "only the first N requests are hit, the others pass",
}
"""What can be asked for, as `kind` or `kind=number`, joined by commas."""

_STATUSES = {"429": "Too many requests", "500": "Server error", "503": "Server overloaded"}
_ENDINGS = ("aborted", "insufficient_system_resource")


@dataclass(frozen=True)
class Fault:
    """One kind of trouble, as in `Fault.parse("delay=0.5,cut=3")`."""

    spec: str
    delay: float = 0.0
    stall: int | None = None
    cut: int | None = None
    malformed: int | None = None
    ending: str | None = None
    """The finish_reason of an answer that ends after `last` parts."""
    last: int | None = None
    status: int | None = None
    retry_after: str | None = None
    times: int | None = None

    @classmethod
    def parse(cls, spec: str) -> Fault:
        """Raises ValueError with what can be asked for."""
        fields: dict[str, Any] = {}
        for item in filter(None, (part.strip() for part in spec.split(","))):
            kind, _, number = item.partition("=")
            try:
                if kind in _STATUSES:
                    fields["status"] = int(kind)
                    if kind == "429":
                        fields["retry_after"] = str(int(number or 1))
                elif kind in ("stall", "cut", "malformed", "times"):
                    fields[kind] = int(number)
                elif kind in _ENDINGS:
                    fields |= {"ending": kind, "last": int(number)}
                elif kind == "delay":
                    fields[kind] = float(number)
                else:
                    raise ValueError
            except ValueError:
                known = "; ".join(f"{name}: {what}" for name, what in KINDS.items())
                raise ValueError(f"{item!r} is no fault. There are: {known}") from None
        return cls(spec, **fields)

    @property
    def message(self) -> str:
        """What a refusal says."""
        return f"{_STATUSES[str(self.status)]}, because it was asked for ({HEADER}: {self.spec})."
