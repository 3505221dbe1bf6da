"""Models fetched from the Hugging Face Hub into its library's cache, pinned to a commit.

What is asked, and how it is written down, is `huggingface_hub`'s to say. The bytes come by plain HTTP, so that a
download that broke off is gone on with, by the next process, too, where the library would begin again; it finds
them whole among the blobs of its cache, and only links them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import requests
import urllib3

from ..model_failures import MissingExtraError, WeightsError
from . import hub_errors
from .choice import Choice, choices, chosen
from .found import ModelFile, Progress, Room
from .hub import COMMIT, cache_folder, folder_of, is_offline, kept
from .names import HubName

_CHUNK = 1 << 20
_PATIENCE = (10.0, 60.0)
"""Seconds to connect, and between two pieces."""
_MOST_BREAKS = 20
"""Times that a download is gone on with within one process."""
_SPARE = 200 * 10**6
"""Bytes of the disk that are left free."""
_SHA256 = re.compile("[0-9a-f]{64}")


def fetched(name: HubName, progress: Progress | None = None, room: Room | None = None) -> ModelFile:
    """The file that `name` means, as the hub has it now, fetched as far as it is not here. Raises WeightsError."""
    try:
        import huggingface_hub
    except ImportError:
        raise MissingExtraError(f"{name} is on the Hugging Face Hub, and huggingface_hub is not installed.") from None
    if is_offline():
        raise hub_errors.offline(name, _here())
    try:
        info = huggingface_hub.HfApi(endpoint=_endpoint()).model_info(
            name.repository, revision=name.revision or None, files_metadata=True
        )
    except Exception as error:
        raise hub_errors.told(error, name, _here()) from None
    offered = choices({each.rfilename: each.size or 0 for each in info.siblings or []})
    choice = chosen(offered, name.file, name.quantisation)
    if choice is None:
        raise hub_errors.nothing(name, offered, [each.rfilename for each in info.siblings or []])
    commit = info.sha or ""
    if not COMMIT.fullmatch(commit):
        raise WeightsError(f"The hub does not say which commit {name} is.", remedy="Try again later.")
    if room is not None:
        room(str(name), choice.size, offered)
    for part in _brought(name, choice, commit, progress):
        _link(name, part, commit)
    _note(name, commit)
    others = tuple(each for each in offered if each is not choice)
    return ModelFile(folder_of(name.repository) / "snapshots" / commit / choice.name, str(name), commit, others)


def _brought(name: HubName, choice: Choice, commit: str, progress: Progress | None) -> Iterator[str]:
    """Each part of a model, as soon as its bytes lie among the cache's blobs."""
    import huggingface_hub
    from filelock import FileLock

    blobs = folder_of(name.repository) / "blobs"
    locks = cache_folder() / ".locks" / blobs.parent.name
    done = 0

    def tell(of_part: int) -> None:
        if progress is not None:
            progress(done + of_part, choice.size)

    try:
        for folder in (blobs, locks):
            folder.mkdir(parents=True, exist_ok=True)
        tell(0)
        for part in choice.files:
            address = huggingface_hub.hf_hub_url(name.repository, part, revision=commit, endpoint=_endpoint())
            about = huggingface_hub.get_hf_file_metadata(address, headers=_headers(), endpoint=_endpoint())
            etag, size = about.etag or "", about.size or 0
            if not re.fullmatch(r"[\w-]+", etag):
                raise WeightsError(f"The hub does not say which file {part} is.", remedy="Try again later.")
            if not (blobs / etag).exists():
                with FileLock(locks / f"{etag}.part.lock"):  # another process may fetch the same
                    if not (blobs / etag).exists():
                        _check_disk(name, blobs, size)
                        _download(address, blobs / etag, size, tell)
            done += size
            tell(0)
            yield part
    except WeightsError:
        raise
    except Exception as error:
        raise hub_errors.told(error, name, _here()) from None


def _download(address: str, blob: Path, size: int, tell: Callable[[int], None]) -> None:
    """Fetch the bytes of a blob, after those that an earlier download left."""
    part = blob.with_name(f"{blob.name}.part")
    for left in range(_MOST_BREAKS, -1, -1):
        before = part.stat().st_size if part.exists() else 0
        try:
            _go_on(address, part, size, tell)
            break
        except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError):
            grown = part.stat().st_size - before if part.exists() else 0
            if not left or grown <= 0:
                raise
    is_whole = not _SHA256.fullmatch(blob.name) or _sha256(part) == blob.name
    if not is_whole:
        part.unlink()
        raise WeightsError(
            "The model's file that was fetched has the wrong SHA-256; it was thrown away.", remedy="Fetch it again."
        )
    os.replace(part, blob)


def _go_on(address: str, part: Path, size: int, tell: Callable[[int], None]) -> None:
    have = part.stat().st_size if part.exists() else 0
    if size and have > size:
        have = 0
    if size and have == size:
        return
    headers = _headers() | ({"Range": f"bytes={have}-"} if have else {}) | {"Accept-Encoding": "identity"}
    # Where the hub redirects elsewhere, `requests` does not take the token along.
    with requests.get(address, headers=headers, stream=True, timeout=_PATIENCE) as response:
        if response.status_code == 416:  # what is here is not a beginning of what is there
            part.unlink(missing_ok=True)
            return _go_on(address, part, size, tell) if have else response.raise_for_status()
        response.raise_for_status()
        is_rest = response.status_code == 206
        have = have if is_rest else 0
        with part.open("ab" if is_rest else "wb") as file:
            while piece := response.raw.read1(_CHUNK, decode_content=False):  # as it comes: what came is kept
                file.write(piece)
                have += len(piece)
                tell(have)
    if size and have < size:
        raise requests.ConnectionError(f"it ended after {have:,} of {size:,} bytes")


def _link(name: HubName, part: str, commit: str) -> None:
    """Have the library give a blob that lies there its name in the snapshot."""
    import huggingface_hub

    try:
        huggingface_hub.hf_hub_download(
            name.repository, part, revision=commit, cache_dir=cache_folder(), endpoint=_endpoint()
        )
    except Exception as error:
        raise hub_errors.told(error, name, []) from None


def _note(name: HubName, commit: str) -> None:
    """Write down which commit a branch was at, as the library does where it is asked for the branch."""
    revision = name.revision or "main"
    if revision != commit:
        ref = folder_of(name.repository) / "refs" / revision
        with suppress(OSError):
            ref.parent.mkdir(parents=True, exist_ok=True)
            ref.write_text(commit)


def _check_disk(name: HubName, folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size + _SPARE > free:
        raise hub_errors.no_disk(name, size, free, folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _here() -> list[str]:
    return [str(name) for name, _ in kept()]


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _headers() -> dict[str, str]:
    """With the token, where the library would send it."""
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    return build_hf_headers(library_name="ds_magic")
