"""What a cell's answer is shown to besides its view: the variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..run import AtTheEnd

if TYPE_CHECKING:
    from ..api.response import ChatCompletion

RESULT = "_ds"
"""The variable that every result is bound to."""


class Binding(AtTheEnd):
    """Binds the result to variables; nothing over an earlier one where nothing arrived."""

    def __init__(self, shell: Any, name: str | None):
        self.shell = shell
        self.name = name

    def finish(self, completion: ChatCompletion | None, error: Exception | None) -> None:
        if completion is None or (completion.interrupted and completion.is_empty):
            return
        self.shell.push({RESULT: completion}, interactive=False)
        if self.name:
            self.shell.push({self.name: completion})
