"""Talk to a language model in a notebook cell: `%load_ext ds_magic`, then `%%deepseek`.

Everything that the magics do can be done in Python with the same names. They are loaded when first
used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api.client import Client
    from .api.errors import (
        APIConnectionError,
        APITimeoutError,
        AuthenticationError,
        DeepSeekError,
        InsufficientBalanceError,
        InvalidRequestError,
        RateLimitError,
        ServerError,
        ServerOverloadedError,
        StreamInterruptedError,
    )
    from .api.exchange import Timeouts
    from .api.messages import AssistantMessage, SystemMessage, Tool, ToolMessage, UserMessage
    from .api.request import ChatRequest
    from .api.response import ChatCompletion, Delta, Usage
    from .api.stream import Stream
    from .backend import chat, stream
    from .conversation.chats import Chat
    from .conversation.schema import UnfitAnswerError
    from .conversation.tools import TooManyRoundsError
    from .conversation.turn import ask
    from .logprobs.compare import compare
    from .logprobs.samples import entropy
    from .logprobs.table import LogprobTable
    from .stop import Stop

__version__ = "0.1.0"

_PLACES = {
    "api.client": ["Client"],
    "api.errors": [
        "APIConnectionError",
        "APITimeoutError",
        "AuthenticationError",
        "DeepSeekError",
        "InsufficientBalanceError",
        "InvalidRequestError",
        "RateLimitError",
        "ServerError",
        "ServerOverloadedError",
        "StreamInterruptedError",
    ],
    "api.exchange": ["Timeouts"],
    "api.messages": ["AssistantMessage", "SystemMessage", "Tool", "ToolMessage", "UserMessage"],
    "api.request": ["ChatRequest"],
    "api.response": ["ChatCompletion", "Delta", "Usage"],
    "api.stream": ["Stream"],
    "backend": ["chat", "stream"],
    "conversation.chats": ["Chat"],
    "conversation.schema": ["UnfitAnswerError"],
    "conversation.tools": ["TooManyRoundsError"],
    "conversation.turn": ["ask"],
    "logprobs.compare": ["compare"],
    "logprobs.samples": ["entropy"],
    "logprobs.table": ["LogprobTable"],
    "stop": ["Stop"],
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}

__all__ = sorted(_PLACE_OF)


def __getattr__(name: str) -> Any:
    if name not in _PLACE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_PLACE_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def load_ipython_extension(ipython: Any) -> None:
    """Register the magics: what `%load_ext ds_magic` calls."""
    from .magics import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Take everything back that loading registered."""
    from .magics import unload

    unload(ipython)
