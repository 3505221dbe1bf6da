"""What a server says of the models that it has."""

from __future__ import annotations

from collections.abc import Callable

from .body import collected
from .events import Event
from .lenient import Incoming, Lenient, Text
from .recorded import Unopened


class Model(Incoming):
    """A model that the server offers."""

    id: Text = ""
    owned_by: Lenient[str] = None
    context_window: Lenient[int] = None
    max_output_tokens: Lenient[int] = None

    def __str__(self) -> str:
        return self.id


def listed(exchange: Unopened, on_event: Callable[[Event], None]) -> list[Model]:
    """The models of a server that `exchange` asks for them. Raises a DeepSeekError."""
    exchange.open()
    body, _ = collected(exchange, on_event)
    models = body.get("data")
    models = models if isinstance(models, list) else []
    return [Model.model_validate(each) for each in models if isinstance(each, dict)]
