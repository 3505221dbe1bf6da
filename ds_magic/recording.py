"""The journal or the recording that everything asks through which names none of its own."""

from __future__ import annotations

import os
from typing import Any

from .api.errors import InvalidRequestError

_default: dict[str, Any] = {}


def record(
    *, journal: Any = None, cache: bool | None = None, replay: Any = None, speed: float | None = None
) -> None:
    """Have all that names no recording of its own ask through this one from now on; without any, through none."""
    global _default
    _default = _given(journal=journal, cache=cache, replay=replay, speed=speed)


def recording_meant(
    *, journal: Any = None, cache: bool | None = None, replay: Any = None, speed: float | None = None
) -> dict[str, Any]:
    """The journal or the recording that is meant, as `Client` takes them.

    What is given wins over a default that contradicts it. Defaults: those of `record`, then DS_MAGIC_JOURNAL,
    DS_MAGIC_REPLAY and DS_MAGIC_SPEED in the environment. Raises InvalidRequestError where the last is no number.
    """
    given = _given(journal=journal, cache=cache, replay=replay, speed=speed)
    default = {**_of_environment(), **_default}
    contradicts = "journal" in given or "replay" in given or given.get("cache", False)
    if "replay" in default and not contradicts:
        return {name: each for name, each in default.items() if name in ("replay", "speed")} | given
    if "replay" not in given and (file := given.get("journal", default.get("journal"))):
        given |= {"journal": file, "cache": given.get("cache", default.get("cache", False))}
    return given


def _given(**recording: Any) -> dict[str, Any]:
    return {name: value for name, value in recording.items() if value is not None}


def _of_environment() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("journal", "replay", "speed"):
        text = os.environ.get(f"DS_MAGIC_{name.upper()}", "").strip()
        try:
            found |= {name: float(text) if name == "speed" else text} if text else {}
        except ValueError:
            raise InvalidRequestError(
                f"The environment variable DS_MAGIC_SPEED is {text!r:.60}, which is no number.", field="speed",
                remedy="A replay is so many times as fast as it came; 0 is at once.",
            ) from None
    return found
