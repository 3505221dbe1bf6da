"""What a server says of the models that it has."""

from __future__ import annotations

from .lenient import Incoming, Lenient, Text


class Model(Incoming):
    """A model that the server offers."""

    id: Text = ""
    owned_by: Lenient[str] = None
    context_window: Lenient[int] = None
    max_output_tokens: Lenient[int] = None

    def __str__(self) -> str:
        return self.id
