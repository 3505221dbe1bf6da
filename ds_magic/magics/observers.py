"""What a cell's answer is shown to besides its view: the variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..run import AtTheEnd
from .results import RESULT as RESULT
from .results import Seat, seat_in

if TYPE_CHECKING:
    from ..api.response import ChatCompletion


class Binding(AtTheEnd):
    """Binds the result to variables; nothing over an earlier one where nothing arrived.

    `seat`: where it belongs among the results of the kernel; without one to the cell that runs now.
    """

    def __init__(self, shell: Any, name: str | None, seat: Seat | None = None):
        self.shell = shell
        self.name = name
        self.seat = seat or seat_in(shell)

    def finish(self, completion: ChatCompletion | None, error: Exception | None) -> None:
        if completion is None or (completion.interrupted and completion.is_empty):
            return
        self.seat.bind(self.shell, completion, self.name)
