"""What a GGUF file says about its model: its context, the marks of its template, and each token's exact bytes.

llama.cpp's server shows a token that is part of a character as U+FFFD or not at all, so the bytes are
read from where they stand. Format: github.com/ggml-org/ggml/blob/master/docs/gguf.md, little-endian.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ...api.clean_text import on_one_line
from ..model_failures import WeightsError
from .fill_marks import FillMarks, fill_marks

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_LONGEST_ARRAY = 10_000_000
"""More than any vocabulary has."""
_CONTROL = (3, 4)
"""Token types 3 (control) and 4 (user defined): marks of the template, matched as a whole."""


@dataclass(frozen=True, eq=False)
class Model:
    """A model as its file describes it."""

    context: int
    """Tokens it was trained to hold."""
    pieces: list[bytes]
    """Each token's bytes, by id; empty for the marks of the template."""
    marks: dict[str, int]
    """The marks of the template, such as `<|im_start|>`, and their ids."""
    end: int
    """The id that ends an answer."""
    fill: FillMarks | None = None
    """The marks by which it is asked to fill a gap; None where it was not made for that."""
    template: str | None = None
    """The template of its conversations, in Jinja; None where the file has none."""
    begin: int | None = None
    """The id that every text begins with, which is for the engine to say; None where the model wants none."""

    @cached_property
    def ids(self) -> dict[bytes, int]:
        """The id of each token that is text, by its bytes."""
        marks = set(self.marks.values())
        numbered = reversed(list(enumerate(self.pieces)))  # of two of the same bytes the first
        return {piece: number for number, piece in numbered if piece and number not in marks}

    @cached_property
    def names(self) -> dict[int, bytes]:
        """The names of the marks, by their ids."""
        return {number: name.encode() for name, number in self.marks.items()}

    @cached_property
    def spelt(self) -> dict[bytes, list[int]]:
        """The ids of the tokens of the same bytes, by these; those of marks, which spell nothing, but for the end's."""
        found: dict[bytes, list[int]] = {}
        for number, piece in enumerate(self.pieces):
            if number != self.end:
                found.setdefault(piece, []).append(number)
        return found

    @cached_property
    def longest(self) -> int:
        """Bytes of the longest token."""
        return max(map(len, self.pieces))

    @cached_property
    def whole(self) -> frozenset[int]:
        """The ids of tokens that are whole characters."""
        return frozenset(range(len(self.pieces))) - frozenset(self.fragments)

    @cached_property
    def plain(self) -> int:
        """The id of a token that is a whole character whatever stands before it."""
        return self.pieces.index(b"a")

    @cached_property
    def fragments(self) -> list[int]:
        """The ids of tokens that are not whole characters: a few hundred."""
        return [number for number, piece in enumerate(self.pieces) if not _is_text(piece)]


def read(path: Path) -> Model:
    """The model in `path`. Raises WeightsError where the file is not a GGUF file."""
    with opened(path) as data:
        fields = Reader(data).fields()
        architecture = _text(fields.get("general.architecture", b"llama"))
        tokens = fields.get("tokenizer.ggml.tokens", [])
        types = fields.get("tokenizer.ggml.token_type") or [1] * len(tokens)
        return Model(
            context=int(fields.get(f"{architecture}.context_length", 2048)),
            pieces=_pieces(tokens, types, _text(fields.get("tokenizer.ggml.model", b"gpt2"))),
            marks={
                _text(token): number
                for number, (token, kind) in enumerate(zip(tokens, types, strict=True))
                if kind in _CONTROL and token
            },
            end=int(fields.get("tokenizer.ggml.eos_token_id", 0)),
            fill=fill_marks(fields, tokens),
            template=_text(fields["tokenizer.chat_template"]) if fields.get("tokenizer.chat_template") else None,
        )


@contextmanager
def opened(path: Path) -> Iterator[mmap.mmap]:
    """The bytes of a GGUF file. Raises WeightsError where it cannot be read, or the block cannot read its header."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
    except Exception as error:  # in a damaged header anything may stand where anything else should
        raise WeightsError(
            f"{path} is not a GGUF model: {error}", remedy="Name another one; `ds-magic models` lists what is here."
        ) from None


class Reader:
    """Reads the header of a GGUF file, front to back."""

    STRING = _STRING

    def __init__(self, data: mmap.mmap):
        self.data = data
        self.at = 0

    def fields(self) -> dict[str, Any]:
        if self.data[:4] != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        self.at = 4
        (version,) = self._take("I")
        if version not in (2, 3):
            raise ValueError(f"its version is {version}, not 2 or 3")
        _, count = self._take("QQ")
        found = {}
        for _ in range(count):
            key = _text(self._string())
            (kind,) = self._take("I")
            found[key] = self._value(key, kind)
        return found

    def array(self, key: str, of: int, count: int) -> Any:
        """The value of an array of so many, where it stands."""
        if of == _STRING:
            return [self._string() for _ in range(count)]
        return self._take(f"{count}{_SCALARS[of]}")

    def size_of(self, kind: int) -> int:
        """The bytes of each of this kind; 0 where they differ."""
        return struct.calcsize("<" + _SCALARS[kind]) if kind in _SCALARS else 0

    def _value(self, key: str, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            of, count = self._take("IQ")
            if of == _ARRAY or count > _LONGEST_ARRAY:
                raise ValueError(f"nobody could use what it has as {on_one_line(key, 60)}")
            return self.array(key, of, count)
        return self._take(_SCALARS[kind])[0]

    def _string(self) -> bytes:
        (length,) = self._take("Q")
        start, self.at = self.at, self.at + length
        if self.at > len(self.data):
            raise ValueError("it ends within its header")
        return self.data[start:self.at]

    def _take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _is_text(piece: bytes) -> bool:
    if piece.isascii():
        return True
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True


def _pieces(tokens: list[bytes], types: Any, tokenizer: str) -> list[bytes]:
    decode = _sentencepiece if tokenizer in ("llama", "t5") else _byte_level
    shown = _shown(tokens)
    return [
        token if kind == 4 or token in shown else b"" if kind == 3 else decode(token)
        for token, kind in zip(tokens, types, strict=True)
    ]


def _shown(tokens: list[bytes]) -> set[bytes]:
    """The marks that llama.cpp shows as text, whatever their type: those of gpt-oss (`llama_vocab` in its source)."""
    there = set(tokens)
    ends = there & {b"<|call|>", b"<|calls|>"} and there & {b"<|return|>", b"<|flush|>"}
    return {b"<|channel|>", b"<|message|>", b"<|start|>", b"<|constrain|>"} | ({b"<|end|>"} if ends else set())


def _sentencepiece(token: bytes) -> bytes:
    if re.fullmatch(rb"<0x[0-9A-Fa-f]{2}>", token):
        return bytes([int(token[3:5], 16)])
    return token.replace("▁".encode(), b" ")


def _byte_level(token: bytes) -> bytes:
    text = _text(token)
    try:
        return bytes(_BYTES[character] for character in text)
    except KeyError:  # not written in the alphabet: then it stands for itself
        return token


def _alphabet() -> dict[str, int]:
    """GPT-2's way to write any byte as a printable character (`bytes_to_unicode` in its encoder.py)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


_BYTES = _alphabet()
