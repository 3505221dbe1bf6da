"""Lists that magics give, as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .panel import plain

if TYPE_CHECKING:
    from ..api.models import Model
    from ..conversation.chats import Chat


class ModelList(list["Model"]):
    """The models of a server, shown one a line."""

    def __init__(self, models: list[Model], backend: str):
        super().__init__(models)
        self.backend = backend

    def __repr__(self) -> str:
        names = [plain(str(model)) for model in self]
        return "\n".join([f"{self.backend} offers:", *(f"  {name}" for name in names or ["(nothing)"])])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


class ChatList(dict[str, "Chat"]):
    """The conversations of a kernel by name, shown one a line."""

    def __init__(self, chats: Mapping[str, Chat]):
        super().__init__(chats)

    def __repr__(self) -> str:
        if not self:
            return "There are no conversations yet: `%%deepseek --chat NAME` begins one."
        return "\n".join(plain(repr(chat).splitlines()[0]) for chat in self.values())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))
