"""What the header of a GGUF file says of its model, read without its vocabulary: as quick for 40 GB as for 40 MB."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..engine.abilities import abilities
from ..engine.fill_marks import fill_marks
from ..engine.gguf import Reader, opened
from .names import parts_of

_LONGEST_KEPT = 4096
"""Numbers of an array that is kept: one for each layer, never one for each token."""
_LONGEST_MARK = 64
"""Bytes."""
_MARKS_BEGIN = b"<[\xe2"
"""What the marks of templates begin with, as far as anybody here looks for them; with SentencePiece's blank before."""


@dataclass(frozen=True)
class Header:
    """A model as the header of its file describes it.

    `size`: bytes of all its files. `context`: tokens it was trained to hold, 0 where nobody says. `cache`: bytes that
    each token of a conversation takes. `vocabulary`: tokens that it knows. `abilities`: what it was made for, in words.
    """

    name: str
    architecture: str
    size: int
    context: int
    layers: int
    cache: int
    vocabulary: int
    abilities: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Header:
        return cls(**{**told, "abilities": tuple(told["abilities"])})


def read_header(path: Path) -> Header:
    """The header of the model in `path`, the first of its files. Raises WeightsError."""
    with opened(path) as data:
        fields = _Skimming(data).fields()
        architecture = _text(fields.get("general.architecture")) or "llama"
        return Header(
            name=_text(fields.get("general.name")), architecture=architecture,
            size=sum(part.stat().st_size for part in files_of(path)),
            context=_number(fields.get(f"{architecture}.context_length")),
            layers=_number(fields.get(f"{architecture}.block_count")),
            cache=_cache_of_a_token(architecture, fields), vocabulary=len(fields.get("tokenizer.ggml.tokens") or ()),
            abilities=_abilities(fields),
        )


def files_of(path: Path) -> list[Path]:
    """All files of the model whose first is `path`. Raises FileNotFoundError where one is missing."""
    files = [path.with_name(name) for name in parts_of(path.name)]
    for file in files:
        if not file.exists():
            raise FileNotFoundError(f"of its {len(files)} files {file.name} is missing")
    return files


def _abilities(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """What a model was made for beside answering, in words, as the server finds it when it is loaded."""
    tokens: list[bytes] = fields.get("tokenizer.ggml.tokens") or []
    known = abilities(_text(fields.get("tokenizer.chat_template")), frozenset(map(_text, tokens)))
    fill = fill_marks(fields, tokens)
    said = {"thinks": known.thinks, "calls functions": known.calls, "fills in the middle": fill is not None}
    return tuple(word for word, is_so in said.items() if is_so)


def _cache_of_a_token(architecture: str, fields: Mapping[str, Any]) -> int:
    """Bytes that each token takes in the cache, at most: a layer that sees a window is counted as one that sees all.

    Keys and values of 16 bits for each head that has them; DeepSeek's latent attention keeps one compressed row.
    """

    def of(name: str, default: Any = 0) -> Any:
        return fields.get(f"{architecture}.{name}", default)

    layers = _number(of("block_count"))
    heads = of("attention.head_count", 1)
    with_cache = of("attention.head_count_kv", heads)
    all_heads = sum(map(_number, with_cache)) if isinstance(with_cache, tuple) else layers * _number(with_cache)
    most_heads = max(map(_number, heads), default=1) if isinstance(heads, tuple) else _number(heads)
    usual = _number(of("embedding_length")) // max(1, most_heads)
    if latent := _number(of("attention.kv_lora_rank")):
        return 2 * layers * (latent + _number(of("rope.dimension_count", 64)))
    long = _number(of("attention.key_length", usual)) + _number(of("attention.value_length", usual))
    return 2 * long * all_heads


class _Skimming(Reader):
    """Reads a header, and of the vocabulary only the tokens that may be marks; the others are empty."""

    def array(self, key: str, of: int, count: int) -> Any:
        if of == self.STRING:
            return self._strings(count, keeps=key == "tokenizer.ggml.tokens")
        size = self.size_of(of)
        if not size or count <= _LONGEST_KEPT:
            return super().array(key, of, count)
        self.at += size * count
        if self.at > len(self.data):
            raise ValueError("it ends within its header")
        return None

    def _strings(self, count: int, keeps: bool) -> list[bytes] | None:
        at, unpack, data = self.at, struct.Struct("<Q").unpack_from, self.data
        kept = []
        for _ in range(count):
            (length,) = unpack(data, at)
            at += 8
            if keeps:
                is_short = 0 < length < _LONGEST_MARK
                kept.append(data[at : at + length] if is_short and data[at] in _MARKS_BEGIN else b"")
            at += length
        self.at = at
        return kept if keeps else None


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
