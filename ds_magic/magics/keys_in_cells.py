"""Keys have no place in a cell: what holds one is refused before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api.errors import InvalidRequestError

if TYPE_CHECKING:
    from ..api.request import ChatRequest


def holds_key(text: str) -> bool:
    """Whether an API key stands in `text`: one in use, or something of the form of one."""
    from ..api.secret import holds_key
    from ..backend import current_key

    return holds_key(text, current_key())


def refuse_keys(*texts: str) -> None:
    """Raise InvalidRequestError where one of the texts, as they were typed, holds a key."""
    if any(map(holds_key, texts)):
        texts = ()
        raise InvalidRequestError(
            "There is an API key in this cell, so nothing was sent. It now stands in the cell, in every saved "
            "copy of the notebook, and in IPython's history.",
            remedy="Delete it from the cell, revoke the key where you got it, and give a new one to `%ds_login`, "
            "which does not show it.",
        )


def refuse_filled_keys(filled: dict[str, str]) -> None:
    """Raise InvalidRequestError where text that was filled in holds a key; names the place."""
    for expression, text in filled.items():
        if holds_key(text):
            del text, filled
            raise InvalidRequestError(
                f"`{{{{ {expression} }}}}` holds an API key, so nothing was sent.",
                remedy="A key is never part of a prompt. Give it to `%ds_login`.",
            )


def refuse_keys_in(request: ChatRequest) -> None:
    """Raise InvalidRequestError where a request holds a key, from whichever object it came."""
    if holds_key(request.encode().decode()):
        raise InvalidRequestError(
            "The request holds an API key, from a variable that `--extra`, `--tools` or `--chat` names, so nothing "
            "was sent.",
            remedy="A key is never part of a request. Give it to `%ds_login`.",
        )
