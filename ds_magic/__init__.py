"""Talk to a language model in a notebook cell: `%load_ext ds_magic`, then `%%deepseek`.

Everything that the magics do can be done in Python with the same names. They are loaded when first
used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # `X as X`: a type checker takes it as public.
    from .api.client import Client as Client
    from .api.completion_request import CompletionRequest as CompletionRequest
    from .api.delta import Delta as Delta
    from .api.errors import APIConnectionError as APIConnectionError
    from .api.errors import APITimeoutError as APITimeoutError
    from .api.errors import AuthenticationError as AuthenticationError
    from .api.errors import DeepSeekError as DeepSeekError
    from .api.errors import InsufficientBalanceError as InsufficientBalanceError
    from .api.errors import InvalidRequestError as InvalidRequestError
    from .api.errors import RateLimitError as RateLimitError
    from .api.errors import ServerError as ServerError
    from .api.errors import ServerOverloadedError as ServerOverloadedError
    from .api.errors import StreamInterruptedError as StreamInterruptedError
    from .api.messages import AssistantMessage as AssistantMessage
    from .api.messages import SystemMessage as SystemMessage
    from .api.messages import Tool as Tool
    from .api.messages import ToolMessage as ToolMessage
    from .api.messages import UserMessage as UserMessage
    from .api.request import ChatRequest as ChatRequest
    from .api.response import ChatCompletion as ChatCompletion
    from .api.stream import Stream as Stream
    from .api.timeouts import Timeouts as Timeouts
    from .api.usage import Usage as Usage
    from .backend import chat as chat
    from .backend import complete as complete
    from .backend import local_model as local_model
    from .backend import stream as stream
    from .backend import stream_complete as stream_complete
    from .conversation.answer_schema import UnfitAnswerError as UnfitAnswerError
    from .conversation.chats import Chat as Chat
    from .conversation.score import score as score
    from .conversation.tools import TooManyRoundsError as TooManyRoundsError
    from .conversation.turn import ask as ask
    from .local.models.listing import local_models as local_models
    from .logprobs.compare import compare as compare
    from .logprobs.samples import entropy as entropy
    from .logprobs.table import LogprobTable as LogprobTable
    from .many.answers import Answers as Answers
    from .many.asking import map as map
    from .many.asking import sample as sample
    from .many.asking import sweep as sweep
    from .stop import Stop as Stop
    from .teaching.pages.share import share as share
    from .teaching.playground.widget import playground as playground

__version__ = "0.1.0"

_PLACES = {
    "api.client": ["Client"],
    "api.completion_request": ["CompletionRequest"],
    "api.delta": ["Delta"],
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
    "api.messages": ["AssistantMessage", "SystemMessage", "Tool", "ToolMessage", "UserMessage"],
    "api.request": ["ChatRequest"],
    "api.response": ["ChatCompletion"],
    "api.stream": ["Stream"],
    "api.timeouts": ["Timeouts"],
    "api.usage": ["Usage"],
    "backend": ["chat", "complete", "local_model", "stream", "stream_complete"],
    "conversation.chats": ["Chat"],
    "conversation.answer_schema": ["UnfitAnswerError"],
    "conversation.score": ["score"],
    "conversation.tools": ["TooManyRoundsError"],
    "conversation.turn": ["ask"],
    "local.models.listing": ["local_models"],
    "logprobs.compare": ["compare"],
    "logprobs.samples": ["entropy"],
    "logprobs.table": ["LogprobTable"],
    "many.answers": ["Answers"],
    "many.asking": ["map", "sample", "sweep"],
    "stop": ["Stop"],
    "teaching.playground.widget": ["playground"],
    "teaching.pages.share": ["share"],
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
