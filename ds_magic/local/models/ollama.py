"""Models that Ollama has on this machine, used where they lie.

`manifests/HOST/OWNER/NAME/TAG` names the layers of a model, each a file `blobs/sha256-…`. Newer versions write
`manifest-v2` in the same way, and call the library's host `ollama.com` rather than `registry.ollama.ai`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..model_failures import WeightsError
from .found import ModelFile
from .names import OllamaName

_FOLDERS = ("manifest-v2", "manifests")
_LIBRARY = ("ollama.com", "registry.ollama.ai")
_MODEL = "application/vnd.ollama.image.model"
_TENSOR = "application/vnd.ollama.image.tensor"
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_LARGEST_MANIFEST = 1_000_000
_FROM_THE_HUB = (
    "Ollama's own engine reads some files that llama.cpp does not: it needs the file from the Hub. Name the same model "
    "as `hf:owner/repo`, a repository whose name ends in GGUF."
)


def folder() -> Path:
    """Where Ollama keeps its models: OLLAMA_MODELS, or `~/.ollama/models`."""
    return Path(os.environ.get("OLLAMA_MODELS") or "~/.ollama/models").expanduser()


def found(name: OllamaName) -> ModelFile:
    """The file that `name` means. Raises WeightsError."""
    manifest = next((path for path in _places(name) if path.is_file()), None)
    if manifest is None:
        here = [str(each) for each, _ in kept()]
        there = f"There are: {', '.join(here[:8])}." if here else f"There is none in {folder()}."
        raise WeightsError(
            f"Ollama has no model {str(name).removeprefix('ollama:')} on this machine.",
            remedy=f"{there} `ollama pull {str(name).removeprefix('ollama:')}` fetches it.",
        )
    return ModelFile(_blob(manifest, name), str(name), unloadable=_FROM_THE_HUB)


def kept() -> Iterator[tuple[OllamaName, Path]]:
    """All models of Ollama's here, each with its file; damaged ones are passed over."""
    seen = set()
    for root in _FOLDERS:
        for manifest in sorted((folder() / root).glob("*/*/*/*")):
            host, owner, model, tag = manifest.relative_to(folder() / root).parts
            name = OllamaName("" if host in _LIBRARY else host, owner, model, tag)
            if name in seen or not manifest.is_file():
                continue
            seen.add(name)
            with suppress(WeightsError):
                yield name, _blob(manifest, name)


def stamp(name: OllamaName) -> str:
    """What changes when the model behind a name does."""
    for path in _places(name):
        with suppress(OSError):
            return f"{path} {path.stat().st_mtime_ns}"
    return "missing"


def _places(name: OllamaName) -> Iterator[Path]:
    for root in _FOLDERS:
        for host in (name.host,) if name.host else _LIBRARY:
            yield folder() / root / host / name.owner / name.name / name.tag


def _blob(manifest: Path, name: OllamaName) -> Path:
    """The file that a manifest's layer of weights names."""
    try:
        with manifest.open("rb") as file:
            told: Any = json.loads(file.read(_LARGEST_MANIFEST))
        layers = [layer for layer in told["layers"] if isinstance(layer, dict)]
        kinds = [str(layer.get("mediaType", "")).split(";")[0].strip() for layer in layers]
        digests = [str(layer.get("digest", "")) for layer, kind in zip(layers, kinds, strict=True) if kind == _MODEL]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _damaged(manifest, name, f"it cannot be read ({type(error).__name__})") from None
    if not digests and _TENSOR in kinds:
        raise WeightsError(f"{name} is kept by Ollama as tensors, not as a GGUF file.", remedy=_FROM_THE_HUB)
    digest = _DIGEST.fullmatch(digests[0]) if digests else None
    if digest is None:
        raise _damaged(manifest, name, "it names no layer of weights")
    blob = folder() / "blobs" / f"sha256-{digest[1]}"
    if not blob.is_file():
        raise _damaged(manifest, name, f"{blob} is missing")
    return blob


def _damaged(manifest: Path, name: OllamaName, why: str) -> WeightsError:
    model = str(name).removeprefix("ollama:")
    return WeightsError(
        f"What Ollama knows of {model} is damaged: {why}.",
        remedy=f"`ollama pull {model}` mends it. (It is written in {manifest}.)",
    )
