"""How much of a model a graphics processor computes, where this machine has one that llama.cpp can use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from .engine.llama import LARGEST_BATCH


def gpu_layers(path: Path, *, context: int, parallel: int) -> int | None:
    """The layers of a model that fit onto it; None where there is none, or nobody can say: llama.cpp decides."""
    if not (found := _devices()):
        return None
    try:
        import xllamacpp

        estimate = xllamacpp.estimate_gpu_layers(
            found, str(path), [], context_length=context * parallel, batch_size=LARGEST_BATCH, num_parallel=parallel,
            kv_cache_type="f16",
        )
        return int(estimate.layers)
    except Exception:  # a kind of model that it does not know, or the package by which it reads files is not there
        return None


def gpu_memory() -> int:
    """The free bytes of graphics processors that have memory of their own."""
    if sys.platform == "darwin":  # there it is the machine's
        return 0
    return sum(int(device["memory_free"]) for device in _devices(with_shared=False))


def _devices(with_shared: bool = True) -> list[dict[str, Any]]:
    import xllamacpp

    kinds = xllamacpp.ggml_backend_dev_type
    try:
        devices: list[dict[str, Any]] = xllamacpp.get_device_info()
    except Exception:  # whatever a driver throws
        return []
    wanted = [kinds.GGML_BACKEND_DEVICE_TYPE_GPU, *([kinds.GGML_BACKEND_DEVICE_TYPE_IGPU] if with_shared else [])]
    return [device for device in devices if device["type"] in wanted]
