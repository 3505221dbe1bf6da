"""`%ds_balance`, and what `%ds_usage` says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..api.clean_text import on_one_line
from ..api.errors import DeepSeekError, InvalidRequestError
from .server_meant import ServerMeant

if TYPE_CHECKING:
    from ..api.balance import Balance

_PATIENCE = 5.0
"""Seconds that a report of usage waits for it."""


def balance_asked(magics: Any, values: dict[str, Any]) -> Balance:
    """What is left on the account at the server that is meant. Raises a DeepSeekError."""
    server = ServerMeant(magics, values)
    if server.is_embedded:
        raise InvalidRequestError(
            "The model on this machine costs nothing, and has no balance.",
            remedy="With a key of DeepSeek's (`%ds_login`) it is that of its account.",
        )
    return server.client().balance()


def balance_line(magics: Any) -> str:
    """What is left, for a report; empty where nobody knows."""
    from ..backend import current_key

    try:
        if current_key() is None or ServerMeant(magics, {}).is_embedded:
            return ""
        lines = balance_asked(magics, {"timeout": _PATIENCE}).lines
        return f"Left on the account: {on_one_line('; '.join(lines), 300)}"
    except InvalidRequestError:  # of a server that has none, or of a recording
        return ""
    except DeepSeekError as error:
        return f"What is left on the account is not known: {on_one_line(str(error), 200)}"
