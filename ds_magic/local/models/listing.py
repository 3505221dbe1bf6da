"""The models that are on this machine already, with what can be told of each without loading it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...api.clean_text import for_report, on_one_line
from .. import weights
from ..model_failures import WeightsError
from . import hub, ollama
from .header import Header, read_header
from .names import FileName, asked, parsed
from .sizes import in_words


@dataclass(frozen=True)
class LocalModel:
    """A model on this machine: `name` is what `--local-model` takes, empty for the one that comes with us."""

    name: str
    path: Path
    header: Header

    @property
    def size(self) -> int:
        """Bytes of its weights."""
        return self.header.size

    @property
    def context(self) -> int:
        """Tokens that it was trained to hold."""
        return self.header.context

    @property
    def abilities(self) -> list[str]:
        """What it was trained for beside answering, in words, as far as its file says so."""
        return list(self.header.abilities)

    def __repr__(self) -> str:
        context = f"{self.context:,} tokens" if self.context else "context not said"
        facts = [in_words(self.size), context, *self.abilities]
        return on_one_line(for_report(f"{self.name or OURS} · {' · '.join(facts)}"), 300)


OURS = "SmolLM2-135M-Instruct (without a name)"
"""How the model is called that answers where none is named."""


class LocalModels(list[LocalModel]):
    """The models on this machine, shown one a line."""

    def __repr__(self) -> str:
        if not self:
            return "There is no model on this machine yet: `ds-magic fetch` brings one."
        return "\n".join(map(repr, self))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def local_models() -> LocalModels:
    """The models on this machine: ours, those in the caches of the Hugging Face Hub and of Ollama, and the one set.

    Only the headers of their files are read, and only those that changed since the last time.
    """
    known = _Known()
    found = LocalModels()
    for name, path in _files():
        with suppress(WeightsError, OSError):
            found.append(LocalModel(name, path, known.header(path)))
    known.keep()
    return found


def names() -> list[str]:
    """What `--local-model` takes on this machine, without looking into the files."""
    return [name for name, _ in _files() if name]


def _files() -> Iterator[tuple[str, Path]]:
    """Names and files; a folder that cannot be read has none."""
    ours = weights.cache_dir() / weights.FILE_NAME
    if ours.is_file():
        yield "", ours
    with suppress(WeightsError):
        if (said := asked()) and isinstance(named := parsed(said), FileName) and named.path.is_file():
            yield said, named.path
    for kept in (hub.kept, ollama.kept):
        with suppress(OSError):
            for name, path in kept():
                yield str(name), path


class _Known:
    """Headers that were read before, by path, size and time of the file, by this version; kept in our cache folder."""

    def __init__(self) -> None:
        self._path = weights.cache_dir() / "models.json"
        self._before: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            told = json.loads(self._path.read_text(encoding="utf-8"))
            self._before = told if isinstance(told, dict) else {}
        self._now: dict[str, Any] = {}
        code = Path(__file__).parents[1].rglob("*.py")
        self._version = max(file.stat().st_mtime_ns for file in code)  # an update writes them anew

    def header(self, path: Path) -> Header:
        about = path.stat()
        stamp = [about.st_size, about.st_mtime_ns, self._version]
        with suppress(KeyError, TypeError, ValueError):
            at, told = self._before[str(path)]
            if at == stamp:
                self._now[str(path)] = [at, told]
                return Header.from_json(told)
        header = read_header(path)
        self._now[str(path)] = [stamp, header.to_json()]
        return header

    def keep(self) -> None:
        if self._now == self._before:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(dir=self._path.parent)
            with open(number, "w", encoding="utf-8") as file:
                json.dump(self._now, file)
            os.replace(name, self._path)
