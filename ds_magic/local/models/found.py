"""A model's file, found: where it lies, and what is told of where it came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..weights import Progress as Progress
from .choice import Choice

Room = Callable[[str, int, Sequence[Choice]], None]
"""Told before anything is fetched: what it is called, its bytes, what else there is. Raises where it cannot fit."""


@dataclass(frozen=True)
class ModelFile:
    """The file of a model, the first of them where they are several.

    `asked`: the name it was asked by; empty for the model that comes with us. `revision`: the commit of the hub that
    it is from. `others`: the other models of its repository, where that was looked at. `unloadable`: what helps
    where llama.cpp cannot load it.
    """

    path: Path
    asked: str = ""
    revision: str = ""
    others: tuple[Choice, ...] = ()
    unloadable: str = ""

    @property
    def told(self) -> dict[str, str]:
        """What is told of it with each answer."""
        return {name: said for name, said in (("local_model", self.asked), ("revision", self.revision)) if said}
