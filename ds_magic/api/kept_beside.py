"""What a completion keeps beside its fields, and what does not count when two are compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .token_logprobs import StreamedEntries

if TYPE_CHECKING:
    from .response import ChatCompletion


@dataclass(slots=True)
class Raw:
    """A body as it came. Completions are equal whatever their bodies left out or spelt as null."""

    body: dict[str, Any] | None = field(default=None, compare=False)

    def whole(self) -> dict[str, Any] | None:
        """The body, lists that streamed as lists."""
        choices = self.body.get("choices") if self.body else None
        for choice in choices if isinstance(choices, list) else ():
            lists = choice.get("logprobs") if isinstance(choice, dict) else None
            if isinstance(lists, dict):
                streamed = {name: entries for name, entries in lists.items() if isinstance(entries, StreamedEntries)}
                lists.update({name: entries.parsed() for name, entries in streamed.items()})
        return self.body


@dataclass(slots=True)
class Kin:
    """The answers that one hangs together with; it is among its own rounds, and each branch holds its parent.

    Completions are equal whatever has grown from them: to compare kin by kin would have no end.
    """

    parent: ChatCompletion | None = field(default=None, compare=False)
    branches: list[ChatCompletion] = field(default_factory=list, compare=False)
    rounds: list[Any] = field(default_factory=list, compare=False)
