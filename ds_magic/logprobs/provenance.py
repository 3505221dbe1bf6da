"""Where an answer's numbers came from: what has to be the same for the same numbers to come again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known of how an answer was made; None where nobody said.

    `model`, `fingerprint` (the server's system_fingerprint), `backend` (which server). In force when tokens were
    drawn: `temperature`, `top_p`, `seed`, `frequency_penalty`, `presence_penalty`; log-probabilities are from before
    temperature and top_p. Where the server says so: `model_file` with its `sha256` and `quantisation`, the `build` of
    the engine, its `threads`, and `more` of its own.
    """

    model: str | None = None
    fingerprint: str | None = None
    backend: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    model_file: str | None = None
    sha256: str | None = None
    quantisation: str | None = None
    build: str | None = None
    threads: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """What is known, by name."""
        named = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in named.items() if value is not None and value != {}}

    def __repr__(self) -> str:
        return f"Provenance({', '.join(f'{name}={value!r}' for name, value in self.to_dict().items())})"
