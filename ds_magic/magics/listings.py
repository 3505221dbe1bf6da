"""Lists that magics give, as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..api.clean_text import for_report, on_one_line
from ..local.models.listing import LocalModels, local_models

if TYPE_CHECKING:
    from ..api.models import Model
    from ..conversation.chats import Chat


class ModelList(list["Model"]):
    """The models of a server, shown one a line; `with_local`: followed by those that `--local-model` finds here."""

    def __init__(self, models: list[Model], backend: str, *, with_local: bool = False):
        super().__init__(models)
        self.backend = backend
        self.local = local_models() if with_local else LocalModels()

    def __repr__(self) -> str:
        backend, *names = (on_one_line(for_report(str(name))) for name in [self.backend, *self])
        lines = [f"{backend} offers:", *(f"  {name}" for name in names or ["(nothing)"])]
        if self.local:
            lines += ["On this machine, for --local-model:", *(f"  {model!r}" for model in self.local)]
        return "\n".join(lines)

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
