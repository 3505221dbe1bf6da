"""Models of the Hugging Face Hub that are in its library's cache on this machine, used without asking anybody.

`models--OWNER--NAME/refs/BRANCH` holds a commit, and `snapshots/COMMIT` its files as far as they are here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .choice import choices, chosen
from .found import ModelFile
from .names import HubName

COMMIT = re.compile("[0-9a-f]{40}")
"""How a commit is written."""


def cache_folder() -> Path:
    """Where the hub's library keeps what it fetched: HF_HUB_CACHE, or `hub` in HF_HOME."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if named := os.environ.get(variable):
            return Path(os.path.expandvars(named)).expanduser()
    home = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    return Path(os.path.expandvars(home)).expanduser() / "hub"


def is_offline() -> bool:
    """Whether the hub is not to be asked."""
    said = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return said.upper() in ("1", "ON", "YES", "TRUE")


def cached(name: HubName) -> ModelFile | None:
    """The file that `name` means, where the cache has it whole."""
    if (commit := _commit_of(name)) is None:
        return None
    folder = folder_of(name.repository) / "snapshots" / commit
    offered = choices(_files_in(folder))
    choice = chosen(offered, name.file, name.quantisation)
    if choice is None:
        return None
    return ModelFile(folder / choice.name, str(name), commit)


def kept() -> Iterator[tuple[HubName, Path]]:
    """All models in the cache, each with its (first) file: those of the main branch, else of the newest commit."""
    for folder in sorted(cache_folder().glob("models--*--*")):
        repository = folder.name.removeprefix("models--").replace("--", "/", 1)
        with suppress(OSError):
            commit, pinned = _commit_of(HubName(repository)), ""
            if commit is None:
                newest = max((folder / "snapshots").iterdir(), key=lambda path: path.stat().st_mtime, default=None)
                if newest is None:
                    continue
                commit = pinned = newest.name
            snapshot = folder / "snapshots" / commit
            for choice in choices(_files_in(snapshot)):
                yield HubName(repository, choice.name, revision=pinned), snapshot / choice.name


def _commit_of(name: HubName) -> str | None:
    """The commit of a name as the cache knows it."""
    folder, revision = folder_of(name.repository), name.revision or "main"
    if COMMIT.fullmatch(revision):
        return revision if (folder / "snapshots" / revision).is_dir() else None
    try:
        commit = (folder / "refs" / revision).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    return commit if COMMIT.fullmatch(commit) else None


def _files_in(snapshot: Path) -> dict[str, int]:
    """The files of a snapshot that are whole, and their bytes."""
    found = {}
    for path in sorted(snapshot.rglob("*.gguf")):
        with suppress(OSError):  # a link that leads nowhere
            found[path.relative_to(snapshot).as_posix()] = path.stat().st_size
    return found


def folder_of(repository: str) -> Path:
    """Where the cache has a repository."""
    return cache_folder() / f"models--{repository.replace('/', '--')}"
