"""Lists that magics give, as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..api.clean_text import for_report, on_one_line

if TYPE_CHECKING:
    from ..api.models import Model
    from ..conversation.chats import Chat


class ModelList(list["Model"]):
    """The models of a server, shown one a line."""

    def __init__(self, models: list[Model], backend: str):
        super().__init__(models)
        self.backend = backend

    def __repr__(self) -> str:
        backend, *names = (on_one_line(for_report(str(name))) for name in [self.backend, *self])
        return "\n".join([f"{backend} offers:", *(f"  {name}" for name in names or ["(nothing)"])])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


class ChatList(dict[str, "Chat"]):
    """The conversations of a kernel by name, shown one a line."""

    def __init__(self, chats: Mapping[str, Chat]):
        super().__init__(chats)

    def __repr__(self) -> str:
        if not self:
            return "There are no conversations yet: `%%deepseek --chat NAME` begins one."
        return "\n".join(for_report(repr(chat).split("\n", 1)[0]) for chat in self.values())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))
