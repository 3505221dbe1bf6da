"""From a model's name to its file: found where it lies, else fetched."""

from __future__ import annotations

from .. import weights
from ..model_failures import WeightsError
from . import hub, names, ollama
from .found import ModelFile, Progress, Room


def obtained(
    text: str, progress: Progress | None = None, room: Room | None = None, *, is_new: bool = False
) -> ModelFile:
    """The file of the model called `text`, or of the one that comes with us where that is empty.

    `room` is asked before anything is fetched from the hub; `is_new`: the hub is asked for what it has now, also where
    the cache has something. Raises WeightsError, or NoRoomError.
    """
    if not text:
        return ModelFile(weights.fetch(progress))
    name = names.parsed(text)
    if isinstance(name, names.HubName):
        from .fetching import fetched  # what speaks HTTP

        return (None if is_new else hub.cached(name)) or fetched(name, progress, room)
    if isinstance(name, names.OllamaName):
        return ollama.found(name)
    if not name.path.is_file():
        is_like_the_hubs = text.count("/") == 1 and not text.startswith((".", "/", "~"))
        maybe = f"On the hub it would be `hf:{text}`. " if is_like_the_hubs else ""
        raise WeightsError(f"There is no such file: {name.path}", remedy=f"{maybe}{names.FORMS}")
    return ModelFile(name.path, text)


def is_here(text: str) -> bool:
    """Whether the file of the model called `text` is on this machine: nothing is fetched."""
    try:
        name = names.parsed(text)
        if isinstance(name, names.HubName):
            return hub.cached(name) is not None
        return obtained(text).path.is_file()
    except WeightsError:
        return False


def identity(text: str) -> str:
    """What two kernels that ask for `text` must have in common to be answered by one server."""
    try:
        name = names.parsed(text)
    except WeightsError:
        return text
    if isinstance(name, names.HubName):
        return f"{name} {hub.cache_folder().absolute()}"
    if isinstance(name, names.OllamaName):
        return f"{name} {ollama.stamp(name)}"
    path = name.path
    return f"{path.absolute()} {path.stat().st_mtime_ns if path.exists() else 'missing'}"
