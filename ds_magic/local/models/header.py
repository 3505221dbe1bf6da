"""What the header of a GGUF file says of its model, read without its vocabulary: as quick for 40 GB as for 40 MB."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..abilities import abilities as protocols
from ..gguf import Reader
from ..model_failures import WeightsError
from .names import parts_of

_LONGEST_KEPT = 4096
"""Numbers of an array that is kept: one for each layer, never one for each token."""
_GAPS = (b"<|fim_prefix|>", b"<fim_prefix>", b"<|fim_begin|>", b"<PRE>", "<｜fim▁begin｜>".encode(), b"[PREFIX]")
"""Marks by which models are told that what follows stands before a gap."""


@dataclass(frozen=True)
class Abilities:
    """What a model was trained for, as far as its template and its marks say so."""

    thinks: bool = False
    calls: bool = False
    fills: bool = False

    @property
    def words(self) -> list[str]:
        """Each of them in words."""
        said = {"thinks": self.thinks, "calls functions": self.calls, "fills in the middle": self.fills}
        return [word for word, is_so in said.items() if is_so]


@dataclass(frozen=True)
class Header:
    """A model as the header of its file describes it.

    `size`: bytes of all its files. `context`: tokens it was trained to hold, 0 where nobody says. `cache`: bytes that
    each token of a conversation takes. `vocabulary`: tokens that it knows.
    """

    name: str
    architecture: str
    size: int
    context: int
    layers: int
    cache: int
    vocabulary: int
    abilities: Abilities

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Header:
        return cls(**{**told, "abilities": Abilities(**told["abilities"])})


def read_header(path: Path) -> Header:
    """The header of the model in `path`, the first of its files. Raises WeightsError."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            reader = _Skimming(data)
            fields = reader.fields()
            has_gaps = "tokenizer.ggml.fim_pre_token_id" in fields or "tokenizer.ggml.prefix_token_id" in fields
            has_gaps = has_gaps or any(data.find(mark, 0, reader.at) >= 0 for mark in _GAPS)
        size = sum(part.stat().st_size for part in files_of(path))
    except (OSError, ValueError, struct.error, KeyError, TypeError) as error:
        raise WeightsError(
            f"{path} is not a GGUF model: {error}", remedy="Name another one; `ds-magic models` lists what is here."
        ) from None
    architecture = _text(fields.get("general.architecture")) or "llama"
    return Header(
        name=_text(fields.get("general.name")), architecture=architecture, size=size,
        context=_number(fields.get(f"{architecture}.context_length")),
        layers=_number(fields.get(f"{architecture}.block_count")),
        cache=_cache_of_a_token(architecture, fields), vocabulary=reader.counts.get("tokenizer.ggml.tokens", 0),
        abilities=abilities(_text(fields.get("tokenizer.chat_template")), has_gaps),
    )


def files_of(path: Path) -> list[Path]:
    """All files of the model whose first is `path`. Raises FileNotFoundError where one is missing."""
    files = [path.with_name(name) for name in parts_of(path.name)]
    for file in files:
        if not file.exists():
            raise FileNotFoundError(f"of its {len(files)} files {file.name} is missing")
    return files


def abilities(template: str, has_gaps: bool) -> Abilities:
    """What a model with this template can do; `has_gaps`: whether it has marks for a gap that is to be filled."""
    of_itself = protocols(template)
    return Abilities(thinks=of_itself.thinks, calls=of_itself.calls, fills=has_gaps)


def _cache_of_a_token(architecture: str, fields: Mapping[str, Any]) -> int:
    """Bytes that each token takes in the cache, at most: a layer that sees a window is counted as one that sees all.

    Keys and values of 16 bits for each head that has them; DeepSeek's latent attention keeps one compressed row.
    """

    def of(name: str, default: Any = 0) -> Any:
        return fields.get(f"{architecture}.{name}", default)

    layers = _number(of("block_count"))
    heads = of("attention.head_count", 1)
    with_cache = of("attention.head_count_kv", heads)
    each = [_number(count) for count in with_cache] if isinstance(with_cache, tuple) else [_number(with_cache)] * layers
    most_heads = max(map(_number, heads), default=1) if isinstance(heads, tuple) else _number(heads)
    usual = _number(of("embedding_length")) // max(1, most_heads)
    if latent := _number(of("attention.kv_lora_rank")):
        return 2 * layers * (latent + _number(of("rope.dimension_count", 64)))
    long = _number(of("attention.key_length", usual)) + _number(of("attention.value_length", usual))
    return 2 * long * sum(each)


class _Skimming(Reader):
    """Reads a header and keeps of the vocabulary only how much of it there is, in `counts`."""

    def __init__(self, data: mmap.mmap):
        super().__init__(data)
        self.counts: dict[str, int] = {}

    def array(self, key: str, of: int, count: int) -> Any:
        self.counts[key] = count
        if of == self.STRING:
            at, unpack, data = self.at, struct.Struct("<Q").unpack_from, self.data
            for _ in range(count):
                at += 8 + unpack(data, at)[0]
            self.at = at
            return None
        size = self.size_of(of)
        if not size or count <= _LONGEST_KEPT:
            return super().array(key, of, count)
        self.at += size * count
        if self.at > len(self.data):
            raise ValueError("it ends within its header")
        return None


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
