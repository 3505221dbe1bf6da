"""A model that somebody named is given what the memory has room for, before it is loaded; or it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ..api.clean_text import on_one_line
from .engine.engine import Engine
from .gpu import gpu_layers, gpu_memory
from .memory import free_memory
from .model_failures import LocalModelError
from .models.choice import Choice
from .models.footprint import LEAST_CONTEXT, Footprint, check_size, fitting, footprint, too_large
from .models.found import ModelFile
from .models.header import read_header
from .models.listing import local_models
from .models.sizes import in_words
from .server_options import LARGEST_CONTEXT, ServerOptions

UNSAID_CONTEXT = 2048
"""Tokens that a model is taken to hold where its file does not say."""


def room_for(name: str, size: int, others: Sequence[Choice]) -> None:
    """Raise NoRoomError where weights of so many bytes cannot fit, before they are fetched."""
    check_size(name, size, _free(), others)


def fit(engine: Engine, file: ModelFile, options: ServerOptions) -> str:
    """Arrange the engine so that the model fits, and say how, in a line. Raises WeightsError, or NoRoomError."""
    header = read_header(file.path)
    free = _free()
    holds = header.context or UNSAID_CONTEXT
    context = options.context or min(holds, LARGEST_CONTEXT)
    found = fitting(
        header, free, context=context, places=engine.slots.count,
        is_context_asked=bool(options.context), are_places_asked=bool(options.parallel),
    )
    if found is None:
        least = footprint(header, LEAST_CONTEXT, 1)
        assert free is not None  # else anything fits
        takes = footprint(header, context, engine.slots.count if options.parallel else 1)
        raise too_large(
            file.asked, f"{takes} ({in_words(takes.total)} in all)", free, file.others, _installed(),
            LEAST_CONTEXT if options.context and least.total <= free else 0,
        )
    engine.arrange(found.context, found.places, (found.file, found.cache, free or 0))
    engine.gpu_layers = options.gpu_layers
    if engine.gpu_layers is None:
        engine.gpu_layers = gpu_layers(file.path, context=found.context, parallel=found.places)
    return _said(file, header.abilities, found, free, wanted=context)


def _said(file: ModelFile, abilities: Sequence[str], found: Footprint, free: int | None, wanted: int) -> str:
    of = f", of {in_words(free)} that are free" if free is not None else ""
    less = f"; for {wanted:,} tokens there is no room" if found.context < wanted else ""
    can = f" It {' and '.join(abilities)}." if abilities else ""
    return on_one_line(f"{file.asked} ({file.path.name}): {found}{of}{less}.{can}", 400)


def _installed() -> list[tuple[str, int]]:
    with suppress(LocalModelError, OSError):
        return [(model.name, model.size) for model in local_models() if model.name]
    return []


def _free() -> int | None:
    free = free_memory()
    return None if free is None else free + gpu_memory()
