"""What is told of how an answer is made: what has to be the same for the same numbers to come again."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ...api.request import ChatRequest
from .. import weights
from ..models.names import quantisation

_LARGEST = 2 * 1000**3
"""Bytes of a file whose hash is taken: that of a larger one would keep the first answer waiting."""


def of_model(path: Path) -> dict[str, str]:
    """The model's file, its hash, how it is quantised, as far as its name says so, and the engine's build."""
    told = {"model_file": path.name, "build": build()}
    if path == weights.cache_dir() / weights.FILE_NAME:
        told["sha256"] = weights.SHA256  # it was compared with that
    elif path.stat().st_size <= _LARGEST:
        with path.open("rb") as file:
            told["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    if found := quantisation(path.name):
        told["quantisation"] = found
    return told


def of_answer(request: ChatRequest) -> dict[str, Any]:
    """What tokens are drawn with, of a request as it was settled."""
    used = {
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "seed": request.seed,
        "frequency_penalty": request.frequency_penalty or 0.0,
        "presence_penalty": request.presence_penalty or 0.0,
    }
    return {name: value for name, value in used.items() if value is not None}


def build() -> str:
    """llama.cpp's binding and its version."""
    try:
        return f"xllamacpp-{version('xllamacpp')}"
    except PackageNotFoundError:
        return "unknown"
