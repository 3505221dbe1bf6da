"""Recalled: what was asked before, and is not asked again. The answer is made when somebody looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api.errors import DeepSeekError
from ..run import as_sent

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.recorded import RecalledTape, Recorded
    from ..api.response import ChatCompletion
    from ..conversation.turn import Turn


class Recalled:
    """The answer to a turn, as it was recorded: it needs no server any more, and no file."""

    def __init__(self, turn: Turn, client: Client, tape: RecalledTape) -> None:
        self._turn, self._client, self._tape = turn, client, tape

    @property
    def recorded(self) -> Recorded:
        """When it was given."""
        return self._tape.recorded

    def answer(self) -> ChatCompletion | None:
        """The completion, made as one that is asked for; where the recording is damaged, what can be read of it."""
        try:
            return self._turn.answer(self._client.through(self._tape))
        except DeepSeekError as error:
            return error.partial


def recalled(turn: Turn, client: Client) -> Recalled | None:
    """The answer to a turn where the client's journal spares asking.

    None also where an answer may lead to another request, or be none: with functions, and with a schema.
    """
    if turn.schema is not None or turn.toolbox.definitions or turn.chat is not None:
        return None
    try:
        tape = client.recalling(as_sent(turn.request))
    except DeepSeekError:  # whoever asks meets it
        return None
    return None if tape is None else Recalled(turn, client, tape)
