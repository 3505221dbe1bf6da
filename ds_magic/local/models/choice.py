"""Which of a repository's GGUF files is meant, where only the repository was named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from .names import parts_of, quantisation

_BEST_FIRST = (
    "q4_k_m", "q4_k_s", "q4_k_l", "ud-q4_k_xl", "q4_k", "q4_0", "q4_1", "iq4_nl", "iq4_xs", "mxfp4", "q5_k_m", "q5_k_s",
    "q5_0", "q5_1", "q6_k", "q8_0", "q3_k_l", "q3_k_m", "q3_k_s", "iq3_m", "iq3_s", "iq3_xs", "q2_k", "bf16", "f16",
    "fp16", "f32",
)  # fmt: skip
"""Kinds of quantisation: the one that most people take first, then by how much is lost, or spent for nothing."""
_NO_MODELS = ("mmproj", "imatrix", "ggml-vocab")
"""What stands in the names of GGUF files that are no language models by themselves."""


@dataclass(frozen=True)
class Choice:
    """One of the models of a repository: its files, the first to be loaded, and the bytes of all of them."""

    files: tuple[str, ...]
    size: int

    @property
    def name(self) -> str:
        """The file that stands for it."""
        return self.files[0]

    @property
    def quantisation(self) -> str:
        """How it is quantised, as far as its name says so."""
        return quantisation(PurePosixPath(self.name).name)

    @property
    def rank(self) -> tuple[int, int, str]:
        """Where it stands among others; the least is taken."""
        kind = self.quantisation.lower()
        return _BEST_FIRST.index(kind) if kind in _BEST_FIRST else len(_BEST_FIRST), len(self.name), self.name


def choices(sizes: Mapping[str, int]) -> list[Choice]:
    """The models among a repository's files (name to bytes), the one to take first; split ones only when whole."""
    found = []
    for file in sizes:
        stem = PurePosixPath(file).name.lower()
        if not file.lower().endswith(".gguf") or any(word in stem for word in _NO_MODELS):
            continue
        if next(parts_of(file), "") == file and all(part in sizes for part in parts_of(file)):
            parts = tuple(parts_of(file))
            found.append(Choice(parts, sum(sizes[part] for part in parts)))
    return sorted(found, key=lambda choice: choice.rank)


def chosen(offered: Iterable[Choice], file: str = "", kind: str = "") -> Choice | None:
    """The one that is meant: of this file, of this kind of quantisation, or the first; None where there is none."""
    for choice in offered:
        if file and file not in choice.files:
            continue
        if kind and choice.quantisation.lower() != kind.lower():
            continue
        return choice
    return None
