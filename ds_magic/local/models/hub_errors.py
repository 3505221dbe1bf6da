"""What can go wrong with the Hugging Face Hub, and what helps."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from ...api.addresses import place
from ...api.clean_text import for_report, on_one_line
from ..model_failures import WeightsError
from .choice import Choice
from .names import HubName
from .sizes import in_words

_MOST_LISTED = 8


def told(error: Exception, name: HubName, here: Sequence[str]) -> WeightsError:
    """An error of `huggingface_hub` or of the network in our words; `here`: models that the cache has."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(getattr(error, "response", None), "status_code", None)
    hub = place(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    if "GatedRepoError" in kinds or status == 403:
        return WeightsError(
            f"{name} is only for those whom its owners let in: the hub refused it.",
            remedy=f"Ask for access on https://{hub}/{name.repository}, then log in with `hf auth login`, or set "
            "HF_TOKEN to a token that may read it.",
        )
    if "RevisionNotFoundError" in kinds:
        return WeightsError(
            f"{name.repository} has no revision `{name.revision or 'main'}`.",
            remedy="Name a branch, a tag or a commit, or none.",
        )
    if "RepositoryNotFoundError" in kinds or status in (401, 404):
        return WeightsError(
            f"{hub} has no repository {name.repository}, or it is not open to everybody.",
            remedy="Look at its spelling; capitals count. For a private one run `hf auth login`, or set HF_TOKEN.",
        )
    if "OfflineModeIsEnabled" in kinds:
        return offline(name, here)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return WeightsError(
            f"The disk is full: {name} did not fit.",
            remedy="Make room (`hf cache ls` lists what the hub's cache holds), or name another folder in HF_HOME.",
        )
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return WeightsError(
            f"{name} cannot be written: {on_one_line(os.strerror(error.errno))}.",
            remedy="Name a folder that can be written in HF_HOME.",
        )
    if status is not None:
        what = f"{hub} answered {status}; {name} was not fetched."
        return WeightsError(what, remedy=f"Try again later. {_list(here)}")
    said = on_one_line(for_report(str(error).split("\n", 1)[0]), 160)
    return WeightsError(
        f"{name} could not be fetched from {hub}: {type(error).__name__} ({said}).",
        remedy=f"Look at the network and ask again: what has come is kept, and it goes on from there. {_list(here)}",
    )


def offline(name: HubName, here: Sequence[str]) -> WeightsError:
    """The hub is not to be asked, and the cache does not have it."""
    return WeightsError(
        f"{name} is not in the cache of this machine, and HF_HUB_OFFLINE says not to ask the hub.",
        remedy=f"Unset HF_HUB_OFFLINE, or take what is here. {_list(here)}",
    )


def nothing(name: HubName, offered: Sequence[Choice], files: Sequence[str]) -> WeightsError:
    """The repository has no such model."""
    if not offered:
        shown = ", ".join(on_one_line(file, 60) for file in files[:_MOST_LISTED])
        return WeightsError(
            f"There is no GGUF file in {name.repository}. It has: {shown or 'nothing'}.",
            remedy="Look for a repository of the same model whose name ends in GGUF.",
        )
    there = ", ".join(f"{on_one_line(each.name, 80)} ({in_words(each.size)})" for each in offered[:_MOST_LISTED])
    wanted = f"file {name.file}" if name.file else f"GGUF file of the kind {name.quantisation}"
    return WeightsError(f"There is no {wanted} in {name.repository}.", remedy=f"There are: {there}.")


def no_disk(name: HubName, size: int, free: int, folder: Path) -> WeightsError:
    """It would not fit on the disk."""
    return WeightsError(
        f"{name} has {in_words(size)}, and where it would go {in_words(free)} are free.",
        remedy=f"Make room in {folder.parent.parent} (`hf cache ls` lists what is there), name another folder in "
        "HF_HOME, or take a smaller one.",
    )


def _list(here: Sequence[str]) -> str:
    """The models that are here, in a sentence."""
    if not here:
        return "There is no model of the hub here."
    more = f" and {len(here) - _MOST_LISTED} more" if len(here) > _MOST_LISTED else ""
    return f"Here are: {', '.join(on_one_line(each, 120) for each in here[:_MOST_LISTED])}{more}."
